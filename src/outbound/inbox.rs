//! What a partner reads from us. Each read is a disclosure of its own: consent is asked again, the content
//! is read anew, and the release is on record before the answer leaves. What is not released does not exist.

use serde_json::Value;

use super::Outbound;
use super::prepare::Prepared;
use super::proof::Attempt;
use crate::consent::permit::Decision;
use crate::fhir::client::failure::Failure;
use crate::model::delivery::{Delivery, Owed};
use crate::model::ids::ReferralId;
use crate::model::partner::{OutboundMode, Partner};
use crate::model::work::StoreError;
use crate::store::Collected;
use crate::translation::effect::hosted_update_id;
use crate::translation::to_partner::Form;

/// A read could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The clinic's server did not answer as it should.
    #[error("the clinic's server: {0}")]
    Clinic(#[from] Failure),
    /// The ledger did not.
    #[error("the ledger: {0}")]
    Store(#[from] StoreError),
}

impl Outbound {
    /// What waits for a partner, of one type, newest first; of one referral only, where one is given.
    pub async fn inbox(
        &self,
        partner: &Partner,
        resource_type: &str,
        referral: Option<ReferralId>,
        limit: usize,
    ) -> Result<Vec<Value>, InboxError> {
        let mut released = Vec::new();
        for delivery in self.waiting(partner, resource_type).await? {
            let wanted = referral.is_none_or(|it| it == delivery.referral);
            if wanted && released.len() < limit {
                released.extend(self.release(partner, &delivery).await?);
            }
        }
        Ok(released)
    }

    /// One update of a partner by the id under which we host it.
    pub async fn inbox_item(
        &self,
        partner: &Partner,
        resource_type: &str,
        id: &str,
    ) -> Result<Option<Value>, InboxError> {
        let waiting = self.waiting(partner, resource_type).await?;
        match waiting.into_iter().find(|it| hosted_id(it).as_deref() == Some(id)) {
            Some(delivery) => self.release(partner, &delivery).await,
            None => Ok(None),
        }
    }

    /// How far the clinic is with a referral, if the partner may know.
    pub async fn progress(
        &self,
        partner: &Partner,
        referral: ReferralId,
    ) -> Result<Option<Value>, InboxError> {
        let Some(delivery) = self.store.newest_released(referral, "Task").await? else {
            return Ok(None);
        };
        self.release(partner, &delivery).await
    }

    async fn waiting(&self, partner: &Partner, resource_type: &str) -> Result<Vec<Delivery>, InboxError> {
        if !matches!(partner.outbound.mode, OutboundMode::Inbox) {
            return Ok(Vec::new());
        }
        Ok(self.store.inbox(&partner.id, resource_type).await?)
    }

    async fn release(&self, partner: &Partner, delivery: &Delivery) -> Result<Option<Value>, InboxError> {
        let Owed::Deliver(update) = &delivery.task else {
            return Ok(None);
        };
        if !partner.outbound.share.contains(&update.share) {
            return Ok(None);
        }
        let Some(content) = self.read(update).await? else {
            return Ok(None);
        };
        let asked = self.permit(partner, &content).await?;
        let attempt = Attempt { delivery, partner, content: &content };
        let decided = self.decided(&attempt, asked.decision.note(), &asked.trace)?;
        let Decision::Permit(permit) = asked.decision else {
            self.keep(vec![decided]).await?;
            return Ok(None);
        };
        if !permit.covers(&update.resource, &partner.id) {
            self.keep(vec![decided]).await?;
            return Ok(None);
        }
        let version = content.main()["meta"].clone();
        let Prepared::Ready(mut message) = self.prepare(&attempt, &permit, Form::Hosted).await? else {
            self.keep(vec![decided]).await?;
            return Ok(None);
        };
        for element in ["versionId", "lastUpdated"] {
            message.main["meta"][element] = version[element].clone();
        }
        let sent_sha256 = message.sha256();
        let disclosed = self.disclosed(&attempt, &permit, &sent_sha256)?;
        let collected = Collected {
            delivery: delivery.id,
            decision: permit.note().clone(),
            sent_sha256,
            told: message.told,
            records: vec![decided, disclosed],
        };
        self.store.collected(collected, self.clock.now()).await?;
        Ok(Some(message.main))
    }
}

fn hosted_id(delivery: &Delivery) -> Option<String> {
    match &delivery.task {
        Owed::Deliver(it) => {
            Some(hosted_update_id(delivery.referral, &it.resource.resource_type, &it.resource.id))
        }
        Owed::Forward | Owed::Reply(..) => None,
    }
}
