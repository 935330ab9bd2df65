//! The value of a criterion, as a privacy officer reads it.

use serde_json::Value;

use crate::consent::question::items;
use crate::fhir::coding::codings;

/// What a provision states in one of its elements, in few words.
pub fn in_words(element: &str, value: &Value) -> String {
    match element {
        "period" | "dataPeriod" => period(value),
        "actor" => listed(value, actor),
        "data" => listed(value, |it| format!("{} {}", text(&it["meaning"]), reference(&it["reference"]))),
        "action" | "code" => listed(value, concept),
        _ => listed(value, |it| code(it).to_owned()),
    }
}

fn listed(list: &Value, word: impl Fn(&Value) -> String) -> String {
    let words: Vec<String> = items(list).map(word).collect();
    words.join(" or ")
}

fn period(period: &Value) -> String {
    match (period["start"].as_str(), period["end"].as_str()) {
        (Some(start), Some(end)) => format!("{start} to {end}"),
        (Some(start), None) => format!("from {start}"),
        (None, Some(end)) => format!("until {end}"),
        (None, None) => "at any time".to_owned(),
    }
}

fn actor(actor: &Value) -> String {
    let role = codings(&actor["role"]).map(code).next().unwrap_or("in no role that is coded");
    format!("{role} {}", reference(&actor["reference"]))
}

/// The literal reference, else the identifier, else that there is only a name.
fn reference(reference: &Value) -> String {
    let identifier = &reference["identifier"];
    match (reference["reference"].as_str(), identifier["value"].as_str()) {
        (Some(literal), _) => literal.to_owned(),
        (None, Some(value)) => match identifier["system"].as_str() {
            Some(system) => format!("{system}|{value}"),
            None => value.to_owned(),
        },
        (None, None) => "what is named in words only".to_owned(),
    }
}

fn concept(concept: &Value) -> String {
    let codes: Vec<&str> = codings(concept).map(code).collect();
    if codes.is_empty() { "what is named in words only".to_owned() } else { codes.join(" = ") }
}

fn code(coding: &Value) -> &str {
    text(&coding["code"])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_criterion_is_told_by_what_it_names() {
        for (element, value, words) in [
            ("period", json!({ "start": "2026" }), "from 2026"),
            ("period", json!({ "end": "2026" }), "until 2026"),
            ("dataPeriod", json!({ "start": "2025", "end": "2026" }), "2025 to 2026"),
            ("dataPeriod", json!({}), "at any time"),
            ("purpose", json!([{ "code": "TREAT" }, { "code": "HPAYMT" }]), "TREAT or HPAYMT"),
            ("action", json!([{ "coding": [{ "code": "access" }] }]), "access"),
            ("code", json!([{ "text": "knee" }]), "what is named in words only"),
            (
                "actor",
                json!([{ "role": { "coding": [{ "code": "IRCP" }] }, "reference": { "reference": "Group/5" } }]),
                "IRCP Group/5",
            ),
            (
                "actor",
                json!([{ "reference": { "identifier": { "system": "urn:s", "value": "1" } } }]),
                "in no role that is coded urn:s|1",
            ),
            (
                "data",
                json!([{ "meaning": "instance", "reference": { "display": "that one" } }]),
                "instance what is named in words only",
            ),
        ] {
            assert_eq!(in_words(element, &value), words);
        }
    }
}
