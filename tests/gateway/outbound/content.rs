//! Each kind arrives once, and with no more than it needs (reference: consent part (c)).

use referral_gateway::sandbox::clinic::ClinicReferral;
use serde_json::{Value, json};

use super::{assert_nothing_internal_left, elements, number, only, sent};
use crate::support::TestGateway;

/// Writes a resource of the clinic once more, with these elements besides.
fn with_more(gateway: &TestGateway, mut resource: Value, more: &Value) {
    for (name, value) in more.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource["extension"] = json!([{ "url": "https://clinic.example/internal", "valueString": "aside" }]);
    gateway.clinic().server().update(resource);
}

fn names_the_order_and_the_patient(resource: &Value, subject: &Value) {
    assert_eq!(resource["basedOn"][0]["identifier"]["value"], number(1, "ServiceRequest"));
    assert_eq!(resource["basedOn"][0].get("reference"), None);
    assert_eq!(subject["identifier"]["value"], number(1, "Patient"));
    assert_eq!(subject.get("reference"), None);
}

#[tokio::test]
async fn a_task_tells_the_status_and_keeps_notes_and_inputs_at_the_clinic() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let task = gateway.clinic().accept(&referral);
    let aside = json!([{ "type": { "text": "aside" }, "valueString": "aside" }]);
    with_more(
        &gateway,
        task,
        &json!({ "note": [{ "text": "aside" }], "input": aside, "description": "aside" }),
    );

    gateway.settle().await;

    let task = only(&gateway, "Task");
    let expected = [
        "authoredOn",
        "basedOn",
        "code",
        "focus",
        "for",
        "identifier",
        "intent",
        "lastModified",
        "owner",
        "status",
    ];
    assert_eq!(elements(&task), expected);
    names_the_order_and_the_patient(&task, &task["for"]);
    assert_eq!(task["focus"]["identifier"]["value"], number(1, "ServiceRequest"));
    assert_eq!(sent(&gateway), ["POST Task"]);
    assert_nothing_internal_left(&gateway);
}

#[tokio::test]
async fn an_appointment_tells_time_and_people() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let booked = gateway.clinic().schedule(&referral);
    let more = json!({ "comment": "aside", "description": "aside", "patientInstruction": "aside" });
    with_more(&gateway, booked, &more);

    gateway.settle().await;

    let appointment = only(&gateway, "Appointment");
    assert_eq!(elements(&appointment), ["basedOn", "end", "identifier", "participant", "start", "status"]);
    names_the_order_and_the_patient(&appointment, &appointment["participant"][0]["actor"]);
    assert_eq!(elements(&appointment["participant"][1]), ["actor", "status"]);
    assert_eq!(appointment["participant"][1]["actor"].get("reference"), None);
    assert_eq!(appointment["participant"][1]["actor"]["display"], "Dr. Stubina Cardiosample");
    assert_nothing_internal_left(&gateway);
}

#[tokio::test]
async fn an_appointment_goes_without_people_whom_the_partner_may_not_know() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let mut booked = gateway.clinic().schedule(&referral);
    let daughter = json!({ "actor": { "reference": "RelatedPerson/77" }, "status": "accepted" });
    booked["participant"].as_array_mut().unwrap().push(daughter);
    gateway.clinic().server().update(booked);

    gateway.settle().await;

    let appointment = only(&gateway, "Appointment");
    assert_eq!(appointment["participant"].as_array().unwrap().len(), 2, "{appointment}");
}

#[tokio::test]
async fn a_message_goes_without_notes_and_reasons() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let message = gateway.clinic().send_message(&referral, "Please send the latest ECG.");
    with_more(
        &gateway,
        message,
        &json!({ "note": [{ "text": "aside" }], "reasonCode": [{ "text": "aside" }] }),
    );

    gateway.settle().await;

    let message = only(&gateway, "Communication");
    let expected = ["basedOn", "identifier", "payload", "sender", "sent", "status", "subject"];
    assert_eq!(elements(&message), expected);
    names_the_order_and_the_patient(&message, &message["subject"]);
    assert_eq!(message["payload"][0]["contentString"], "Please send the latest ECG.");
    assert_nothing_internal_left(&gateway);
}

#[tokio::test]
async fn the_file_of_a_message_goes_inside_it_and_not_as_an_address_of_the_clinic() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let server = gateway.clinic().server();
    let file = json!({ "resourceType": "Binary", "contentType": "text/plain", "data": "QSBmaWxl" });
    let file = server.create(file);
    let url = format!("{}/Binary/{}", server.base_url(), file["id"].as_str().unwrap());
    let message = gateway.clinic().send_message(&referral, "See the file.");
    let payload = json!([{ "contentAttachment": { "contentType": "text/plain", "url": url } }]);
    with_more(&gateway, message, &json!({ "payload": payload }));

    gateway.settle().await;

    assert_nothing_internal_left(&gateway);
    assert_eq!(only(&gateway, "Communication")["payload"][0]["contentAttachment"]["data"], "QSBmaWxl");
}

#[tokio::test]
async fn a_composition_goes_with_the_text_of_its_sections() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let mut summary = gateway.clinic().write_visit_summary(&referral);
    summary["section"][0]["entry"] = json!([{ "reference": referral.patient }]);
    with_more(&gateway, summary, &json!({ "event": [{ "detail": [{ "display": "aside" }] }] }));

    gateway.settle().await;

    let summary = only(&gateway, "Composition");
    let expected = ["author", "date", "identifier", "section", "status", "subject", "title", "type"];
    assert_eq!(elements(&summary), expected);
    assert_eq!(elements(&summary["section"][0]), ["code", "text", "title"]);
    assert_eq!(summary["section"].as_array().unwrap().len(), 3);
    assert_eq!(summary["subject"]["identifier"]["value"], number(1, "Patient"));
    assert_nothing_internal_left(&gateway);
}

#[tokio::test]
async fn a_document_goes_with_its_content_inside() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let document = gateway.clinic().write_visit_document(&referral);
    with_more(&gateway, document, &json!({ "description": "aside" }));

    gateway.settle().await;

    let document = only(&gateway, "DocumentReference");
    let expected =
        ["author", "content", "context", "date", "docStatus", "identifier", "status", "subject", "type"];
    assert_eq!(elements(&document), expected);
    let attachment = &document["content"][0]["attachment"];
    assert_eq!(attachment.get("url"), None);
    assert!(attachment["data"].as_str().is_some_and(|data| data.starts_with("JVBERi0")), "a PDF");
    assert_eq!(document["context"]["related"][0]["identifier"]["value"], number(1, "ServiceRequest"));
    assert_nothing_internal_left(&gateway);
}

#[tokio::test]
async fn a_report_goes_with_its_observations_in_one_transaction() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let report = gateway.clinic().report_results(&referral);
    with_more(&gateway, report, &json!({ "presentedForm": [{ "title": "aside" }], "conclusion": "aside" }));

    gateway.settle().await;

    let report = only(&gateway, "DiagnosticReport");
    let expected = [
        "basedOn",
        "category",
        "code",
        "effectiveDateTime",
        "identifier",
        "issued",
        "performer",
        "result",
        "status",
        "subject",
    ];
    assert_eq!(elements(&report), expected);
    names_the_order_and_the_patient(&report, &report["subject"]);
    let observations = gateway.lakeside().server().all("Observation");
    let results: Vec<String> =
        observations.iter().map(|it| format!("Observation/{}", it["id"].as_str().unwrap())).collect();
    assert_eq!(results.len(), 2);
    assert_eq!(report["result"][0]["reference"], results[0].as_str());
    assert_eq!(report["result"][1]["reference"], results[1].as_str());
    assert!(observations.iter().all(|it| it["subject"]["identifier"]["value"] == number(1, "Patient")));
    assert_eq!(sent(&gateway).len(), 1);
    assert_nothing_internal_left(&gateway);
}

#[tokio::test]
async fn a_care_plan_goes_without_the_problems_behind_it() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let mut plan = gateway.clinic().write_care_plan(&referral);
    plan["activity"][1]["detail"]["reasonCode"] = json!([{ "text": "aside" }]);
    with_more(
        &gateway,
        plan,
        &json!({ "addresses": [{ "display": "aside" }], "note": [{ "text": "aside" }] }),
    );

    gateway.settle().await;

    let plan = only(&gateway, "CarePlan");
    let expected = ["activity", "created", "identifier", "intent", "period", "status", "subject", "title"];
    assert_eq!(elements(&plan), expected);
    assert_eq!(plan["activity"][0]["reference"]["identifier"]["value"], number(1, "ServiceRequest"));
    assert_eq!(elements(&plan["activity"][1]["detail"]), ["description", "status"]);
    assert_nothing_internal_left(&gateway);
}

#[tokio::test]
async fn security_labels_stay_on_what_is_sent() {
    let mut gateway = TestGateway::start().await;
    let referral: ClinicReferral = gateway.referral(1).await;
    let message = gateway.clinic().send_message(&referral, "All is well.");
    let label = json!([{
        "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N",
    }]);
    let meta = json!({ "security": label, "tag": [{ "system": "https://clinic.example", "code": "aside" }] });
    with_more(&gateway, message, &json!({ "meta": meta }));

    gateway.settle().await;

    let message = only(&gateway, "Communication");
    assert_eq!(message["meta"]["security"], label);
    assert_eq!(message["meta"].get("tag"), None);
}
