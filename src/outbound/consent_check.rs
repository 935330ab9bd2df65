//! What would consent say? Asked like a real attempt, and nothing is sent; that it was asked is on record.

use jiff::Timestamp;
use serde_json::Value;

use super::Outbound;
use super::kinds::kind;
use super::permit::{Asked, Question};
use super::proof::as_json;
use super::relate::version_of;
use crate::audit::Facts;
use crate::consent::disclosure::Purpose;
use crate::consent::permit::Decision;
use crate::consent::trace::Trace;
use crate::fhir::client::failure::Failure;
use crate::fhir::reference::{Target, target};
use crate::fhir::resource;
use crate::model::ids::PartnerId;
use crate::model::partner::BusinessIdentifier;
use crate::translation::to_partner::at_clinic;

/// What is asked about.
#[derive(Clone, Debug)]
pub struct ConsentCheck {
    /// The patient at the clinic, `Patient/9`; none: the patient whom the resource names.
    pub patient: Option<String>,
    /// The partner that would get it, if it is one.
    pub recipient: Option<PartnerId>,
    /// The organisation that would get it.
    pub organization: BusinessIdentifier,
    /// Why.
    pub purpose: Purpose,
    /// What would be done with it: a code of consentaction.
    pub action: String,
    /// What would go.
    pub subject: Subject,
    /// As if it were this instant; none: now. The Consents are those of now in any case.
    pub at: Option<Timestamp>,
}

/// What would go.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A resource at the clinic, `DiagnosticReport/5`; a version of it may be named. What would travel along
    /// with it is looked at too.
    Reference(String),
    /// This one.
    Resource(Box<Value>),
}

/// The answer. It is no Permit: nothing can be sent with it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The decision, and how it came about.
    pub trace: Trace,
    /// The Consents that were read, with versions.
    pub consents: Vec<String>,
    /// What would be taken out: the resource's place in what would go, and the place in it.
    pub removals: Vec<(usize, String)>,
}

/// A question that has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The clinic has no such resource, or no such patient.
    #[error("the clinic's server has no such resource")]
    NotFound,
    /// The resource names no patient.
    #[error("the resource names no patient")]
    NoPatient,
    /// The clinic's server, or the ledger, did not answer as it should.
    #[error("it cannot be told now: {0}")]
    Failed(#[from] Failure),
}

impl Outbound {
    /// Asks, and keeps on record that it was asked.
    pub async fn consent_check(&self, check: &ConsentCheck) -> Result<Checked, CheckError> {
        let resources = self.subject(&check.subject).await?;
        let patient = check.patient.clone().or_else(|| self.patient_of(&resources[0]));
        let patient = patient.ok_or(CheckError::NoPatient)?;
        let version = version_of(&resources[0]);
        let question = Question {
            recipient: check.recipient.clone().unwrap_or_else(|| PartnerId::new("nobody")),
            organization: &check.organization,
            patient: patient.clone(),
            version: version.clone(),
            resources: &resources,
            purpose: check.purpose.clone(),
            action: &check.action,
            at: check.at.unwrap_or_else(|| self.clock.now()),
        };
        let Asked { decision, trace, .. } = self.ask(&question).await.map_err(unless_missing)?;
        let facts = Facts {
            at: self.clock.now(),
            gateway: &self.house.public_url,
            custodian: &self.house.clinic,
            recipient: &check.organization,
            address: &self.house.public_url,
            patient: &patient,
            resource: &version,
            purpose: (&check.purpose.system, &check.purpose.code),
            delivery: None,
        };
        self.keep(vec![facts.consent_check(decision.note(), &as_json(&trace))]).await?;
        Ok(Checked { consents: decision.note().consents.clone(), removals: removals(&decision), trace })
    }

    async fn subject(&self, subject: &Subject) -> Result<Vec<Value>, CheckError> {
        let main = match subject {
            Subject::Resource(resource) => (**resource).clone(),
            Subject::Reference(reference) => {
                let is_relative = matches!(target(reference), Target::Relative { .. });
                let found = self.clinic.read(reference);
                if is_relative {
                    found.await.map_err(unless_missing)?
                } else {
                    return Err(CheckError::NotFound);
                }
            }
        };
        let companions = kind(resource::resource_type(&main)).map(|it| (it.companions)(&main));
        let mut resources = vec![main];
        for reference in companions.into_iter().flatten() {
            if let Some(reference) = at_clinic(&reference, self.clinic.base()) {
                resources.push(self.clinic.read(&reference).await.map_err(unless_missing)?);
            }
        }
        Ok(resources)
    }

    fn patient_of(&self, resource: &Value) -> Option<String> {
        let participants = resource["participant"].as_array().into_iter().flatten();
        let named = [&resource["subject"], &resource["for"], &resource["patient"]];
        let mut all = named.into_iter().chain(participants.map(|it| &it["actor"]));
        all.find_map(|it| {
            at_clinic(it["reference"].as_str()?, self.clinic.base()).filter(|it| it.starts_with("Patient/"))
        })
    }
}

fn removals(decision: &Decision) -> Vec<(usize, String)> {
    match decision {
        Decision::Permit(permit) => {
            permit.removals().iter().map(|it| (it.number, it.pointer.clone())).collect()
        }
        Decision::Hold(_) | Decision::Deny(_) => Vec::new(),
    }
}

fn unless_missing(failure: Failure) -> CheckError {
    match failure.status() {
        Some(404 | 410) => CheckError::NotFound,
        _ => CheckError::Failed(failure),
    }
}
