//! The keys with which we sign, as others read them and as people change them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::process::{err, out, run};
use crate::support::{Options, TestGateway};

/// Lets the gateway keep keys in its folder from the next start on.
fn name_a_folder(folder: &Path) {
    let file = folder.join("gateway.toml");
    let settings = fs::read_to_string(&file).unwrap();
    let keys = format!("[keys]\ndirectory = \"{}\"\n", folder.join("keys").display());
    fs::write(&file, format!("{settings}\n{keys}")).unwrap();
}

async fn keys(gateway: &TestGateway, arguments: &[&str]) -> Output {
    let folder = gateway.folder().display().to_string();
    run(&[&["keys"], arguments, &["--config", &folder]].concat()).await
}

/// The ids that others find.
async fn published(gateway: &TestGateway) -> BTreeSet<String> {
    let reply = gateway.call("GET", "/.well-known/jwks.json").send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["cache-control"], "public, max-age=300");
    assert_eq!(reply.headers["content-type"], "application/json");
    let keys = reply.body["keys"].as_array().unwrap();
    let is_public = |it: &&Value| ["d", "p", "q"].iter().all(|name| it.get(name).is_none());
    assert!(keys.iter().all(|it| is_public(&it)), "{keys:?}");
    keys.iter().map(|it| it["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn our_keys_stand_where_others_look_for_them_and_change_while_the_gateway_runs() {
    let mut gateway = TestGateway::start().await;
    assert_eq!(published(&gateway).await, BTreeSet::new());
    name_a_folder(gateway.folder());
    gateway.restart().await;

    let first = keys(&gateway, &["rotate", "--algorithm", "ES384"]).await;
    assert_eq!(first.status.code(), Some(0), "{}", err(&first));
    let first = out(&first).split(' ').next().unwrap().to_owned();
    gateway.after(std::time::Duration::from_secs(5)).await;
    // The gateway's clock is a test's and stands in the past: nothing signs there before the machine's time.
    assert_eq!(published(&gateway).await, BTreeSet::from([first.clone()]));

    let second = keys(&gateway, &["rotate", "--algorithm", "ES384"]).await;
    assert!(out(&second).contains("It signs from"), "{}{}", out(&second), err(&second));
    let second = out(&second).split(' ').next().unwrap().to_owned();
    gateway.after(std::time::Duration::from_secs(5)).await;
    assert_eq!(published(&gateway).await, BTreeSet::from([first.clone(), second.clone()]));

    let third = keys(&gateway, &["rotate", "--algorithm", "ES384"]).await;
    assert_eq!(third.status.code(), Some(1));
    assert!(err(&third).contains(&format!("the next key {second} is published already")), "{}", err(&third));
    let listed = out(&keys(&gateway, &["list"]).await);
    let line = |key_id: &str| listed.lines().find(|it| it.starts_with(key_id)).unwrap().to_owned();
    assert!(line(&first).contains("signs since") && line(&first).contains("published until"), "{listed}");
    assert!(line(&second).contains("next: signs from"), "{listed}");
}

#[tokio::test]
async fn the_key_that_the_settings_name_is_published_too() {
    let folder = tempfile::tempdir().unwrap();
    let (made, file) = (TestGateway::start().await, folder.path().join("key.pem"));
    name_a_folder(made.folder());
    let key_id = out(&keys(&made, &["rotate", "--algorithm", "ES384"]).await);
    let key_id = key_id.split(' ').next().unwrap();
    fs::copy(made.folder().join(format!("keys/{key_id}.pem")), &file).unwrap();
    let auth = format!(
        "[clinic.auth]\nkind = \"private-key-jwt\"\ntoken_url = \"http://127.0.0.1:1/token\"\nclient_id = \"gw\"\n\
         private_key_file = \"{}\"\nkey_id = \"of-the-settings\"\nalgorithm = \"ES384\"\n",
        file.display()
    );
    let lines: &'static str = auth.leak();

    let mut gateway = TestGateway::with(Options { gateway_lines: lines, ..Options::default() }).await;

    assert_eq!(published(&gateway).await, BTreeSet::from(["of-the-settings".to_owned()]));
    gateway.stop().await;
}

#[tokio::test]
async fn without_a_folder_the_setting_that_is_missing_is_told() {
    let gateway = TestGateway::start().await;

    let told = keys(&gateway, &["rotate"]).await;

    assert_eq!(told.status.code(), Some(1));
    assert!(err(&told).contains("the settings name no `keys.directory`"), "{}", err(&told));
}

#[tokio::test]
async fn check_tells_that_a_key_is_missing_and_how_to_make_it() {
    let mut gateway = TestGateway::start().await;
    name_a_folder(gateway.folder());
    let file = gateway.folder().join("gateway.toml");
    let auth = "[clinic.auth]\nkind = \"private-key-jwt\"\ntoken_url = \"http://127.0.0.1:1/token\"\nclient_id = \"gw\"\n";
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{settings}\n{auth}")).unwrap();
    let folder = gateway.folder().display().to_string();
    gateway.stop().await;

    let before = run(&["check", "--config", &folder]).await;
    let made = keys(&gateway, &["rotate"]).await;
    let after = run(&["check", "--config", &folder]).await;

    assert_eq!(before.status.code(), Some(78));
    assert!(err(&before).contains("make one by `keys rotate --algorithm RS384`"), "{}", err(&before));
    assert_eq!((made.status.code(), after.status.code()), (Some(0), Some(0)), "{}", err(&after));
}
