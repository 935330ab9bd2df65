//! The whole handshake with each partner and the clinic, for people who look why two sides do not come together: their
//! keys, our token, their server, its clock and its certificate. It changes nothing anywhere.

mod assertion;
mod client;
mod server;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::JoinSet;

pub use assertion::Shown;

use super::clients;
use crate::auth::keys::folder::KeyFolder;
use crate::config::settings::Config;
use crate::model::client::Client;
use crate::model::clock::{Clock, SystemClock};
use crate::model::fhir_version::FhirVersion;
use crate::model::partner::{Endpoint, Partner};

/// What came of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// With whom: a partner's id, or `@clinic`.
    pub with: String,
    /// Which step, in a word.
    pub step: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// The same in words. Holds no secret.
    pub words: String,
}

/// How one step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and somebody should look at it.
    Look,
    /// It does not work.
    Bad,
}

/// One side: who calls us from there, and what we call there.
#[derive(Clone)]
struct Side {
    with: String,
    client: Option<Client>,
    server: Option<(Endpoint, FhirVersion)>,
    /// Our keys that take turns.
    keys: Option<Arc<KeyFolder>>,
}

/// The handshake with the clinic and every partner, at the same time; told in their order.
pub async fn with_everybody(config: &Config, now: fn() -> Timestamp) -> Vec<Finding> {
    let mut tasks = JoinSet::new();
    for (place, side) in sides(config).into_iter().enumerate() {
        tasks.spawn(async move { (place, side.findings(now).await) });
    }
    let mut found = tasks.join_all().await;
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().flat_map(|(_, findings)| findings).collect()
}

/// The handshake with one partner, and what the token endpoint would make of an assertion of its.
pub async fn with_partner(
    config: &Config,
    partner: &Partner,
    shown: Option<&Shown>,
    now: fn() -> Timestamp,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(shown) = shown {
        findings.extend(assertion::findings(config, partner, shown).await);
    }
    findings.extend(Side::of(partner, key_folder(config).as_ref()).findings(now).await);
    findings
}

fn key_folder(config: &Config) -> Option<Arc<KeyFolder>> {
    clients::key_folder(config, &(Arc::new(SystemClock) as Arc<dyn Clock>))
}

fn sides(config: &Config) -> Vec<Side> {
    let keys = key_folder(config);
    let clinic = Side {
        with: "@clinic".to_owned(),
        client: config.clinic.client.clone(),
        server: Some((config.clinic.endpoint.clone(), FhirVersion::R4)),
        keys: keys.clone(),
    };
    [clinic].into_iter().chain(config.partners.iter().map(|it| Side::of(it, keys.as_ref()))).collect()
}

impl Side {
    fn of(partner: &Partner, keys: Option<&Arc<KeyFolder>>) -> Self {
        let endpoint = partner.outbound.mode.endpoint();
        let server = endpoint.map(|endpoint| (endpoint.clone(), partner.fhir_version));
        Self {
            with: partner.id.to_string(),
            client: Some(partner.client.clone()),
            server,
            keys: keys.cloned(),
        }
    }

    async fn findings(&self, now: fn() -> Timestamp) -> Vec<Finding> {
        let mut steps = Vec::new();
        if let Some(client) = &self.client {
            steps.extend(client::steps(client).await);
        }
        if let Some((endpoint, version)) = &self.server {
            steps.extend(server::steps(endpoint, *version, self.keys.as_ref(), now).await);
        }
        steps.into_iter().map(|step| step.with(&self.with)).collect()
    }
}

/// A finding, before it is said with whom.
struct Step(&'static str, Verdict, String);

impl Step {
    fn good(step: &'static str, words: impl Into<String>) -> Self {
        Self(step, Verdict::Good, words.into())
    }

    fn look(step: &'static str, words: impl Into<String>) -> Self {
        Self(step, Verdict::Look, words.into())
    }

    fn bad(step: &'static str, words: impl Into<String>) -> Self {
        Self(step, Verdict::Bad, words.into())
    }

    fn with(self, with: &str) -> Finding {
        let Self(step, verdict, words) = self;
        Finding { with: with.to_owned(), step, verdict, words }
    }
}
