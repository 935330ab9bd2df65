//! Who wrote the data (consent S7.8, `authoredby`).

use serde_json::{Value, json};

use super::fixtures::{Setting, observation};
use super::letters::assert_answers;

fn by(reference: &str) -> Value {
    json!([{ "meaning": "authoredby", "reference": { "reference": reference } }])
}

fn written_by(author: &Value) -> Setting {
    let mut observation = observation("o", "718-7");
    observation["performer"] = json!([author]);
    Setting::new().sends(&[observation])
}

fn role(id: &str, person: &str, place: &str) -> Value {
    json!({
        "resourceType": "PractitionerRole", "id": id,
        "practitioner": { "reference": person }, "organization": { "reference": place },
    })
}

#[test]
fn an_author_is_told_from_other_people_and_perhaps_writes_for_an_organisation() {
    assert_answers(
        &written_by(&json!({ "reference": "Practitioner/author" })),
        "data",
        &[
            (by("Practitioner/author"), "P D"),
            (by("Practitioner/other"), "X N"),
            (by("Organization/ward"), "X HD"),
            (by("PractitionerRole/r"), "X HD"),
        ],
    );
}

#[test]
fn an_author_writes_for_the_organisations_where_the_author_has_a_role() {
    let mut setting = written_by(&json!({ "reference": "Practitioner/author" }));
    setting.directory = vec![
        role("r", "Practitioner/author", "Organization/ward"),
        role("s", "Practitioner/other", "Organization/elsewhere"),
    ];

    assert_answers(
        &setting,
        "data",
        &[(by("Organization/ward"), "P D"), (by("Organization/elsewhere"), "X N")],
    );
}

#[test]
fn a_role_that_wrote_is_its_person_at_its_organisation_if_it_can_be_read() {
    let mut setting = written_by(&json!({ "reference": "PractitionerRole/r" }));
    assert_answers(
        &setting,
        "data",
        &[(by("PractitionerRole/r"), "P D"), (by("Practitioner/author"), "X HD")],
    );

    setting.directory = vec![role("r", "Practitioner/author", "Organization/ward")];
    assert_answers(
        &setting,
        "data",
        &[
            (by("Practitioner/author"), "P D"),
            (by("Organization/ward"), "P D"),
            (by("Practitioner/other"), "X N"),
        ],
    );
}

#[test]
fn an_organisation_that_wrote_is_no_person() {
    assert_answers(
        &written_by(&json!({ "reference": "Organization/laboratory" })),
        "data",
        &[(by("Organization/laboratory"), "P D"), (by("Practitioner/other"), "X N")],
    );
}

#[test]
fn an_author_who_cannot_be_told_permits_nothing_and_may_be_denied() {
    assert_answers(
        &written_by(&json!({ "display": "somebody" })),
        "data",
        &[(by("Practitioner/other"), "X HD")],
    );
    // A Task without an author.
    assert_answers(&Setting::new(), "data", &[(by("Practitioner/other"), "X HD")]);
}

#[test]
fn an_author_elsewhere_is_told_by_the_address() {
    assert_answers(
        &written_by(&json!({ "reference": "https://elsewhere.example/Practitioner/1" })),
        "data",
        &[
            (by("https://elsewhere.example/Practitioner/1"), "P D"),
            (by("https://elsewhere.example/Practitioner/2"), "X HD"),
        ],
    );
}

#[test]
fn a_contained_author_is_told_by_the_identifier() {
    let mut setting = written_by(&json!({ "reference": "#a" }));
    let practitioner = |id: &str, value: &str| json!({ "resourceType": "Practitioner", "id": id, "identifier": [{ "system": "urn:p", "value": value }] });
    setting.resources[0]["contained"] = json!([practitioner("a", "1"), practitioner("b", "2")]);
    let identified = |value: &str| {
        let reference = json!({ "identifier": { "system": "urn:p", "value": value } });
        json!([{ "meaning": "authoredby", "reference": reference }])
    };

    assert_answers(&setting, "data", &[(identified("1"), "P D"), (identified("2"), "X N")]);
}
