//! What is decided on, for the measurements and for the test of allocations.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use referral_gateway::consent::disclosure::{
    ClinicRules, DISCLOSE, Disclosure, Labelling, Party, PatientAtClinic, Purpose, Receiver, Source,
};
use referral_gateway::consent::labels::lists::SensitivityLists;
use referral_gateway::model::ids::PartnerId;
use referral_gateway::model::policy::{Confidentiality, DefaultDecision, DefaultPolicy};
use referral_gateway::model::update::ResourceVersion;
use serde_json::{Value, json};

/// The Consents of a case.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Consents {
    /// So many with one rule.
    Simple(usize),
    /// One with so many levels below its root.
    Levels(usize),
    /// One with so many rules side by side below its root.
    Rules(usize),
}

impl std::fmt::Display for Consents {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Simple(count) => write!(formatter, "{count:>3} simple"),
            Self::Levels(count) => write!(formatter, "{count:>3} levels"),
            Self::Rules(count) => write!(formatter, "{count:>3} rules"),
        }
    }
}

/// One clinic, one patient, one partner, one Observation.
pub(crate) struct Setting {
    pub(crate) consents: Vec<Value>,
    resources: Vec<Value>,
    receiver: Receiver,
    purpose: Purpose,
    patient: PatientAtClinic,
    clinic: ClinicRules,
}

impl Setting {
    pub(crate) fn new(consents: Consents) -> Self {
        let lakeside = Party {
            reference: Some("Organization/lakeside".to_owned()),
            identifiers: vec![("http://hl7.org/fhir/sid/us-npi".to_owned(), "1234567893".to_owned())],
        };
        Self {
            consents: match consents {
                Consents::Simple(count) => {
                    (0..count).map(|number| consent(number, &rule("permit"))).collect()
                }
                Consents::Levels(count) => vec![consent(0, &nested(count))],
                Consents::Rules(count) => vec![consent(0, &beside(count))],
            },
            resources: vec![observation()],
            receiver: Receiver::organization(lakeside),
            purpose: Purpose::reason("TREAT"),
            patient: PatientAtClinic { reference: "Patient/9".to_owned(), ..PatientAtClinic::default() },
            clinic: clinic(),
        }
    }

    pub(crate) fn disclosure(&self) -> Disclosure<'_> {
        Disclosure {
            version: ResourceVersion {
                resource_type: "Observation".into(),
                id: "5".into(),
                version: "2".into(),
            },
            resources: &self.resources,
            patient: &self.patient,
            recipient: PartnerId::new("lakeside"),
            receiver: &self.receiver,
            purpose: &self.purpose,
            action: DISCLOSE,
            consents: &self.consents,
            source: Source::READ_NOW,
            labelling: Labelling::Works,
            directory: &[],
            clinic: &self.clinic,
            now: Timestamp::from_second(1_773_154_800).expect("an instant in 2026"),
        }
    }
}

fn clinic() -> ClinicRules {
    ClinicRules {
        base: "https://clinic.example/fhir".to_owned(),
        custodian: Party { reference: Some("Organization/clinic".to_owned()), identifiers: Vec::new() },
        trusted_custodians: Vec::new(),
        known_label_systems: Vec::new(),
        max_staleness: Duration::ZERO,
        default: DefaultPolicy {
            decision: DefaultDecision::Hold,
            purposes: None,
            max_confidentiality: Confidentiality::Normal,
            explicit_consent_sensitivity: vec!["SUD".to_owned(), "PSYTHPN".to_owned()],
        },
        time_zone: TimeZone::UTC,
        lists: SensitivityLists::built_in(),
    }
}

fn coding(system: &str, code: &str) -> Value {
    json!({ "system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code })
}

fn consent(number: usize, provision: &Value) -> Value {
    json!({
        "resourceType": "Consent",
        "id": format!("c{number}"),
        "meta": { "versionId": "2" },
        "status": "active",
        "scope": { "coding": [coding("consentscope", "patient-privacy")] },
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": { "reference": "Patient/9" },
        "dateTime": "2026-01-01",
        "policy": [{ "uri": "urn:example:policy" }],
        "provision": provision,
    })
}

/// Who may get it, for what.
fn rule(kind: &str) -> Value {
    json!({
        "type": kind,
        "actor": [{
            "role": { "coding": [coding("v3-ParticipationType", "IRCP")] },
            "reference": { "reference": "Organization/lakeside" },
        }],
        "purpose": [coding("v3-ActReason", "TREAT")],
    })
}

fn labelled(kind: &str) -> Value {
    let mut rule = rule(kind);
    rule["securityLabel"] = json!([coding("v3-Confidentiality", "R"), coding("v3-ActCode", "HIV")]);
    rule
}

fn nested(levels: usize) -> Value {
    let kind = |level: usize| if level.is_multiple_of(2) { "permit" } else { "deny" };
    (0..levels).rev().fold(labelled(kind(levels)), |below, level| {
        let mut rule = labelled(kind(level));
        rule["provision"] = json!([below]);
        rule
    })
}

fn beside(count: usize) -> Value {
    let mut root = rule("permit");
    root["provision"] = (0..count).map(|_| labelled("deny")).collect();
    root
}

fn observation() -> Value {
    json!({
        "resourceType": "Observation",
        "id": "5",
        "status": "final",
        "code": { "coding": [{ "system": "http://loinc.org", "code": "718-7" }] },
        "subject": { "reference": "Patient/9" },
        "effectiveDateTime": "2026-03-01",
    })
}
