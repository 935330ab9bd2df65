//! What goes with that which is taken out, and what stays (consent S8).

use serde_json::{Value, json};

use super::fixtures::{Setting, about, consent, labelled, level, observation, task};
use crate::consent::permit::Decision;
use crate::consent::redact::{Mark, reduce};

const INLINE: &str =
    "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label";

/// What is sent under a permission for all but psychiatric data.
fn reduced(resources: &[Value], mark: Mark) -> Vec<Value> {
    let without_psy = consent(&json!({
        "type": "permit", "provision": [{ "type": "deny", "securityLabel": [about("PSY")] }],
    }));
    reduced_under(without_psy, resources, mark)
}

fn reduced_under(consent: Value, resources: &[Value], mark: Mark) -> Vec<Value> {
    match Setting::new().sends(resources).consents(&[consent]).decide() {
        Decision::Permit(permit) => reduce(resources, &permit, mark),
        other => panic!("{other:?}"),
    }
}

fn psychiatric(id: &str) -> Value {
    observation(id, "44249-1")
}

fn to(reference: &str) -> Value {
    json!({ "reference": reference })
}

#[test]
fn several_entries_are_removed_without_touching_the_others() {
    let sensitive = [1, 2, 9, 10, 12];
    let entries: Vec<Value> = (0..14)
        .map(|it| {
            let id = format!("o{it}");
            let resource = if sensitive.contains(&it) { psychiatric(&id) } else { observation(&id, "718-7") };
            json!({ "resource": resource })
        })
        .collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });

    let kept = reduced(&[bundle], Mark::Silent);

    let ids: Vec<&str> = kept[0]["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["resource"]["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["o0", "o3", "o4", "o5", "o6", "o7", "o8", "o11", "o13"]);
}

#[test]
fn other_references_identifiers_and_addresses_stay() {
    let mut hidden = psychiatric("o2");
    hidden["identifier"] = json!([{ "system": "urn:lab", "value": "L1" }]);
    let mut main = task();
    main["extension"] = json!([{ "url": "urn:x", "valueBoolean": true }]);
    main["focus"] = json!({ "identifier": { "system": "urn:lab", "value": "L2" } });
    main["basedOn"] = json!([to("Observation/o2"), to("ServiceRequest/1"), to("Observation/o2/_history/1")]);

    let kept = reduced(&[main.clone(), hidden], Mark::Silent);

    main["basedOn"] = json!([to("ServiceRequest/1")]);
    assert_eq!(kept, [main]);
}

#[test]
fn every_narrative_goes_however_it_is_written() {
    for text in [json!({ "div": "<div/>" }), json!({ "status": "generated" })] {
        let mut main = task();
        main["text"] = text.clone();
        assert_eq!(reduced(&[main, psychiatric("o2")], Mark::Silent), [task()], "{text}");
    }
}

#[test]
fn a_section_that_keeps_an_entry_or_a_section_stays_as_it_is() {
    let composition = |sections: Value| {
        json!({
            "resourceType": "Composition", "id": "c", "subject": to("Patient/9"), "section": sections,
        })
    };
    let document = |sections: Value| {
        json!({ "resourceType": "Bundle", "type": "document", "entry": [
            { "resource": composition(sections) },
            { "resource": observation("o1", "718-7") },
            { "resource": psychiatric("o2") },
        ]})
    };
    let kept = json!({ "title": "kept", "entry": [to("Observation/o1")] });
    let sections = |emptied: Option<Value>| {
        let all = [Some(kept.clone()), Some(json!({ "title": "outer", "section": [kept] })), emptied];
        json!(all.into_iter().flatten().collect::<Vec<_>>())
    };
    let full = document(sections(Some(json!({ "title": "gone", "entry": [to("Observation/o2")] }))));

    let silent = reduced(std::slice::from_ref(&full), Mark::Silent);
    let said = reduced(&[full], Mark::Say);

    assert_eq!(silent[0]["entry"][0]["resource"]["section"], sections(None));
    let sections = &said[0]["entry"][0]["resource"]["section"];
    assert_eq!(sections[0], kept);
    assert!(sections[1].get("emptyReason").is_none());
    assert_eq!(sections[2]["emptyReason"]["coding"][0]["code"], "withheld");
    assert_eq!(said[0]["meta"]["security"][0]["code"], "REDACTED");
}

#[test]
fn a_label_beyond_the_end_of_its_list_of_values_goes_alone() {
    let normal = consent(&json!({ "type": "permit", "securityLabel": [level("N")] }));
    let label = json!({ "extension": [{ "url": INLINE, "valueCoding": level("R") }] });
    let mut main = labelled(task(), &[level("N")]);
    main["instantiatesUri"] = json!(["urn:keep"]);
    main["_instantiatesUri"] = json!([null, label]);

    let kept = &reduced_under(normal, &[main], Mark::Silent)[0];

    assert_eq!(kept["instantiatesUri"], json!(["urn:keep"]));
    assert!(!kept.to_string().contains(INLINE));
}

#[test]
fn a_file_beside_its_document_is_decided_by_itself_and_stays_behind_alone() {
    let document = json!({
        "resourceType": "DocumentReference", "id": "d", "subject": to("Patient/9"), "meta": { "security": [level("N")] },
        "content": [{ "attachment": { "contentType": "application/pdf", "url": "Binary/b" } }],
    });
    let file = json!({ "resourceType": "Binary", "id": "b", "contentType": "application/pdf", "data": "" });
    let files = json!([{ "system": "http://hl7.org/fhir/resource-types", "code": "Binary" }]);
    let without_files =
        consent(&json!({ "type": "permit", "provision": [{ "type": "deny", "class": files }] }));
    let sensitive = labelled(file.clone(), &[about("PSY")]);
    let setting = Setting::new()
        .sends(&[document.clone(), file.clone()])
        .consents(std::slice::from_ref(&without_files));

    let names: Vec<String> = setting.trace().nodes.into_iter().map(|it| it.node).collect();
    assert_eq!(names, ["DocumentReference/d", "Binary/b"]);
    for kept in [
        reduced_under(without_files, &[document.clone(), file], Mark::Silent),
        reduced(&[document, sensitive], Mark::Silent),
    ] {
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0]["id"], "d");
        assert!(!kept[0].to_string().contains("Binary/b"));
    }
}
