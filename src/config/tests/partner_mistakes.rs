//! Mistakes in `partners/*.toml`: each costs one partner, never the others.

use super::support::{Folder, PARTNER, summary};

fn mistakes(change: (&str, &str)) -> String {
    assert!(PARTNER.contains(change.0), "{}", change.0);
    Folder::with_partner(&PARTNER.replacen(change.0, change.1, 1)).mistakes()
}

#[test]
fn a_bad_partner_does_not_stop_the_others() {
    let folder = Folder::with_partner(PARTNER).and_file("partners/bad.toml", "id = [\n");

    let loaded = folder.load();

    assert_eq!(summary(&loaded.problems), "1:7 SYNTAX");
    let ids: Vec<_> = loaded.config.unwrap().partners.into_iter().map(|it| it.id.to_string()).collect();
    assert_eq!(ids, ["oak"]);
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let folder = Folder::with_gateway("[log]\nlevel = 5\n")
        .and_file("partners/a.toml", "name = 1\n")
        .and_file("partners/b.toml", "[outbound]\nmode = \"message\"\nshare = [\"results\", \"resluts\"]\n");

    assert_eq!(
        folder.mistakes(),
        "2:9 BAD_VALUE log.level\n\
         1:1 MISSING_KEY id\n1:1 MISSING_KEY organization\n1:1 MISSING_KEY inbound\n1:1 MISSING_KEY outbound\n\
         1:8 WRONG_TYPE name\n\
         1:1 MISSING_KEY id\n1:1 MISSING_KEY name\n1:1 MISSING_KEY organization\n1:1 MISSING_KEY inbound\n\
         1:2 MISSING_KEY outbound.base_url\n3:21 BAD_VALUE outbound.share[1]"
    );
}

#[test]
fn an_id_is_legal_and_the_name_of_its_file() {
    assert_eq!(mistakes(("id = \"oak\"", "id = \"elm\"")), "1:6 PARTNER_ID id");
    assert_eq!(mistakes(("id = \"oak\"", "id = \"Oak\"")), "1:6 PARTNER_ID id");
    assert_eq!(mistakes(("id = \"oak\"", "id = \"\"")), "1:6 PARTNER_ID id");
}

#[test]
fn the_issuers_of_a_server_are_certificates_in_pem() {
    let named = ("share = [", "ca_file = \"/no/such/file\"\nshare = [");
    assert_eq!(mistakes(named), "10:11 NAMED_FILE outbound.ca_file");
}

#[test]
fn published_keys_come_by_https_from_a_public_host() {
    let secret = "client_secret = \"s3cret-in\"";
    let at = |url: &str| PARTNER.replacen(secret, &format!("jwks_url = \"{url}\""), 1);
    let private = "[server]\nallow_private_networks = true\n";
    for (url, open, closed) in [
        ("https://oak.example/jwks.json", true, true),
        ("https://10.0.0.9/jwks.json", true, false),
        ("http://127.0.0.1:9/jwks.json", true, false),
        ("http://[::1]:9/jwks.json", true, false),
        ("http://localhost:9/jwks.json", true, false),
        ("http://10.0.0.9/jwks.json", false, false),
        ("http://oak.example/jwks.json", false, false),
        ("https://me:pw@oak.example/jwks.json", false, false),
    ] {
        let folder = Folder::with_partner(&at(url));
        assert_eq!(folder.mistakes().is_empty(), closed, "{url}");
        let folder = folder.and_file("gateway.toml", private);
        assert_eq!(folder.mistakes().is_empty(), open, "{url}: {}", folder.mistakes());
    }
}

#[test]
fn there_is_one_way_to_the_keys() {
    let secret = "client_secret = \"s3cret-in\"";
    let (url, file) = ("jwks_url = \"https://oak.example/jwks.json\"", "jwks_file = \"/no/such/file\"");
    assert_eq!(mistakes((secret, &format!("{url}\n{file}"))), "7:13 CONFLICT inbound.jwks_file");
    assert_eq!(mistakes((secret, &format!("{secret}\n{url}"))), "7:12 CONFLICT inbound.jwks_url");
    let issuers = "jwks_ca_file = \"/no/such/file\"";
    assert_eq!(mistakes((secret, &format!("{secret}\n{issuers}"))), "7:16 CONFLICT inbound.jwks_ca_file");
    assert_eq!(mistakes((secret, &format!("{url}\n{issuers}"))), "7:16 NAMED_FILE inbound.jwks_ca_file");
}

#[test]
fn two_clients_never_share_an_id() {
    let folder = Folder::with_partner(PARTNER)
        .and_file("partners/pine.toml", &PARTNER.replace("id = \"oak\"\nname", "id = \"pine\"\nname"));
    assert_eq!(folder.mistakes(), "5:13 DUPLICATE_CLIENT inbound.client_id");
    assert_eq!(folder.load().config.unwrap().partners.len(), 1);

    let clinic = "[clinic.client]\nclient_id = \"oak\"\nclient_secret = \"x\"\n";
    let folder = Folder::with_gateway(clinic).and_file("partners/oak.toml", PARTNER);
    assert_eq!(folder.mistakes(), "5:13 DUPLICATE_CLIENT inbound.client_id");
}

#[test]
fn addresses_are_public_and_https_unless_private_networks_are_allowed() {
    for address in
        ["http://oak.example/fhir", "https://localhost/fhir", "https://10.0.0.1/", "https://[::1]/"]
    {
        let text = PARTNER.replace("https://oak.example/fhir/", address);
        let folder = Folder::with_partner(&text);
        assert_eq!(folder.mistakes(), "9:12 ADDRESS outbound.base_url", "{address}");

        let folder = folder.and_file("gateway.toml", "[server]\nallow_private_networks = true\n");
        assert_eq!(folder.mistakes(), "", "{address}");
    }
}

#[test]
fn token_addresses_follow_the_same_rule() {
    let auth = "[outbound.auth]\nkind = \"client-secret\"\nclient_id = \"gw\"\nclient_secret = \"x\"\n";
    let text = format!("{PARTNER}{auth}token_url = \"https://192.168.0.9/token\"\n");

    assert_eq!(Folder::with_partner(&text).mistakes(), "15:13 ADDRESS outbound.auth.token_url");
}

#[test]
fn an_inbox_needs_no_address() {
    assert_eq!(
        mistakes(("base_url = \"https://oak.example/fhir/\"\n", "")),
        "7:2 MISSING_KEY outbound.base_url"
    );
    assert_eq!(
        mistakes(("mode = \"rest\"\nbase_url = \"https://oak.example/fhir/\"\n", "mode = \"inbox\"\n")),
        ""
    );
}

#[test]
fn messages_need_an_address_and_have_one_way_to_be_written_once() {
    let message = |more: &str| mistakes(("mode = \"rest\"", &format!("mode = \"message\"\n{more}")));

    assert_eq!(message(""), "");
    assert_eq!(message("effects = \"at-least-once\""), "");
    assert_eq!(message("effects = \"at-most-once\""), "9:11 CONFLICT outbound.effects");
    assert_eq!(
        mistakes(("mode = \"rest\"\nbase_url = \"https://oak.example/fhir/\"\n", "mode = \"message\"\n")),
        "7:2 MISSING_KEY outbound.base_url"
    );
}

#[test]
fn a_dialect_is_one_of_those_that_are_known() {
    assert_eq!(mistakes(("name =", "dialect = \"plane\"\nname =")), "2:11 BAD_VALUE dialect");
}

#[test]
fn a_jwks_file_holds_public_keys() {
    let folder = Folder::with_gateway("")
        .and_file("good.json", r#"{"keys":[{"kty":"EC"}]}"#)
        .and_file("private.json", r#"{"keys":[{"kty":"EC","d":"AAAA"}]}"#)
        .and_file("empty.json", r#"{"keys":[]}"#);
    let partner = |file: &str| {
        let line = format!("jwks_file = '{}'", folder.path(file).display());
        PARTNER.replace("client_secret = \"s3cret-in\"", &line)
    };
    let (good, private, empty) = (partner("good.json"), partner("private.json"), partner("empty.json"));

    let folder = folder.and_file("partners/oak.toml", &good);
    assert_eq!(folder.mistakes(), "");
    let folder = folder.and_file("partners/oak.toml", &private);
    assert_eq!(folder.mistakes(), "6:13 NAMED_FILE inbound.jwks_file");
    let folder = folder.and_file("partners/oak.toml", &empty);
    assert_eq!(folder.mistakes(), "6:13 NAMED_FILE inbound.jwks_file");
}

#[test]
fn a_credential_whose_variable_is_missing_is_one_problem() {
    assert_eq!(mistakes(("\"s3cret-in\"", "\"${NOT_SET}\"")), "6:17 VARIABLE inbound.client_secret");
}

#[test]
fn a_rate_is_whole_or_not_there() {
    let with = |lines: &str| PARTNER.replace("[outbound]", &format!("{lines}\n[outbound]"));

    assert_eq!(Folder::with_partner(&with("burst = 5")).mistakes(), "7:9 CONFLICT inbound.burst");
    let half = Folder::with_partner(&with("requests_per_second = 5")).mistakes();
    assert_eq!(half, "7:23 CONFLICT inbound.requests_per_second");
    let whole = Folder::with_partner(&with("requests_per_second = 5\nburst = 9")).config();
    let rate = whole.partners[0].client.rate.unwrap();
    assert_eq!((rate.per_second, rate.burst), (5, 9));
}
