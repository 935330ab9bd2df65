use super::*;
use crate::sandbox::fhir_server::{Fault, Misbehaviour};

#[tokio::test]
async fn a_queued_fault_meets_one_request_that_it_concerns() {
    let server = server().await;
    server.faults().push(Fault::retry_after(503, "30").on("POST", "Patient"));

    assert_eq!(get(&server, "Patient").await.status, StatusCode::OK);
    let refused = post(&server, "Patient", &patient("1")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"));
    assert_eq!(refused.body["resourceType"], "OperationOutcome");
    assert!(server.all("Patient").is_empty());
    assert_eq!(post(&server, "Patient", &patient("1")).await.status, StatusCode::CREATED);
    assert_eq!(server.faults().pending(), 0);
}

#[tokio::test]
async fn a_lasting_fault_stays_until_it_is_ended() {
    let server = server().await;
    server.faults().always(Some(Fault::status(500)));

    assert_eq!(get(&server, "Patient").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(get(&server, "Patient").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    server.faults().always(None);
    assert_eq!(get(&server, "Patient").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_effect_may_stand_behind_an_error_or_no_answer() {
    let server = server().await;
    let send_one = async |misbehaviour| {
        server.faults().push(Fault::new(misbehaviour));
        send(&server, "POST", "Patient", &[], &patient("1")).await
    };

    assert_eq!(send_one(Misbehaviour::ApplyThenStatus(502)).await.unwrap().status, StatusCode::BAD_GATEWAY);
    assert_eq!(server.all("Patient").len(), 1);
    assert!(send_one(Misbehaviour::ApplyThenDrop).await.is_err());
    assert_eq!(server.all("Patient").len(), 2);
    assert!(send_one(Misbehaviour::DropBeforeApply).await.is_err());
    assert_eq!(server.all("Patient").len(), 2);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_hanging_answer_ends_when_the_server_stops() {
    let server = server().await;
    server.faults().push(Fault::new(Misbehaviour::Hang));

    let (reply, ()) = tokio::join!(send(&server, "GET", "Patient", &[], &Value::Null), async {
        assert!(server.wait_for_requests(|it| it.len() == 1, SOON).await);
        server.stop().await;
    });

    assert!(reply.is_err_and(|it| !it.is_timeout()));
}

#[tokio::test]
async fn a_portal_and_a_wrong_resource_answer_with_200() {
    let server = server().await;
    server.faults().push(Fault::new(Misbehaviour::Html));
    server.faults().push(Fault::new(Misbehaviour::WrongContent(json!({ "resourceType": "Basic" }))));

    let portal = get(&server, "Patient/1").await;
    assert_eq!((portal.status, portal.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let wrong = get(&server, "Patient/1").await;
    assert_eq!((wrong.status, &wrong.body["resourceType"]), (StatusCode::OK, &json!("Basic")));
}

#[tokio::test]
async fn requests_are_recorded_with_their_headers_and_bodies() {
    let server = server().await;

    let headers = [("if-none-exist", "identifier=1"), ("x-other", "1")];
    send(&server, "POST", "Patient?_format=json", &headers, &patient("1")).await.unwrap();

    let recorded = &server.requests()[0];
    assert_eq!(recorded.path_and_query, "/fhir/Patient?_format=json");
    assert_eq!(recorded.header("if-none-exist"), Some("identifier=1"));
    assert_eq!(recorded.header("x-other"), None);
    assert_eq!(recorded.json(), patient("1"));
    server.clear_requests();
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_request_may_take_effect_after_its_client_gave_up() {
    let server = server().await;
    let one = patient("1");

    // The second server counts its condition as looked at before the first was there: it is not atomic.
    for (conditions_checked_at_arrival, expected) in [(false, 1), (true, 2)] {
        let after = Duration::from_millis(1);
        server.faults().push(Fault::new(Misbehaviour::ApplyLate { after, conditions_checked_at_arrival }));
        let condition = [("if-none-exist", "identifier=urn:mrn|1")];
        tokio::select! {
            _ = send(&server, "POST", "Patient", &condition, &one) => panic!("no answer comes"),
            arrived = server.wait_for_requests(|it| it.len() == expected, SOON) => assert!(arrived),
        }

        assert!(server.wait_until(|it| it.all("Patient").len() == expected, SOON).await);
    }
}

#[tokio::test]
async fn an_answer_may_be_anything_and_may_have_no_end() {
    let server = server().await;
    server.faults().push(Fault::new(Misbehaviour::Raw {
        status: 200,
        headers: vec![("content-encoding", "gzip".to_owned())],
        body: axum::body::Bytes::from_static(b"anything"),
    }));

    assert_eq!(get(&server, "Patient").await.header("content-encoding"), "gzip");
    server.faults().push(Fault::new(Misbehaviour::ApplyThenPour));
    let one = patient("1");
    tokio::select! {
        _ = post(&server, "Patient", &one) => panic!("the answer has no end"),
        applied = server.wait_until(|it| it.all("Patient").len() == 1, SOON) => assert!(applied),
    }
}
