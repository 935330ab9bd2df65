//! Which referral, hence which partner, is this about?

use std::collections::BTreeSet;

use serde_json::Value;

use super::Outbound;
use super::digest::sha256_hex;
use super::kinds::kind;
use super::watch::WatchError;
use crate::fhir::{reference, resource};
use crate::model::ids::ReferralId;
use crate::model::update::{ResourceVersion, Update};
use crate::translation::effect::is_of_a_reply;
use crate::translation::to_partner::at_clinic;

/// What a page of resources means for our referrals.
#[derive(Debug, Default)]
pub(super) struct Related {
    pub(super) updates: Vec<Update>,
    pub(super) links: Vec<(String, ReferralId)>,
}

impl Outbound {
    /// Relates resources to referrals: by any reference to a referral's order, Task, or to what its Task
    /// names as output, and by the encounter where the resource itself names none.
    pub(super) async fn relate(&self, resources: &[Value]) -> Result<Related, WatchError> {
        let mut related = Related::default();
        for resource in resources {
            let referrals = self.referrals_of(resource).await?;
            for referral in referrals {
                self.add_update(resource, referral, &mut related).await?;
                self.add_outputs(resource, referral, &mut related).await?;
            }
        }
        Ok(related)
    }

    async fn referrals_of(&self, resource: &Value) -> Result<BTreeSet<ReferralId>, WatchError> {
        let mut named = self.named_at_clinic(resource);
        named.push(resource::name_of(resource));
        let direct = self.linked(named).await?;
        if !direct.is_empty() || kind(resource::resource_type(resource)).is_none() {
            return Ok(direct);
        }
        match self.encounter_of(resource) {
            Some(encounter) => match self.present(&encounter).await? {
                Some(encounter) => self.linked(self.named_at_clinic(&encounter)).await,
                None => Ok(direct),
            },
            None => Ok(direct),
        }
    }

    /// What a reference leads to; none where it leads nowhere, which must not stop the feed.
    async fn present(&self, reference: &str) -> Result<Option<Value>, WatchError> {
        match self.clinic.read(reference).await {
            Ok(found) => Ok(Some(found)),
            Err(failure) if matches!(failure.status(), Some(404 | 410)) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn linked(&self, references: Vec<String>) -> Result<BTreeSet<ReferralId>, WatchError> {
        let found = self.store.referrals_linked_to(references).await?;
        Ok(found.into_iter().map(|(_, referral)| referral).collect())
    }

    /// Orders and Tasks that a resource refers to, and itself: what may be a link.
    fn named_at_clinic(&self, resource: &Value) -> Vec<String> {
        let mut named = BTreeSet::new();
        reference::for_each(resource, "", &mut |_, it| {
            let text = it["reference"].as_str().unwrap_or_default();
            named.extend(at_clinic(text, self.clinic.base()).filter(|it| is_link(it)));
        });
        named.into_iter().collect()
    }

    fn encounter_of(&self, resource: &Value) -> Option<String> {
        let own = resource["encounter"]["reference"].as_str();
        let of_document = resource["context"]["encounter"][0]["reference"].as_str();
        at_clinic(own.or(of_document)?, self.clinic.base()).filter(|it| it.starts_with("Encounter/"))
    }

    async fn add_update(
        &self,
        resource: &Value,
        referral: ReferralId,
        related: &mut Related,
    ) -> Result<(), WatchError> {
        let Some(kind) = kind(resource::resource_type(resource)) else {
            return Ok(());
        };
        let Some(found) = self.store.referral(referral).await? else {
            return Ok(());
        };
        let agreed =
            self.partners.get(&found.partner).is_some_and(|it| it.outbound.share.contains(&kind.share));
        let ours = kind.resource_type != "Task"
            || found.clinic.is_some_and(|it| {
                it.coordination_task().is_some_and(|task| task.id == resource::id(resource))
            });
        if agreed && ours && !is_of_a_reply(resource, &self.house.public_url) {
            related.updates.push(Update { referral, resource: version_of(resource), share: kind.share });
        }
        Ok(())
    }

    /// What a Task names as output belongs to the referral, even if it was written before the Task said so.
    async fn add_outputs(
        &self,
        resource: &Value,
        referral: ReferralId,
        related: &mut Related,
    ) -> Result<(), WatchError> {
        if resource::resource_type(resource) != "Task" {
            return Ok(());
        }
        for output in resource["output"].as_array().into_iter().flatten() {
            let named = output["valueReference"]["reference"].as_str();
            let Some(reference) = named.and_then(|it| at_clinic(it, self.clinic.base())) else {
                continue;
            };
            if kind(reference.split('/').next().unwrap_or_default()).is_some() {
                if let Some(found) = self.present(&reference).await? {
                    self.add_update(&found, referral, related).await?;
                }
                related.links.push((reference, referral));
            }
        }
        Ok(())
    }
}

fn is_link(reference: &str) -> bool {
    reference.starts_with("ServiceRequest/") || reference.starts_with("Task/")
}

/// The version. Where the server keeps none, the time of the last change serves, and where it does not tell
/// that either, the content itself.
pub(super) fn version_of(resource: &Value) -> ResourceVersion {
    let version = resource::version(resource);
    let time = resource["meta"]["lastUpdated"].as_str().unwrap_or_default();
    let version = match (version, time) {
        ("", "") => sha256_hex(&resource::canonical(resource)),
        ("", time) => time.to_owned(),
        (version, _) => version.to_owned(),
    };
    ResourceVersion {
        resource_type: resource::resource_type(resource).to_owned(),
        id: resource::id(resource).to_owned(),
        version,
    }
}
