//! `partners` and `check --online`, run as people run them.

use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::process::{err, lines, out, run};
use crate::support::{Options, TestGateway};

fn step<'a>(found: &'a [Value], with: &str, step: &str) -> &'a Value {
    let it = found.iter().find(|it| it["with"] == with && it["step"] == step);
    it.unwrap_or_else(|| panic!("{with}, {step}: {found:?}"))
}

async fn on(gateway: &TestGateway, arguments: &[&str]) -> Output {
    let folder = gateway.folder().to_str().unwrap().to_owned();
    run(&[arguments, &["--config", &folder]].concat()).await
}

#[tokio::test]
async fn the_whole_handshake_is_tried_with_the_clinic_and_each_partner() {
    let gateway = TestGateway::start().await;

    let checked = on(&gateway, &["check", "--online"]).await;

    assert_eq!(checked.status.code(), Some(0), "{}{}", out(&checked), err(&checked));
    let told = out(&checked);
    assert!(told.starts_with("The settings are good: 1 partners.\n"), "{told}");
    let clinic = told.lines().find(|it| it.contains("@clinic") && it.contains("metadata")).unwrap();
    assert!(clinic.starts_with("good  @clinic") && clinic.ends_with("speaks FHIR 4.0.1"), "{clinic}");
    assert!(told.lines().any(|it| it.starts_with("good  lakeside          metadata")), "{told}");
}

#[tokio::test]
async fn a_partner_that_cannot_be_reached_is_told_and_is_an_exit_code() {
    let gateway = TestGateway::start().await;
    let file = gateway.folder().join("partners/lakeside.toml");
    let settings = fs::read_to_string(&file).unwrap();
    let base = settings.lines().find(|it| it.starts_with("base_url")).unwrap();
    fs::write(&file, settings.replace(base, "base_url = \"http://127.0.0.1:1/fhir\"")).unwrap();

    let tested = on(&gateway, &["partners", "test", "lakeside", "--json"]).await;
    let checked = on(&gateway, &["check", "--online", "--json"]).await;

    assert_eq!((tested.status.code(), checked.status.code()), (Some(1), Some(1)));
    let found = lines(&checked);
    assert_eq!(step(&found, "@clinic", "metadata")["verdict"], "good");
    let bad = step(&found, "lakeside", "metadata");
    assert_eq!(bad["words"], "http://127.0.0.1:1/fhir/metadata: nobody listens there");
    assert_eq!(step(&lines(&tested), "lakeside", "metadata"), bad);
}

#[tokio::test]
async fn an_unknown_partner_is_told_with_those_that_there_are() {
    let gateway =
        TestGateway::with(Options { partners: vec!["lakeside", "hillside"], ..Options::default() }).await;

    let listed = on(&gateway, &["partners", "list"]).await;
    let unknown = on(&gateway, &["partners", "test", "nobody"]).await;

    assert!(out(&listed).lines().nth(1).unwrap().contains("client lakeside, secret; updates: rest to http"));
    assert_eq!(unknown.status.code(), Some(1));
    assert!(err(&unknown).contains("there are: hillside, lakeside"), "{}", err(&unknown));
}
