//! What is asked, and which answers are taken.

use super::*;

#[tokio::test]
async fn the_document_is_asked_for_as_json_and_without_credentials() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;

    assert!(publisher.has("a").await);

    let headers = publisher.said.lock().unwrap().asked[0].clone();
    assert_eq!(headers["accept"], "application/json");
    assert!(headers.get("authorization").is_none());
}

#[tokio::test]
async fn keys_are_held_to_the_rules_of_those_that_are_given_by_value() {
    let mut private = rsa_jwk("private");
    private["d"] = json!("AQAB");
    let publisher = Publisher::of(&[private, ec_jwk("twice"), ec_jwk("twice"), ec_jwk("good")]).await;

    assert!(publisher.has("good").await);
    assert!(!publisher.has("twice").await);
    let keys = KeyFetcher::look(&publisher.address).await.unwrap();
    assert_eq!(keys.names().collect::<Vec<_>>(), [named("good")]);
    assert_eq!(keys.problems().len(), 2);
}

#[tokio::test]
async fn what_is_no_key_set_is_not_used() {
    let publisher = Publisher::of(&[]).await;
    for document in ["", "<html>", "[]", "{\"keys\": {}}"] {
        publisher.say(|it| it.document = document.to_owned());
        assert!(matches!(publisher.fault().await, KeysFault::NotAKeySet(_)), "{document}");
        publisher.after(5);
    }
    publisher.say(|it| it.document = format!("{{\"keys\": [{}]}}", " ".repeat(300_000)));
    assert_eq!(publisher.fault().await, KeysFault::TooLarge(262_144));
}

#[tokio::test]
async fn only_an_answer_of_200_counts_and_no_redirect_is_followed() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;
    for status in [StatusCode::FOUND, StatusCode::ACCEPTED, StatusCode::UNAUTHORIZED] {
        publisher.say(|it| it.status = status);
        assert_eq!(publisher.fault().await, KeysFault::Status(status.as_u16()));
        publisher.after(5);
    }
    assert_eq!(publisher.asked(), 3);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_as_such() {
    let mut publisher = Publisher::of(&[]).await;
    publisher.address.url = "http://127.0.0.1:1/jwks.json".parse().unwrap();
    assert_eq!(publisher.fault().await, KeysFault::NoAnswer("nobody listens there"));

    publisher.address.issuers =
        Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned());
    assert_eq!(publisher.fault().await, KeysFault::Issuers);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap()).parse().unwrap();

    let found = read::read(&http_client(), &url, Duration::from_millis(50)).await;

    assert_eq!(found.unwrap_err(), KeysFault::NoAnswer("no answer in time"));
}
