//! The Task of a referral with what its placer said since.

use serde_json::{Value, json};

use super::super::open;
use super::super::{Inbound, InboundError};
use super::message;
use crate::fhir::resource;
use crate::model::partner::Partner;
use crate::model::referral::Referral;
use crate::model::referral_state::ReferralState;
use crate::model::reply::{Reply, ReplyKind};
use crate::model::update::ResourceVersion;
use crate::translation::dialects::{DialectRules, say_state};
use crate::translation::reply::TaskChange;

impl Inbound {
    /// Adds to a Task what the placer changed of it: what it brought, and that it stops or asks to stop.
    pub async fn show_replies(
        &self,
        partner: &Partner,
        referral: &Referral,
        task: &mut Value,
    ) -> Result<(), InboundError> {
        let replies = self.store.replies(referral.id).await?;
        let changing = |it: &&Reply| {
            matches!(it.kind, ReplyKind::TaskChange | ReplyKind::AbortTask | ReplyKind::Message)
                && !it.stopped
        };
        let changing: Vec<&Reply> = replies.iter().filter(changing).collect();
        if changing.is_empty() {
            return Ok(());
        }
        let rules = &self.house.dialects.of(partner.dialect)?.rules;
        for reply in &changing {
            let Some(body) = self.store.reply_body(reply.id).await? else {
                continue;
            };
            let opened = open::again(body.reveal(), partner.fhir_version).map_err(|_| InboundError::Lost)?;
            show(reply, opened.message(), referral, rules, task);
        }
        let version = format!("{}.r{}", resource::version(task), changing.len());
        task["meta"]["versionId"] = json!(version);
        let newest = changing.iter().map(|it| it.received).max();
        if let Some(newest) = newest.filter(|it| resource::last_updated(task).is_none_or(|shown| shown < *it))
        {
            task["meta"]["lastUpdated"] = json!(newest.to_string());
        }
        Ok(())
    }
}

fn show(reply: &Reply, sent: &Value, referral: &Referral, rules: &DialectRules, task: &mut Value) {
    let change = match reply.kind {
        ReplyKind::TaskChange => Some(sent),
        ReplyKind::Message => message::task(sent),
        _ => None,
    };
    for element in ["input", "note"] {
        for item in change.into_iter().filter_map(|it| it[element].as_array()).flatten() {
            if !task[element].as_array().is_some_and(|all| all.contains(item)) {
                resource::push_item(task, element, item.clone());
            }
        }
    }
    let stops = match reply.kind {
        ReplyKind::AbortTask => true,
        ReplyKind::Message => message::stop(sent, rules).is_some(),
        _ => TaskChange::of(sent, rules).stops(),
    };
    let stands = TaskChange::of(task, rules).state;
    if !stops || stands.is_some_and(ReferralState::is_end) {
        return;
    }
    let asked = change.and_then(|it| TaskChange::of(it, rules).state);
    let at_once = reply.kind == ReplyKind::TaskChange && asked != Some(ReferralState::CancelRequested);
    let own_task =
        referral.clinic.as_ref().and_then(|it| it.coordination_task()).map(ResourceVersion::reference);
    let is_applied = reply.at_clinic.as_ref().is_none_or(|it| Some(it) == own_task.as_ref());
    if at_once && is_applied {
        task["status"] = json!("cancelled");
        say_state(task, rules, ReferralState::Cancelled);
        if let Some(reason) = sent.get("statusReason") {
            task["statusReason"] = reason.clone();
        }
    } else {
        say_asked_to_stop(task, rules);
    }
}

/// The guide's word for it takes the place of where the referral stands, if it has one.
fn say_asked_to_stop(task: &mut Value, rules: &DialectRules) {
    let before = task.get("businessStatus").cloned();
    let of_guide =
        |it: &Value| rules.business_status_system.as_deref().is_some_and(|system| it["system"] == system);
    if let Some(codings) = task["businessStatus"]["coding"].as_array_mut() {
        codings.retain(|it| !of_guide(it));
    }
    say_state(task, rules, ReferralState::CancelRequested);
    let is_said = task["businessStatus"]["coding"].as_array().is_some_and(|all| all.iter().any(of_guide));
    if !is_said && let Some(map) = task.as_object_mut() {
        match before {
            Some(before) => map.insert("businessStatus".to_owned(), before),
            None => map.shift_remove("businessStatus"),
        };
    }
}
