//! What checked settings hold.

use std::path::PathBuf;

use crate::config::settings::Database;
use std::time::Duration;

use super::support::{Folder, PARTNER};
use crate::model::client::{ClientCredential, ClientRole};
use crate::model::ids::PartnerId;
use crate::model::partner::{Credentials, OutboundMode, OwnKey, SecretPlace, Share, SigningAlgorithm};
use crate::model::policy::{Confidentiality, DefaultDecision, DefaultPolicy};

#[test]
fn defaults_are_those_of_the_design() {
    let config = Folder::with_gateway("").config();

    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.max_body_bytes, 16 * 1024 * 1024);
    assert_eq!(config.store.database, Database::Sqlite(PathBuf::from("data/gateway.db")));
    assert_eq!(config.clinic.poll_interval, Duration::from_secs(5));
    assert_eq!(config.clinic.endpoint.timeout, Duration::from_secs(30));
    assert!(config.clinic.hook_token.is_none() && config.clinic.client.is_none());
    assert_eq!(config.consent.max_staleness, Duration::ZERO);
    assert_eq!(config.consent.default.decision, DefaultDecision::Hold);
    assert_eq!(config.delivery.quiet_period, Duration::from_mins(1));
    assert_eq!(config.delivery.partner_deadline, Duration::from_hours(168));
    assert_eq!(config.log.level, "info");
}

#[test]
fn addresses_have_no_slash_at_their_end() {
    let text =
        "[server]\npublic_url = \"https://gw.example/\"\n[clinic]\nbase_url = \"http://10.0.0.5/fhir//\"\n";
    let config = Folder::with_gateway(text).config();

    assert_eq!(config.server.address("/fhir"), "https://gw.example/fhir");
    assert_eq!(config.server.address(""), "https://gw.example");
    assert_eq!(config.clinic.endpoint.base_url.as_str(), "http://10.0.0.5/fhir");
}

#[test]
fn a_partner_reads_as_it_is_written() {
    let config = Folder::with_partner(PARTNER).config();

    let partner = &config.partners[0];
    assert_eq!(partner.id.as_str(), "oak");
    assert_eq!(partner.organization.value, "7");
    assert_eq!(partner.client.role, ClientRole::Partner(PartnerId::new("oak")));
    assert_eq!(partner.outbound.share, [Share::Results]);
    let OutboundMode::Rest(endpoint) = &partner.outbound.mode else { panic!("mode") };
    assert_eq!(endpoint.base_url.as_str(), "https://oak.example/fhir");
    assert!(matches!(endpoint.credentials, Credentials::None));
}

#[test]
fn variables_are_filled_in() {
    let folder = Folder::with_gateway("[clinic]\nname = \"${NAME} of ${TOWN:-Springfield}\"\n");

    assert_eq!(folder.and_variable("NAME", "Clinic").config().clinic.name, "Clinic of Springfield");
}

#[test]
fn a_secret_file_loses_its_line_break() {
    let folder = Folder::with_gateway("").and_file("secret", "s p\r\n");
    let client = format!(
        "[clinic.client]\nclient_id = \"ehr\"\nclient_secret_file = '{}'\n",
        folder.path("secret").display()
    );

    let config = folder.and_file("gateway.toml", &client).config();

    let client = config.clinic.client.unwrap();
    let ClientCredential::Secret(secret) = client.credential else { panic!("credential") };
    assert_eq!(secret.reveal(), "s p");
    assert_eq!(client.role, ClientRole::Clinic);
}

#[test]
fn a_private_key_is_read_whole() {
    let pem = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
    let folder = Folder::with_gateway("").and_file("key.pem", pem);
    let auth = format!(
        "[clinic.auth]\nkind = \"private-key-jwt\"\ntoken_url = \"http://10.0.0.1/token\"\nclient_id = \"gw\"\n\
         key_id = \"k\"\nalgorithm = \"ES384\"\nprivate_key_file = '{}'\n",
        folder.path("key.pem").display()
    );

    let config = folder.and_file("gateway.toml", &auth).config();

    let Credentials::PrivateKeyJwt { grant, key: OwnKey::Given { private_key, key_id, algorithm } } =
        config.clinic.endpoint.credentials
    else {
        panic!("credentials")
    };
    assert_eq!(private_key.reveal(), pem.as_bytes());
    assert_eq!((key_id.as_str(), algorithm), ("k", SigningAlgorithm::Es384));
    assert_eq!(grant.scope, "system/*.cruds");
}

#[test]
fn presets_mean_what_the_design_says() {
    let of =
        |text: &str| Folder::with_gateway(&format!("[consent.default]\n{text}\n")).config().consent.default;
    let named = ["SUD", "ETH", "ETHUD", "OPIOIDUD", "PSYTHPN"].map(str::to_owned).to_vec();
    let policy = |decision| DefaultPolicy {
        decision,
        purposes: None,
        max_confidentiality: Confidentiality::Normal,
        explicit_consent_sensitivity: named.clone(),
    };

    assert_eq!(of("preset = \"opt-in-hold\""), policy(DefaultDecision::Hold));
    assert_eq!(of("preset = \"deny-all\""), policy(DefaultDecision::Deny));
    let treat = Some(vec!["TREAT".to_owned()]);
    let hipaa = DefaultPolicy { purposes: treat, ..policy(DefaultDecision::Permit) };
    assert_eq!(of("preset = \"us-hipaa-treatment\""), hipaa);
    let all = DefaultPolicy {
        max_confidentiality: Confidentiality::Restricted,
        explicit_consent_sensitivity: Vec::new(),
        ..policy(DefaultDecision::Permit)
    };
    assert_eq!(of("preset = \"permit-all-authorised\""), all);
    assert_eq!(of("decision = \"hold\""), policy(DefaultDecision::Hold));
}

#[test]
fn a_server_may_want_another_audience_algorithm_and_further_fields() {
    let jwt = "[clinic.auth]\nkind = \"private-key-jwt\"\ntoken_url = \"https://a.example/token\"\nclient_id = \"gw\"\n\
               algorithm = \"ES256\"\naudience = \"https://idp.example/\"\nform = { resource = \"r\" }\n";

    let Credentials::PrivateKeyJwt { grant, key } =
        Folder::with_gateway(jwt).config().clinic.endpoint.credentials
    else {
        panic!("credentials")
    };

    assert!(matches!(key, OwnKey::InTurn(SigningAlgorithm::Es256)));
    assert_eq!(grant.audience.as_deref(), Some("https://idp.example/"));
    assert_eq!(grant.form[0].0, "resource");
    assert_eq!(grant.form[0].1.reveal(), "r");
}

#[test]
fn a_client_secret_may_stand_in_the_form() {
    let auth = "[clinic.auth]\nkind = \"client-secret\"\ntoken_url = \"https://a.example/token\"\nclient_id = \"gw\"\n\
                client_secret = \"s\"\n";
    for (line, expected) in [
        ("", SecretPlace::Basic),
        ("secret_in = \"basic\"\n", SecretPlace::Basic),
        ("secret_in = \"form\"\n", SecretPlace::Form),
    ] {
        let config = Folder::with_gateway(&format!("{auth}{line}")).config();
        let Credentials::ClientSecret { place, .. } = config.clinic.endpoint.credentials else {
            panic!("credentials")
        };
        assert_eq!(place, expected);
    }
}
