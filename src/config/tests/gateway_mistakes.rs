//! Each class of mistake in `gateway.toml`, with its exact place.

use super::support::Folder;

fn mistakes(text: &str) -> String {
    Folder::with_gateway(text).mistakes()
}

#[test]
fn a_syntax_error_is_one_problem_at_its_place() {
    assert_eq!(mistakes("[server]\nlisten = 127.0.0.1:80\n[server\n"), "2:15 SYNTAX");
    assert_eq!(mistakes("[log]\nlevel = \"info\"\nlevel = \"warn\"\n"), "3:1 SYNTAX");
}

#[test]
fn a_misspelt_key_gets_a_suggestion() {
    let loaded =
        Folder::with_gateway("[clinic]\n  poll_intervall_s = 5\n[srever]\n[log]\nzzzzzz = 1\n").load();

    let helps: Vec<&str> = loaded.problems.iter().map(|it| it.help.as_str()).collect();
    assert_eq!(
        super::support::summary(&loaded.problems),
        "2:3 UNKNOWN_KEY clinic.poll_intervall_s\n3:2 UNKNOWN_KEY srever\n5:1 UNKNOWN_KEY log.zzzzzz"
    );
    assert_eq!(
        helps,
        ["did you mean `poll_interval_s`?", "did you mean `server`?", "known here: format, level"]
    );
    assert!(loaded.config.is_none());
}

#[test]
fn a_wrong_type_or_value_is_told_with_what_is_allowed() {
    let text = "[delivery]\nworkers = \"4\"\nlease_s = 0\nfirst_retry_s = 5.0\n[log]\nlevel = \"inof\"\n";
    let loaded = Folder::with_gateway(text).load();

    let helps: Vec<&str> = loaded.problems.iter().map(|it| it.help.as_str()).collect();
    assert_eq!(
        super::support::summary(&loaded.problems),
        "2:11 WRONG_TYPE delivery.workers\n3:11 BAD_VALUE delivery.lease_s\n\
         4:17 WRONG_TYPE delivery.first_retry_s\n6:9 BAD_VALUE log.level"
    );
    assert_eq!(helps[0], "write a whole number without quotes");
    assert_eq!(helps[1], "use 1 or more");
    assert_eq!(helps[3], "did you mean `info`? use one of error, warn, info, debug, trace");
}

#[test]
fn five_mistakes_of_five_kinds_are_five_problems() {
    let text = "[server]\nlisten = \"0.0.0.0:80\"\npublik_url = \"x\"\n\
                [clinic]\nbase_url = \"ftp://x\"\ntimeout_s = true\ntime_zone = \"Mars/Olympus\"\n";

    assert_eq!(
        mistakes(text),
        "2:10 PLAIN_HTTP server.listen\n3:1 UNKNOWN_KEY server.publik_url\n5:12 ADDRESS clinic.base_url\n\
         6:13 WRONG_TYPE clinic.timeout_s\n7:13 BAD_VALUE clinic.time_zone"
    );
}

#[test]
fn plain_http_beyond_this_machine_needs_somebody_who_ends_tls() {
    assert_eq!(mistakes("[server]\nlisten = \"0.0.0.0:80\"\ntls_terminated_upstream = true\n"), "");
    assert_eq!(mistakes("[server]\nlisten = \"[::1]:80\"\n"), "");
    assert_eq!(mistakes("[server]\nlisten = \"localhost:80\"\n"), "2:10 ADDRESS server.listen");
}

#[test]
fn tls_needs_both_files_in_pem() {
    let folder = Folder::with_gateway("")
        .and_file("not.pem", "hello")
        .and_file("key.pem", "-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n");
    let text = format!(
        "[server]\nlisten = \"0.0.0.0:443\"\n[server.tls]\ncertificate_file = '{}'\nprivate_key_file = '{}'\n",
        folder.path("not.pem").display(),
        folder.path("key.pem").display()
    );

    assert_eq!(
        folder.and_file("gateway.toml", &text).mistakes(),
        "4:20 NAMED_FILE server.tls.certificate_file"
    );
    assert_eq!(
        mistakes("[server.tls]\ncertificate_file = \"/no/such\"\n"),
        "1:9 MISSING_KEY server.tls.private_key_file\n2:20 NAMED_FILE server.tls.certificate_file"
    );
}

#[test]
fn the_issuers_of_the_clinics_server_are_certificates_in_pem() {
    let folder = Folder::with_gateway("").and_file("not.pem", "hello");
    let named = |file: &str| format!("[clinic]\nca_file = '{}'\n", folder.path(file).display());

    assert_eq!(mistakes(&named("not.pem")), "2:11 NAMED_FILE clinic.ca_file");
    assert_eq!(mistakes(&named("none.pem")), "2:11 NAMED_FILE clinic.ca_file");
}

#[test]
fn two_doors_need_two_ports() {
    assert_eq!(
        mistakes("[server]\noperator_listen = \"127.0.0.1:8080\"\n"),
        "2:19 CONFLICT server.operator_listen"
    );
    assert_eq!(mistakes("[server]\nlisten = \"127.0.0.1:0\"\noperator_listen = \"127.0.0.1:0\"\n"), "");
}

#[test]
fn the_ledger_is_a_sqlite_file_or_a_postgresql_database() {
    let loaded = Folder::with_gateway("[store]\nurl = \"postgres://u:hunter2@host\"\n").load();

    assert_eq!(mistakes("[store]\nurl = \"postgres://u:hunter2@host/db\"\n"), "");
    assert_eq!(super::support::summary(&loaded.problems), "2:7 BAD_VALUE store.url");
    assert!(!loaded.problems[0].to_text().contains("hunter2"));
    assert_eq!(mistakes("[store]\nurl = \"data.db\"\n"), "2:7 BAD_VALUE store.url");
    assert_eq!(mistakes("[store]\nurl = \"sqlite:\"\n"), "2:7 BAD_VALUE store.url");
}

#[test]
fn each_kind_of_auth_has_its_own_keys() {
    assert_eq!(mistakes("[clinic.auth]\nkind = \"none\"\ntoken = \"x\"\n"), "3:9 CONFLICT clinic.auth.token");
    assert_eq!(
        mistakes("[clinic.auth]\nkind = \"private-key-jwt\"\n"),
        "1:9 MISSING_KEY clinic.auth.client_id\n1:9 MISSING_KEY clinic.auth.token_url"
    );
    let jwt = "[clinic.auth]\nkind = \"private-key-jwt\"\nclient_id = \"gw\"\ntoken_url = \"https://a.example/token\"\n";
    assert_eq!(mistakes(&format!("{jwt}key_id = \"k\"\n")), "1:9 MISSING_KEY clinic.auth.private_key_file");
    assert_eq!(
        mistakes(&format!("{jwt}private_key_file = \"/no/such/file\"\n")),
        "1:9 MISSING_KEY clinic.auth.key_id\n5:20 NAMED_FILE clinic.auth.private_key_file"
    );
    assert_eq!(mistakes(&format!("{jwt}form = {{ scope = \"all\" }}\n")), "5:8 CONFLICT clinic.auth.form");
    assert_eq!(mistakes(&format!("{jwt}secret_in = \"form\"\n")), "5:13 CONFLICT clinic.auth.secret_in");
    assert_eq!(
        mistakes(&format!("{jwt}form = {{ resource = 1 }}\n")),
        "5:21 WRONG_TYPE clinic.auth.form.resource"
    );
    assert_eq!(
        mistakes("[clinic.auth]\nkind = \"basic\"\nusername = \"me\"\n"),
        "1:9 MISSING_KEY clinic.auth.password_file"
    );
    assert_eq!(mistakes("[clinic.auth]\ntoken = \"x\"\n"), "1:9 MISSING_KEY clinic.auth.kind");
    assert_eq!(
        mistakes("[clinic.auth]\nkind = \"bearer\"\ntoken_file = \"/no/such/file\"\n"),
        "3:14 NAMED_FILE clinic.auth.token_file"
    );
    assert_eq!(
        mistakes("[clinic.auth]\nkind = \"bearer\"\ntoken = \"x\"\ntoken_file = \"/no/such/file\"\n"),
        "4:14 CONFLICT clinic.auth.token_file"
    );
}

#[test]
fn the_keys_of_the_clinics_client_come_by_https_also_in_its_own_network() {
    let with = |url: &str| format!("[clinic.client]\nclient_id = \"ehr\"\njwks_url = \"{url}\"\n");
    assert_eq!(mistakes(&with("https://10.0.0.9/jwks.json")), "");
    assert_eq!(mistakes(&with("http://10.0.0.9/jwks.json")), "3:12 ADDRESS clinic.client.jwks_url");
    assert_eq!(mistakes(&with("http://127.0.0.1:9/jwks.json")), "3:12 ADDRESS clinic.client.jwks_url");
    let tests = "[server]\nallow_private_networks = true\n";
    assert_eq!(mistakes(&format!("{tests}{}", with("http://127.0.0.1:9/jwks.json"))), "");
    assert_eq!(
        mistakes(&format!("{tests}{}", with("http://10.0.0.9/jwks.json"))),
        "5:12 ADDRESS clinic.client.jwks_url"
    );
}

#[test]
fn the_clinics_client_needs_one_credential() {
    assert_eq!(mistakes("[clinic.client]\nclient_id = \"ehr\"\n"), "1:9 MISSING_KEY clinic.client.jwks_file");
    assert_eq!(
        mistakes(
            "[clinic.client]\nclient_id = \"ehr\"\njwks_url = \"https://x.example\"\nclient_secret = \"x\"\n"
        ),
        "3:12 CONFLICT clinic.client.jwks_url"
    );
}

#[test]
fn a_preset_stands_alone() {
    assert_eq!(mistakes("[consent.default]\npreset = \"optin\"\n"), "2:10 BAD_VALUE consent.default.preset");
    assert_eq!(
        mistakes("[consent.default]\npreset = \"deny-all\"\npurposes = [\"TREAT\"]\n"),
        "3:12 CONFLICT consent.default.purposes"
    );
    assert_eq!(
        mistakes("[consent.default]\npurposes = [\"treat\"]\n"),
        "1:10 MISSING_KEY consent.default.decision\n2:13 BAD_VALUE consent.default.purposes[0]"
    );
}

#[test]
fn variables_that_cannot_be_filled_in_are_problems() {
    let folder =
        Folder::with_gateway("[clinic]\nname = \"${CLINIC_NAME:?ask Jo}\"\ntime_zone = \"${ZONE}\"\n");

    let loaded = folder.and_variable("ZONE", "UTC\"\n[server]").load();

    assert_eq!(
        super::support::summary(&loaded.problems),
        "2:8 VARIABLE clinic.name\n3:13 VARIABLE clinic.time_zone"
    );
    assert_eq!(loaded.problems[0].help, "ask Jo");
}

#[test]
fn a_missing_folder_or_file_is_said_clearly() {
    let folder = Folder::with_gateway("");
    std::fs::remove_file(folder.path("gateway.toml")).unwrap();
    assert_eq!(folder.mistakes(), "- UNREADABLE");

    let path = folder.path("nowhere");
    let loaded = crate::config::load(&path, &folder.environment);
    assert_eq!(loaded.problems[0].message, "there is no such folder of settings");
    assert_eq!(loaded.problems[0].file, path);
    assert!(loaded.config.is_none());
}

#[test]
fn a_profiles_directory_must_exist() {
    assert_eq!(mistakes("[profiles]\ndirectory = \"/no/such\"\n"), "2:13 NAMED_FILE profiles.directory");
}

#[test]
fn the_largest_body_must_fit_into_the_room_for_bodies() {
    assert_eq!(mistakes("[limits]\nbody_bytes_at_once = 2048\n"), "2:22 CONFLICT limits.body_bytes_at_once");
    assert_eq!(mistakes("[server]\nmax_body_bytes = 300000000\n"), "2:18 CONFLICT server.max_body_bytes");
    assert_eq!(mistakes("[server]\nmax_body_bytes = 2048\n[limits]\nbody_bytes_at_once = 2048\n"), "");
}
