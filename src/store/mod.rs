//! THE LEDGER. The two roads meet only here.
//!
//! Each method is one transaction, so no transaction type leaves this folder. What a method has answered
//! exists after any crash.

pub mod engine;
pub mod ledger;
pub mod migrations;
mod packing;
pub mod postgres;
mod replays;
mod replies;
pub mod seal;
pub mod sql;
pub mod sqlite;
mod trail;
mod updates;
mod work_queue;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::audit::{AuditFilter, AuditRecord, NewAuditRecord, TrailHead, TrailReport};
use crate::model::client::SpentAssertions;
use crate::model::delivery::{Delivery, DeliveryState};
use crate::model::figures::LedgerFigures;
use crate::model::ids::{DeliveryId, PartnerId, ReferralId};
use crate::model::referral::{Acceptance, NewReferral, Referral};
use crate::model::retention::{Purged, Retention};
use crate::model::sensitive::Sensitive;
use crate::model::work::StoreError;

pub use replays::Replays;
pub use replies::Replies;
pub use updates::{Collected, Noticed, NoticedConsent, Updates};
pub use work_queue::{ClaimLimits, Claimed, Endpoints, WorkQueue};

/// Everything that the gateway remembers.
pub trait Store:
    Referrals
    + Replies
    + Updates
    + WorkQueue
    + Endpoints
    + Replays
    + Deliveries
    + Figures
    + AuditTrail
    + SpentAssertions
    + Housekeeping
{
}

/// What partners sent.
#[async_trait]
pub trait Referrals: Send + Sync {
    /// Records a referral with its body, its keys and the work to forward it; or says that it is known.
    async fn accept(&self, new: NewReferral) -> Result<Acceptance, StoreError>;

    /// What [`accept`](Referrals::accept) would say of a submission that is known; none: it would be new. Only
    /// reads.
    async fn known(&self, new: NewReferral) -> Result<Option<Acceptance>, StoreError>;

    /// The referral of this id.
    async fn referral(&self, id: ReferralId) -> Result<Option<Referral>, StoreError>;

    /// A partner's referrals, newest first, at most `limit`, older than `before` where it is given.
    async fn referrals_of(
        &self,
        partner: &PartnerId,
        before: Option<ReferralId>,
        limit: usize,
    ) -> Result<Vec<Referral>, StoreError>;

    /// The partner's referrals that have this identifier, `system|value` or `value`, newest first.
    async fn referrals_by_identifier(
        &self,
        partner: &PartnerId,
        identifier: &str,
        limit: usize,
    ) -> Result<Vec<Referral>, StoreError>;

    /// The submission as it arrived; none: there is no such referral, or its body was purged.
    async fn body(&self, id: ReferralId) -> Result<Option<Sensitive<Vec<u8>>>, StoreError>;
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only these states; all when empty.
    pub states: Vec<DeliveryState>,
    /// Only this partner's.
    pub partner: Option<PartnerId>,
    /// Only this referral's.
    pub referral: Option<ReferralId>,
    /// At most so many, newest first.
    pub limit: usize,
}

/// One past attempt of a delivery.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// When it began.
    pub started: Timestamp,
    /// When it ended; none: it was cut off by a crash or still runs.
    pub ended: Option<Timestamp>,
    /// The state that it led to, or a cause's code.
    pub outcome: Option<String>,
    /// The status that the other side gave.
    pub http_status: Option<u16>,
    /// The consent decision, as `permit` or the like with its rule.
    pub decision: Option<String>,
    /// The Consents that were read, with versions.
    pub consents: Vec<String>,
}

/// What became of the work.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// One delivery.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// Deliveries, newest first.
    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError>;

    /// The attempts of one delivery, oldest first.
    async fn attempts(&self, id: DeliveryId) -> Result<Vec<AttemptRecord>, StoreError>;

    /// How many deliveries are in each state.
    async fn counts(&self) -> Result<Vec<(DeliveryState, u64)>, StoreError>;
}

/// How much stands where.
#[async_trait]
pub trait Figures: Send + Sync {
    /// The figures of one moment. Cheap enough to be asked for every few seconds.
    async fn figures(&self) -> Result<LedgerFigures, StoreError>;
}

/// What was decided and disclosed, linked so that nothing can be changed or removed unseen.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Appends records, all or none. Once answered they exist after any crash.
    async fn append(&self, records: Vec<NewAuditRecord>) -> Result<(), StoreError>;

    /// Records, newest first.
    async fn audit_records(&self, filter: AuditFilter) -> Result<Vec<AuditRecord>, StoreError>;

    /// Up to where the trail goes.
    async fn trail_head(&self) -> Result<TrailHead, StoreError>;

    /// Looks at every record, and compares every delivery that went out with them. `kept` is a head that was
    /// noted down before: it must still be in the trail.
    async fn inspect_trail(&self, kept: Option<TrailHead>) -> Result<TrailReport, StoreError>;

    /// Looks at the records behind one that was found to be as it should; deliveries are not compared.
    async fn inspect_behind(&self, known: TrailHead) -> Result<TrailReport, StoreError>;
}

/// Keeping the ledger in order.
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Whether changes are taken at all. After a failed commit an embedded ledger takes none, and the process
    /// should end.
    fn is_writable(&self) -> bool;

    /// Makes the ledger's write-ahead log small, unless somebody still reads what it held at an earlier time. The
    /// database does so by itself as long as nobody reads for long.
    async fn empty_write_ahead_log(&self) -> Result<(), StoreError>;

    /// Takes what one gateway does for all that share the ledger, for so long. False: another one has it.
    async fn take_turn(&self, name: &str, now: Timestamp, lasts: Duration) -> Result<bool, StoreError>;

    /// Destroys some of what need not be kept any longer; call it again until nothing was left.
    async fn purge(&self, retention: Retention, now: Timestamp) -> Result<Purged, StoreError>;

    /// Gives some of the room that purging made free in an embedded ledger's file back to the disk, and tells how
    /// many pages; call it again until it says 0. A database server sees to that by itself.
    async fn give_back(&self) -> Result<u64, StoreError>;

    /// Seals some of what a former key of the gateway sealed under its present key; call it again until it
    /// says 0. The former keys are then needed no more.
    async fn seal_anew(&self) -> Result<usize, StoreError>;
}
