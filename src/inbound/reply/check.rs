//! Whether a reply is in order, and whether its sender may do what it asks for.

use serde_json::Value;

use super::super::open::Opened;
use super::super::{Inbound, InboundError};
use super::{Draft, message};
use crate::fhir::message_index::{Entry, MessageIndex};
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::reference::{self, Target, target};
use crate::fhir::resource::resource_type;
use crate::model::partner::Partner;
use crate::model::referral_state::{Actor, ReferralState};
use crate::model::reply::ReplyKind;
use crate::translation::dialects::{CancelWay, DialectRules};
use crate::translation::reply::{self, Places, TaskChange, elements_not_the_placers};
use crate::validation::{check_resource, check_whole};

/// Refuses what is not FHIR, or not what its door takes.
pub(super) fn form(opened: &Opened, kind: ReplyKind) -> Result<(), InboundError> {
    let sent = opened.message();
    let fits = match kind {
        ReplyKind::Communication => resource_type(sent) == "Communication",
        ReplyKind::DocumentReference => resource_type(sent) == "DocumentReference",
        ReplyKind::QuestionnaireResponse => resource_type(sent) == "QuestionnaireResponse",
        ReplyKind::TaskChange => resource_type(sent) == "Task",
        ReplyKind::AbortTask => reply::is_abort(sent),
        ReplyKind::Message => resource_type(sent) == "Bundle",
    };
    if !fits {
        return Err(InboundError::NotAReply(kind));
    }
    let issues = match kind {
        ReplyKind::Message => check_whole(sent),
        _ => check_resource(sent, resource_type(sent)),
    };
    valid(opened.as_sent(issues))
}

/// Refuses a reply about another patient, and one with references that lead nowhere.
pub(super) fn references(opened: &Opened, places: &Places<'_>) -> Result<(), InboundError> {
    let index = MessageIndex::of(opened.message());
    let mut issues = Vec::new();
    for entry in index.entries().iter().filter(|it| is_taken(it)) {
        reference::for_each(entry.resource, &entry.at, &mut |at, it| {
            if leads_nowhere(it["reference"].as_str().unwrap_or_default(), places, (&index, entry)) {
                let text = "Refer to what you sent with the referral or to what we host, contain it, or give a complete \
                            address: this leads nowhere.";
                issues.push(Issue::error(IssueKind::NotFound, "SEND_REFERENCE_UNRESOLVED", text).at(at));
            }
        });
        issues.extend(other_patient(places, &index, entry));
    }
    valid(opened.as_sent(issues))
}

fn valid(issues: Vec<Issue>) -> Result<(), InboundError> {
    if issues.is_empty() { Ok(()) } else { Err(InboundError::Invalid(issues)) }
}

fn is_taken(entry: &Entry<'_>) -> bool {
    resource_type(entry.resource) == "Task" || reply::TYPES.contains(&resource_type(entry.resource))
}

fn leads_nowhere(text: &str, places: &Places<'_>, (index, entry): (&MessageIndex<'_>, &Entry<'_>)) -> bool {
    match target(text) {
        Target::Absolute(_) => false,
        Target::Contained(_) => index.resolve(text, entry).is_none(),
        _ => places.named(text, index, entry).is_none() && index.resolve(text, entry).is_none(),
    }
}

/// A reply may name the referral's patient and nobody else.
fn other_patient(places: &Places<'_>, index: &MessageIndex<'_>, entry: &Entry<'_>) -> Option<Issue> {
    let patient = reply::patient(entry.resource);
    let is_own = match (patient["reference"].as_str(), patient.get("identifier")) {
        (Some(text), _) => places.named(text, index, entry).is_some_and(|it| places.is_patient(&it)),
        (None, Some(identifier)) => places.identifies_patient(identifier),
        (None, None) => true,
    };
    if is_own {
        return None;
    }
    let element = if resource_type(entry.resource) == "Task" { "for" } else { "subject" };
    let text = "Name the patient of the referral, by the reference that you sent it with or by ours, or leave this out.";
    let issue = Issue::error(IssueKind::BusinessRule, "SEND_PATIENT_OTHER", text);
    Some(issue.at(format!("{}.{element}", entry.at)))
}

impl Inbound {
    /// Whether the guide lets the placer do what it asks for, where the referral stands as far as it knows.
    pub(super) fn judge(&self, partner: &Partner, draft: &Draft, shown: &Value) -> Result<(), InboundError> {
        let rules = &self.house.dialects.of(partner.dialect)?.rules;
        let stands = TaskChange::of(shown, rules).state.unwrap_or(ReferralState::New);
        match draft.kind {
            ReplyKind::TaskChange => task_change(draft.opened.message(), shown, rules, stands),
            ReplyKind::AbortTask => may_stop(rules, stands, CancelWay::AbortTask),
            ReplyKind::Message => match message::stop(draft.opened.message(), rules) {
                Some(stop) => may_stop(rules, stands, stop),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn task_change(
    sent: &Value,
    shown: &Value,
    rules: &DialectRules,
    stands: ReferralState,
) -> Result<(), InboundError> {
    let wrong = elements_not_the_placers(sent, shown).into_iter().map(|element| {
        let text = "Send this as you read it, or leave it out: of a referral's Task its placer may change `status`, \
                    `statusReason`, `businessStatus`, `input` and `note`.";
        Issue::error(IssueKind::BusinessRule, "SEND_TASK_ELEMENT", text).at(format!("Task.{element}"))
    });
    valid(wrong.collect())?;
    let change = TaskChange::of(sent, rules);
    match change.state {
        Some(state) if state != stands && change.stops() => {
            let way =
                if state == ReferralState::CancelRequested { CancelWay::Request } else { CancelWay::Status };
            may_stop(rules, stands, way)
        }
        Some(state) if state != stands && sent["status"] != shown["status"] => Err(rules
            .transitions()
            .judge(Actor::Placer, Some(stands), state)
            .map_or_else(InboundError::State, |()| InboundError::NothingToDo)),
        _ if change.stops() || change.brings() => Ok(()),
        _ => Err(InboundError::NothingToDo),
    }
}

/// Whether a placer may stop what stands so, in this way.
fn may_stop(rules: &DialectRules, stands: ReferralState, way: CancelWay) -> Result<(), InboundError> {
    let transitions = rules.transitions();
    let judge = |to| transitions.judge(Actor::Placer, Some(stands), to);
    judge(ReferralState::Cancelled)
        .or_else(|_| judge(ReferralState::CancelRequested))
        .map_err(InboundError::State)?;
    let agreed = if stands.is_before_start() { rules.cancel.before_start } else { rules.cancel.after_start };
    let fits = way == agreed
        || matches!((way, agreed), (CancelWay::AbortTask | CancelWay::Request, _))
        || way == CancelWay::Message;
    if fits { Ok(()) } else { Err(InboundError::CancelWay(agreed)) }
}
