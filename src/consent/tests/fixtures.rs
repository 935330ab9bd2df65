//! One clinic, one patient, one partner, and Consents to change.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::consent::disclosure::{
    ClinicRules, DISCLOSE, Disclosure, Labelling, Party, PatientAtClinic, Purpose, Receiver, Source,
};
use crate::consent::labels::lists::SensitivityLists;
use crate::consent::matching::situation::Situation;
use crate::consent::permit::Decision;
use crate::consent::standing::{Standing, standing};
use crate::consent::trace::Trace;
use crate::consent::{decide, examine};
use crate::model::ids::PartnerId;
use crate::model::policy::{Confidentiality, DefaultDecision, DefaultPolicy};
use crate::model::update::ResourceVersion;

pub(super) const NPI: &str = "http://hl7.org/fhir/sid/us-npi";
const T: &str = "http://terminology.hl7.org/CodeSystem";

/// A question that a test changes before it asks.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) consents: Vec<Value>,
    pub(super) resources: Vec<Value>,
    pub(super) directory: Vec<Value>,
    pub(super) receiver: Receiver,
    pub(super) purpose: Purpose,
    pub(super) source: Source,
    pub(super) labelling: Labelling,
    pub(super) patient: PatientAtClinic,
    pub(super) clinic: ClinicRules,
    pub(super) now: Timestamp,
}

impl Setting {
    /// A Task for Lakeside under a default that holds.
    pub(super) fn new() -> Self {
        Self {
            consents: Vec::new(),
            resources: vec![task()],
            directory: Vec::new(),
            receiver: Receiver::organization(Party {
                reference: Some("Organization/lakeside".to_owned()),
                identifiers: vec![(NPI.to_owned(), "1234567893".to_owned())],
            }),
            purpose: Purpose::reason("TREAT"),
            source: Source::READ_NOW,
            labelling: Labelling::Works,
            patient: patient(),
            clinic: clinic(DefaultDecision::Hold),
            now: "2026-03-10T15:00:00Z".parse().unwrap(),
        }
    }

    pub(super) fn default(mut self, decision: DefaultDecision) -> Self {
        self.clinic.default.decision = decision;
        self
    }

    pub(super) fn consents(mut self, consents: &[Value]) -> Self {
        self.consents = consents.to_vec();
        self
    }

    pub(super) fn sends(mut self, resources: &[Value]) -> Self {
        self.resources = resources.to_vec();
        self
    }

    pub(super) fn disclosure(&self) -> Disclosure<'_> {
        Disclosure {
            version: ResourceVersion { resource_type: "Task".into(), id: "5".into(), version: "2".into() },
            resources: &self.resources,
            patient: &self.patient,
            recipient: PartnerId::new("lakeside"),
            receiver: &self.receiver,
            purpose: &self.purpose,
            action: DISCLOSE,
            consents: &self.consents,
            source: self.source,
            labelling: self.labelling,
            directory: &self.directory,
            clinic: &self.clinic,
            now: self.now,
        }
    }

    pub(super) fn decide(&self) -> Decision {
        decide(&self.disclosure())
    }

    /// Whether a Consent counts in this question.
    pub(super) fn standing(&self, consent: &Value) -> Standing {
        standing(consent, &Situation::of(&self.disclosure()))
    }

    pub(super) fn trace(&self) -> Trace {
        examine(&self.disclosure()).1
    }

    /// The outcome and the rule.
    pub(super) fn outcome(&self) -> String {
        let decision = self.decide();
        format!("{} {}", decision.note().outcome, decision.note().rule)
    }
}

pub(super) fn coding(system: &str, code: &str) -> Value {
    json!({ "system": format!("{T}/{system}"), "code": code })
}

pub(super) fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [coding(system, code)] })
}

pub(super) fn named(reference: &str) -> Value {
    json!([{ "role": concept("v3-ParticipationType", "IRCP"), "reference": { "reference": reference } }])
}

pub(super) fn consent(provision: &Value) -> Value {
    json!({
        "resourceType": "Consent",
        "id": "c1",
        "meta": { "versionId": "2" },
        "status": "active",
        "scope": concept("consentscope", "patient-privacy"),
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": { "reference": "Patient/9" },
        "dateTime": "2026-01-01",
        "policy": [{ "uri": "urn:example:policy" }],
        "provision": provision,
    })
}

/// A Consent with a base policy, and a provision if it is not null.
pub(super) fn based(policy: &str, provision: &Value) -> Value {
    let mut based = consent(provision);
    let map = based.as_object_mut().unwrap();
    map.shift_remove("policy");
    map.insert("policyRule".to_owned(), concept("v3-ActCode", policy));
    if provision.is_null() {
        map.shift_remove("provision");
    }
    based
}

pub(super) fn permit() -> Value {
    consent(&json!({ "type": "permit" }))
}

pub(super) fn deny() -> Value {
    consent(&json!({ "type": "deny" }))
}

pub(super) fn labelled(mut resource: Value, labels: &[Value]) -> Value {
    resource["meta"]["security"] = json!(labels);
    resource
}

pub(super) fn level(code: &str) -> Value {
    coding("v3-Confidentiality", code)
}

pub(super) fn about(code: &str) -> Value {
    coding("v3-ActCode", code)
}

pub(super) fn task() -> Value {
    json!({ "resourceType": "Task", "id": "5", "for": { "reference": "Patient/9" }, "authoredOn": "2026-03-01" })
}

pub(super) fn observation(id: &str, code: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "id": id,
        "code": { "coding": [{ "system": "http://loinc.org", "code": code }] },
        "subject": { "reference": "Patient/9" },
        "effectiveDateTime": "2026-03-01",
        "performer": [{ "reference": "Practitioner/author" }],
    })
}

fn patient() -> PatientAtClinic {
    PatientAtClinic {
        reference: "Patient/9".to_owned(),
        identifiers: vec![("urn:mrn".to_owned(), "1".to_owned())],
        aliases: vec!["Patient/8".to_owned()],
    }
}

fn clinic(decision: DefaultDecision) -> ClinicRules {
    ClinicRules {
        base: "https://clinic.example/fhir".to_owned(),
        custodian: Party { reference: Some("Organization/clinic".to_owned()), identifiers: Vec::new() },
        trusted_custodians: Vec::new(),
        known_label_systems: Vec::new(),
        max_staleness: std::time::Duration::ZERO,
        default: DefaultPolicy {
            decision,
            purposes: Some(vec!["TREAT".to_owned()]),
            max_confidentiality: Confidentiality::Normal,
            explicit_consent_sensitivity: vec!["SUD".to_owned(), "ETH".to_owned(), "PSYTHPN".to_owned()],
        },
        time_zone: TimeZone::UTC,
        lists: SensitivityLists::built_in(),
    }
}
