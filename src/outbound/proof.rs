//! What goes on record about an attempt. A release whose record cannot be kept does not happen (reference:
//! consent S11).

use super::Outbound;
use super::permit::{Asked, PURPOSE};
use super::read::Content;
use crate::audit::{Facts, provenance};
use crate::consent::payload::node::Place;
use crate::consent::permit::{Decision, Permit};
use crate::consent::purpose::ACT_REASON;
use crate::consent::trace::Trace;
use crate::fhir::client::failure::Failure;
use crate::model::audit::NewAuditRecord;
use crate::model::delivery::Delivery;
use crate::model::partner::Partner;
use crate::model::update::DecisionNote;
use crate::model::work::Settlement;

/// What is tried: one update to one partner.
pub(super) struct Attempt<'a> {
    pub(super) delivery: &'a Delivery,
    pub(super) partner: &'a Partner,
    pub(super) content: &'a Content,
}

impl Outbound {
    /// Keeps records. Only when they are kept may what they are about go on.
    pub(super) async fn keep(&self, records: Vec<NewAuditRecord>) -> Result<(), Failure> {
        self.store.append(records).await.map_err(|_| Failure::NotSent("ledger-unavailable"))
    }

    /// The record of a decision.
    pub(super) fn decided(
        &self,
        attempt: &Attempt<'_>,
        note: &DecisionNote,
        trace: &Trace,
    ) -> Result<NewAuditRecord, Failure> {
        let patient = attempt.content.patient()?;
        Ok(self.facts(attempt, &patient).decision(note, &as_json(trace)))
    }

    /// The record of what is about to go.
    pub(super) fn disclosed(
        &self,
        attempt: &Attempt<'_>,
        permit: &Permit,
        sent_sha256: &str,
    ) -> Result<NewAuditRecord, Failure> {
        let patient = attempt.content.patient()?;
        let facts = self.facts(attempt, &patient);
        let reduction = (!permit.removals().is_empty()).then(|| provenance(&facts));
        Ok(facts.disclosure(permit.note(), sent_sha256, reduction.as_ref()))
    }

    /// After it arrived: is there a denial now that was not there a moment ago? Then that is on record, and
    /// somebody is told; the message cannot be called back (consent S10).
    pub(super) async fn look_again(
        &self,
        attempt: &Attempt<'_>,
        removed: &[Place],
        settlement: Settlement,
    ) -> Settlement {
        let Settlement::Delivered { remote, sent_sha256, decision, remark: before, told } = settlement else {
            return settlement;
        };
        let found = match self.ask_about(attempt.partner, attempt.content).await {
            Ok(Asked { decision: Decision::Permit(now), .. })
                if now.removals().iter().all(|it| removed.contains(it)) =>
            {
                None
            }
            Ok(asked) if asked.trace.rule != "consent-source-unavailable" => {
                Some(self.revoked_late(attempt, asked).await)
            }
            _ => Some(self.not_looked_again(attempt, &decision).await),
        };
        Settlement::Delivered { remote, sent_sha256, decision, remark: found.or(before), told }
    }

    async fn revoked_late(&self, attempt: &Attempt<'_>, asked: Asked) -> &'static str {
        let note = asked.decision.note();
        tracing::error!(
            delivery.id = %attempt.delivery.id,
            referral.id = %attempt.delivery.referral,
            partner.id = %attempt.partner.id,
            rule = note.rule,
            "late revocation: an update was delivered while its consent was withdrawn"
        );
        let record = attempt
            .content
            .patient()
            .map(|patient| self.facts(attempt, &patient).late_revocation(note, &as_json(&asked.trace)));
        self.keep_afterwards(record).await;
        "late-revocation"
    }

    async fn not_looked_again(&self, attempt: &Attempt<'_>, decision: &DecisionNote) -> &'static str {
        tracing::warn!(
            delivery.id = %attempt.delivery.id,
            referral.id = %attempt.delivery.referral,
            "consent could not be read again after a delivery"
        );
        let patient = attempt.content.patient();
        let record = patient.map(|patient| self.facts(attempt, &patient).not_looked_again(decision));
        self.keep_afterwards(record).await;
        "not-looked-again"
    }

    /// What happened has happened: a record that cannot be kept stops nothing any more, and the log has it.
    async fn keep_afterwards(&self, record: Result<NewAuditRecord, Failure>) {
        let kept = match record {
            Ok(record) => self.keep(vec![record]).await,
            Err(failure) => Err(failure),
        };
        if kept.is_err() {
            tracing::error!("a record about a delivered update could not be kept");
        }
    }

    fn facts<'a>(&'a self, attempt: &Attempt<'a>, patient: &'a str) -> Facts<'a> {
        let address = match attempt.partner.outbound.mode.endpoint() {
            Some(endpoint) => endpoint.base_url.as_str(),
            None => &self.house.public_url,
        };
        Facts {
            at: self.clock.now(),
            gateway: &self.house.public_url,
            custodian: &self.house.clinic,
            recipient: &attempt.partner.organization,
            address,
            patient,
            resource: &attempt.content.version,
            purpose: (ACT_REASON, PURPOSE),
            delivery: Some(attempt.delivery.id),
        }
    }
}

/// A trace is made of texts: it always becomes JSON.
pub(super) fn as_json(trace: &Trace) -> serde_json::Value {
    serde_json::to_value(trace).unwrap_or_default()
}
