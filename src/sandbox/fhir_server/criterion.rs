//! One search parameter with its values, and how it compares (FHIR R4, search).

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::refusal::Refusal;
use super::search::values_at;

/// One condition. Its values are alternatives; the conditions of a search must all hold.
pub(super) enum Criterion {
    Token { paths: &'static [&'static str], wanted: Vec<Token> },
    Reference { paths: &'static [&'static str], wanted: Vec<String>, base: String },
    Updated { comparison: String, from: Timestamp, until: Timestamp },
}

/// `system|code`, `|code`, `code` or `system|`.
pub(super) struct Token {
    system: Option<String>,
    pub(super) code: Option<String>,
}

const PATIENT: &[&str] = &["subject", "patient", "for", "beneficiary", "participant.actor"];

const TOKENS: &[(&str, &[&str])] = &[
    ("_id", &["id"]),
    ("_tag", &["meta.tag"]),
    ("_security", &["meta.security"]),
    ("identifier", &["identifier"]),
    ("status", &["status"]),
    ("code", &["code"]),
    ("category", &["category"]),
    ("intent", &["intent"]),
];

const REFERENCES: &[(&str, &[&str])] = &[
    ("patient", PATIENT),
    ("subject", PATIENT),
    ("based-on", &["basedOn"]),
    ("focus", &["focus"]),
    ("part-of", &["partOf"]),
    ("encounter", &["encounter", "context.encounter"]),
    ("related", &["context.related"]),
    ("activity-reference", &["activity.reference"]),
    ("target", &["target"]),
];

impl Criterion {
    /// Reads one parameter. An unknown one is refused: leaving it out would find too much.
    pub(super) fn parse(name: &str, value: &str, base: &str) -> Result<Self, Refusal> {
        if name == "_lastUpdated" {
            return updated(value);
        }
        if let Some((_, paths)) = TOKENS.iter().find(|it| it.0 == name) {
            return Ok(Self::Token { paths, wanted: value.split(',').map(Token::parse).collect() });
        }
        if let Some((_, paths)) = REFERENCES.iter().find(|it| it.0 == name) {
            let wanted = value.split(',').map(|it| local(it, base).to_owned()).collect();
            return Ok(Self::Reference { paths, wanted, base: base.to_owned() });
        }
        let text = format!("the search parameter {name} is not supported");
        Err(Refusal::new(http::StatusCode::BAD_REQUEST, "not-supported", text))
    }

    pub(super) fn holds(&self, resource: &Value, last_updated: Timestamp) -> bool {
        match self {
            Self::Token { paths, wanted } => {
                elements(resource, paths).any(|element| wanted.iter().any(|it| it.matches(element)))
            }
            Self::Reference { paths, wanted, base } => elements(resource, paths).any(|element| {
                let reference = local(element["reference"].as_str().unwrap_or_default(), base);
                wanted.iter().any(|it| is_reference_to(reference, it))
            }),
            Self::Updated { comparison, from, until } => match comparison.as_str() {
                "ge" => last_updated >= *from,
                "gt" => last_updated >= *until,
                "le" => last_updated < *until,
                "lt" => last_updated < *from,
                _ => last_updated >= *from && last_updated < *until,
            },
        }
    }
}

impl Token {
    fn parse(text: &str) -> Self {
        let some = |it: &str| Some(it.to_owned());
        match text.split_once('|') {
            Some((system, "")) => Self { system: some(system), code: None },
            Some((system, code)) => Self { system: some(system), code: some(code) },
            None => Self { system: None, code: some(text) },
        }
    }

    /// An element is a code, a Coding, an Identifier or a CodeableConcept.
    fn matches(&self, element: &Value) -> bool {
        if let Some(codings) = element["coding"].as_array() {
            return codings.iter().any(|it| self.matches(it));
        }
        let code = element.as_str().or(element["value"].as_str()).or(element["code"].as_str());
        let system = element["system"].as_str().unwrap_or_default();
        let system_fits = element.is_string() || self.system.as_ref().is_none_or(|it| it == system);
        system_fits && self.code.as_ref().is_none_or(|it| Some(it.as_str()) == code)
    }
}

fn elements<'v>(resource: &'v Value, paths: &'static [&'static str]) -> impl Iterator<Item = &'v Value> {
    paths.iter().flat_map(move |path| values_at(resource, path))
}

/// The reference without this server's base and without a version.
fn local<'r>(reference: &'r str, base: &str) -> &'r str {
    let own = reference.strip_prefix(base).and_then(|it| it.strip_prefix('/'));
    own.unwrap_or(reference).split("/_history/").next().unwrap_or_default()
}

/// `wanted` may be a bare id; then the type is left open.
fn is_reference_to(reference: &str, wanted: &str) -> bool {
    let bare = !wanted.contains('/') && !reference.contains("://");
    reference == wanted || bare && reference.rsplit_once('/').is_some_and(|(_, id)| id == wanted)
}

/// A date covers its day, a time to the second its second (FHIR R4, search, prefixes).
fn updated(value: &str) -> Result<Criterion, Refusal> {
    let bad = || Refusal::bad_request("_lastUpdated takes ge, gt, le, lt or eq before a date or an instant");
    let prefix_length = value.bytes().take_while(u8::is_ascii_lowercase).count();
    let (comparison, text) = value.split_at(prefix_length);
    if !["", "eq", "ge", "gt", "le", "lt"].contains(&comparison) {
        return Err(bad());
    }
    let (from, width) = instant(text).ok_or_else(bad)?;
    let until = from.checked_add(width).map_err(|_| bad())?;
    Ok(Criterion::Updated { comparison: comparison.to_owned(), from, until })
}

fn instant(text: &str) -> Option<(Timestamp, SignedDuration)> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        let millisecond = SignedDuration::from_millis(1);
        return Some((instant, if text.contains('.') { millisecond } else { SignedDuration::from_secs(1) }));
    }
    let date: Date = (text.len() == 10).then(|| text.parse().ok())??;
    let start = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some((start, SignedDuration::from_hours(24)))
}
