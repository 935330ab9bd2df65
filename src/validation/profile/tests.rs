use serde_json::json;

use super::*;
use crate::validation::check_against;

/// A profile of a referral: coded, from a practitioner, with one of the placer's numbers and an agreed urgency.
fn referral() -> Value {
    json!({
        "resourceType": "StructureDefinition", "url": "urn:profile:referral", "type": "ServiceRequest",
        "derivation": "constraint", "baseDefinition": "http://hl7.org/fhir/StructureDefinition/ServiceRequest",
        "differential": { "element": [
            { "id": "ServiceRequest", "path": "ServiceRequest" },
            { "id": "ServiceRequest.identifier", "path": "ServiceRequest.identifier", "min": 1, "slicing": {
                "discriminator": [{ "type": "pattern", "path": "type" }], "rules": "open" } },
            { "id": "ServiceRequest.identifier:placer", "path": "ServiceRequest.identifier", "sliceName": "placer",
              "min": 1, "max": "1" },
            { "id": "ServiceRequest.identifier:placer.type", "path": "ServiceRequest.identifier.type", "min": 1,
              "patternCodeableConcept": { "coding": [{ "system": "urn:types", "code": "PLAC" }] } },
            { "id": "ServiceRequest.identifier:placer.system", "path": "ServiceRequest.identifier.system", "min": 1 },
            { "id": "ServiceRequest.intent", "path": "ServiceRequest.intent", "fixedCode": "order" },
            { "id": "ServiceRequest.category", "path": "ServiceRequest.category", "min": 1, "max": "2",
              "binding": { "strength": "required", "valueSet": "urn:valueset:category|1" } },
            { "id": "ServiceRequest.doNotPerform", "path": "ServiceRequest.doNotPerform", "max": "0" },
            { "id": "ServiceRequest.occurrence[x]", "path": "ServiceRequest.occurrence[x]", "min": 1,
              "type": [{ "code": "dateTime" }, { "code": "Period" }] },
            { "id": "ServiceRequest.requester", "path": "ServiceRequest.requester", "min": 1, "type": [{
                "code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Practitioner"] }] },
            { "id": "ServiceRequest.extension", "path": "ServiceRequest.extension" },
            { "id": "ServiceRequest.extension:urgency", "path": "ServiceRequest.extension", "sliceName": "urgency",
              "min": 1, "max": "1", "type": [{ "code": "Extension", "profile": ["urn:extension:urgency"] }] },
        ]},
    })
}

fn urgency() -> Value {
    json!({
        "resourceType": "StructureDefinition", "url": "urn:extension:urgency", "type": "Extension",
        "derivation": "constraint", "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "differential": { "element": [
            { "id": "Extension.url", "path": "Extension.url", "fixedUri": "urn:extension:urgency" },
            { "id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, "type": [{ "code": "code" }] },
        ]},
    })
}

fn categories() -> Value {
    json!({ "resourceType": "ValueSet", "url": "urn:valueset:category", "compose": { "include": [
        { "system": "urn:category", "concept": [{ "code": "consult" }, { "code": "therapy" }] }] } })
}

fn keeping() -> Value {
    json!({
        "resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "identifier": [{ "value": "x" }, { "type": { "coding": [{ "system": "urn:types", "code": "PLAC" }] },
            "system": "urn:orders", "value": "1" }],
        "category": [{ "coding": [{ "system": "urn:category", "code": "consult" }] }],
        "subject": { "reference": "Patient/1" }, "requester": { "reference": "Practitioner/1" },
        "occurrenceDateTime": "2026-03-01",
        "extension": [{ "url": "urn:extension:urgency", "valueCode": "soon" }],
    })
}

fn rules(definitions: &[Value]) -> Rules {
    ProfileLibrary::compile(definitions).rules(["urn:profile:referral"]).unwrap()
}

/// (code, place) of every issue after a change to a resource that keeps the profile.
fn after(change: impl FnOnce(&mut Value)) -> Vec<(&'static str, String)> {
    let mut resource = keeping();
    change(&mut resource);
    let issues = check_against(&resource, "ServiceRequest", &rules(&[referral(), urgency(), categories()]));
    issues.iter().map(|it| (it.code, it.expression.first().cloned().unwrap_or_default())).collect()
}

fn at(code: &'static str, place: &str) -> Vec<(&'static str, String)> {
    let place =
        if place.is_empty() { "ServiceRequest".to_owned() } else { format!("ServiceRequest.{place}") };
    vec![(code, place)]
}

#[test]
fn what_keeps_a_profile_has_no_issues() {
    assert_eq!(after(|_| {}), []);
}

#[test]
fn each_thing_that_a_profile_asks_for_is_missed_where_it_is_missing() {
    let unset = |name: &'static str| move |it: &mut Value| drop(it.as_object_mut().unwrap().remove(name));

    assert_eq!(after(unset("category")), at("SEND_ELEMENT_MISSING", "category"));
    assert_eq!(after(unset("occurrenceDateTime")), at("SEND_ELEMENT_MISSING", "occurrence"));
    assert_eq!(after(unset("requester")), at("SEND_ELEMENT_MISSING", "requester"));
    assert_eq!(after(unset("extension")), at("SEND_ELEMENT_MISSING", "extension"));
    assert_eq!(after(|it| it["intent"] = json!("plan")), at("SEND_PROFILE", "intent"));
    assert_eq!(after(|it| it["doNotPerform"] = json!(false)), at("SEND_PROFILE", "doNotPerform"));
    assert_eq!(
        after(|it| it["category"][0]["coding"][0]["code"] = json!("other")),
        at("SEND_CODE_UNKNOWN", "category[0]")
    );
    assert_eq!(
        after(|it| it["category"] = json!(vec![it["category"][0].clone(); 3])),
        at("SEND_PROFILE", "category")
    );
    assert_eq!(
        after(|it| it["requester"]["reference"] = json!("Organization/1")),
        at("SEND_REFERENCE_TARGET", "requester")
    );
    let timing = |it: &mut Value| {
        it.as_object_mut().unwrap().remove("occurrenceDateTime");
        it["occurrenceTiming"] = json!({ "code": { "text": "daily" } });
    };
    assert_eq!(after(timing), at("SEND_PROFILE", "occurrenceTiming"));
}

#[test]
fn slices_are_counted_and_looked_into() {
    let other_type = |it: &mut Value| it["identifier"][1]["type"]["coding"][0]["code"] = json!("FILL");
    let no_system = |it: &mut Value| drop(it["identifier"][1].as_object_mut().unwrap().remove("system"));
    let twice = |it: &mut Value| it["identifier"][0] = it["identifier"][1].clone();

    assert_eq!(after(other_type), at("SEND_PROFILE", "identifier"));
    assert_eq!(after(no_system), at("SEND_ELEMENT_MISSING", "identifier[1].system"));
    assert_eq!(after(twice), at("SEND_PROFILE", "identifier"));
    assert_eq!(
        after(|it| it["extension"][0] = json!({ "url": "urn:extension:urgency", "valueString": "soon" })),
        at("SEND_PROFILE", "extension[0].valueString")
    );
}

#[test]
fn a_text_says_what_to_do_and_which_profile_says_so_and_no_value_that_was_sent() {
    let mut resource = keeping();
    resource["identifier"][1]["type"]["coding"][0]["code"] = json!("Canary");

    let issues = check_against(&resource, "ServiceRequest", &rules(&[referral(), urgency(), categories()]));

    assert_eq!(
        issues[0].text,
        "Send in `identifier` exactly 1 of the slice `placer`. Profile: urn:profile:referral."
    );
}

#[test]
fn a_profile_whose_base_is_not_here_is_a_fault_and_leaves_the_others_alone() {
    let mut child = referral();
    child["url"] = json!("urn:profile:child");
    child["baseDefinition"] = json!("urn:profile:lost");

    let library = ProfileLibrary::compile(&[referral(), urgency(), child]);

    assert!(library.get("urn:profile:referral").is_ok());
    let fault = library.get("urn:profile:child").unwrap_err();
    assert_eq!(
        fault,
        ProfileFault::Base { url: "urn:profile:child".to_owned(), base: "urn:profile:lost".to_owned() }
    );
    assert!(matches!(library.rules(["urn:profile:none|1"]), Err(ProfileFault::Unknown(_))));
}

#[test]
fn a_profile_on_a_profile_asks_for_what_both_ask_for() {
    let mut child = referral();
    child["url"] = json!("urn:profile:child");
    child["baseDefinition"] = json!("urn:profile:referral");
    child["differential"]["element"] = json!([
        { "id": "ServiceRequest.priority", "path": "ServiceRequest.priority", "min": 1 }]);
    let library = ProfileLibrary::compile(&[referral(), urgency(), categories(), child]);
    let mut resource = keeping();
    resource["intent"] = json!("plan");

    let issues = check_against(&resource, "ServiceRequest", &library.rules(["urn:profile:child"]).unwrap());

    let codes: Vec<&str> = issues.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["SEND_PROFILE", "SEND_ELEMENT_MISSING"]);
}

#[test]
fn what_a_profile_says_and_is_not_checked_is_told() {
    let library = ProfileLibrary::compile(&[referral()]);

    let unchecked = &library.get("urn:profile:referral").unwrap().unchecked;

    assert_eq!(
        unchecked.as_slice(),
        [
            "the codes of urn:valueset:category|1, which is not here",
            "the profile urn:extension:urgency of ServiceRequest.extension, which is not here",
        ]
    );
}

#[test]
fn of_several_profiles_of_a_type_one_is_enough() {
    let mut other = referral();
    other["url"] = json!("urn:profile:other");
    other["differential"]["element"] = json!([
        { "id": "ServiceRequest.priority", "path": "ServiceRequest.priority", "min": 1 }]);
    let library = ProfileLibrary::compile(&[referral(), urgency(), categories(), other]);
    let rules = library.rules(["urn:profile:referral", "urn:profile:other"]).unwrap();
    let plain = json!({
        "resourceType": "ServiceRequest", "status": "active", "intent": "plan", "priority": "urgent",
        "subject": { "reference": "Patient/1" },
    });

    assert_eq!(check_against(&plain, "ServiceRequest", &rules), []);
    assert_eq!(check_against(&keeping(), "ServiceRequest", &rules), []);
}
