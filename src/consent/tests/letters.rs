//! What one rule answers, as a permit and as a deny, in the letters of consent S1.

use serde_json::{Value, json};

use super::fixtures::{Setting, consent};

const LETTERS: [(&str, &str); 7] = [
    ("permit provision-permit", "P"),
    ("hold provision-may-permit", "HP"),
    ("deny provision-does-not-cover", "X"),
    ("hold no-consent", "N"),
    ("deny provision-deny", "D"),
    ("hold provision-may-deny", "HD"),
    ("hold consent-not-understood", "not understood"),
];

/// What a permit with these criteria answers, and what a deny does: `P D` where both certainly match.
pub(super) fn both(setting: &Setting, criteria: &Value) -> String {
    let letters = ["permit", "deny"].map(|kind| {
        let mut provision = criteria.clone();
        provision["type"] = json!(kind);
        let outcome = setting.clone().consents(&[consent(&provision)]).outcome();
        LETTERS.iter().find(|(it, _)| *it == outcome).map_or(outcome, |(_, letter)| (*letter).to_owned())
    });
    letters.join(" ")
}

/// Asserts what `both` says of each value of one criterion.
pub(super) fn assert_answers(setting: &Setting, criterion: &str, answers: &[(Value, &str)]) {
    for (value, expected) in answers {
        assert_eq!(both(setting, &json!({ criterion: value })), *expected, "{criterion} {value}");
    }
}
