//! Communications, documents and answers about a referral reach the clinic, linked to its order.

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use serde_json::{Value, json};

use super::{Known, communication, post};
use crate::support::{Options, TestGateway, assert_refused, issues_of};

fn document(about: &str) -> Value {
    json!({
        "resourceType": "DocumentReference",
        "status": "current",
        "context": { "related": [{ "reference": about }] },
        "content": [{ "attachment": { "contentType": "text/plain", "data": "UmVwb3J0" } }],
    })
}

fn answers(about: &str) -> Value {
    json!({
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "basedOn": [{ "reference": about }],
        "item": [{ "linkId": "1", "answer": [{ "valueBoolean": true }] }],
    })
}

#[tokio::test]
async fn each_kind_stands_at_the_clinic_with_the_order_and_its_patient() {
    for make in [communication as fn(&str) -> Value, document, answers] {
        let mut gateway = TestGateway::start().await;
        let known = Known::of(&mut gateway).await;
        let resource = make(&known.order());

        let reply = post(&gateway, &resource).await;
        gateway.settle().await;

        assert_eq!(reply.status, 201, "{}", reply.body);
        let there = gateway.clinic().server().all(resource["resourceType"].as_str().unwrap());
        let there = there
            .iter()
            .find(|it| {
                it["content"] == resource["content"]
                    && it["item"] == resource["item"]
                    && it["payload"] == resource["payload"]
            })
            .unwrap();
        assert_eq!(there["subject"]["reference"], known.there.patient);
        let link = if there["resourceType"] == "DocumentReference" {
            &there["context"]["related"]
        } else {
            &there["basedOn"]
        };
        assert_eq!(link.as_array().unwrap().len(), 1, "{there}");
        assert_eq!(link[0]["reference"], known.there.service_request);
        let sources = gateway.clinic().server().all("Provenance");
        let name = format!("{}/{}", there["resourceType"].as_str().unwrap(), there["id"].as_str().unwrap());
        assert!(sources.iter().any(|it| it["target"][0]["reference"] == name.as_str()), "{name}");
    }
}

#[tokio::test]
async fn what_was_sent_can_be_read_again_at_its_address_and_by_nobody_else() {
    let options = Options { partners: vec!["lakeside", "harbor"], ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    let known = Known::of(&mut gateway).await;

    let reply = post(&gateway, &communication(&known.order())).await;
    let id = reply.body["id"].as_str().unwrap().to_owned();
    let path = format!("Communication/{id}");

    let location = reply.headers["location"].to_str().unwrap();
    assert_eq!(location, format!("{}/fhir/{path}/_history/1", gateway.public_url()));
    let read = gateway.lakeside().get(&path).await.unwrap();
    assert_eq!((read.status.as_u16(), &read.body), (200, &reply.body));
    assert_eq!(gateway.lakeside().get(&format!("{path}/_history/1")).await.unwrap().status, 200);
    let unknown = "Communication/reply-01890000-0000-7000-8000-000000000000";
    for (partner, path) in [("harbor", path.as_str()), ("lakeside", unknown), ("harbor", unknown)] {
        assert_refused(&gateway.partner(partner).get(path).await.unwrap(), 404, "SEND_NOT_FOUND");
    }
    gateway.settle().await;
}

#[tokio::test]
async fn a_partners_own_message_does_not_come_back_to_it() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    gateway.lakeside().server().clear_requests();

    post(&gateway, &communication(&known.order())).await;
    gateway.settle().await;

    assert_eq!(gateway.clinic().server().all("Communication").len(), 1);
    let came_back = gateway.lakeside().server().all("Communication");
    assert!(came_back.is_empty(), "{came_back:?}");
}

#[tokio::test]
async fn the_same_again_is_the_same_reply_and_another_content_under_its_name_is_refused() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    let resource = communication(&known.order());
    let first = post(&gateway, &resource).await;
    gateway.settle().await;

    let again = post(&gateway, &resource).await;
    let mut other = resource.clone();
    other["payload"][0]["contentString"] = json!("Something else.");
    let refused = post(&gateway, &other).await;
    gateway.settle().await;

    assert_eq!((again.status.as_u16(), &again.body["id"]), (201, &first.body["id"]));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_refused(&refused, 422, "SEND_DUPLICATE");
    assert_eq!(gateway.clinic().server().all("Communication").len(), 1);
}

#[tokio::test]
async fn a_referral_is_found_by_the_partners_own_identifier() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    let order = gateway.lakeside().get(&known.order()).await.unwrap().body;
    let mut resource = communication("");
    resource["basedOn"] = json!([{ "type": "ServiceRequest", "identifier": order["identifier"][0] }]);

    let reply = post(&gateway, &resource).await;
    gateway.settle().await;

    assert_eq!(reply.status, 201, "{}", reply.body);
    let there = gateway.clinic().server().all("Communication").remove(0);
    let links = there["basedOn"].as_array().unwrap();
    assert!(links.iter().any(|it| it["reference"] == known.there.service_request), "{there}");
}

#[tokio::test]
async fn a_reply_about_nothing_of_this_partner_or_about_somebody_else_is_refused_and_records_nothing() {
    let options = Options { partners: vec!["lakeside", "harbor"], ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    let known = Known::with(&mut gateway, "harbor").await;

    let foreign = post(&gateway, &communication(&known.order())).await;
    let unknown =
        post(&gateway, &communication("ServiceRequest/ref-01890000-0000-7000-8000-000000000000")).await;
    let nothing = post(&gateway, &communication("ServiceRequest/55")).await;

    for reply in [&foreign, &unknown, &nothing] {
        assert_refused(reply, 422, "SEND_REPLY_UNKNOWN");
    }
    assert_eq!(foreign.body["issue"][0]["details"], unknown.body["issue"][0]["details"]);
    assert_eq!(gateway.deliveries(DeliveryState::Queued).await.len(), 0);
}

#[tokio::test]
async fn a_reply_names_the_referrals_patient_and_refers_to_what_there_is() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    let mut other = communication(&known.order());
    other["subject"] = json!({ "reference": "https://lakeside.example/fhir/Patient/other" });
    let mut by_name = communication(&known.order());
    by_name["subject"] = json!({ "identifier": { "system": "https://lakeside.example/fhir/sid/mrn", "value": "MRN-00000099" } });
    let mut nowhere = communication(&known.order());
    nowhere["sender"] = json!({ "reference": "Practitioner/never-sent" });
    let mut wrong = communication(&known.order());
    wrong["status"] = json!("sent");

    for (resource, code, at) in [
        (other, "SEND_PATIENT_OTHER", "Communication.subject"),
        (by_name, "SEND_PATIENT_OTHER", "Communication.subject"),
        (nowhere, "SEND_REFERENCE_UNRESOLVED", "Communication.sender"),
        (wrong, "SEND_CODE_UNKNOWN", "Communication.status"),
    ] {
        let reply = post(&gateway, &resource).await;
        assert_eq!(reply.status, 422, "{}", reply.body);
        assert_eq!(issues_of(&reply)[0], (code.to_owned(), at.to_owned()));
    }
    gateway.settle().await;
    assert_eq!(gateway.clinic().server().all("Communication").len(), 0);
}

#[tokio::test]
async fn a_reply_waits_for_a_clinic_that_is_down_and_stands_there_once_after_an_answer_was_lost() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    gateway.clinic().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("POST", ""));

    let reply = post(&gateway, &communication(&known.order())).await;
    gateway.work().await;
    gateway.restart().await;
    gateway.after(std::time::Duration::from_mins(3)).await;

    assert_eq!(reply.status, 201);
    assert_eq!(gateway.clinic().server().all("Communication").len(), 1);
}

#[tokio::test]
async fn an_answer_to_what_the_clinic_sent_names_it_at_the_clinic() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    let question = gateway.clinic().send_message(&known.there, "Is the imaging done?");
    gateway.settle().await;
    let received = gateway.lakeside().server().all("Communication").remove(0);
    let own = format!("Communication/{}", received["id"].as_str().unwrap());
    let base = gateway.lakeside().server().base_url().to_owned();

    for (number, reference) in [own.clone(), format!("{base}/{own}")].into_iter().enumerate() {
        let mut answer = communication(&known.order());
        answer["identifier"][0]["value"] = json!(format!("answer-{number}"));
        answer["inResponseTo"] = json!([{ "reference": reference }]);
        let reply = post(&gateway, &answer).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        gateway.settle().await;
    }

    let there = gateway.clinic().server().all("Communication");
    let answers: Vec<_> = there.iter().filter(|it| it.get("inResponseTo").is_some()).collect();
    assert_eq!(answers.len(), 2);
    for answer in answers {
        let name = format!("Communication/{}", question["id"].as_str().unwrap());
        assert_eq!(answer["inResponseTo"][0]["reference"], name.as_str());
    }
}

#[tokio::test]
async fn the_patient_may_be_named_in_any_way_that_names_the_referrals() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    let named = [
        json!({ "reference": format!("Patient/{}-0", known.id) }),
        json!({ "identifier": { "system": "https://lakeside.example/fhir/sid/mrn", "value": "MRN-00000001" } }),
        json!({ "display": "She who was here last week" }),
    ];

    for (number, subject) in named.iter().enumerate() {
        let mut said = communication(&known.order());
        said["identifier"][0]["value"] = json!(format!("answer-{number}"));
        said["subject"] = subject.clone();
        let reply = post(&gateway, &said).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
    }
    gateway.settle().await;

    let there = gateway.clinic().server().all("Communication");
    assert_eq!(there.len(), named.len());
    assert!(there.iter().all(|it| it["subject"]["reference"] == known.there.patient.as_str()), "{there:?}");
}
