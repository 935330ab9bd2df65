//! THE LEDGER. The two roads meet only here.
//!
//! Each method is one transaction, so no transaction type leaves this folder. What a method has answered
//! exists after any crash.

pub mod engine;
pub mod ledger;
pub mod migrations;
pub mod postgres;
pub mod seal;
pub mod sql;
pub mod sqlite;
mod trail;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::audit::{AuditFilter, AuditRecord, NewAuditRecord, TrailHead, TrailReport};
use crate::model::client::SpentAssertions;
use crate::model::delivery::{Delivery, DeliveryState};
use crate::model::endpoint::{EndpointLimits, EndpointReport};
use crate::model::ids::{DeliveryId, PartnerId, ReferralId};
use crate::model::referral::{Acceptance, NewReferral, Referral};
use crate::model::retention::{Purged, Retention};
use crate::model::sensitive::Sensitive;
use crate::model::update::{DecisionNote, ResourceVersion, Update};
use crate::model::work::{Ended, Lease, Settled, StoreError};

/// Everything that the gateway remembers.
pub trait Store:
    Referrals + Updates + WorkQueue + Endpoints + Deliveries + AuditTrail + SpentAssertions + Housekeeping
{
}

impl<
    T: Referrals + Updates + WorkQueue + Endpoints + Deliveries + AuditTrail + SpentAssertions + Housekeeping,
> Store for T
{
}

/// What partners sent.
#[async_trait]
pub trait Referrals: Send + Sync {
    /// Records a referral with its body, its keys and the work to forward it; or says that it is known.
    async fn accept(&self, new: NewReferral) -> Result<Acceptance, StoreError>;

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
    /// How much one server may be asked to do, by all who share the ledger.
    pub endpoint: EndpointLimits,
}

/// Work that was taken.
#[derive(Debug)]
pub struct Claimed {
    /// What to do.
    pub leases: Vec<Lease>,
    /// When there will be more to take; none: when an attempt ends, or something new is recorded.
    pub ask_again: Option<Timestamp>,
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

    /// After a start: work that a crash cut off may have taken effect; it waits until `look_at`.
    async fn recover(&self, look_at: Timestamp) -> Result<usize, StoreError>;

    /// Makes a dead, held or waiting delivery due now. False: there is none that could be, or a newer version
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

    /// Lets attempts at a server go on, whatever stopped them.
    async fn resume(&self, endpoint: &str, by: &str, now: Timestamp) -> Result<(), StoreError>;
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

/// Keeping the ledger in order.
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Whether changes are taken at all. After a failed commit an embedded ledger takes none, and the process
    /// should end.
    fn is_writable(&self) -> bool;

    /// Takes what one gateway does for all that share the ledger, for so long. False: another one has it.
    async fn take_turn(&self, name: &str, now: Timestamp, lasts: Duration) -> Result<bool, StoreError>;

    /// Destroys some of what need not be kept any longer; call it again until nothing was left.
    async fn purge(&self, retention: Retention, now: Timestamp) -> Result<Purged, StoreError>;

    /// Seals some of what a former key of the gateway sealed under its present key; call it again until it
    /// says 0. The former keys are then needed no more.
    async fn seal_anew(&self) -> Result<usize, StoreError>;
}
