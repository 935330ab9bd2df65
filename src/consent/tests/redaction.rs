//! What is taken out, and what goes with it (consent S8).

use serde_json::{Value, json};

use super::fixtures::{Setting, about, consent, labelled, level, observation, permit, task};
use crate::consent::permit::{Decision, Permit};
use crate::consent::redact::{Mark, reduce};

fn without_psy() -> Value {
    consent(&json!({ "type": "permit", "provision": [{ "type": "deny", "securityLabel": [about("PSY")] }] }))
}

fn document(entries: &[Value]) -> Value {
    let references: Vec<Value> = entries
        .iter()
        .map(|it| json!({ "reference": format!("Observation/{}", it["id"].as_str().unwrap()), "display": "…" }))
        .collect();
    let composition = json!({
        "resourceType": "Composition",
        "id": "c",
        "text": { "status": "generated", "div": "<div>secret</div>" },
        "subject": { "reference": "Patient/9" },
        "section": [{ "title": "Results", "text": { "status": "generated", "div": "<div>secret</div>" }, "entry": references }],
    });
    let entry = |resource: &Value| {
        let name =
            format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        json!({ "fullUrl": format!("https://clinic.example/fhir/{name}"), "resource": resource })
    };
    let entries: Vec<Value> = std::iter::once(&composition).chain(entries).map(entry).collect();
    json!({ "resourceType": "Bundle", "type": "document", "total": 3, "entry": entries })
}

fn released(setting: &Setting) -> Permit {
    match setting.decide() {
        Decision::Permit(permit) => permit,
        other => panic!("{other:?}"),
    }
}

fn reduced(setting: &Setting, mark: Mark) -> Vec<Value> {
    let permit = released(setting);
    assert_eq!(permit.note().outcome, "redact");
    reduce(&setting.resources, &permit, mark)
}

#[test]
fn a_denied_entry_goes_with_everything_that_points_to_it() {
    let bundle = document(&[observation("o1", "718-7"), observation("o2", "44249-1")]);
    let setting = Setting::new().sends(&[bundle]).consents(&[without_psy()]);

    let text = json!(reduced(&setting, Mark::Silent)).to_string();

    assert!(text.contains("Observation/o1"));
    for gone in ["o2", "44249-1", "secret", "total", "REDACTED"] {
        assert!(!text.contains(gone), "{gone}");
    }
}

#[test]
fn a_section_with_nothing_left_says_so_only_if_the_clinic_allows_it() {
    let bundle = document(&[observation("o2", "44249-1")]);
    let setting = Setting::new().sends(&[bundle]).consents(&[without_psy()]);

    let silent = json!(reduced(&setting, Mark::Silent)).to_string();
    let said = json!(reduced(&setting, Mark::Say)).to_string();

    assert!(!silent.contains("section") && !silent.contains("withheld"));
    assert!(said.contains("withheld") && said.contains("REDACTED"));
}

#[test]
fn a_signed_whole_is_denied_rather_than_reduced() {
    let mut bundle = document(&[observation("o1", "718-7"), observation("o2", "44249-1")]);
    bundle["signature"] = json!({ "when": "2026-03-01T00:00:00Z" });

    let outcome = Setting::new().sends(&[bundle]).consents(&[without_psy()]).outcome();

    assert_eq!(outcome, "deny signed-whole");
}

#[test]
fn a_companion_that_is_denied_stays_behind() {
    let mut main = task();
    main["output"] = json!([{ "valueReference": { "reference": "Observation/o2" } }]);
    let setting = Setting::new().sends(&[main, observation("o2", "44249-1"), observation("o1", "718-7")]);
    let setting = setting.consents(&[without_psy()]);

    let kept = reduced(&setting, Mark::Silent);

    assert_eq!(kept, [task(), observation("o1", "718-7")]);
}

#[test]
fn a_companion_in_doubt_holds_everything() {
    let mut unclear = observation("o1", "718-7");
    unclear["note"] = json!([{ "text": "…" }]);

    let outcome = Setting::new().sends(&[task(), unclear]).consents(&[without_psy()]).outcome();

    assert_eq!(outcome, "hold provision-may-deny");
}

#[test]
fn a_file_beside_a_document_bears_the_documents_labels() {
    let document = |label: Value| {
        labelled(
            json!({ "resourceType": "DocumentReference", "id": "d", "subject": { "reference": "Patient/9" },
                    "content": [{ "attachment": { "contentType": "application/pdf", "url": "Binary/b" } }] }),
            &[label],
        )
    };
    let binary = json!({ "resourceType": "Binary", "id": "b", "contentType": "application/pdf", "data": "" });
    let send = |label| Setting::new().sends(&[document(label), binary.clone()]).consents(&[without_psy()]);

    assert_eq!(send(level("N")).outcome(), "permit provision-permit");
    assert_eq!(send(about("PSY")).outcome(), "deny provision-deny");
}

#[test]
fn a_contained_resource_goes_with_the_references_to_it() {
    let mut main = task();
    main["contained"] = json!([{
        "resourceType": "Condition", "id": "c",
        "code": { "coding": [{ "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F11.20" }] },
    }]);
    main["reasonReference"] = json!({ "reference": "#c" });
    let setting = Setting::new().sends(&[main]).consents(&[permit()]);

    assert_eq!(reduced(&setting, Mark::Silent), [task()]);
}

#[test]
fn an_element_with_a_label_of_its_own_goes_alone() {
    let mut main = labelled(task(), &[level("N")]);
    main["identifier"] = json!([
        { "value": "keep" },
        { "value": "hide", "extension": [{
            "url": "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label",
            "valueCoding": level("R"),
        }]},
    ]);
    let normal = consent(&json!({ "type": "permit", "securityLabel": [level("N")] }));
    let setting = Setting::new().sends(&[main]).consents(&[normal]);

    assert_eq!(reduced(&setting, Mark::Silent)[0]["identifier"], json!([{ "value": "keep" }]));
}

#[test]
fn a_primitive_with_a_label_of_its_own_goes_with_its_value() {
    let mut main = labelled(task(), &[level("N")]);
    let label = json!({ "extension": [{
        "url": "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label",
        "valueCoding": level("R"),
    }]});
    main["authoredOn"] = json!("2026-03-01");
    main["_authoredOn"] = label.clone();
    main["instantiatesUri"] = json!(["urn:keep", "urn:hide"]);
    main["_instantiatesUri"] = json!([null, label]);
    let normal = consent(&json!({ "type": "permit", "securityLabel": [level("N")] }));
    let setting = Setting::new().sends(&[main]).consents(&[normal]);

    let kept = &reduced(&setting, Mark::Silent)[0];

    assert_eq!(kept["instantiatesUri"], json!(["urn:keep"]));
    assert!(kept.get("authoredOn").is_none() && kept.get("_authoredOn").is_none());
}

#[test]
fn what_points_to_a_removed_resource_by_address_or_identifier_goes_too() {
    let mut hidden = observation("o2", "44249-1");
    hidden["identifier"] = json!([{ "system": "urn:lab", "value": "L1" }]);
    let mut main = labelled(task(), &[level("N")]);
    main["focus"] = json!({ "identifier": { "system": "urn:lab", "value": "L1" }, "display": "PHQ-9" });
    main["output"] = json!([{ "valueUrl": "x", "valueAttachment": { "url": "https://clinic.example/fhir/Observation/o2" } }]);
    let setting = Setting::new().sends(&[main, hidden]).consents(&[without_psy()]);

    let text = json!(reduced(&setting, Mark::Silent)).to_string();

    assert!(!text.contains("L1") && !text.contains("PHQ-9") && !text.contains("o2"), "{text}");
}

#[test]
fn a_bundle_with_a_part_that_cannot_be_decided_is_held() {
    let mut bundle = document(&[observation("o1", "718-7")]);
    bundle["entry"].as_array_mut().unwrap().push(json!({ "response": { "status": "200" } }));

    assert_eq!(Setting::new().sends(&[bundle]).consents(&[permit()]).outcome(), "hold nothing-to-decide-on");
}

#[test]
fn labels_of_a_bundle_that_no_entry_explains_hold_for_all_entries() {
    let bundle = labelled(document(&[observation("o1", "718-7")]), &[level("R")]);
    let normal = consent(&json!({ "type": "permit", "securityLabel": [level("N")] }));

    assert_eq!(
        Setting::new().sends(&[bundle]).consents(&[normal]).outcome(),
        "deny provision-does-not-cover"
    );
}

#[test]
fn a_full_permit_changes_nothing() {
    let setting = Setting::new().sends(&[document(&[observation("o1", "718-7")])]).consents(&[permit()]);
    let permit = released(&setting);

    assert_eq!(reduce(&setting.resources, &permit, Mark::Say), setting.resources);
}
