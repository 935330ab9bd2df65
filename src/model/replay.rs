//! Sending deliveries again by an operator's order: many of them, some at a time (reference: delivery B7).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::delivery::DeliveryState;
use super::ids::{DeliveryId, PartnerId, ReplayId};

/// Which deliveries. What is left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayFilter {
    /// Only this one.
    pub delivery: Option<DeliveryId>,
    /// Only what is in these states; dead where there is none. Only what waits or needs a person can be sent.
    pub states: Vec<DeliveryState>,
    /// Only to this server: `@clinic` or a partner's id.
    pub endpoint: Option<String>,
    /// Only this partner's.
    pub partner: Option<PartnerId>,
    /// Only what stands there for this reason, as a code of ours.
    pub reason: Option<String>,
    /// Only what was recorded at this instant or later.
    pub from: Option<Timestamp>,
    /// Only what was recorded before this instant.
    pub until: Option<Timestamp>,
}

/// States in which a delivery can be sent again.
pub const REPLAYABLE: [DeliveryState; 5] = [
    DeliveryState::Dead,
    DeliveryState::Quarantined,
    DeliveryState::RetryWait,
    DeliveryState::UnknownWait,
    DeliveryState::Held,
];

impl ReplayFilter {
    /// The states that it names, as far as deliveries in them can be sent again.
    pub fn wanted(&self) -> Vec<DeliveryState> {
        if self.states.is_empty() {
            return vec![DeliveryState::Dead];
        }
        self.states.iter().copied().filter(|state| REPLAYABLE.contains(state)).collect()
    }
}

/// What an operator orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewReplay {
    /// Which deliveries.
    pub filter: ReplayFilter,
    /// So many in a minute, at least 1.
    pub per_minute: u32,
    /// Who.
    pub by: String,
    /// Why, in the operator's words.
    pub why: String,
}

/// A replay as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// Its name.
    pub id: ReplayId,
    /// When it was ordered.
    pub asked: Timestamp,
    /// What was ordered.
    #[serde(flatten)]
    pub ordered: NewReplay,
    /// `running`, `done` or `stopped`.
    pub state: String,
    /// How many deliveries were made due again.
    pub replayed: u64,
    /// How many could not be: something newer is out, or they moved by themselves meanwhile.
    pub passed_over: u64,
}

/// Deliveries that a replay would send, in groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplayGroup {
    /// `@clinic` or a partner's id.
    pub endpoint: String,
    /// Where they stand.
    pub state: DeliveryState,
    /// Why.
    pub reason: Option<String>,
    /// How many.
    pub count: u64,
}
