//! The content of an update, read from the clinic at each attempt.

use serde_json::Value;

use super::Outbound;
use super::kinds::{Kind, kind};
use super::redact::has_modifier_extension;
use super::relate::version_of;
use crate::fhir::client::failure::Failure;
use crate::fhir::resource;
use crate::model::partner::{self, OutboundMode, Share};
use crate::model::referral::Referral;
use crate::model::update::{ResourceVersion, Update};
use crate::translation::to_partner::at_clinic;

/// What one update says, as the clinic wrote it.
#[derive(Clone, Debug)]
pub struct Content {
    /// Its kind.
    pub kind: &'static Kind,
    /// Exactly this version.
    pub version: ResourceVersion,
    /// The referral that it concerns.
    pub referral: Referral,
    /// The resource, and behind it what travels along.
    pub resources: Vec<Value>,
    /// The name at the clinic of the referral's Task among the latter, where it goes with an update of another kind.
    pub task: Option<String>,
}

impl Content {
    /// The resource itself.
    pub fn main(&self) -> &Value {
        &self.resources[0]
    }

    /// The referral's patient at the clinic, `Patient/9`.
    pub(super) fn patient(&self) -> Result<String, Failure> {
        let patient = self.referral.clinic.as_ref().and_then(|it| it.first("Patient"));
        patient.map(ResourceVersion::reference).ok_or(Failure::NotSent("patient-unknown"))
    }
}

impl Outbound {
    /// Reads the version that an update points to. None: it is gone, and a newer one takes its place.
    pub(super) async fn read(&self, update: &Update) -> Result<Option<Content>, Failure> {
        let kind = kind(&update.resource.resource_type).ok_or(Failure::NotSent("kind-unknown"))?;
        let referral = self.store.referral(update.referral).await.ok().flatten();
        let referral = referral.ok_or(Failure::NotSent("ledger-unavailable"))?;
        let Some(main) = self.read_version(&update.resource).await? else {
            return Ok(None);
        };
        let mut resources = vec![main];
        for reference in (kind.companions)(&resources[0]) {
            if let Some(reference) = at_clinic(&reference, self.clinic.base()) {
                resources.push(self.clinic.read(&reference).await?);
            }
        }
        Ok(Some(Content { kind, version: update.resource.clone(), referral, resources, task: None }))
    }

    /// With the referral's Task, where the partner gets messages: there the Task carries the state, so it goes with
    /// whatever else goes, if the agreement covers it; consent decides about both. A Task whose meaning an extension
    /// could turn round does not keep the update back.
    pub(super) async fn with_task(
        &self,
        mut content: Content,
        outbound: &partner::Outbound,
    ) -> Result<Content, Failure> {
        let is_message = matches!(outbound.mode, OutboundMode::Message(_));
        if !is_message || content.kind.share == Share::ReferralStatus {
            return Ok(content);
        }
        let name = content.referral.clinic.as_ref().and_then(|it| it.coordination_task());
        let name = name.map(ResourceVersion::reference);
        let Some(name) = name.filter(|_| outbound.share.contains(&Share::ReferralStatus)) else {
            return Ok(content);
        };
        match self.clinic.read(&name).await {
            Ok(task) if !has_modifier_extension(&task) => {
                content.resources.push(task);
                content.task = Some(name);
                Ok(content)
            }
            Ok(_) => Ok(content),
            Err(failure) if matches!(failure.status(), Some(404 | 410)) => Ok(content),
            Err(failure) => Err(failure),
        }
    }

    /// The version itself, or the present one if it still is that version: not every server keeps the past.
    async fn read_version(&self, wanted: &ResourceVersion) -> Result<Option<Value>, Failure> {
        match self.clinic.read(&wanted.to_string()).await {
            Ok(found) if is(&found, wanted) => return Ok(Some(found)),
            Ok(_) => {}
            Err(failure) if failure.is_lasting() => {}
            Err(failure) => return Err(failure),
        }
        match self.clinic.read(&wanted.reference()).await {
            Ok(found) => Ok(is(&found, wanted).then_some(found)),
            Err(failure) if matches!(failure.status(), Some(404 | 410)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// Whether a server gave what was asked for, and not something else under its address.
fn is(found: &Value, wanted: &ResourceVersion) -> bool {
    resource::id(found) == wanted.id && version_of(found) == *wanted
}
