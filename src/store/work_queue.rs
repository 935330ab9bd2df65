//! The work that is owed, and the servers that it is owed to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::endpoint::{EndpointLimits, EndpointReport};
use crate::model::ids::DeliveryId;
use crate::model::work::{Ended, Lease, Settled, StoreError};

/// How much work may be taken at a time.
#[derive(Clone, Debug)]
pub struct ClaimLimits {
    /// So many deliveries now.
    pub in_all: usize,
    /// How much one server may be asked to do, by all who share the ledger.
    pub endpoint: EndpointLimits,
    /// Servers for which other limits hold, by their endpoints.
    pub own: Option<Arc<BTreeMap<String, EndpointLimits>>>,
}

impl ClaimLimits {
    /// The limits of one server.
    pub fn of(&self, endpoint: &str) -> &EndpointLimits {
        self.own.as_ref().and_then(|own| own.get(endpoint)).unwrap_or(&self.endpoint)
    }
}

/// Work that was taken.
#[derive(Debug)]
pub struct Claimed {
    /// What to do.
    pub leases: Vec<Lease>,
    /// When there will be more to take; none: when an attempt ends, or something new is recorded.
    pub ask_again: Option<Timestamp>,
    /// How many leases had run out and were taken back.
    pub leases_lost: usize,
}

/// The work that is owed.
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Leases lanes with due work, one delivery each, as far as their servers may be asked.
    async fn claim(
        &self,
        now: Timestamp,
        lease: Duration,
        limits: ClaimLimits,
    ) -> Result<Claimed, StoreError>;

    /// Records how an attempt ended, if the lease is still ours, and what it told of the server in any case.
    async fn settle(&self, lease: &Lease, ended: Ended, now: Timestamp) -> Result<Settled, StoreError>;

    /// A server works again: what waits longer for it after a failure is due `now`, and what may have taken effect
    /// there at `look_at`. Tells how many deliveries.
    async fn hasten(&self, endpoint: &str, now: Timestamp, look_at: Timestamp) -> Result<u64, StoreError>;

    /// After a start: work that a crash cut off may have taken effect; it waits until `look_at`.
    async fn recover(&self, look_at: Timestamp) -> Result<usize, StoreError>;

    /// Makes a dead, quarantined, held or waiting delivery due now; one that was quarantined is looked for first. False: there is none that could be, or a newer version
    /// of the same resource is out already.
    async fn retry(&self, id: DeliveryId, now: Timestamp) -> Result<bool, StoreError>;
}

/// The servers that we owe something.
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// All of them, with what waits for them.
    async fn endpoints(&self) -> Result<Vec<EndpointReport>, StoreError>;

    /// Stops all attempts at a server, from the next one on; what is owed to it waits.
    async fn pause(&self, endpoint: &str, by: &str, why: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Lets attempts at a server go on, whatever stopped them; what is held because its kind was suspended is due.
    async fn resume(&self, endpoint: &str, by: &str, now: Timestamp) -> Result<(), StoreError>;

    /// What a server says of itself now, as a digest. True: that is new, and kinds of writing that were suspended
    /// before are tried again.
    async fn offered(&self, endpoint: &str, offer: &str, now: Timestamp) -> Result<bool, StoreError>;
}
