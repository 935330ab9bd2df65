//! What the token endpoint would make of an assertion.

use jiff::Timestamp;

use super::{Finding, Step, client};
use crate::app::ledger;
use crate::auth::verify::{Addresses, Bench, diagnose};
use crate::config::settings::Config;
use crate::model::client::ClientCredential;
use crate::model::partner::Partner;

/// An assertion that a partner has sent.
pub struct Shown {
    /// The assertion, in compact form.
    pub assertion: String,
    /// When it came, or now.
    pub at: Timestamp,
}

/// Check by check. Nothing is marked as used.
pub(super) async fn findings(config: &Config, partner: &Partner, shown: &Shown) -> Vec<Finding> {
    let keys = client::read(&partner.client).await;
    let bench = Bench {
        client_id: &partner.client.client_id,
        token_endpoint: &Addresses::under(&config.server.address("")).token_endpoint,
        jwks_url: match &partner.client.credential {
            ClientCredential::KeysAt(address) => Some(&address.url),
            ClientCredential::Keys(_) | ClientCredential::Secret(_) => None,
        },
        keys: keys.as_ref().map_err(Clone::clone),
        now: shown.at,
    };
    let diagnosis = diagnose(shown.assertion.trim(), &bench);
    let mut steps: Vec<Step> = diagnosis
        .checks
        .into_iter()
        .map(|it| match it.outcome {
            Ok(words) => Step::good(it.name, words),
            Err(words) => Step::bad(it.name, words),
        })
        .collect();
    if let Some(jti) = diagnosis.jti {
        steps.push(used_before(config, &partner.client.client_id, &jti).await);
    }
    steps.into_iter().map(|it| it.with(partner.id.as_str())).collect()
}

async fn used_before(config: &Config, client_id: &str, jti: &str) -> Step {
    const STEP: &str = "once only";
    let store = match ledger::open_read_only(&config.store).await {
        Ok(store) => store,
        Err(error) => return Step::look(STEP, format!("not looked up: {error}")),
    };
    match store.is_spent(client_id, jti).await {
        Ok(false) => Step::good(STEP, "the jti was not used before"),
        Ok(true) => Step::bad(STEP, "the jti was used before: each attempt needs a new assertion"),
        Err(error) => Step::look(STEP, format!("not looked up: {error}")),
    }
}
