//! What goes on record about a decision and a disclosure, in FHIR's words. Pure.
//!
//! Shapes: IHE Basic Audit Log Patterns 1.1.3, `AuthZconsent` for a decision and `PrivacyDisclosure.Source`
//! for a disclosure (reference: consent S11). The trace rides along, so that a decision can be explained long
//! after.

mod event;
mod provenance;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::audit::{AuditKind, NewAuditRecord};
use crate::model::ids::{AuditId, DeliveryId};
use crate::model::partner::BusinessIdentifier;
use crate::model::sensitive::Sensitive;
use crate::model::update::{DecisionNote, ResourceVersion};

pub use provenance::provenance;

/// Who, what, whose, to whom and why.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// When.
    pub at: Timestamp,
    /// Our public address.
    pub gateway: &'a str,
    /// The clinic.
    pub custodian: &'a BusinessIdentifier,
    /// The organisation that would get it, or gets it.
    pub recipient: &'a BusinessIdentifier,
    /// Where it would get it: the address of its server, or ours where it reads from us.
    pub address: &'a str,
    /// The patient at the clinic, `Patient/9`.
    pub patient: &'a str,
    /// What is disclosed.
    pub resource: &'a ResourceVersion,
    /// Why, as (system, code).
    pub purpose: (&'a str, &'a str),
    /// The delivery that it belongs to, if it belongs to one.
    pub delivery: Option<DeliveryId>,
}

impl Facts<'_> {
    /// Consent was asked: the answer, and how it came about.
    pub fn decision(&self, note: &DecisionNote, trace: &Value) -> NewAuditRecord {
        self.record(
            AuditKind::Decision,
            note,
            |id| json!({ "event": event::decision(self, id, note), "trace": trace }),
        )
    }

    /// Somebody asked what consent would say, and nothing is disclosed.
    pub fn consent_check(&self, note: &DecisionNote, trace: &Value) -> NewAuditRecord {
        self.record(
            AuditKind::ConsentCheck,
            note,
            |id| json!({ "event": event::decision(self, id, note), "trace": trace }),
        )
    }

    /// It is about to go: what exactly, and under which decision. `reduction` tells how it was made from what
    /// the clinic has, where something was taken out.
    pub fn disclosure(
        &self,
        note: &DecisionNote,
        sent_sha256: &str,
        reduction: Option<&Value>,
    ) -> NewAuditRecord {
        let mut record = self.record(
            AuditKind::Disclosure,
            note,
            |id| json!({ "event": event::disclosure(self, id, note), "provenance": reduction }),
        );
        record.sent_sha256 = Some(sent_sha256.to_owned());
        record
    }

    /// It went, and by the Consents of a moment later it would not have gone.
    pub fn late_revocation(&self, note: &DecisionNote, trace: &Value) -> NewAuditRecord {
        self.record(
            AuditKind::LateRevocation,
            note,
            |id| json!({ "event": event::decision(self, id, note), "trace": trace }),
        )
    }

    /// It went, and the Consents could not be read again.
    pub fn not_looked_again(&self, note: &DecisionNote) -> NewAuditRecord {
        self.record(AuditKind::NotLookedAgain, note, |id| json!({ "event": event::decision(self, id, note) }))
    }

    fn record(
        &self,
        kind: AuditKind,
        note: &DecisionNote,
        content: impl FnOnce(AuditId) -> Value,
    ) -> NewAuditRecord {
        let id = AuditId::new(self.at);
        NewAuditRecord {
            id,
            kind,
            at: self.at,
            delivery: self.delivery,
            outcome: note.outcome.to_owned(),
            rule: note.rule.to_owned(),
            sent_sha256: None,
            content: Sensitive::new(content(id).to_string().into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests;
