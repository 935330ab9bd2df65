//! Which referral a reply is about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::{Inbound, InboundError};
use crate::fhir::reference::type_and_id;
use crate::fhir::{bundle, coding, resource};
use crate::model::delivery::{DeliveryState, Owed};
use crate::model::ids::{PartnerId, ReferralId};
use crate::model::partner::Partner;
use crate::model::referral::Referral;
use crate::model::work::StoreError;
use crate::store::DeliveryFilter;
use crate::translation::effect::hosted_update_id;
use crate::translation::reply::{Places, about};
use crate::translation::submission::Submission;

/// So many referrals with one identifier are looked at: two are one too many.
const ENOUGH: usize = 2;

/// So many of the newest updates of a referral may be named in a reply.
const MOST_UPDATES: usize = 500;

impl Inbound {
    /// The one referral of the partner that a reply names, by our id or by an identifier of the partner's.
    pub(super) async fn referral_of(
        &self,
        partner: &Partner,
        reply: &Value,
    ) -> Result<Referral, InboundError> {
        let mut found = BTreeSet::new();
        for reference in about(reply) {
            found.extend(self.named(&partner.id, reference).await?);
        }
        self.only(&partner.id, found).await?.ok_or(InboundError::NotAbout)
    }

    /// The one referral of the partner that a message is about, by the identifiers of its order and its Task.
    pub(super) async fn referral_of_message(
        &self,
        partner: &PartnerId,
        message: &Value,
    ) -> Result<Option<Referral>, InboundError> {
        let is_named = |it: &&Value| matches!(resource::resource_type(it), "ServiceRequest" | "Task");
        let identifiers = bundle::resources(message).filter(is_named).flat_map(coding::identifiers);
        let mut found = BTreeSet::new();
        for (system, value) in identifiers {
            found.extend(self.identified(partner, &format!("{system}|{value}")).await?);
        }
        self.only(partner, found).await
    }

    async fn only(
        &self,
        partner: &PartnerId,
        found: BTreeSet<ReferralId>,
    ) -> Result<Option<Referral>, InboundError> {
        match found.len() {
            0 => Ok(None),
            1 => match found.first() {
                Some(id) => self.own(partner, *id).await,
                None => Ok(None),
            },
            _ => Err(InboundError::AboutSeveral),
        }
    }

    async fn named(&self, partner: &PartnerId, reference: &Value) -> Result<Vec<ReferralId>, InboundError> {
        let id = reference["reference"].as_str().and_then(type_and_id).map(|(_, id)| id);
        if let Some(id) = id.and_then(|it| it.get(..40)).and_then(|it| it.parse().ok()) {
            return Ok(self.own(partner, id).await?.map(|it| it.id).into_iter().collect());
        }
        let Some(value) = reference["identifier"]["value"].as_str() else {
            return Ok(Vec::new());
        };
        let identifier = match reference["identifier"]["system"].as_str() {
            Some(system) => format!("{system}|{value}"),
            None => value.to_owned(),
        };
        self.identified(partner, &identifier).await
    }

    async fn identified(
        &self,
        partner: &PartnerId,
        identifier: &str,
    ) -> Result<Vec<ReferralId>, InboundError> {
        let found = self.own_list(partner, Some(identifier), None, ENOUGH).await?;
        Ok(found.into_iter().map(|it| it.id).collect())
    }

    /// What the partner was sent of a referral, by its own names and ours: the clinic's names for it.
    pub(super) async fn updates_of(
        &self,
        referral: ReferralId,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let states = vec![DeliveryState::Delivered, DeliveryState::InInbox];
        let filter = DeliveryFilter { states, referral: Some(referral), limit: MOST_UPDATES, partner: None };
        let mut names = BTreeMap::new();
        for delivery in self.store.deliveries(filter).await? {
            let Owed::Deliver(update) = &delivery.task else {
                continue;
            };
            let there = &update.resource;
            let hosted = hosted_update_id(referral, &there.resource_type, &there.id);
            names.insert(format!("{}/{hosted}", there.resource_type), there.reference());
            names.extend(delivery.remote.map(|it| (it.reference, there.reference())));
        }
        Ok(names)
    }

    pub(super) fn places<'a>(
        &'a self,
        referral: &'a Referral,
        submission: &'a Submission<'a>,
        updates: &'a BTreeMap<String, String>,
    ) -> Places<'a> {
        Places {
            referral: referral.id,
            submission,
            record: referral.clinic.as_ref(),
            updates,
            public_url: &self.house.public_url,
            partner_base: self.sources.servers.get(&referral.partner).map(|it| it.server.base()),
        }
    }
}
