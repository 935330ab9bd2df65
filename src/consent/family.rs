//! The same form signed again (consent S4.3): where two of them disagree, both must permit, unless the
//! narrower one is certainly the older.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::answer::Answer;
use super::node_outcome::Reply;
use super::period::Interval;
use super::provision::Verdict;
use super::question::items;
use crate::fhir::coding::codings;

/// Turns a permit into "not covered" where another Consent of its family does not cover the data.
pub fn limit_permits(replies: &mut [Reply<'_>], zone: &TimeZone) {
    let narrower = replies.iter().filter(|it| it.verdict.answer == Answer::NotCovered);
    let mut newest: HashMap<Family, Option<Timestamp>> = HashMap::new();
    for reply in narrower {
        let end = date(reply.consent, zone).and_then(|it| it.before);
        let known = newest.entry(family(reply.consent)).or_insert(end);
        // An undated one is as new as any.
        *known = known.zip(end).map(|(one, other)| one.max(other));
    }
    if newest.is_empty() {
        return;
    }
    for reply in replies.iter_mut().filter(|it| it.verdict.answer == Answer::Permit) {
        let Some(end) = newest.get(&family(reply.consent)) else {
            continue;
        };
        let start = date(reply.consent, zone).and_then(|it| it.from);
        // Missing and overlapping dates leave the order open.
        let is_older = end.zip(start).is_some_and(|(end, start)| end <= start);
        if !is_older {
            reply.verdict = Verdict::of(Answer::NotCovered);
            reply.rule = "same-form-signed-again";
        }
    }
}

type Family = [BTreeSet<String>; 2];

/// What makes two Consents the same form: the same categories under the same policies.
fn family(consent: &Value) -> Family {
    let name = |it: &Value| format!("{}|{}", it["system"], it["code"]);
    let categories = items(&consent["category"]).flat_map(codings).map(name).collect();
    let policies = items(&consent["policy"]).map(|it| it["uri"].to_string());
    [categories, policies.chain(codings(&consent["policyRule"]).map(name)).collect()]
}

fn date(consent: &Value, zone: &TimeZone) -> Option<Interval> {
    Interval::of_date(&consent["dateTime"], zone)
}
