//! `provision.code`: about what (consent S7.6). Exact: there is no terminology server here, so a rule on a
//! parent concept must be expanded when the Consent is registered.

use serde_json::Value;

use crate::consent::answer::Kind;
use crate::consent::question::{Question, items};
use crate::consent::truth::Truth;
use crate::fhir::coding::codings;

/// Whether one of the concepts stands anywhere in the resource.
pub fn matches(question: &Question<'_>, concepts: &Value, kind: Kind) -> Truth {
    let present = question.node.codings();
    let found = Truth::any(items(concepts).map(|it| one(it, present, kind)));
    let could_be_in_the_text = question.node.labels.are_unknown();
    if found == Truth::False && could_be_in_the_text { kind.doubt() } else { found }
}

fn one(concept: &Value, present: &[&Value], kind: Kind) -> Truth {
    let mut listed = codings(concept).filter(|it| it["code"].is_string()).peekable();
    if listed.peek().is_none() {
        return kind.doubt();
    }
    Truth::any(listed.map(|it| is_present(it, present, kind)))
}

/// A code without its system may be another system's: enough to deny by, not to permit by.
fn is_present(listed: &Value, present: &[&Value], kind: Kind) -> Truth {
    let same_code = present.iter().filter(|it| it["code"] == listed["code"]);
    let found = match (listed["system"].as_str(), kind) {
        (Some(system), _) => same_code.into_iter().any(|it| it["system"] == system),
        (None, Kind::Deny) => same_code.into_iter().next().is_some(),
        (None, Kind::Permit) => false,
    };
    found.into()
}
