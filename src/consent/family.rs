//! The same form signed again (consent S4.3): where two of them disagree, both must permit, unless the
//! narrower one is certainly the older.

use std::collections::{BTreeMap, BTreeSet};

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
pub fn limit_permits<R>(replies: &mut [Reply<'_, R>], zone: &TimeZone) {
    if !replies.iter().any(|it| it.verdict.answer == Answer::Permit) {
        return;
    }
    let newest = newest_of_each_family(replies, zone);
    if newest.is_empty() {
        return;
    }
    for reply in replies.iter_mut().filter(|it| it.verdict.answer == Answer::Permit) {
        let signed = date(reply.consent, zone).and_then(|it| it.from);
        let older = |end: &End| matches!((end, signed), (End::At(end), Some(signed)) if *end <= signed);
        if newest.get(&family(reply.consent)).is_some_and(|end| !older(end)) {
            reply.verdict = Verdict::of(Answer::NotCovered);
            reply.rule = "same-form-signed-again";
        }
    }
}

/// When a Consent's date is over. One without a date may be newer than any.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    At(Timestamp),
    Unknown,
}

/// Of each family, the newest Consent that does not cover the data: a permit that is not certainly newer than
/// that one is limited. So the cost grows with the Consents, not with their pairs.
fn newest_of_each_family<R>(replies: &[Reply<'_, R>], zone: &TimeZone) -> BTreeMap<Family, End> {
    let mut newest = BTreeMap::new();
    for reply in replies.iter().filter(|it| it.verdict.answer == Answer::NotCovered) {
        let end = date(reply.consent, zone).and_then(|it| it.before).map_or(End::Unknown, End::At);
        newest.entry(family(reply.consent)).and_modify(|it| *it = end.max(*it)).or_insert(end);
    }
    newest
}

type Family = [BTreeSet<String>; 2];

fn date(consent: &Value, zone: &TimeZone) -> Option<Interval> {
    Interval::of_date(&consent["dateTime"], zone)
}

/// What makes two Consents the same form: the same categories under the same policies.
fn family(consent: &Value) -> Family {
    let name = |it: &Value| format!("{}|{}", it["system"], it["code"]);
    let categories = items(&consent["category"]).flat_map(codings).map(name).collect();
    let policies = items(&consent["policy"]).map(|it| it["uri"].to_string());
    [categories, policies.chain(codings(&consent["policyRule"]).map(name)).collect()]
}

/// Whether one is dated before another. Missing and overlapping dates leave the order open.
pub fn is_certainly_older(one: &Value, other: &Value, zone: &TimeZone) -> bool {
    let end = date(one, zone).and_then(|it| it.before);
    end.zip(date(other, zone).and_then(|it| it.from)).is_some_and(|(end, start)| end <= start)
}
