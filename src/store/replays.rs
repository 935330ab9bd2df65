//! Operators' orders about deliveries.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::ids::{DeliveryId, ReplayId};
use crate::model::replay::{NewReplay, Replay, ReplayFilter, ReplayGroup};
use crate::model::work::StoreError;

/// Operators' orders about deliveries.
#[async_trait]
pub trait Replays: Send + Sync {
    /// What a replay with this filter would send, if it began now. Changes nothing.
    async fn preview_replay(&self, filter: ReplayFilter) -> Result<Vec<ReplayGroup>, StoreError>;

    /// Orders a replay. It goes on by [`Replays::replay_some`], also after a restart.
    async fn begin_replay(&self, new: NewReplay, now: Timestamp) -> Result<ReplayId, StoreError>;

    /// All replays, newest first.
    async fn replays(&self) -> Result<Vec<Replay>, StoreError>;

    /// Stops a replay where it is. False: there is none of this name that runs.
    async fn stop_replay(&self, id: ReplayId) -> Result<bool, StoreError>;

    /// Makes some deliveries due, of a replay that may go on now. False: there is none. What was delivered
    /// keeps its name at the other side, so nothing doubles.
    async fn replay_some(&self, now: Timestamp) -> Result<bool, StoreError>;

    /// Decides that a delivery is not to be done. False: there is none, it runs, or it came to its end.
    async fn cancel(&self, id: DeliveryId, by: &str, why: &str, now: Timestamp) -> Result<bool, StoreError>;
}
