//! What the log says of attempts and servers: each failed attempt, and each change of a server.

use crate::fhir::client::failure::Failure;
use crate::model::delivery::{Cause, Delivery};
use crate::model::endpoint::Change;
use crate::model::work::Settlement;

pub(super) fn failure(delivery: &Delivery, failure: &Failure, settlement: &Settlement) {
    if matches!(failure, Failure::Unverified { .. }) {
        let (delivery, referral) = (delivery.id, delivery.referral);
        tracing::info!(delivery.id = %delivery, referral.id = %referral, "written; whether once is looked at later");
        return;
    }
    let sent_bytes = match failure {
        Failure::Status(refused) if refused.status == 413 => Some(refused.sent_bytes),
        _ => None,
    };
    tracing::warn!(
        delivery.id = %delivery.id,
        referral.id = %delivery.referral,
        cause = failure.code(),
        http.status = failure.status(),
        sent_bytes,
        dead = matches!(settlement, Settlement::Dead(_)),
        "an attempt failed"
    );
}

/// Nobody else is held up by it.
pub(super) fn quarantined(delivery: &Delivery, cause: &Cause) {
    tracing::warn!(
        delivery.id = %delivery.id,
        referral.id = %delivery.referral,
        cause = cause.code,
        "a delivery is quarantined; a person must look"
    );
}

/// Told once: what is of this kind is not tried any more.
pub(super) fn not_offered(endpoint: &str, kind: &str) {
    tracing::warn!(%endpoint, interaction = kind, "a server does not take this kind of writing; what is owed of it is held");
}

/// Tries in between are not logged: a server that is down for a day says so once.
pub(super) fn change(endpoint: &str, change: &Change) {
    match change {
        Change::Opened { why, probe_at } => {
            tracing::warn!(%endpoint, why = why.code(), %probe_at, "a server is left alone; what is owed to it waits");
        }
        Change::Suspended { why, since } => {
            tracing::error!(%endpoint, why = why.code(), %since, "a server has not been usable for a day");
        }
        Change::Closed { why, since } => {
            tracing::info!(%endpoint, why = why.code(), %since, "a server works again");
        }
        Change::Throttled { until } => {
            tracing::warn!(%endpoint, %until, "a server asks for time; what is owed to it waits");
        }
    }
}
