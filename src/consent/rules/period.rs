//! `provision.period`: when the rule is in force (consent S6).

use serde_json::Value;

use crate::consent::answer::Kind;
use crate::consent::period::contains;
use crate::consent::question::Question;
use crate::consent::truth::Truth;

/// Whether now lies in it.
pub fn matches(question: &Question<'_>, period: &Value, _kind: Kind) -> Truth {
    let disclosure = question.situation.disclosure;
    contains(Some(period), disclosure.now, &disclosure.clinic.time_zone)
}
