//! THE LEDGER. The two roads meet only here.
//!
//! Each method is one transaction, so no transaction type leaves this folder. What a method has answered
//! exists after any crash.

pub mod seal;
pub mod sqlite;
mod trail;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::audit::{AuditFilter, AuditRecord, NewAuditRecord, TrailHead, TrailReport};
use crate::model::client::SpentAssertions;
use crate::model::delivery::{Delivery, DeliveryState};
use crate::model::figures::LedgerFigures;
use crate::model::ids::{DeliveryId, PartnerId, ReferralId};
use crate::model::referral::{Acceptance, NewReferral, Referral};
use crate::model::sensitive::Sensitive;
use crate::model::update::{DecisionNote, ResourceVersion, Update};
use crate::model::work::{Lease, Settled, Settlement, StoreError};

/// Everything that the gateway remembers.
pub trait Store:
    Referrals + Updates + WorkQueue + Deliveries + Figures + AuditTrail + SpentAssertions
{
}

impl<T: Referrals + Updates + WorkQueue + Deliveries + Figures + AuditTrail + SpentAssertions> Store for T {}

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

    /// The submission as it arrived.
    async fn body(&self, id: ReferralId) -> Result<Option<Sensitive<Vec<u8>>>, StoreError>;
}

/// What one look at the clinic brought.
#[derive(Clone, Debug)]
pub struct Noticed {
    /// The feed that was read, such as `Task`.
    pub source: &'static str,
    /// Where the look began. If the cursor was turned back since, it stays there.
    pub read_from: Option<Timestamp>,
    /// Up to which instant of the clinic's clock everything was read.
    pub read_up_to: Timestamp,
    /// Updates that concern referrals. Those that were recorded before are recorded once.
    pub updates: Vec<Update>,
    /// Further clinic resources that belong to a referral, such as a Task's outputs.
    pub links: Vec<(String, ReferralId)>,
    /// Consents: held updates about their patients are decided again, where this version was not asked yet.
    pub consents: Vec<NoticedConsent>,
    /// Groups, roles and whatever else decisions depend on, as they are now: held updates whose last decision
    /// read another version are decided again.
    pub changed: Vec<ResourceVersion>,
}

/// A Consent as a look at the clinic found it.
#[derive(Clone, Debug)]
pub struct NoticedConsent {
    /// Its patient at the clinic, `Patient/9`.
    pub patient: String,
    /// Its version, as decisions name it: `Consent/3/_history/2`.
    pub version: String,
}

impl Noticed {
    /// A look that brought nothing.
    pub const fn nothing(source: &'static str, read_up_to: Timestamp) -> Self {
        Self {
            source,
            read_from: None,
            read_up_to,
            updates: Vec::new(),
            links: Vec::new(),
            consents: Vec::new(),
            changed: Vec::new(),
        }
    }
}

/// An update that a partner is about to read from its inbox.
#[derive(Clone, Debug)]
pub struct Collected {
    /// Which.
    pub delivery: DeliveryId,
    /// The decision that allows it.
    pub decision: DecisionNote,
    /// The SHA-256 of what goes out.
    pub sent_sha256: String,
    /// The decision and the disclosure, for the trail.
    pub records: Vec<NewAuditRecord>,
}

/// What the clinic did, and how far we have read.
#[async_trait]
pub trait Updates: Send + Sync {
    /// Up to which instant of the clinic's clock a feed was read.
    async fn read_up_to(&self, source: &str) -> Result<Option<Timestamp>, StoreError>;

    /// The referrals that these clinic resources (`ServiceRequest/5`) belong to, in the order asked.
    async fn referrals_linked_to(
        &self,
        references: Vec<String>,
    ) -> Result<Vec<(String, ReferralId)>, StoreError>;

    /// Records updates, links and the cursor together. Returns how many updates were new.
    async fn record(&self, noticed: Noticed, now: Timestamp) -> Result<usize, StoreError>;

    /// What waits in a partner's inbox or was read from it, of one resource type: of each resource the newest
    /// version that is there.
    async fn inbox(&self, partner: &PartnerId, resource_type: &str) -> Result<Vec<Delivery>, StoreError>;

    /// The partner is about to read it: decision and disclosure are on record together, and what waited counts
    /// as delivered.
    async fn collected(&self, collected: Collected, now: Timestamp) -> Result<(), StoreError>;

    /// The newest version of a type that concerns a referral and went to its partner or waits in its inbox.
    async fn newest_released(
        &self,
        referral: ReferralId,
        resource_type: &str,
    ) -> Result<Option<Delivery>, StoreError>;
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

/// How much work may be taken at a time.
#[derive(Clone, Copy, Debug)]
pub struct ClaimLimits {
    /// So many deliveries now.
    pub in_all: usize,
    /// So many attempts at one endpoint, those that run already included.
    pub per_endpoint: usize,
}

/// The work that is owed.
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Leases lanes with due work, one delivery each.
    async fn claim(
        &self,
        now: Timestamp,
        lease: Duration,
        limits: ClaimLimits,
    ) -> Result<Vec<Lease>, StoreError>;

    /// Records how an attempt ended, if the lease is still ours.
    async fn settle(
        &self,
        lease: &Lease,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<Settled, StoreError>;

    /// When the next work is due, if any waits.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// After a start: work that a crash cut off may have taken effect; it waits until `look_at`.
    async fn recover(&self, look_at: Timestamp) -> Result<usize, StoreError>;

    /// Makes a dead, held or waiting delivery due now. False: there is none that could be, or a newer version
    /// of the same resource is out already.
    async fn retry(&self, id: DeliveryId, now: Timestamp) -> Result<bool, StoreError>;
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
}
