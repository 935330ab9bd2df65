//! The same form signed again (consent S4.3): where two of them disagree, both must permit, unless the
//! narrower one is certainly the older.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::answer::Answer;
use super::node_outcome::Reply;
use super::period::Interval;
use super::provision::Verdict;
use super::question::items;
use crate::fhir::coding::codings;

/// Turns a permit into "not covered" where another Consent of its family does not cover the data.
pub fn limit_permits<R>(replies: &mut [Reply<'_, R>], zone: &TimeZone) {
    let narrower: Vec<&Value> =
        replies.iter().filter(|it| it.verdict.answer == Answer::NotCovered).map(|it| it.consent).collect();
    for reply in replies.iter_mut().filter(|it| it.verdict.answer == Answer::Permit) {
        let limited = narrower
            .iter()
            .any(|it| family(it) == family(reply.consent) && !is_certainly_older(it, reply.consent, zone));
        if limited {
            reply.verdict = Verdict::of(Answer::NotCovered);
            reply.rule = "same-form-signed-again";
        }
    }
}

/// What makes two Consents the same form: the same categories under the same policies.
fn family(consent: &Value) -> [BTreeSet<String>; 2] {
    let name = |it: &Value| format!("{}|{}", it["system"], it["code"]);
    let categories = items(&consent["category"]).flat_map(codings).map(name).collect();
    let policies = items(&consent["policy"]).map(|it| it["uri"].to_string());
    [categories, policies.chain(codings(&consent["policyRule"]).map(name)).collect()]
}

/// Whether one is dated before another. Missing and overlapping dates leave the order open.
pub fn is_certainly_older(one: &Value, other: &Value, zone: &TimeZone) -> bool {
    let date = |consent: &Value| Interval::of_date(&consent["dateTime"], zone);
    let end = date(one).and_then(|it| it.before);
    end.zip(date(other).and_then(|it| it.from)).is_some_and(|(end, start)| end <= start)
}
