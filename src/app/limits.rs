//! What the settings say about limits, as parts.

use std::sync::Arc;

use super::disk::{self, Ballast};
use super::pressure::PressureGauge;
use crate::config::settings::Config;
use crate::model::clock::Clock;
use crate::server::Doors;
use crate::server::admission::Admission;
use crate::server::rate::Rates;
use crate::store::Store;

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
pub(super) fn pressure<S: Store + 'static>(config: &Config, store: &Arc<S>, doors: &Doors) -> PressureGauge {
    PressureGauge {
        store: Arc::clone(store) as _,
        clock: Arc::clone(&doors.clock),
        admission: Arc::clone(&doors.admission),
        metrics: Arc::clone(&doors.metrics),
        ledger: config.store.path.clone(),
        ballast: ballast(config),
        limits: config.limits.pressure,
        interval: config.limits.look_every,
    }
}

/// Before the ledger is opened: on a full disk it could not be.
pub(super) fn make_room(config: &Config) {
    if let Some(room) = disk::room_beside(&config.store.path) {
        ballast(config).trim(room.free, config.limits.pressure.least_free(room.whole));
    }
}

fn ballast(config: &Config) -> Ballast {
    Ballast::beside(&config.store.path, config.limits.ballast_bytes)
}
