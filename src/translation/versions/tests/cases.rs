//! What people would look for, by hand.

use serde_json::json;

use super::*;

#[test]
fn a_referral_request_becomes_an_order_and_its_requester_keeps_the_organisation() {
    let sent = json!({
        "resourceType": "ReferralRequest", "status": "cancelled", "intent": "order",
        "type": { "text": "Referral" }, "serviceRequested": [{ "text": "Cardiology" }, { "text": "Echo" }],
        "groupIdentifier": { "value": "G-1" }, "basedOn": [{ "reference": "ReferralRequest/7" }],
        "requester": { "agent": { "reference": "Practitioner/1" }, "onBehalfOf": { "reference": "Organization/2" } },
        "description": "Please see soon",
    });

    let there = to_r4(&sent, FhirVersion::Stu3);
    let back = from_r4(&there.value, FhirVersion::Stu3);

    let kept =
        |name: &str| format!("http://hl7.org/fhir/3.0/StructureDefinition/extension-ReferralRequest.{name}");
    assert_eq!(
        there.value,
        json!({
            "resourceType": "ServiceRequest", "status": "revoked", "intent": "order",
            "code": { "text": "Cardiology" }, "category": [{ "text": "Referral" }],
            "requisition": { "value": "G-1" }, "requester": { "reference": "Practitioner/1" },
            "basedOn": [{ "reference": "ServiceRequest/7" }],
            "extension": [
                { "url": kept("serviceRequested"), "valueCodeableConcept": { "text": "Echo" } },
                { "url": kept("requester"), "extension": [
                    { "url": "onBehalfOf", "valueReference": { "reference": "Organization/2" } }] },
                { "url": kept("description"), "valueString": "Please see soon" },
            ],
        })
    );
    assert_eq!(back.value, sent);
    assert_accounted(&there);
    let counts = there.report.counts();
    assert_eq!((counts.all, counts.kept, counts.dropped, counts.added), (11, 3, 0, 0));
}

#[test]
fn a_procedure_request_is_one_again_afterwards() {
    let sent = json!({ "resourceType": "ProcedureRequest", "status": "active", "code": { "text": "Echo" } });

    let there = to_r4(&sent, FhirVersion::Stu3);

    assert_eq!(there.value["resourceType"], "ServiceRequest");
    assert_eq!(from_r4(&there.value, FhirVersion::Stu3).value, sent);
}

#[test]
fn what_was_not_done_is_never_read_as_done() {
    let sent = json!({ "resourceType": "Procedure", "status": "completed", "notDone": true, "code": { "text": "Echo" } });

    let there = to_r4(&sent, FhirVersion::Stu3);

    assert_eq!(there.value["status"], "not-done");
    assert_eq!(from_r4(&there.value, FhirVersion::Stu3).value, sent);
    let forbidden =
        json!({ "resourceType": "Task", "status": "requested", "intent": "order", "doNotPerform": true });
    let there = to_r4(&forbidden, FhirVersion::R5);
    assert_eq!(there.value["modifierExtension"][0]["valueBoolean"], true);
    assert_eq!(from_r4(&there.value, FhirVersion::R5).value, forbidden);
}

#[test]
fn exceptions_of_a_consent_of_r5_say_the_opposite_of_what_they_are_exceptions_to() {
    let sent = json!({
        "resourceType": "Consent", "status": "active", "decision": "permit",
        "provision": [{ "code": [{ "text": "a" }], "provision": [{ "code": [{ "text": "b" }] }] }],
    });

    let there = to_r4(&sent, FhirVersion::R5);

    assert_eq!(
        there.value["provision"],
        json!({ "type": "permit", "provision": [
            { "type": "deny", "code": [{ "text": "a" }], "provision": [{ "type": "permit", "code": [{ "text": "b" }] }] },
        ]})
    );
    assert_eq!(from_r4(&there.value, FhirVersion::R5).value, sent);
}

#[test]
fn rules_of_a_consent_that_cannot_be_said_turn_it_round() {
    let without = json!({ "resourceType": "Consent", "status": "active", "provision": [{ "code": [{ "text": "a" }] }] });
    let r4 = json!({ "resourceType": "Consent", "status": "active", "provision": {
        "type": "permit", "purpose": [{ "code": "TREAT" }] } });
    let narrowed = json!({ "resourceType": "Consent", "status": "active", "decision": "deny",
        "provision": [{ "documentType": [{ "code": "a" }] }] });

    assert!(to_r4(&without, FhirVersion::R5).value["modifierExtension"].is_array());
    let there = from_r4(&r4, FhirVersion::R5);
    assert!(there.value["modifierExtension"].is_array());
    assert_eq!(to_r4(&there.value, FhirVersion::R5).value, r4);
    let narrowed = to_r4(&narrowed, FhirVersion::R5).value;
    assert!(narrowed["provision"]["provision"][0]["modifierExtension"].is_array(), "{narrowed}");
}

#[test]
fn a_scope_is_not_made_up_for_a_consent_that_is_not_about_privacy() {
    let about =
        |code: &str| json!({ "resourceType": "Consent", "category": [{ "coding": [{ "code": code }] }] });

    for version in [FhirVersion::Stu3, FhirVersion::R5] {
        let privacy = to_r4(&about("59284-0"), version);
        assert_eq!(privacy.value["scope"]["coding"][0]["code"], "patient-privacy");
        assert_eq!(privacy.report.added, ["Consent.scope.coding[0].system", "Consent.scope.coding[0].code"]);
        assert_eq!(from_r4(&privacy.value, version).value, about("59284-0"));
        assert_eq!(to_r4(&about("research"), version).value.get("scope"), None);
    }
}

#[test]
fn what_was_kept_does_not_undo_what_was_changed_since() {
    let sent = json!({ "resourceType": "Encounter", "status": "discharged" });
    let mut there = to_r4(&sent, FhirVersion::R5).value;
    assert_eq!(there["status"], "finished");
    assert_eq!(from_r4(&there, FhirVersion::R5).value, sent);

    there["status"] = json!("cancelled");
    let back = from_r4(&there, FhirVersion::R5);

    assert_eq!(back.value, json!({ "resourceType": "Encounter", "status": "cancelled" }));
    assert_eq!(back.report.counts().dropped, 1, "{:?}", back.report);
}

#[test]
fn an_element_of_the_wrong_version_is_told_and_not_read() {
    let sent = json!({ "resourceType": "ServiceRequest", "reasonCode": [{ "text": "Palpitations" }] });

    let there = to_r4(&sent, FhirVersion::R5);

    assert_eq!(there.unknown, ["ServiceRequest.reasonCode"]);
    assert_eq!(there.value, json!({ "resourceType": "ServiceRequest" }));
}

#[test]
fn a_value_in_the_wrong_form_is_told_and_not_mended() {
    let sent = json!({ "resourceType": "ServiceRequest", "note": { "text": "n" }, "code": "c", "status": ["active"] });

    let there = to_r4(&sent, FhirVersion::R5);

    assert_eq!(there.unknown, ["ServiceRequest.note", "ServiceRequest.code", "ServiceRequest.status"]);
}

#[test]
fn a_place_is_found_again_in_the_source() {
    let sent = json!({ "resourceType": "Bundle", "entry": [{ "resource": {
        "resourceType": "ReferralRequest", "requester": { "agent": { "reference": "Practitioner/1" } },
        "serviceRequested": [{ "coding": [{ "code": "a" }] }] } }] });

    let report = to_r4(&sent, FhirVersion::Stu3).report;

    let place = |it: &str| report.place_in_source(&format!("Bundle.entry[0].resource{it}"));
    assert_eq!(place(".requester"), "Bundle.entry[0].resource.requester.agent");
    assert_eq!(place(".code.coding[0].code"), "Bundle.entry[0].resource.serviceRequested[0].coding[0].code");
    assert_eq!(place(".subject"), "Bundle.entry[0].resource.subject");
    assert_eq!(place(""), "Bundle.entry[0].resource");
}

#[test]
fn numbers_and_times_are_written_as_each_version_wants_them() {
    let sent = json!({ "resourceType": "Consent", "dateTime": "2026-02-28T10:00:00Z",
        "sourceAttachment": { "size": 12 } });

    let there = from_r4(&sent, FhirVersion::R5);

    assert_eq!(
        (&there.value["date"], &there.value["sourceAttachment"][0]["size"]),
        (&json!("2026-02-28"), &json!("12"))
    );
    assert_eq!(to_r4(&there.value, FhirVersion::R5).value, sent);
}
