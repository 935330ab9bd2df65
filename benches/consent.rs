//! What a decision costs. Beside it, in the same run: reading every element of the same Consents once, which is
//! the least that anybody who decides by them must do.
//!
//! `cargo bench --bench consent`. Allocations are counted for each decision.

use divan::{AllocProfiler, Bencher, black_box};
use jiff::tz::TimeZone;
use referral_gateway::consent::disclosure::{
    ClinicRules, DISCLOSE, Disclosure, Labelling, Party, PatientAtClinic, Purpose, Receiver, Source,
};
use referral_gateway::consent::labels::lists::SensitivityLists;
use referral_gateway::consent::permit::Decision;
use referral_gateway::consent::{decide, examine};
use referral_gateway::model::ids::PartnerId;
use referral_gateway::model::policy::{Confidentiality, DefaultDecision, DefaultPolicy};
use referral_gateway::model::update::ResourceVersion;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// How many Consents, and how many levels each has below its root.
const SHAPES: [(usize, usize); 5] = [(1, 0), (10, 0), (100, 0), (1, 10), (100, 10)];

#[divan::bench(args = SHAPES)]
fn decide_only(bencher: Bencher<'_, '_>, (consents, levels): (usize, usize)) {
    let question = Question::new(consents, levels);
    assert!(matches!(decide(&question.disclosure()), Decision::Permit(_)), "it measures what it says");
    bencher.bench(|| decide(black_box(&question.disclosure())));
}

#[divan::bench(args = SHAPES)]
fn decide_with_trace(bencher: Bencher<'_, '_>, (consents, levels): (usize, usize)) {
    let question = Question::new(consents, levels);
    bencher.bench(|| examine(black_box(&question.disclosure())));
}

#[divan::bench(args = SHAPES)]
fn floor_read_every_element(bencher: Bencher<'_, '_>, (consents, levels): (usize, usize)) {
    let question = Question::new(consents, levels);
    bencher.bench(|| black_box(&question.consents).iter().map(elements).sum::<usize>());
}

/// The elements of a resource, each looked at once.
fn elements(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.iter().map(|(name, it)| usize::from(!name.is_empty()) + elements(it)).sum(),
        Value::Array(list) => list.iter().map(elements).sum(),
        Value::String(text) => usize::from(text.ends_with('x')),
        _ => 1,
    }
}

struct Question {
    resources: Vec<Value>,
    patient: PatientAtClinic,
    receiver: Receiver,
    purpose: Purpose,
    consents: Vec<Value>,
    clinic: ClinicRules,
}

impl Question {
    fn new(consents: usize, levels: usize) -> Self {
        Self {
            resources: vec![json!({
                "resourceType": "Task", "id": "5", "status": "accepted", "intent": "order",
                "for": { "reference": "Patient/9" },
                "code": { "coding": [{ "system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill" }] },
            })],
            patient: PatientAtClinic { reference: "Patient/9".to_owned(), ..PatientAtClinic::default() },
            receiver: Receiver::organization(Party {
                reference: Some("Organization/lakeside".to_owned()),
                identifiers: vec![("http://hl7.org/fhir/sid/us-npi".to_owned(), "1234567893".to_owned())],
            }),
            purpose: Purpose::reason("TREAT"),
            consents: (0..consents).map(|number| consent(number, levels)).collect(),
            clinic: ClinicRules {
                base: "https://clinic.example/fhir".to_owned(),
                custodian: Party::identified("http://hl7.org/fhir/sid/us-npi", "1999999992"),
                trusted_custodians: Vec::new(),
                known_label_systems: Vec::new(),
                max_staleness: std::time::Duration::ZERO,
                default: DefaultPolicy {
                    decision: DefaultDecision::Hold,
                    purposes: None,
                    max_confidentiality: Confidentiality::Normal,
                    explicit_consent_sensitivity: vec!["SUD".to_owned()],
                },
                time_zone: TimeZone::UTC,
                lists: SensitivityLists::built_in(),
            },
        }
    }

    fn disclosure(&self) -> Disclosure<'_> {
        Disclosure {
            version: ResourceVersion {
                resource_type: "Task".to_owned(),
                id: "5".to_owned(),
                version: "1".to_owned(),
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
            now: "2026-03-10T15:00:00Z".parse().expect("an instant"),
        }
    }
}

/// A Consent as front desks record it: this recipient may have it for treatment.
fn consent(number: usize, levels: usize) -> Value {
    let concept = |system: &str, code: &str| json!({ "coding": [{ "system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code }] });
    json!({
        "resourceType": "Consent",
        "id": number.to_string(),
        "meta": { "versionId": "1" },
        "status": "active",
        "scope": concept("consentscope", "patient-privacy"),
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": { "reference": "Patient/9" },
        "dateTime": "2026-01-01T09:00:00Z",
        "policyRule": concept("v3-ActCode", "OPTIN"),
        "provision": provision(levels),
    })
}

fn provision(levels: usize) -> Value {
    let role = json!({ "coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP" }] });
    let purpose = json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT" });
    let mut provision = json!({
        "type": "permit",
        "period": { "start": "2026-01-01", "end": "2027-01-01" },
        "actor": [{ "role": role, "reference": { "reference": "Organization/lakeside" } }],
        "purpose": [purpose],
    });
    if levels > 0 {
        provision["provision"] = json!([self::provision(levels - 1)]);
    }
    provision
}
