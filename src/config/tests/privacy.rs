//! No secret is ever shown, whatever is wrong beside it.

use super::support::{Folder, PARTNER};

/// Everything that anybody could see of the mistakes.
fn shown(folder: &Folder) -> String {
    let loaded = folder.load();
    assert!(!loaded.problems.is_empty());
    let texts = loaded.problems.iter().map(|it| it.to_text() + &it.to_coloured_text() + &it.to_json());
    texts.collect::<String>() + &format!("{loaded:?}")
}

#[test]
fn a_secret_beside_a_mistake_is_shown_as_stars() {
    let tables = [
        "[clinic.auth]\nkind = \"none\"\ntoken = \"hunter2\"\n",
        "[clinic.auth]\nkind = \"none\"\npassword = '''\nhunter2'''\n",
        "[clinic]\nauth = { kind = \"bearre\", token = \"hunter2\" }\n",
        "[clinic]\nauth = { kind = \"bearer\", tokken = \"hunter2\" }\n",
        "[clinic.auth]\nkind = \"basic\"\npasword = \"hunter2\"\n",
        "[clinic.auth]\nkind = \"basic\"\nparole = \"hunter2\"\n",
        "[clinic]\nbase_url = \"https://me:hunter2@clinic.example/fhir\"\n",
        "[clinic.auth]\nkind = \"bearer\"\ntoken = \"${X:-hunter2}\"\ntoken_file = \"/no\"\n",
        "[clinic.auth]\nkind = \"bearer\"\ntoken = \"hunter2${X}\"\n",
        "[clinic.auth]\nkind = \"bearer\"\nparole = \"hunter2${X}\"\n",
        "[clinic.auht]\nparole = \"hunter2\"\n",
        "[clinic]\nauht = { parole = \"hunter2\", x = \"${X}\" }\n",
    ];
    for text in tables {
        let shown = shown(&Folder::with_gateway(text));
        assert!(!shown.contains("hunter2"), "{text}\n{shown}");
    }
}

#[test]
fn a_secret_in_a_file_that_is_not_toml_is_not_shown() {
    for text in [
        "[clinic.auth]\ntoken = \"hunter2\n",
        "[clinic.auth]\ntoken = hunter2\n",
        "[clinic.auth]\npasword = hunter2\n",
        "[clinic.auth]\nCLIENT_SECRET = \"hunter2\" x\n",
        "[clinic]\nauth = { kind = \"bearer\", token = \"hunter2\" \n",
        "[clinic.auth]\npassword = \"\"\"\nhunter2\n",
        "[clinic.auth]\npassword = '''\nhunter2''' x\n",
    ] {
        let shown = shown(&Folder::with_gateway(text));
        assert!(!shown.contains("hunter2"), "{text}\n{shown}");
    }
}

#[test]
fn a_secret_from_a_variable_or_a_file_is_not_shown() {
    let folder = Folder::with_gateway("").and_file("token", "hunter2\nhunter2\n");
    let text = format!(
        "[clinic]\nhook_token_file = '{}'\nx = 1\n[clinic.auth]\nkind = \"basic\"\npassword = \"${{P}}\"\n",
        folder.path("token").display()
    );
    let folder = folder.and_file("gateway.toml", &text).and_variable("P", "hunter2");

    assert!(!shown(&folder).contains("hunter2"));
}

#[test]
fn checked_settings_hide_their_secrets() {
    let loaded = Folder::with_partner(PARTNER).load();

    assert!(!format!("{loaded:?}").contains("s3cret"));
}
