//! What the settings say about limits, as parts.

use std::path::PathBuf;
use std::sync::Arc;

use super::disk::{self, Ballast};
use super::pressure::PressureGauge;
use crate::config::settings::{Config, Database};
use crate::model::clock::Clock;
use crate::model::delivery::RetrySchedule;
use crate::model::endpoint::EndpointLimits;
use crate::server::Doors;
use crate::server::admission::Admission;
use crate::server::rate::Rates;
use crate::store::Store;
use crate::worker::Patience;

/// Who may come in now.
pub(super) fn admission(config: &Config, clock: &Arc<dyn Clock>) -> Admission {
    let limits = &config.limits;
    let clients = config.partners.iter().map(|it| &it.client).chain(&config.clinic.client);
    let own = clients.filter_map(|it| Some((it.client_id.clone(), it.rate?))).collect();
    let clients = Rates::new(Arc::clone(clock), limits.client, own);
    let tokens = Rates::new(Arc::clone(clock), limits.token, std::collections::HashMap::new());
    Admission::new(clients, tokens, limits.body_bytes_at_once)
}

/// What shuts and opens the door.
pub(super) fn pressure(config: &Config, store: &Arc<dyn Store>, doors: &Doors) -> PressureGauge {
    PressureGauge {
        store: Arc::clone(store),
        clock: Arc::clone(&doors.clock),
        admission: Arc::clone(&doors.admission),
        metrics: Arc::clone(&doors.metrics),
        file: file(config),
        limits: config.limits.pressure,
        interval: config.limits.look_every,
    }
}

/// Before the ledger is opened: on a full disk it could not be.
pub(super) fn make_room(config: &Config) {
    let Some((file, ballast)) = file(config) else {
        return;
    };
    if let Some(room) = disk::room_beside(&file) {
        ballast.trim(room.free, config.limits.pressure.least_free(room.whole));
    }
}

/// A database elsewhere watches its own disk.
fn file(config: &Config) -> Option<(PathBuf, Ballast)> {
    let Database::Sqlite(file) = &config.store.database else {
        return None;
    };
    Some((file.clone(), Ballast::beside(file, config.limits.ballast_bytes)))
}

/// How long work is waited for, and how much of it goes at a time.
pub(super) fn patience(config: &Config) -> Patience {
    let delivery = &config.delivery;
    let schedule = |deadline| RetrySchedule { first: delivery.first_retry, deadline };
    Patience {
        clinic: schedule(delivery.clinic_deadline),
        partner: schedule(delivery.partner_deadline),
        quiet_period: delivery.quiet_period,
        lease: delivery.lease,
        at_once: delivery.workers,
        endpoint: EndpointLimits {
            at_once: u32::try_from(delivery.attempts_per_endpoint).unwrap_or(u32::MAX),
            per_second: delivery.attempts_per_second,
        },
    }
}
