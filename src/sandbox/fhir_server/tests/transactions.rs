use super::*;

fn entry(full_url: &str, resource: &Value, request: &Value) -> Value {
    json!({ "fullUrl": full_url, "resource": resource, "request": request })
}

fn bundle(entries: &[Value]) -> Value {
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
}

fn create(resource_type: &str) -> Value {
    json!({ "method": "POST", "url": resource_type })
}

#[tokio::test]
async fn entries_refer_to_each_other_by_their_new_names() {
    let server = server().await;
    let document = json!({
        "resourceType": "DocumentReference",
        "identifier": [{ "system": "urn:ietf:rfc:3986", "value": "urn:uuid:p" }],
        "subject": { "reference": "urn:uuid:p" },
        "content": [{ "attachment": { "url": "urn:uuid:b" } }],
    });

    let reply = post(
        &server,
        "",
        &bundle(&[
            entry("urn:uuid:d", &document, &create("DocumentReference")),
            entry("urn:uuid:p", &patient("1"), &create("Patient")),
            entry("urn:uuid:b", &json!({ "resourceType": "Binary" }), &create("Binary")),
        ]),
    )
    .await;

    assert_eq!((reply.status, &reply.body["type"]), (StatusCode::OK, &json!("transaction-response")));
    let answer = &reply.body["entry"][1]["response"];
    assert_eq!((&answer["status"], &answer["etag"]), (&json!("201 Created"), &json!("W/\"1\"")));
    assert_eq!(answer["location"], "Patient/1/_history/1");
    assert_eq!(answer["lastModified"], server.read("Patient", "1").unwrap()["meta"]["lastUpdated"]);
    let stored = server.read("DocumentReference", "1").unwrap();
    assert_eq!(stored["subject"]["reference"], "Patient/1");
    assert_eq!(stored["content"][0]["attachment"]["url"], "Binary/1");
    assert_eq!(stored["identifier"][0]["value"], "urn:uuid:p");
}

#[tokio::test]
async fn what_exists_is_used_in_place_of_what_was_sent() {
    let server = server().await;
    server.create(patient("1"));
    let request = json!({ "method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:mrn|1" });
    let task = json!({ "resourceType": "Task", "for": { "reference": "urn:uuid:p" } });

    let reply = post(
        &server,
        "",
        &bundle(&[entry("urn:uuid:t", &task, &create("Task")), entry("urn:uuid:p", &patient("1"), &request)]),
    )
    .await;

    assert_eq!(reply.body["entry"][1]["response"]["status"], "200 OK");
    assert_eq!(server.all("Patient").len(), 1);
    assert_eq!(server.read("Task", "1").unwrap()["for"]["reference"], "Patient/1");
}

#[tokio::test]
async fn a_transaction_that_fails_at_its_end_leaves_nothing_behind() {
    let server = server().await;
    let mut old = server.create(patient("1"));
    old["active"] = json!(true);
    let update = json!({ "method": "PUT", "url": "Patient/1" });
    let stale = json!({ "method": "PUT", "url": "Patient/1", "ifMatch": "W/\"1\"" });

    let reply = post(
        &server,
        "",
        &bundle(&[
            entry("urn:uuid:n", &patient("2"), &create("Patient")),
            entry("urn:uuid:a", &old, &update),
            entry("urn:uuid:b", &old, &stale),
        ]),
    )
    .await;

    assert_eq!(reply.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(server.all("Patient").len(), 1);
    assert_eq!(server.read("Patient", "1").unwrap()["meta"]["versionId"], "1");
    assert_eq!(get(&server, "Patient?identifier=urn:mrn|2").await.body["total"], 0);
}

#[tokio::test]
async fn a_condition_that_two_resources_meet_refuses_the_whole() {
    let server = server().await;
    server.create(patient("1"));
    server.create(patient("1"));
    let request = json!({ "method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:mrn|1" });

    let entries = [
        entry("urn:uuid:t", &json!({ "resourceType": "Task" }), &create("Task")),
        entry("urn:uuid:p", &patient("1"), &request),
    ];

    assert_eq!(post(&server, "", &bundle(&entries)).await.status, StatusCode::PRECONDITION_FAILED);
    assert!(server.all("Task").is_empty());
}

#[tokio::test]
async fn a_reference_to_no_entry_is_refused() {
    let server = server().await;
    let task = json!({ "resourceType": "Task", "for": { "reference": "urn:uuid:nobody" } });

    let reply = post(&server, "", &bundle(&[entry("urn:uuid:t", &task, &create("Task"))])).await;

    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(server.all("Task").is_empty());
}

#[tokio::test]
async fn a_synthetic_referral_is_taken_whole() {
    let server = server().await;
    let referral = crate::sandbox::people::referral(1, &crate::sandbox::people::ReferralOptions::default());

    let reply = post(&server, "", &referral).await;

    assert_eq!(reply.status, StatusCode::OK);
    let found = get(&server, "ServiceRequest?patient=Patient/1&status=active").await;
    assert_eq!(found.body["total"], 1);
    assert_eq!(found.body["entry"][0]["resource"]["insurance"][0]["reference"], "Coverage/1");
}
