//! `provision.action`: what may or may not be done (consent S7.2).

use serde_json::Value;

use crate::consent::answer::Kind;
use crate::consent::question::{Question, items};
use crate::consent::truth::Truth;
use crate::fhir::coding::codings;

const ACTION: &str = "http://terminology.hl7.org/CodeSystem/consentaction";

/// Who gets a copy can collect, see, use and pass on what is in it.
const IMPLIED: [&str; 4] = ["collect", "access", "use", "disclose"];

/// Whether one of the actions is the requested one.
pub fn matches(question: &Question<'_>, actions: &Value, kind: Kind) -> Truth {
    let requested = question.situation.disclosure.action;
    Truth::any(items(actions).map(|it| one(it, requested, kind)))
}

fn one(action: &Value, requested: &str, kind: Kind) -> Truth {
    let known = || {
        codings(action)
            .filter(|it| it["system"] == ACTION)
            .filter_map(|it| it["code"].as_str())
            .filter(|it| IMPLIED.contains(it) || *it == "correct")
    };
    let implied = kind == Kind::Deny && IMPLIED.contains(&requested);
    if known().any(|it| it == requested || (implied && IMPLIED.contains(&it))) {
        Truth::True
    } else if known().next().is_none() {
        kind.doubt()
    } else {
        Truth::False
    }
}
