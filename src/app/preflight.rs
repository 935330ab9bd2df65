//! What can be told about settings before anything is opened: beyond what `config` may know, such as
//! whether keys can be used.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parts::fhir_client;
use super::profiles::Profiles;
use super::{StartError, clients, profiles, tls_of};
use crate::auth::verify::Clients;
use crate::config::settings::Config;
use crate::fhir::client::http_client;
use crate::inbound::validate;
use crate::model::client::ClientCredential;
use crate::model::clock::{Clock, SystemClock};
use crate::model::partner::{Credentials, OutboundMode, OwnKey, Partner, SigningAlgorithm};

/// Why a gateway could not start with these settings, as far as can be told without opening anything.
pub fn unusable(config: &Config) -> Vec<String> {
    let mut reasons: Vec<String> =
        refuse_example_secrets(config).err().iter().map(ToString::to_string).collect();
    for problem in Clients::check(clients::registered(config)).err().into_iter().flatten() {
        reasons.push(problem.to_string());
    }
    match profiles::load(config.profiles_directory.as_deref()) {
        Ok(profiles) => reasons.extend(profile_faults(&profiles, config)),
        Err(problem) => reasons.push(problem.to_string()),
    }
    if let Err(problem) = tls_of(config) {
        reasons.push(problem.to_string());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let keys = clients::key_folder(config, &clock);
    reasons.extend(keys.as_ref().and_then(|it| it.published().err()).map(|it| it.to_string()));
    reasons.extend(clients::own_keys(config, None).err().map(|it| it.to_string()));
    let endpoints = config.partners.iter().filter_map(|partner| {
        partner.outbound.mode.endpoint().map(|endpoint| (partner.id.as_str(), endpoint))
    });
    for (name, endpoint) in endpoints.chain([("the clinic", &config.clinic.endpoint)]) {
        if let Err(problem) = fhir_client(name, endpoint, &clock, &http_client(), keys.as_ref()) {
            reasons.push(problem.to_string());
        }
        if let (Some(keys), Some(algorithm)) = (&keys, in_turn(&endpoint.credentials)) {
            reasons.extend(keys.signing(algorithm).err().map(|it| it.to_string()));
        }
    }
    reasons
}

/// What the key has to sign with that takes turns, where one does.
const fn in_turn(credentials: &Credentials) -> Option<SigningAlgorithm> {
    match credentials {
        Credentials::PrivateKeyJwt { key: OwnKey::InTurn(algorithm), .. } => Some(*algorithm),
        _ => None,
    }
}

/// What is told of definitions that can be used.
pub fn notes(config: &Config) -> Vec<String> {
    let Ok(profiles) = profiles::load(config.profiles_directory.as_deref()) else {
        return Vec::new();
    };
    let unchecked = unchecked(&profiles, config);
    profiles.notes.into_iter().chain(unchecked).collect()
}

/// What profiles say that is not checked, for each that is in use.
fn unchecked(profiles: &Profiles, config: &Config) -> Vec<String> {
    let mut notes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for partner in &config.partners {
        let Ok(rules) = validate::rules(&profiles.library, &profiles.dialects, partner) else {
            continue; // It is among the faults.
        };
        for profile in rules.profiles() {
            for what in &profile.unchecked {
                let note = format!("{}: not checked: {what}", profile.url);
                notes.entry(note).or_default().push(partner.id.as_str());
            }
        }
    }
    notes.into_iter().map(|(note, partners)| format!("{note} (for {})", partners.join(", "))).collect()
}

/// Definitions that cannot be used, and partners whose messages cannot be checked because of it.
fn profile_faults(profiles: &Profiles, config: &Config) -> Vec<String> {
    let broken = profiles.problems.iter().map(ToString::to_string);
    let faults = profiles.library.faults().map(ToString::to_string);
    let mut reasons: Vec<String> = broken.chain(faults).collect();
    for partner in &config.partners {
        match profiles.dialects.of(partner.dialect) {
            Ok(terms) if terms.rules.message.is_none() => reasons.extend(no_messages(partner)),
            Ok(_) => {}
            Err(broken) => reasons.push(format!("partners/{}.toml, dialect: {broken}", partner.id)),
        }
        if let Err(fault) = profiles.library.rules(partner.profiles.iter().map(String::as_str)) {
            reasons.push(format!("partners/{}.toml, profiles: {fault}", partner.id));
        }
    }
    reasons
}

/// A guide without messages says nothing of what one would have to look like.
fn no_messages(partner: &Partner) -> Option<String> {
    let dialect = partner.dialect.word();
    matches!(partner.outbound.mode, OutboundMode::Message(_)).then(|| {
        format!(
            "partners/{}.toml, outbound.mode: the dialect {dialect} has no messages; use \"rest\" or \"inbox\", or \
             give the dialect a section [message] in dialects/{dialect}/dialect.toml of the folder of profiles",
            partner.id
        )
    })
}

/// The secret that `config/partners/lakeside.toml` falls back to.
const EXAMPLE_SECRET: &str = "change-me";

/// The example may run as it is, but only where nobody else can connect.
pub(super) fn refuse_example_secrets(config: &Config) -> Result<(), StartError> {
    if config.server.listen.ip().is_loopback() && !config.server.tls_terminated_upstream {
        return Ok(());
    }
    let clients = config.partners.iter().map(|it| &it.client).chain(&config.clinic.client);
    for client in clients {
        if matches!(&client.credential, ClientCredential::Secret(it) if it.reveal() == EXAMPLE_SECRET) {
            return Err(StartError::ExampleSecret(client.client_id.clone()));
        }
    }
    Ok(())
}
