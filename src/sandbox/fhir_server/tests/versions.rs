use super::*;
use crate::sandbox::fhir_server::Offers;

#[tokio::test]
async fn a_created_resource_is_given_an_id_a_version_and_a_time() {
    let server = server().await;

    let reply = post(&server, "Patient", &patient("1")).await;

    assert_eq!(reply.status, StatusCode::CREATED);
    assert_eq!(reply.header("location"), format!("{}/Patient/1/_history/1", server.base_url()));
    assert_eq!(reply.header("etag"), "W/\"1\"");
    assert_eq!(reply.header("last-modified"), "Sun, 01 Mar 2026 12:00:00 GMT");
    assert_eq!(reply.body["meta"]["lastUpdated"], "2026-03-01T12:00:00.000Z");
    assert_eq!(get(&server, "Patient/1").await.body, reply.body);
}

#[tokio::test]
async fn a_conditional_create_writes_once_and_refuses_to_choose() {
    let server = server().await;
    let create = async || {
        let headers = [("if-none-exist", "identifier=urn:mrn|1")];
        send(&server, "POST", "Patient", &headers, &patient("1")).await.unwrap()
    };

    assert_eq!(create().await.status, StatusCode::CREATED);
    let again = create().await;
    assert_eq!((again.status, &again.body["id"]), (StatusCode::OK, &json!("1")));
    server.create(patient("1"));
    assert_eq!(create().await.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn an_update_must_build_on_the_present_version() {
    let server = server().await;
    let mut resource = server.create(patient("1"));
    resource["active"] = json!(true);
    let put =
        async |etag: &str| send(&server, "PUT", "Patient/1", &[("if-match", etag)], &resource).await.unwrap();

    let updated = put("W/\"1\"").await;

    assert_eq!((updated.status, updated.header("etag")), (StatusCode::OK, "W/\"2\""));
    let late = put("W/\"1\"").await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(late.body["resourceType"], "OperationOutcome");
    assert_eq!(get(&server, "Patient/1/_history/1").await.body["active"], Value::Null);
    assert_eq!(get(&server, "Patient/1/_history/2").await.body["active"], true);
    assert_eq!(get(&server, "Patient/1/_history/3").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn no_two_versions_have_the_same_time() {
    let server = server().await;

    let times: Vec<Value> =
        (0..3).map(|_| server.create(patient("1"))["meta"]["lastUpdated"].clone()).collect();

    assert_eq!(times, ["2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.001Z", "2026-03-01T12:00:00.002Z"]);
}

#[tokio::test]
async fn a_deleted_resource_is_gone_and_an_unknown_one_is_not_found() {
    let server = server().await;
    server.create(patient("1"));

    let deleted = send(&server, "DELETE", "Patient/1", &[], &Value::Null).await.unwrap();

    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(get(&server, "Patient/1").await.status, StatusCode::GONE);
    assert_eq!(get(&server, "Patient/1/_history/1").await.status, StatusCode::OK);
    assert_eq!(get(&server, "Patient/2").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&server, "Patient").await.body["total"], 0);
}

#[tokio::test]
async fn a_client_may_choose_an_id_with_a_letter_only_and_where_that_is_offered() {
    let server = server().await;
    let put = async |id: &str| {
        let mut resource = patient("1");
        resource["id"] = json!(id);
        send(&server, "PUT", &format!("Patient/{id}"), &[], &resource).await.unwrap().status
    };

    assert_eq!(put("p1").await, StatusCode::METHOD_NOT_ALLOWED);
    server.set_offers(Offers { update_create: true, ..Offers::default() });
    assert_eq!(put("p1").await, StatusCode::CREATED);
    assert_eq!(put("17").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_update_may_be_for_what_is_not_there_only() {
    let server = server().await;
    server.create(patient("1"));
    let mut resource = patient("1");
    resource["id"] = json!("1");

    let put = send(&server, "PUT", "Patient/1", &[("if-none-match", "*")], &resource).await.unwrap();

    assert_eq!(put.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(server.read("Patient", "1").unwrap()["meta"]["versionId"], "1");
}

#[tokio::test]
async fn an_update_may_be_of_what_a_search_finds() {
    let server = server().await;
    let path = "Patient?identifier=urn:mrn|1";
    let mut one = patient("1");
    one["identifier"] = json!([{ "system": "urn:mrn", "value": "1" }]);
    let put = async || send(&server, "PUT", path, &[], &one).await.unwrap().status;

    assert_eq!(put().await, StatusCode::METHOD_NOT_ALLOWED);
    server.set_offers(Offers { conditional_update: true, ..Offers::default() });
    assert_eq!((put().await, put().await), (StatusCode::CREATED, StatusCode::OK));
    server.create(one.clone());
    assert_eq!(put().await, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn what_a_server_does_not_offer_it_does_not_say_and_not_do() {
    let server = server().await;
    server.set_offers(Offers::NOTHING);

    let statement = get(&server, "metadata").await.body;
    assert_eq!(statement["rest"][0]["interaction"], json!([]));
    assert_eq!(statement["rest"][0]["resource"][0]["conditionalCreate"], false);
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [] });
    assert_eq!(post(&server, "", &bundle).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let condition = [("if-none-exist", "identifier=urn:mrn|1")];
    for _ in 0..2 {
        let posted = send(&server, "POST", "Patient", &condition, &patient("1")).await.unwrap();
        assert_eq!(posted.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn what_is_not_fhir_is_refused() {
    let server = server().await;

    assert_eq!(post(&server, "Patient", &json!("{")).await.status, StatusCode::BAD_REQUEST);
    let wrong_type = post(&server, "Patient", &json!({ "resourceType": "Task" })).await;
    assert_eq!(wrong_type.status, StatusCode::BAD_REQUEST);
    assert_eq!(get(&server, "Patiant/1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_server_with_a_token_lets_nobody_else_in_but_shows_what_it_can_do() {
    let server = FhirServer::start(FhirServerOptions { bearer_token: Some("t1".to_owned()), ..still() });
    let server = server.await.unwrap();
    server.create(patient("1"));
    let with = async |token: &str| {
        let headers = [("authorization", token)];
        send(&server, "GET", "Patient/1", &headers, &Value::Null).await.unwrap().status
    };

    assert_eq!(get(&server, "Patient/1").await.header("www-authenticate"), "Bearer");
    assert_eq!(with("Bearer t1").await, StatusCode::OK);
    server.set_bearer_token(Some("t2"));
    assert_eq!(with("Bearer t1").await, StatusCode::UNAUTHORIZED);
    let metadata = get(&server, "metadata").await.body;
    assert_eq!(metadata["rest"][0]["resource"][0]["conditionalCreate"], true);
}

#[tokio::test]
async fn a_stopped_server_comes_back_with_its_content() {
    let server = server().await;
    server.create(patient("1"));

    server.stop().await;

    assert!(send(&server, "GET", "Patient/1", &[], &Value::Null).await.is_err());
    server.restart().await.unwrap();
    assert_eq!(get(&server, "Patient/1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn whoever_waits_is_woken_by_the_change() {
    let (server, resource) = (server().await, patient("1"));

    let (found, _) = tokio::join!(
        server.wait_until(|it| it.all("Patient").len() == 1, SOON),
        post(&server, "Patient", &resource),
    );

    assert!(found);
    assert!(!server.wait_until(|it| it.all("Patient").len() == 2, Duration::from_millis(1)).await);
}
