//! Headers that say what we do not do.

use referral_gateway::sandbox::people::{self, ReferralOptions};

use crate::support::{TestGateway, assert_refused};

fn referral() -> String {
    people::referral(1, &ReferralOptions::default()).to_string()
}

#[tokio::test]
async fn a_body_that_does_not_say_it_is_fhir_json_is_refused() {
    let gateway = TestGateway::start().await;

    for content_type in [
        "text/plain",
        "application/fhir+xml",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/json-patch+json",
        "application/fhir+json; fhirVersion=5.0",
        "application/fhir+json;fhirversion=3.0",
        "json",
        "",
    ] {
        let call = gateway.lakeside_calls("POST", "/fhir").await.header("content-type", content_type);
        assert_refused(&call.body(referral()).send().await, 415, "SEND_CONTENT_TYPE");
    }
    let bare = gateway.lakeside_calls("POST", "/fhir").await.body(referral()).send().await;

    assert_refused(&bare, 415, "SEND_CONTENT_TYPE");
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_body_that_says_it_is_fhir_json_is_taken_however_it_says_so() {
    let gateway = TestGateway::start().await;

    for content_type in [
        "application/fhir+json",
        "application/json",
        "Application/FHIR+JSON; charset=utf-8",
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+json;charset=UTF-8;fhirVersion=\"4.0\"",
    ] {
        let call = gateway.lakeside_calls("POST", "/fhir").await.header("content-type", content_type);
        assert_eq!(call.body(referral()).send().await.status, 200, "{content_type}");
    }

    gateway.settle().await;
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn a_compressed_body_is_refused_unread() {
    let gateway = TestGateway::start().await;

    for encoding in ["gzip", "br", "deflate", "zstd", "gzip, identity", "none"] {
        let call = gateway.lakeside_calls("POST", "/fhir").await.header("content-encoding", encoding);
        assert_refused(&call.fhir(referral()).send().await, 415, "SEND_CONTENT_TYPE");
    }

    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn an_answer_in_another_form_is_not_to_be_had() {
    let gateway = TestGateway::start().await;

    for accept in ["application/fhir+xml", "text/html", "application/fhir+json; fhirVersion=5.0", "xml"] {
        let read = gateway.lakeside_calls("GET", "/fhir/Task").await.header("accept", accept);
        assert_refused(&read.send().await, 406, "SEND_ACCEPT");
        let sent = gateway.lakeside_calls("POST", "/fhir").await.header("accept", accept);
        assert_refused(&sent.fhir(referral()).send().await, 406, "SEND_ACCEPT");
    }

    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn an_answer_in_json_is_to_be_had_however_it_is_asked_for() {
    let gateway = TestGateway::start().await;

    for accept in ["*/*", "text/html, */*;q=0.1", "application/json", "APPLICATION/FHIR+JSON;fhirVersion=4.0"]
    {
        let call = gateway.lakeside_calls("GET", "/fhir/Task").await.header("accept", accept);
        assert_eq!(call.send().await.status, 200, "{accept}");
    }
}

#[tokio::test]
async fn two_authorizations_are_none() {
    let gateway = TestGateway::start().await;
    let token = gateway.token("lakeside").await;

    for second in [format!("Bearer {token}"), "Bearer other".to_owned(), "Basic bGFrZXNpZGU6eA==".to_owned()]
    {
        let call = gateway.call("GET", "/fhir/Task").header("authorization", &format!("Bearer {token}"));
        let reply = call.header("authorization", &second).send().await;

        assert_refused(&reply, 401, "SEND_TOKEN");
    }
}

#[tokio::test]
async fn a_key_given_twice_is_refused() {
    let gateway = TestGateway::start().await;

    for name in ["idempotency-key", "if-none-exist"] {
        let call = gateway.lakeside_calls("POST", "/fhir").await.header(name, "a=1").header(name, "a=2");
        assert_refused(&call.fhir(referral()).send().await, 400, "SEND_KEY");
    }

    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_request_id_of_the_caller_is_not_taken_for_ours() {
    let gateway = TestGateway::start().await;

    let call = gateway.lakeside_calls("GET", "/fhir/nothing/here/at/all").await;
    let reply = call.header("x-request-id", "mine\"<script>").send().await;

    assert_refused(&reply, 404, "SEND_PATH_UNKNOWN");
    assert!(reply.headers["x-request-id"].to_str().unwrap().starts_with("req-"));
}
