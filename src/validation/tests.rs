//! Properties of the validator, and the cases in `fixtures/`.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fhir::json::parse;

fn fixture(path: &Path) -> Value {
    parse(&std::fs::read(path).unwrap()).unwrap()
}

fn complete() -> Value {
    fixture(Path::new("fixtures/lakeside/complete-bundle/request.json"))
}

fn found(issues: &[Issue]) -> Vec<(&str, &str)> {
    issues.iter().map(|it| (it.code, it.expression.first().map_or("", String::as_str))).collect()
}

#[test]
fn every_fixture_is_taken_or_refused_as_it_says() {
    for case in std::fs::read_dir("fixtures/lakeside").unwrap() {
        let folder = case.unwrap().path();
        let issues = check_message(&fixture(&folder.join("request.json")), &Rules::default());

        let expected = folder.join("outcome.json");
        let expected = if expected.exists() { fixture(&expected)["issues"].clone() } else { json!([]) };
        let actual = found(&issues).into_iter().map(|(code, at)| json!({ "code": code, "expression": at }));
        assert_eq!(actual.collect::<Value>(), expected, "{}", folder.display());
    }
}

#[test]
fn every_violation_of_a_resource_is_reported_with_its_place_and_fix() {
    let task = json!({
        "resourceType": "Task", "status": "done", "intent": 5, "priority": "soon", "description": "", "for": "Patient/1",
        "note": [], "authoredOn": "2026-03-01 09:30", "Jane Canary": true, "statusReasons": {},
        "input": [{ "type": { "text": "t" }, "valueString": "a", "valueCode": "b" }],
        "output": [{ "type": { "text": "t" } }],
        "contained": [{ "resourceType": "Patient", "contained": [{ "resourceType": "Patient" }] }],
    });

    let issues = check_resource(&task, "Bundle.entry[0].resource");

    let mut actual: Vec<(&str, String)> = found(&issues)
        .into_iter()
        .map(|(code, at)| (code, at.replace("Bundle.entry[0].resource", "Task")))
        .collect();
    actual.sort();
    let expected = [
        ("SEND_CHOICE_AMBIGUOUS", "Task.input[0].value"),
        ("SEND_CODE_UNKNOWN", "Task.priority"),
        ("SEND_CODE_UNKNOWN", "Task.status"),
        ("SEND_ELEMENT_EMPTY", "Task.description"),
        ("SEND_ELEMENT_EMPTY", "Task.note"),
        ("SEND_ELEMENT_MISSING", "Task.output[0].value"),
        ("SEND_ELEMENT_TYPE", "Task.for"),
        ("SEND_ELEMENT_TYPE", "Task.intent"),
        ("SEND_ELEMENT_UNKNOWN", "Task"),
        ("SEND_ELEMENT_UNKNOWN", "Task.contained[0].contained"),
        ("SEND_ELEMENT_UNKNOWN", "Task.statusReasons"),
        ("SEND_VALUE_FORMAT", "Task.authoredOn"),
    ];
    assert_eq!(actual, expected.map(|(code, at)| (code, at.to_owned())));
    let texts = issues.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join("\n");
    assert!(texts.contains("Send `for` as a Reference, a JSON object."), "{texts}");
    assert!(texts.contains("Send `priority` as one of routine, urgent, asap, stat."), "{texts}");
    assert!(texts.contains("such as 2026-03-01T09:30:00Z"), "{texts}");
    assert!(!texts.contains("Canary"), "{texts}");
}

#[test]
fn a_primitive_may_consist_of_extensions_alone() {
    let absent = json!({ "extension": [{ "url": "urn:x", "valueCode": "unknown" }] });
    let task = json!({ "resourceType": "Task", "_status": absent, "intent": "order" });
    let patient =
        json!({ "resourceType": "Patient", "name": [{ "given": [null, "A"], "_given": [absent, null] }] });

    assert_eq!(check_resource(&task, "Task"), []);
    assert_eq!(check_resource(&patient, "Patient"), []);
}

#[test]
fn a_type_that_is_not_known_is_refused_by_its_place() {
    let issues = check_resource(&json!({ "resourceType": "Canary" }), "Bundle.entry[0].resource");

    assert_eq!(found(&issues), [("SEND_RESOURCE_TYPE_UNKNOWN", "Bundle.entry[0].resource.resourceType")]);
    assert!(supports("ServiceRequest") && !supports("Bundle") && !supports("Canary"));
}

#[test]
fn a_long_list_of_violations_ends_with_their_number() {
    let names: Vec<Value> = (0..150).map(|_| json!("not a name")).collect();

    let issues = check_resource(&json!({ "resourceType": "Patient", "name": names }), "Patient");

    assert_eq!(issues.len(), MAX_ISSUES + 1);
    assert_eq!(issues[MAX_ISSUES].text, "Mend these first: there are 50 more.");
}

#[test]
fn a_message_about_two_people_is_refused() {
    let mut message = complete();
    message["entry"][7]["resource"]["subject"]["reference"] =
        json!("https://ehr.lakeside.example/fhir/Patient/2");

    assert_eq!(
        found(&check_message(&message, &Rules::default())),
        [("SEND_PATIENT_OTHER", "Bundle.entry[7].resource.subject")]
    );
}

#[test]
fn an_entry_that_does_not_create_its_resource_is_refused() {
    let mut message = complete();
    message["entry"][0]["request"]["method"] = json!("PUT");
    message["entry"][1]["request"]["url"] = json!("Patient");
    message["entry"][2].as_object_mut().unwrap().remove("request");

    let expected = ["[0].request.method", "[1].request.url", "[2].request"]
        .map(|it| ("SEND_ENTRY_REQUEST".to_owned(), format!("Bundle.entry{it}")));
    let issues = check_message(&message, &Rules::default());
    let actual: Vec<_> =
        found(&issues).into_iter().map(|(code, at)| (code.to_owned(), at.to_owned())).collect();
    assert_eq!(actual, expected);
}

#[test]
fn an_envelope_that_cannot_hold_a_referral_is_the_only_complaint() {
    let bundle =
        |entries: Vec<Value>| json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
    let many = vec![json!({}); message::MAX_ENTRIES + 1];

    assert_eq!(
        found(&check_message(&json!(["Bundle"]), &Rules::default())),
        [("SEND_RESOURCE_TYPE_UNEXPECTED", "")]
    );
    assert_eq!(
        found(&check_message(&json!({ "resourceType": "Patient" }), &Rules::default())),
        [("SEND_RESOURCE_TYPE_UNEXPECTED", "")]
    );
    assert_eq!(
        found(&check_message(&bundle(vec![]), &Rules::default())),
        [("SEND_BUNDLE_EMPTY", "Bundle.entry")]
    );
    assert_eq!(
        found(&check_message(&bundle(many), &Rules::default())),
        [("SEND_BUNDLE_TOO_LARGE", "Bundle.entry")]
    );
}

#[test]
fn a_message_of_too_many_values_is_refused_before_it_is_looked_at() {
    let order = json!({ "resourceType": "ServiceRequest", "note": vec![1; MAX_VALUES] });

    assert_eq!(found(&check_message(&order, &Rules::default())), [("SEND_MESSAGE_TOO_LARGE", "")]);
    assert_eq!(
        found(&check_resource(&order, "ServiceRequest")),
        [("SEND_MESSAGE_TOO_LARGE", "ServiceRequest")]
    );
}

#[test]
fn what_a_referral_does_not_take_is_named_by_its_entry() {
    let mut message = complete();
    message["entry"][10]["resource"] = json!({ "resourceType": "Slot", "anything": [] });
    message["entry"][10]["request"]["url"] = json!("Slot");
    message["entry"][9].as_object_mut().unwrap().remove("resource");
    message["entry"][8]["surprise"] = json!(1);
    message["entry"][7]["resource"]["contained"] = json!([{ "resourceType": "Bundle", "type": "batch" }]);

    let expected = [
        ("SEND_ELEMENT_UNKNOWN", "Bundle.entry[8].surprise"),
        ("SEND_ELEMENT_MISSING", "Bundle.entry[9].resource"),
        ("SEND_RESOURCE_TYPE_UNSUPPORTED", "Bundle.entry[7].resource.contained[0]"),
        ("SEND_RESOURCE_TYPE_UNSUPPORTED", "Bundle.entry[10].resource"),
        ("SEND_CONTAINED_UNUSED", "Bundle.entry[7].resource.contained[0]"),
    ];
    assert_eq!(found(&check_message(&message, &Rules::default())), expected);
}

#[test]
fn a_referral_that_asks_for_nothing_or_for_nobody_in_the_message_is_refused() {
    let mut message = fixture(Path::new("fixtures/lakeside/single-service-request/request.json"));
    message["doNotPerform"] = json!(true);
    message["subject"]["reference"] = json!("https://ehr.lakeside.example/fhir/Patient/1");
    message.as_object_mut().unwrap().remove("code");

    let expected = [
        ("SEND_REFERRAL_NOT_ACTIONABLE", "ServiceRequest.doNotPerform"),
        ("SEND_ELEMENT_MISSING", "ServiceRequest.code"),
        ("SEND_PATIENT_MISSING", "ServiceRequest.subject"),
        ("SEND_CONTAINED_UNUSED", "ServiceRequest.contained[0]"),
    ];
    assert_eq!(found(&check_message(&message, &Rules::default())), expected);
}

#[test]
fn a_reference_to_a_type_that_does_not_belong_there_is_named_with_those_that_do() {
    let device = json!({ "resourceType": "Device", "id": "d" });
    let order = json!({
        "resourceType": "ServiceRequest", "status": "active", "intent": "order", "contained": [device],
        "subject": { "reference": "Encounter/1" }, "encounter": { "reference": "#d" },
        "requester": { "type": "http://hl7.org/fhir/StructureDefinition/Practitioner", "display": "A" },
        "performer": [{ "reference": "Practitioner/1" }, { "type": "Coverage", "display": "A" }],
        "note": [{ "text": "t", "authorReference": { "reference": "Location/1" } }],
        "basedOn": [{ "reference": "https://elsewhere.example/fhir/Whatever/1" }],
    });

    let issues = check_resource(&order, "ServiceRequest");

    let mut actual = found(&issues);
    actual.sort_unstable();
    let places = ["encounter", "note[0].authorReference", "performer[1]", "subject"];
    let expected = places.map(|it| ("SEND_REFERENCE_TARGET", format!("ServiceRequest.{it}")));
    assert_eq!(actual, expected.each_ref().map(|(code, at)| (*code, at.as_str())));
    assert!(issues.iter().any(|it| it.text == "Refer to one of Encounter here."), "{issues:?}");
}

#[test]
fn an_invariant_that_does_not_hold_is_named_by_its_key() {
    let period = json!({ "start": "2026-03-02", "end": "2026-03-01" });
    let patient = json!({ "resourceType": "Patient", "contact": [{ "period": period }] });

    let issues = check_resource(&patient, "Patient");

    let places = ["Patient.contact[0]", "Patient.contact[0].period"];
    let mut actual = found(&issues);
    actual.sort_unstable();
    assert_eq!(actual, places.map(|it| ("SEND_INVARIANT", it)));
    assert!(issues.iter().any(|it| it.text.ends_with("(per-1).")), "{issues:?}");
}

#[test]
fn a_contained_resource_about_somebody_else_is_found() {
    let mut message = fixture(Path::new("fixtures/lakeside/single-service-request/request.json"));
    let other = "https://ehr.lakeside.example/fhir/Patient/2";
    message["contained"].as_array_mut().unwrap().push(json!({
        "resourceType": "Condition", "id": "c", "subject": { "reference": other }, "code": { "text": "t" },
    }));
    message["reasonReference"] = json!([{ "reference": "#c" }]);

    let found_in = "ServiceRequest.contained[2].subject";
    assert_eq!(found(&check_message(&message, &Rules::default())), [("SEND_PATIENT_OTHER", found_in)]);
}

/// Every element that R4 requires and the resource has: (the way to its parent, its name, its place).
fn required(resource: &Value, definition: &str, way: &str, place: &str) -> Vec<(String, String, String)> {
    let schema = &schema::SCHEMA.document["$defs"][definition];
    let mut all = Vec::new();
    for (name, value) in resource.as_object().into_iter().flatten() {
        if schema["required"].as_array().is_some_and(|it| it.contains(&json!(name))) {
            all.push((way.to_owned(), name.clone(), format!("{place}.{name}")));
        }
        let shown = name.trim_start_matches('_');
        let target = schema["properties"][name]["$ref"].as_str().unwrap_or_default();
        let target = target.trim_start_matches("#/$defs/");
        match (value, target.strip_suffix("List")) {
            (Value::Array(items), Some(item)) if item != "Contained" => {
                for (index, it) in items.iter().enumerate() {
                    let (way, place) = (format!("{way}/{name}/{index}"), format!("{place}.{shown}[{index}]"));
                    all.extend(required(it, item, &way, &place));
                }
            }
            (Value::Object(_), None) => {
                all.extend(required(value, target, &format!("{way}/{name}"), &format!("{place}.{shown}")));
            }
            _ => {}
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_a_required_element_exactly_that_element_is_missing(pick in any::<prop::sample::Index>()) {
        let mut message = complete();
        let mut all = Vec::new();
        for (number, entry) in message["entry"].as_array().unwrap().iter().enumerate() {
            let resource = &entry["resource"];
            let (way, at) = (format!("/entry/{number}/resource"), format!("Bundle.entry[{number}].resource"));
            all.extend(required(resource, resource["resourceType"].as_str().unwrap(), &way, &at));
        }
        prop_assert!(all.len() > 30, "the fixture has {} required elements", all.len());
        let (way, name, place) = pick.get(&all);

        message.pointer_mut(way).unwrap().as_object_mut().unwrap().remove(name);

        let issues = check_message(&message, &Rules::default());
        prop_assert_eq!(found(&issues), [("SEND_ELEMENT_MISSING", place.as_str())]);
    }

    #[test]
    fn no_text_repeats_a_value(value in "[A-Z]{6}canary", pick in any::<prop::sample::Index>()) {
        let mut message = complete();
        let resource = &mut message["entry"][pick.index(11)]["resource"];
        for child in resource.as_object_mut().unwrap().values_mut().skip(1) {
            *child = json!({ value.clone(): value });
        }

        let issues = check_message(&message, &Rules::default());
        let said = format!("{issues:?}");
        prop_assert!(!issues.is_empty() && !said.contains(&value), "{}", said);
    }
}
