//! `[delivery]`.

use std::time::Duration;

use crate::config::raw::gateway as raw;
use crate::config::settings::Delivery;

/// Gives numbers their units; the schema has checked their ranges.
pub(super) const fn check(raw: &raw::Delivery) -> Delivery {
    Delivery {
        quiet_period: Duration::from_secs(raw.quiet_period_s),
        first_retry: Duration::from_secs(raw.first_retry_s),
        clinic_deadline: Duration::from_hours(raw.clinic_deadline_h),
        partner_deadline: Duration::from_hours(raw.partner_deadline_h),
        decide_again: Duration::from_secs(raw.decide_again_s),
        workers: raw.workers,
        attempts_per_endpoint: raw.attempts_per_endpoint,
        attempts_per_second: raw.attempts_per_second,
        lease: Duration::from_secs(raw.lease_s),
    }
}
