//! How long and how often is tried, by the settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::settings::Config;
use crate::model::delivery::{CLINIC, RetrySchedule};
use crate::model::endpoint::EndpointLimits;
use crate::model::partner::Pace;
use crate::worker::Patience;

/// The worker's patience.
pub(super) fn of(config: &Config) -> Patience {
    let delivery = &config.delivery;
    let schedule = |deadline| RetrySchedule { first: delivery.first_retry, deadline };
    let endpoint = EndpointLimits {
        at_once: u32::try_from(delivery.attempts_per_endpoint).unwrap_or(u32::MAX),
        per_second: delivery.attempts_per_second,
    };
    Patience {
        clinic: schedule(delivery.clinic_deadline),
        partner: schedule(delivery.partner_deadline),
        quiet_period: delivery.quiet_period,
        lease: delivery.lease,
        at_once: delivery.workers,
        endpoint,
        own: Arc::new(own(config, endpoint)),
    }
}

/// Servers whose settings say something else.
fn own(config: &Config, usual: EndpointLimits) -> BTreeMap<String, EndpointLimits> {
    let partners = config.partners.iter().filter_map(|partner| {
        partner.outbound.mode.endpoint().map(|endpoint| (partner.id.to_string(), endpoint.pace))
    });
    let all = partners.chain([(CLINIC.to_owned(), config.clinic.endpoint.pace)]);
    let differing = all.filter(|(_, pace)| *pace != Pace::default());
    let limits = |(endpoint, pace): (String, Pace)| {
        let at_once = pace.at_once.unwrap_or(usual.at_once);
        (endpoint, EndpointLimits { at_once, per_second: pace.per_second.unwrap_or(usual.per_second) })
    };
    differing.map(limits).collect()
}
