//! A disclosure with good Consents, to which a broken one is added.

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

use super::choice::Choice;

/// What is asked, without the Consents.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    resources: Vec<Value>,
    directory: Vec<Value>,
    receiver: Receiver,
    purpose: Purpose,
    patient: PatientAtClinic,
    clinic: ClinicRules,
    now: Timestamp,
}

impl Scene {
    /// Makes what does not change from run to run.
    pub(crate) fn new() -> Self {
        Self {
            resources: Vec::new(),
            directory: directory(),
            receiver: Receiver::organization(Party {
                reference: Some("Organization/lakeside".to_owned()),
                identifiers: vec![("http://hl7.org/fhir/sid/us-npi".to_owned(), "1234567893".to_owned())],
            }),
            purpose: Purpose::default(),
            patient: PatientAtClinic {
                reference: "Patient/9".to_owned(),
                identifiers: vec![("urn:mrn".to_owned(), "1".to_owned())],
                aliases: vec!["Patient/8".to_owned()],
            },
            clinic: clinic(),
            now: Timestamp::constant(1_773_154_800, 0),
        }
    }

    /// Chooses what would be sent, why, and what the clinic does by default.
    pub(crate) fn choose(&mut self, choice: &mut Choice<'_>) {
        let all = payload();
        self.resources = (0..=choice.of(3)).map(|_| choice.one(&all).clone()).collect();
        self.purpose = Purpose::reason(*choice.one(&["TREAT", "TREAT", "ETREAT", "HPAYMT", "HRESCH"]));
        self.clinic.default.decision =
            *choice.one(&[DefaultDecision::Permit, DefaultDecision::Hold, DefaultDecision::Deny]);
    }

    /// The zone of the clinic.
    pub(crate) const fn zone(&self) -> &TimeZone {
        &self.clinic.time_zone
    }

    /// The question, with these Consents.
    pub(crate) fn with<'a>(&'a self, consents: &'a [Value]) -> Disclosure<'a> {
        Disclosure {
            version: ResourceVersion { resource_type: "Task".into(), id: "5".into(), version: "2".into() },
            resources: &self.resources,
            patient: &self.patient,
            recipient: PartnerId::new("lakeside"),
            receiver: &self.receiver,
            purpose: &self.purpose,
            action: DISCLOSE,
            consents,
            source: Source::READ_NOW,
            labelling: Labelling::Works,
            directory: &self.directory,
            clinic: &self.clinic,
            now: self.now,
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
            purposes: Some(vec!["TREAT".to_owned()]),
            max_confidentiality: Confidentiality::Normal,
            explicit_consent_sensitivity: vec!["SUD".to_owned(), "ETH".to_owned(), "PSYTHPN".to_owned()],
        },
        time_zone: TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC),
        lists: SensitivityLists::built_in(),
    }
}

fn observation(id: &str, code: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "id": id,
        "code": { "coding": [{ "system": "http://loinc.org", "code": code }] },
        "subject": { "reference": "Patient/9" },
        "effectiveDateTime": "2026-03-01",
        "encounter": { "reference": "Encounter/1" },
        "performer": [{ "reference": "Practitioner/author" }],
    })
}

fn payload() -> Vec<Value> {
    let mut restricted = observation("o2", "718-7");
    restricted["meta"]["security"] =
        json!([{ "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R" }]);
    let mut around = observation("o5", "718-7");
    around["contained"] = json!([observation("o6", "74013-4")]);
    vec![
        json!({ "resourceType": "Task", "id": "5", "for": { "reference": "Patient/9" }, "authoredOn": "2026-03-01" }),
        observation("o1", "718-7"),
        restricted,
        observation("o3", "44249-1"),
        observation("o4", "74013-4"),
        around,
        json!({
            "resourceType": "DocumentReference",
            "id": "d1",
            "subject": { "reference": "Patient/9" },
            "content": [{ "attachment": { "contentType": "application/pdf", "data": "" } }],
        }),
    ]
}

fn directory() -> Vec<Value> {
    vec![
        json!({ "resourceType": "Organization", "id": "lakeside", "partOf": { "reference": "Organization/network" } }),
        json!({ "resourceType": "Organization", "id": "network" }),
        json!({ "resourceType": "Group", "id": "circle", "type": "practitioner", "actual": true,
            "member": [{ "entity": { "reference": "Organization/lakeside" } }] }),
        json!({ "resourceType": "PractitionerRole", "id": "role",
            "practitioner": { "reference": "Practitioner/author" },
            "organization": { "reference": "Organization/lakeside" } }),
        json!({ "resourceType": "CareTeam", "id": "team",
            "participant": [{ "member": { "reference": "PractitionerRole/role" } }] }),
        json!({ "resourceType": "Encounter", "id": "1", "subject": { "reference": "Patient/9" } }),
    ]
}
