//! What the clinic did, and how far we have read.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::audit::NewAuditRecord;
use crate::model::delivery::Delivery;
use crate::model::ids::{DeliveryId, PartnerId, ReferralId};
use crate::model::referral_state::ReferralState;
use crate::model::update::{DecisionNote, ResourceVersion, Update};
use crate::model::work::StoreError;

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
    /// Where the referral stands by it, if it says so.
    pub told: Option<ReferralState>,
    /// The decision and the disclosure, for the trail.
    pub records: Vec<NewAuditRecord>,
}

/// What the clinic did, and how far we have read.
#[async_trait]
pub trait Updates: Send + Sync {
    /// Where a partner was last told that a referral stands; none: it was told nothing yet.
    async fn last_told(&self, referral: ReferralId) -> Result<Option<ReferralState>, StoreError>;

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
