//! What the clinician writes after the visit.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{ClinicReferral, SimulatedClinic, reference, to};
use crate::fhir::coding::concept;

const LOINC: &str = "http://loinc.org";
const BASED_ON: &str = "http://hl7.org/fhir/StructureDefinition/event-basedOn";

impl SimulatedClinic {
    /// Records the visit as an Encounter of the referral.
    pub fn record_visit(&self, referral: &ClinicReferral) -> Value {
        self.server.create(json!({
            "resourceType": "Encounter",
            "status": "finished",
            "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
            "subject": to(&referral.patient),
            "basedOn": [to(&referral.service_request)],
            "participant": [{ "individual": self.practitioner() }],
            "period": { "start": self.now(), "end": self.now() },
            "serviceProvider": to(&self.organization),
        }))
    }

    /// Writes the visit summary as a Composition, with the Encounter that it is about.
    /// R4's Composition has no `basedOn`: the standard extension names the referral.
    pub fn write_visit_summary(&self, referral: &ClinicReferral) -> Value {
        let encounter = self.record_visit(referral);
        self.server.create(json!({
            "resourceType": "Composition",
            "extension": [{ "url": BASED_ON, "valueReference": to(&referral.service_request) }],
            "status": "final",
            "type": concept(LOINC, "11488-4"),
            "subject": to(&referral.patient),
            "encounter": to(&reference(&encounter)),
            "date": self.now(),
            "author": [self.practitioner()],
            "title": "Cardiology consultation summary",
            "custodian": to(&self.organization),
            "section": [
                section("Assessment", "51848-0", "Symptoms are likely benign."),
                section("Home care", "69730-0", "Keep a diary of the symptoms."),
                section("Plan", "18776-5", "Review in three months."),
            ],
        }))
    }

    /// Writes the visit summary as a DocumentReference whose PDF is a Binary of its own.
    pub fn write_visit_document(&self, referral: &ClinicReferral) -> Value {
        let encounter = self.record_visit(referral);
        let binary = self.server.create(json!({
            "resourceType": "Binary",
            "contentType": "application/pdf",
            "data": STANDARD.encode("%PDF-1.4\n% A synthetic visit summary. It is about nobody.\n%%EOF\n"),
        }));
        let mut document = self.document(referral, &concept(LOINC, "11488-4"));
        document["context"]["encounter"] = json!([to(&reference(&encounter))]);
        document["content"] = json!([{ "attachment": {
            "contentType": "application/pdf",
            "url": format!("{}/{}", self.server.base_url(), reference(&binary)),
            "title": "Visit summary",
        } }]);
        self.server.create(document)
    }

    /// Writes a psychotherapy note, labelled as such. It must not leave without a consent that names it.
    pub fn write_psychotherapy_note(&self, referral: &ClinicReferral) -> Value {
        let mut note = self.document(referral, &concept(LOINC, "11488-4"));
        note["meta"] = json!({ "security": [
            { "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R" },
            { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSYTHPN" },
        ] });
        note["content"] = json!([{ "attachment": {
            "contentType": "text/plain",
            "data": STANDARD.encode("A synthetic psychotherapy note. It is about nobody."),
            "title": "Session note",
        } }]);
        self.server.create(note)
    }

    fn document(&self, referral: &ClinicReferral, kind: &Value) -> Value {
        json!({
            "resourceType": "DocumentReference",
            "status": "current",
            "docStatus": "final",
            "type": kind,
            "subject": to(&referral.patient),
            "date": self.now(),
            "author": [self.practitioner()],
            "custodian": to(&self.organization),
            "content": [],
            "context": { "related": [to(&referral.service_request)] },
        })
    }
}

fn section(title: &str, code: &str, text: &str) -> Value {
    json!({
        "title": title,
        "code": concept(LOINC, code),
        "text": {
            "status": "additional",
            "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>{text}</p></div>"),
        },
    })
}
