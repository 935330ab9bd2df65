//! What a partner may read again of what it sent. It sees its own and nothing else: another partner's id
//! answers like an unknown one.

use serde_json::{Value, json};

use super::receipt::{self, Receipt, hosted_id};
use super::record::{self, Recorded};
use super::{Inbound, InboundError};
use crate::fhir::reference;
use crate::model::ids::{PartnerId, ReferralId};
use crate::model::partner::Partner;
use crate::model::referral::Referral;
use crate::translation::submission::{Part, Submission};

impl Inbound {
    /// The partner's own referral of this id.
    pub async fn own(&self, partner: &PartnerId, id: ReferralId) -> Result<Option<Referral>, InboundError> {
        let found = self.store.referral(id).await?;
        Ok(found.filter(|referral| referral.partner == *partner))
    }

    /// The partner's own referrals, newest first; only the one with this business identifier, where one is
    /// given as `system|value` or `value`.
    pub async fn own_list(
        &self,
        partner: &PartnerId,
        identifier: Option<&str>,
        before: Option<ReferralId>,
        limit: usize,
    ) -> Result<Vec<Referral>, InboundError> {
        let Some(identifier) = identifier else {
            return Ok(self.store.referrals_of(partner, before, limit).await?);
        };
        let id = identifier.rsplit('|').next().and_then(|value| value.parse::<ReferralId>().ok());
        if let Some(id) = id {
            return Ok(self.own(partner, id).await?.into_iter().collect());
        }
        Ok(self.store.referrals_by_identifier(partner, identifier, limit).await?)
    }

    /// The receipt of a recorded referral, as it is now.
    pub async fn receipt(&self, referral: Referral, partner: &Partner) -> Result<Receipt, InboundError> {
        let message = self.message(&referral, partner).await?;
        let recorded = Recorded { referral, repeated: true, message: None };
        receipt::of(&recorded, &message, &self.house, partner)
    }

    /// A part of the partner's own submission: `ServiceRequest/ref-…` or `Patient/ref-…-2`.
    pub async fn part(
        &self,
        partner: &Partner,
        resource_type: &str,
        id: &str,
    ) -> Result<Option<Value>, InboundError> {
        let Some(referral_id) = id.get(..40).and_then(|it| it.parse().ok()) else {
            return Ok(None);
        };
        let Some(referral) = self.own(&partner.id, referral_id).await? else {
            return Ok(None);
        };
        let message = self.message(&referral, partner).await?;
        let submission = Submission::of(&message);
        let found = submission.parts().iter().enumerate().find(|(number, part)| {
            part.resource_type() == resource_type
                && resource_type != "Task"
                && hosted_id(referral_id, resource_type, *number) == id
        });
        Ok(found.map(|(_, part)| hosted(&submission, part, id, &referral)))
    }

    pub(super) async fn message(
        &self,
        referral: &Referral,
        partner: &Partner,
    ) -> Result<Value, InboundError> {
        let earlier = record::message_of(self, referral.id, partner.fhir_version).await?;
        Ok(earlier.ok_or(InboundError::Lost)?.into_r4())
    }
}

/// The part as it was sent, under the id and with the references that we host it by.
fn hosted(submission: &Submission<'_>, part: &Part<'_>, id: &str, referral: &Referral) -> Value {
    let mut resource = part.resource.clone();
    if !part.contains_parts {
        reference::for_each_mut(&mut resource, &mut |it| {
            let text = it["reference"].as_str().unwrap_or_default();
            if let Some(number) = submission.resolve(text, part) {
                let resource_type = submission.parts()[number].resource_type();
                let hosted = hosted_id(referral.id, resource_type, number);
                let hosted = if resource_type == "Task" { referral.id.to_string() } else { hosted };
                it["reference"] = json!(format!("{resource_type}/{hosted}"));
            }
        });
    }
    resource["id"] = json!(id);
    resource["meta"]["versionId"] = json!("1");
    resource["meta"]["lastUpdated"] = json!(referral.received.to_string());
    resource
}
