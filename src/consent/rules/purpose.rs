//! `provision.purpose`: why (consent S7.3).

use serde_json::Value;

use crate::consent::answer::Kind;
use crate::consent::disclosure::Purpose;
use crate::consent::purpose::{ACT_REASON, is_at_or_below, is_known};
use crate::consent::question::{Question, items};
use crate::consent::truth::Truth;

/// Whether one of the purposes covers the requested one.
pub fn matches(question: &Question<'_>, purposes: &Value, kind: Kind) -> Truth {
    let requested = question.situation.disclosure.purpose;
    Truth::any(items(purposes).map(|it| one(it, requested, kind)))
}

fn one(listed: &Value, requested: &Purpose, kind: Kind) -> Truth {
    let (system, code) = (listed["system"].as_str(), listed["code"].as_str().unwrap_or_default());
    if system == Some(requested.system.as_str()) && code == requested.code {
        return Truth::True;
    }
    let comparable = system == Some(ACT_REASON) && requested.system == ACT_REASON && is_known(code);
    if !comparable {
        return kind.doubt();
    }
    if is_at_or_below(&requested.code, code) {
        Truth::True
    } else if is_at_or_below(code, &requested.code) {
        // The recipient could use it for the narrower purpose.
        kind.doubt()
    } else {
        Truth::False
    }
}
