//! Bodies that are not one FHIR message.

use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

use crate::support::{TestGateway, assert_refused, issues_of, part_mut};

fn referral() -> Value {
    people::referral(1, &ReferralOptions::default())
}

#[tokio::test]
async fn what_is_not_json_is_refused_with_its_reason() {
    let mut gateway = TestGateway::start().await;
    let good = referral().to_string();
    let cases: [(Vec<u8>, &str); 10] = [
        (Vec::new(), "SEND_BODY_EMPTY"),
        (b" \r\n\t ".to_vec(), "SEND_BODY_EMPTY"),
        (good.as_bytes()[..good.len() / 2].to_vec(), "SEND_JSON_INVALID"),
        (format!("\u{feff}{good}").into_bytes(), "SEND_JSON_INVALID"),
        (good.replace("Testville", "\u{1}").into_bytes(), "SEND_JSON_INVALID"),
        (good.replace("Testville", "\\ud800").into_bytes(), "SEND_JSON_INVALID"),
        (good.replace("\"active\":true", "\"active\":NaN").into_bytes(), "SEND_JSON_INVALID"),
        (format!("{good}{good}").into_bytes(), "SEND_JSON_INVALID"),
        ([good.as_bytes(), b"\0"].concat(), "SEND_JSON_INVALID"),
        (b"<Bundle xmlns=\"http://hl7.org/fhir\"/>".to_vec(), "SEND_JSON_INVALID"),
    ];

    for (body, code) in cases {
        assert_refused(&gateway.send_bytes(body).await, 400, code);
    }

    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn bytes_that_are_not_utf_8_are_refused() {
    let mut gateway = TestGateway::start().await;
    let mut body = referral().to_string().into_bytes();
    let place = body.windows(9).position(|it| it == b"Testville").unwrap();
    body[place] = 0xFF;

    let reply = gateway.send_bytes(body).await;

    assert_refused(&reply, 400, "SEND_JSON_INVALID");
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn the_same_key_twice_is_refused_and_not_chosen_from() {
    let mut gateway = TestGateway::start().await;
    let body =
        referral().to_string().replace("\"intent\":\"order\"", "\"intent\":\"order\",\"intent\":\"plan\"");

    let reply = gateway.send_bytes(body).await;

    assert_refused(&reply, 400, "SEND_JSON_DUPLICATE_KEY");
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn deep_nesting_is_refused_however_deep() {
    let mut gateway = TestGateway::start().await;

    for depth in [65, 1000, 300_000] {
        let lists = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_refused(&gateway.send_bytes(lists).await, 400, "SEND_JSON_TOO_DEEP");
        let objects = "{\"a\":".repeat(depth.min(100_000));
        assert_refused(&gateway.send_bytes(objects).await, 400, "SEND_JSON_TOO_DEEP");
    }

    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_body_at_the_limit_is_read_and_one_above_it_is_refused() {
    let mut gateway = TestGateway::start().await;
    let limit = 1_048_576;
    let mut body = referral().to_string().into_bytes();
    body.resize(limit, b' ');

    assert_eq!(gateway.send_bytes(body.clone()).await.status, 200);
    body.push(b' ');
    let refused = gateway.send_bytes(body).await;
    gateway.settle().await;

    assert_refused(&refused, 413, "SEND_BODY_TOO_LARGE");
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn json_that_is_no_referral_is_refused() {
    let mut gateway = TestGateway::start().await;
    let several = json!({ "resourceType": "Bundle", "type": "transaction", "entry": vec![json!({}); 501] });
    let bare = json!({ "resourceType": "Bundle", "type": "transaction" });

    for body in
        ["1", "null", "[]", "{}", "\"Bundle\"", "{\"resourceType\":1}", "{\"resourceType\":\"Patient\"}"]
            .into_iter()
            .map(str::to_owned)
            .chain([several.to_string(), bare.to_string()])
    {
        let reply = gateway.send_bytes(body).await;
        assert_eq!(reply.status, 422, "{}", reply.body);
        assert!(issues_of(&reply)[0].0.starts_with("SEND_"), "{}", reply.body);
    }

    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_thousand_mistakes_are_answered_within_bounds() {
    let mut gateway = TestGateway::start().await;
    let mut bundle = referral();
    let patient = part_mut(&mut bundle, "Patient");
    for number in 0..1000 {
        patient[format!("unknown{number}")] = json!(number);
    }

    let reply = gateway.send_bytes(bundle.to_string()).await;

    assert_eq!(reply.status, 422);
    assert!(reply.body.to_string().len() < 100_000);
    assert_eq!(issues_of(&reply).last().unwrap().0, "SEND_ISSUES_MORE");
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn contained_resources_that_name_one_another_in_a_circle_do_not_hang_the_gateway() {
    let mut gateway = TestGateway::start().await;
    let mut request = people::service_request(1, &ReferralOptions::default());
    request["contained"][1]["partOf"] = json!({ "reference": "#organization" });

    let reply = gateway.send_service_request("lakeside", &request).await;
    gateway.settle().await;

    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(gateway.clinic().referrals().len(), 1);
}

#[tokio::test]
async fn a_million_items_are_refused_in_time() {
    let mut gateway = TestGateway::start().await;
    let list = format!("{{\"resourceType\":\"Bundle\",\"entry\":[{}1]}}", "1,".repeat(400_000));

    let reply = gateway.send_bytes(list).await;

    assert_eq!(reply.status, 422, "{}", reply.body);
    issues_of(&reply);
    gateway.assert_nothing_recorded();
}
