//! What an element of a rule says, in short words for the trace.

use serde_json::Value;

use super::question::items;
use crate::fhir::coding::codings;

/// The value of a provision's element.
pub fn in_words(element: &str, value: &Value) -> String {
    match element {
        "period" | "dataPeriod" => bounds(value),
        "actor" => list(value, actor),
        "data" => list(value, data),
        "action" | "code" => list(value, concept),
        _ => list(value, coding),
    }
}

fn list(value: &Value, one: impl Fn(&Value) -> String) -> String {
    items(value).map(one).collect::<Vec<_>>().join(" or ")
}

fn bounds(period: &Value) -> String {
    match (period["start"].as_str(), period["end"].as_str()) {
        (Some(start), Some(end)) => format!("from {start} until {end}"),
        (Some(start), None) => format!("from {start}"),
        (None, Some(end)) => format!("until {end}"),
        (None, None) => "always".to_owned(),
    }
}

fn actor(actor: &Value) -> String {
    format!("{} {}", concept(&actor["role"]), reference(&actor["reference"]))
}

fn data(entry: &Value) -> String {
    format!("{} {}", text(&entry["meaning"]).unwrap_or("meaning unknown"), reference(&entry["reference"]))
}

/// The literal reference and the identifier are alternatives, so both are told.
fn reference(reference: &Value) -> String {
    let identifier = &reference["identifier"];
    let identifier = text(&identifier["value"]).map(|value| {
        text(&identifier["system"]).map_or(value.to_owned(), |system| format!("{system}|{value}"))
    });
    let named: Vec<String> =
        text(&reference["reference"]).map(str::to_owned).into_iter().chain(identifier).collect();
    match (named.is_empty(), text(&reference["display"])) {
        (false, _) => named.join(" or "),
        (true, Some(display)) => format!("“{display}”"),
        (true, None) => "somebody unnamed".to_owned(),
    }
}

fn concept(concept: &Value) -> String {
    let codes: Vec<String> = codings(concept).map(coding).collect();
    match (codes.is_empty(), text(&concept["text"])) {
        (false, _) => codes.join(" or "),
        (true, Some(text)) => format!("“{text}”"),
        (true, None) => "no code".to_owned(),
    }
}

fn coding(coding: &Value) -> String {
    text(&coding["code"])
        .map(str::to_owned)
        .or_else(|| text(&coding["display"]).map(|it| format!("“{it}”")))
        .unwrap_or_else(|| "no code".to_owned())
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_actor_is_told_by_its_role_and_by_everything_that_names_it() {
        let role = json!({ "coding": [{ "code": "IRCP" }] });
        let actors = json!([
            { "role": role, "reference": {
                "reference": "Organization/3", "identifier": { "system": "urn:npi", "value": "1" },
            }},
            { "role": role, "reference": { "display": "Dr Who" } },
        ]);

        assert_eq!(in_words("actor", &actors), "IRCP Organization/3 or urn:npi|1 or IRCP “Dr Who”");
    }

    #[test]
    fn periods_are_told_by_their_bounds_and_data_by_its_meaning() {
        assert_eq!(in_words("period", &json!({ "start": "2024", "end": "2025" })), "from 2024 until 2025");
        assert_eq!(in_words("dataPeriod", &json!({ "end": "2025" })), "until 2025");
        assert_eq!(
            in_words("data", &json!([{ "meaning": "related", "reference": { "reference": "Encounter/1" } }])),
            "related Encounter/1"
        );
    }

    #[test]
    fn codes_are_told_alone_and_words_in_quotes() {
        assert_eq!(
            in_words("purpose", &json!([{ "system": "s", "code": "TREAT" }, { "code": "HPAYMT" }])),
            "TREAT or HPAYMT"
        );
        assert_eq!(in_words("code", &json!([{ "text": "anything" }])), "“anything”");
    }
}
