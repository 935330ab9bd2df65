//! The privacy officer's questions, each answered by one command beside a running gateway.

use referral_gateway::fhir::json;
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::ConsentSays;
use rusqlite::Connection;
use serde_json::Value;

use crate::process::{err, lines, out, run};
use crate::support::TestGateway;

/// A gateway that withholds a psychotherapy note, and has sent a status.
async fn gateway() -> (TestGateway, String) {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().write_psychotherapy_note(&referral);
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let held = gateway.deliveries(DeliveryState::Held).await[0].id.to_string();
    (gateway, held)
}

#[tokio::test]
async fn why_was_this_not_sent_is_answered_in_plain_words_without_a_gateway() {
    let (mut gateway, held) = gateway().await;
    gateway.stop().await;
    let folder = gateway.folder().to_str().unwrap();

    let told = run(&["consent", "explain", "--delivery", &held, "--config", folder]).await;
    let trace = run(&["consent", "explain", "--delivery", &held, "--json", "--config", folder]).await;

    let text = out(&told);
    assert_eq!(told.status.code(), Some(0), "{}", err(&told));
    assert!(text.contains("DocumentReference/") && text.contains("is held"), "{text}");
    assert!(text.contains("it is of a kind that a Consent must name (sensitivity-not-named)"), "{text}");
    assert!(text.contains("It would go if the patient gave a new Consent"), "{text}");
    assert!(text.contains("Consent/") && text.contains("permits it"), "{text}");
    assert_eq!(lines(&trace)[0]["trace"]["rule"], "sensitivity-not-named");
}

#[tokio::test]
async fn what_would_consent_say_is_answered_by_the_running_gateway() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.settle().await;
    let folder = gateway.folder().to_str().unwrap().to_owned();
    let ask = async |resource: &str, more: &[&str]| {
        let fixed =
            ["consent", "explain", "--partner", "lakeside", "--resource", resource, "--config", &folder];
        run(&[&fixed, more].concat()).await
    };

    let now = ask(&referral.task, &[]).await;
    let earlier = ask(&referral.task, &["--at", "2020-01-01T00:00:00Z", "--json"]).await;
    let nothing = ask("Task/nothing", &[]).await;
    let unclear = ask(&referral.task, &["--at", "soon"]).await;
    gateway.clinic().record_consent(&referral, ConsentSays::Deny);
    let denied = ask(&referral.task, &[]).await;

    assert!(out(&now).starts_with("It may go as it is"), "{}{}", out(&now), err(&now));
    assert_eq!(lines(&earlier)[0]["outcome"], "hold");
    assert!(err(&nothing).contains("no such resource"), "{}", err(&nothing));
    assert!(err(&unclear).contains("instant"), "{}", err(&unclear));
    assert!(out(&denied).contains("denies it"), "{}", out(&denied));
    gateway.stop().await;
    assert!(err(&ask(&referral.task, &[]).await).contains("no gateway answers"));
}

#[tokio::test]
async fn the_record_proves_that_nothing_was_changed_or_removed() {
    let (mut gateway, _) = gateway().await;
    let folder = gateway.folder().to_str().unwrap().to_owned();

    let whole = run(&["audit", "verify", "--config", &folder]).await;
    let head = lines(&run(&["audit", "verify", "--json", "--config", &folder]).await).remove(0);
    let head = head["head"].as_str().unwrap().to_owned();
    gateway.stop().await;
    let same = run(&["audit", "verify", "--head", &head, "--config", &folder]).await;
    let sql = "UPDATE audit SET outcome = 'permit' WHERE outcome = 'hold'";
    Connection::open(gateway.ledger()).unwrap().execute_batch(sql).unwrap();
    let changed = run(&["audit", "verify", "--config", &folder]).await;
    let nonsense = run(&["audit", "verify", "--head", "nonsense", "--config", &folder]).await;

    assert_eq!(whole.status.code(), Some(0), "{}{}", out(&whole), err(&whole));
    assert!(out(&whole).contains("none changed, none removed"), "{}", out(&whole));
    assert_eq!(same.status.code(), Some(0));
    assert_eq!(changed.status.code(), Some(1));
    assert!(out(&changed).contains("was changed or moved"), "{}", out(&changed));
    assert_eq!(nonsense.status.code(), Some(2));
}

#[tokio::test]
async fn a_record_is_found_and_shown_as_an_audit_event() {
    let (gateway, held) = gateway().await;
    let folder = gateway.folder().to_str().unwrap();

    let listed = run(&["audit", "list", "--delivery", &held, "--json", "--config", folder]).await;
    let number = lines(&listed)[0]["number"].to_string();
    let shown = run(&["audit", "show", &number, "--config", folder]).await;
    let disclosures = run(&["audit", "list", "--kind", "disclosure", "--config", folder]).await;
    let missing = run(&["audit", "show", "999", "--config", folder]).await;

    let shown: Value = json::parse(out(&shown).as_bytes()).unwrap();
    assert_eq!(shown["content"]["event"]["resourceType"], "AuditEvent");
    assert_eq!(shown["delivery"], held.as_str());
    assert_eq!(out(&disclosures).lines().count(), 1, "{}", out(&disclosures));
    assert_eq!(missing.status.code(), Some(1));
}
