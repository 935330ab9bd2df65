//! The command line, run as people run it.

use std::fs;
use std::process::Output;

use referral_gateway::fhir::json;
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use serde_json::Value;

use crate::process::{Serving, err, lines, out, run};
use crate::support::TestGateway;

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// A folder of settings with two mistakes.
fn broken() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[server]\nlisten = \"nowhere\"\n\n[clinic]\nbase_urk = \"http://127.0.0.1:9000/fhir\"\n";
    fs::write(folder.path().join("gateway.toml"), settings).unwrap();
    folder
}

/// Another process on the settings of a test gateway listens where it can.
fn listen_elsewhere(gateway: &TestGateway) {
    let file = gateway.folder().join("gateway.toml");
    let settings = fs::read_to_string(&file).unwrap();
    let elsewhere = settings.lines().map(|it| match it.split_once(" = ") {
        Some((key @ ("listen" | "operator_listen"), _)) => format!("{key} = \"127.0.0.1:0\"\n"),
        _ => format!("{it}\n"),
    });
    fs::write(&file, elsewhere.collect::<String>()).unwrap();
}

#[tokio::test]
async fn the_version_is_told() {
    let told = run(&["--version"]).await;

    assert_eq!((code(&told), out(&told)), (0, format!("referral-gateway {}\n", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn the_shipped_settings_are_good() {
    let checked = run(&["check", "--config", "config"]).await;

    assert_eq!((code(&checked), out(&checked).as_str()), (0, "The settings are good: 1 partners.\n"));
}

#[tokio::test]
async fn a_broken_list_of_sensitive_codes_is_a_mistake_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let profiles = folder.path().join("profiles");
    fs::create_dir_all(profiles.join("sensitivity")).unwrap();
    fs::write(profiles.join("sensitivity/codes.json"), "{}").unwrap();
    let shipped = fs::read_to_string("config/gateway.toml").unwrap();
    let named = format!("directory = \"{}\"", profiles.display());
    let settings = shipped.replace("# directory = \"/etc/referral-gateway/profiles\"", &named);
    assert_ne!(settings, shipped);
    fs::write(folder.path().join("gateway.toml"), settings).unwrap();
    fs::create_dir(folder.path().join("partners")).unwrap();
    fs::copy("config/partners/lakeside.toml", folder.path().join("partners/lakeside.toml")).unwrap();

    let checked = run(&["check", "--config", folder.path().to_str().unwrap()]).await;

    assert_eq!(code(&checked), 78, "{}", err(&checked));
    assert!(err(&checked).contains("sensitivity/codes.json: not a sensitivity list"), "{}", err(&checked));
}

#[tokio::test]
async fn every_mistake_is_told_with_its_place_and_a_caret() {
    let folder = broken();

    let checked = run(&["check", "--config", folder.path().to_str().unwrap()]).await;

    let told = err(&checked);
    assert_eq!(code(&checked), 78);
    assert!(told.contains("gateway.toml:2:10") && told.contains("gateway.toml:5:1"), "{told}");
    assert!(told.contains("^^^^"), "{told}");
    assert!(told.contains("base_url"), "the nearest key is offered: {told}");
}

#[tokio::test]
async fn mistakes_are_told_to_programs_one_a_line() {
    let folder = broken();

    let checked = run(&["check", "--json", "--config", folder.path().to_str().unwrap()]).await;

    let problems = lines(&checked);
    assert_eq!((code(&checked), problems.len()), (78, 2));
    let unknown = problems.iter().find(|it| it["code"] == "GW_CFG_UNKNOWN_KEY").unwrap();
    assert_eq!((&unknown["line"], &unknown["column"]), (&5.into(), &1.into()));
}

#[tokio::test]
async fn serving_with_bad_settings_is_refused() {
    let folder = broken();

    let refused = run(&["serve", "--config", folder.path().to_str().unwrap()]).await;

    assert_eq!(code(&refused), 78);
    assert!(err(&refused).contains("gateway.toml:2:10"), "{}", err(&refused));
}

#[tokio::test]
async fn sigterm_ends_a_gateway_in_order() {
    let mut gateway = TestGateway::start().await;
    gateway.stop().await;
    listen_elsewhere(&gateway);

    let serving = Serving::start(gateway.folder());
    let (end, log) = serving.terminate();

    assert_eq!(end.code(), Some(0), "{log}");
    assert!(log.trim_end().ends_with("stopped"), "{log}");
}

#[tokio::test]
async fn a_second_gateway_on_one_ledger_is_refused() {
    let gateway = TestGateway::start().await;
    listen_elsewhere(&gateway);

    let refused = run(&["serve", "--config", gateway.folder().to_str().unwrap()]).await;

    assert_eq!(code(&refused), 1, "{}", err(&refused));
    assert!(err(&refused).contains("is in use by another gateway"), "{}", err(&refused));
}

#[tokio::test]
async fn the_demo_closes_the_loop_and_prints_the_same_for_the_same_seed() {
    let (first, second) = tokio::join!(run(&["demo", "--once"]), run(&["demo", "--once"]));
    let other = run(&["demo", "--once", "--seed", "7"]).await;

    assert_eq!((code(&first), code(&second), code(&other)), (0, 0, 0), "{}", err(&first));
    assert_eq!(out(&first), out(&second));
    assert!(out(&first).contains("WITHHELD") && out(&first).contains("The loop is closed"));
    assert!(out(&first).contains("PLAC-00000042") && out(&other).contains("PLAC-00000007"));
}

#[tokio::test]
async fn a_preview_shows_the_answer_and_what_the_clinic_would_get() {
    let file = "fixtures/lakeside/complete-bundle/request.json";

    let people = run(&["preview", file, "--partner", "lakeside", "--config", "config"]).await;
    let programs = run(&["preview", file, "--partner", "lakeside", "--config", "config", "--json"]).await;

    assert_eq!((code(&people), code(&programs)), (0, 0), "{}", err(&people));
    assert!(out(&people).contains("no issues") && out(&people).contains("filler-order"));
    let shown = lines(&programs).remove(0);
    assert_eq!(
        (&shown["accepted"], &shown["answer"]["type"]),
        (&true.into(), &"transaction-response".into())
    );
    assert_eq!(shown["forClinic"]["type"], "transaction");
}

#[tokio::test]
async fn a_preview_of_a_message_that_would_be_refused_says_why() {
    let file = "fixtures/lakeside/no-patient/request.json";

    let people = run(&["preview", file, "--partner", "lakeside", "--config", "config"]).await;
    let programs = run(&["preview", file, "--partner", "lakeside", "--config", "config", "--json"]).await;

    assert_eq!((code(&people), code(&programs)), (1, 1));
    assert!(out(&people).contains("SEND_PATIENT_MISSING"), "{}", out(&people));
    let shown = lines(&programs).remove(0);
    assert_eq!(shown["accepted"], false);
    assert_eq!(shown["outcome"]["issue"][0]["details"]["coding"][0]["code"], "SEND_PATIENT_MISSING");
}

#[tokio::test]
async fn a_preview_for_an_unknown_partner_is_refused() {
    let file = "fixtures/lakeside/complete-bundle/request.json";

    let refused = run(&["preview", file, "--partner", "nobody", "--config", "config"]).await;

    assert_eq!(code(&refused), 1);
    assert!(err(&refused).contains("nobody"), "{}", err(&refused));
}

#[tokio::test]
async fn deliveries_are_listed_beside_a_running_gateway() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().write_psychotherapy_note(&referral);
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let folder = gateway.folder().to_str().unwrap();

    let all = run(&["deliveries", "list", "--json", "--config", folder]).await;
    let held = run(&["deliveries", "list", "--json", "--state", "held", "--config", folder]).await;
    let people = run(&["deliveries", "list", "--state", "held", "--config", folder]).await;

    assert_eq!(lines(&all).len(), 3, "{}", err(&all));
    let held = lines(&held);
    assert_eq!((held.len(), &held[0]["reason"]), (1, &"sensitivity-not-named".into()));
    assert!(out(&people).contains("DocumentReference/") && out(&people).contains("held"));
}

#[tokio::test]
async fn a_delivery_is_shown_with_its_attempts_and_decisions() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().write_psychotherapy_note(&referral);
    gateway.settle().await;
    let id = gateway.deliveries(DeliveryState::Held).await[0].id.to_string();
    let folder = gateway.folder().to_str().unwrap();

    let shown = run(&["deliveries", "show", &id, "--json", "--config", folder]).await;
    let unknown = "dlv-0197a4c2-0000-7000-8000-000000000000";
    let missing = run(&["deliveries", "show", unknown, "--config", folder]).await;

    let shown = lines(&shown).remove(0);
    assert_eq!(shown["id"], id.as_str());
    assert_eq!(shown["attempts"][0]["decision"], "hold by sensitivity-not-named");
    assert_eq!(shown["attempts"][0]["consents"].as_array().unwrap().len(), 1);
    assert_eq!(code(&missing), 1);
}

#[tokio::test]
async fn a_dead_delivery_is_retried_by_its_id() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let refuse = Misbehaviour::Status { status: 422, retry_after: None, body: Some(Value::Null) };
    gateway.lakeside().server().faults().push(Fault::new(refuse));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let id = gateway.deliveries(DeliveryState::Dead).await[0].id.to_string();
    let folder = gateway.folder().to_str().unwrap().to_owned();

    let retried = run(&["deliveries", "retry", &id, "--config", &folder]).await;
    gateway.settle().await;
    let again = run(&["deliveries", "retry", &id, "--config", &folder]).await;

    assert_eq!((code(&retried), code(&again)), (0, 1), "{}", err(&retried));
    assert!(out(&retried).contains(&id));
    assert_eq!(gateway.lakeside().server().all("Task").len(), 1);
}

#[tokio::test]
async fn the_shipped_schemas_are_those_of_the_program() {
    let folder = tempfile::tempdir().unwrap();

    let written = run(&["config", "schema", "--to", folder.path().to_str().unwrap()]).await;

    assert_eq!(code(&written), 0, "{}", err(&written));
    for name in ["gateway.schema.json", "partner.schema.json"] {
        let shipped = format!("{}/config/schema/{name}", env!("CARGO_MANIFEST_DIR"));
        let same = fs::read(folder.path().join(name)).unwrap() == fs::read(shipped).unwrap();
        assert!(same, "{name} is out of date");
    }
}

#[tokio::test]
async fn a_consent_that_only_holds_is_told_with_its_place_and_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("form.json");
    let form = place.to_str().unwrap();
    let good = "fixtures/lakeside/complete-bundle/request.json";
    let mut bad = json::parse(&fs::read(good).unwrap()).unwrap();
    let actor = bad.pointer_mut("/entry/9/resource/provision/actor/0").unwrap();
    actor.as_object_mut().unwrap().shift_remove("role");
    fs::write(&place, bad.to_string()).unwrap();

    let fine = run(&["consent", "lint", good]).await;
    let told = run(&["consent", "lint", form]).await;
    let for_programs = run(&["consent", "lint", "--json", "--time-zone", "Europe/Berlin", form]).await;

    assert_eq!((code(&fine), out(&fine).as_str()), (0, ""));
    let element = "Bundle.entry[9].resource.provision.actor[0].role";
    assert_eq!(code(&told), 1);
    assert_eq!(
        out(&told),
        format!(
            "{form}: {element}: Add `role`, without which the rest says nothing certain. (element-missing)\n"
        )
    );
    let line = &lines(&for_programs)[0];
    assert_eq!((&line["element"], &line["effect"]), (&element.into(), &"only-holds".into()));
}

#[tokio::test]
async fn what_cannot_be_linted_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.json");
    fs::write(&empty, r#"{ "resourceType": "Bundle" }"#).unwrap();

    let without_consent = run(&["consent", "lint", empty.to_str().unwrap()]).await;
    let without_zone = run(&["consent", "lint", "--time-zone", "Nowhere", "Cargo.toml"]).await;
    let without_json = run(&["consent", "lint", "Cargo.toml"]).await;

    for (told, reason) in
        [(without_consent, "has no Consent"), (without_zone, "is no zone"), (without_json, "Cargo.toml: it ")]
    {
        assert_eq!(code(&told), 1);
        assert!(err(&told).contains(reason), "{}", err(&told));
    }
}
