//! A Task in the terms of a guide.

use serde_json::{Map, Value, json};

use super::rules::DialectRules;
use super::terms::{OutputTerms, StateTerms, TaskStatus};
use crate::fhir::coding::codings;
use crate::fhir::resource::push_item;
use crate::model::referral_state::{Actor, ReferralState};
use crate::translation::codes::CodeMaps;

/// The system of the words for states, to which the clinic's code maps lead.
pub const STATE_SYSTEM: &str = "https://referral-gateway.example/fhir/CodeSystem/referral-state";

/// The state that a Task of the clinic's stands for. An end is told by `status` alone, since a business status is
/// easily left behind; on the way, the business status tells more, where the clinic's code maps know it.
pub fn state_of(task: &Value, states: &CodeMaps) -> Option<ReferralState> {
    let by_status = TaskStatus::of_code(task["status"].as_str()?)?.state();
    if by_status.is_end() {
        return Some(by_status);
    }
    let told = codings(&task["businessStatus"]).find_map(|it| {
        let (system, code) = (it["system"].as_str()?, it["code"].as_str()?);
        let mapped = states.targets(system, code, "Task.businessStatus");
        let mut known = mapped.into_iter().chain([(system.to_owned(), code.to_owned())]);
        known.find_map(|(system, code)| (system == STATE_SYSTEM).then(|| ReferralState::of_word(&code))?)
    });
    Some(told.filter(|it| !it.is_end()).unwrap_or(by_status))
}

/// What the guide calls a state after another one: a filler that does not go on with what it began has `declined` in
/// one guide and `failed` in another (standards, part C). `told`: what the placer was told last.
pub fn state_after(rules: &DialectRules, told: Option<ReferralState>, state: ReferralState) -> ReferralState {
    let other = match state {
        ReferralState::Declined => ReferralState::Failed,
        ReferralState::Failed => ReferralState::Declined,
        _ => return state,
    };
    let transitions = rules.transitions();
    let goes = |to| told.is_some() && transitions.judge(Actor::Filler, told, to).is_ok();
    if !goes(state) && goes(other) { other } else { state }
}

/// Says where a referral stands as the guide does. `task.status` is the clinic's.
pub fn say_state(task: &mut Value, rules: &DialectRules, state: ReferralState) {
    let Some(terms) = rules.states.get(&state) else {
        return;
    };
    let clinic = task["status"].as_str().and_then(TaskStatus::of_code).unwrap_or(TaskStatus::Requested);
    let plain = rules.states.get(&clinic.state()).unwrap_or(terms);
    let status = status(terms, clinic).or_else(|| status(plain, clinic)).unwrap_or(clinic);
    task["status"] = json!(status.code());
    let inherited = if terms.status.is_none() { plain.business_status.as_ref() } else { None };
    let code = terms.business_status.as_ref().or(inherited);
    say_business_status(task, rules.business_status_system.as_deref(), code, terms.text.as_deref());
    say_reason(task, rules, terms);
    if let Some(output) = terms.output.as_ref().filter(|_| task.get("output").is_none()) {
        task["output"] = json!([nothing_said(output)]);
    }
}

/// Names the order both in `focus` and in `basedOn`, since guides disagree which of the two links a Task to it.
pub fn say_both_links(task: &mut Value) {
    let order = |it: &Value| it["type"] == "ServiceRequest";
    let focus = task.get("focus").filter(|it| order(it)).cloned();
    let based_on = task["basedOn"].as_array().into_iter().flatten().find(|it| order(it)).cloned();
    match (focus, based_on) {
        (Some(focus), None) => push_item(task, "basedOn", focus),
        (None, Some(based_on)) if task.get("focus").is_none() => task["focus"] = based_on,
        _ => {}
    }
}

fn status(terms: &StateTerms, clinic: TaskStatus) -> Option<TaskStatus> {
    let before = terms.status_before_acceptance.filter(|_| clinic.is_before_acceptance());
    before.or(terms.status)
}

/// The clinic's own codes stay first. Where its code map gave one of the guide's, that one counts.
fn say_business_status(task: &mut Value, system: Option<&str>, code: Option<&String>, text: Option<&str>) {
    if let (Some(system), Some(code)) = (system, code)
        && !codings(&task["businessStatus"]).any(|it| it["system"] == system)
    {
        let business_status = element(task, "businessStatus");
        push_item(business_status, "coding", json!({ "system": system, "code": code }));
    }
    if let Some(text) = text {
        element(task, "businessStatus")["text"] = json!(text);
    }
}

fn say_reason(task: &mut Value, rules: &DialectRules, terms: &StateTerms) {
    match (task.get_mut("statusReason"), &terms.reason) {
        (None, Some(reason)) => task["statusReason"] = json!({ "text": reason }),
        (Some(given), _) if rules.reason_needs_text && given.get("text").is_none() => {
            let first = codings(given).next();
            let words = first.and_then(|it| it.get("display").or_else(|| it.get("code"))).cloned();
            if let Some(words) = words {
                given["text"] = words;
            }
        }
        _ => {}
    }
}

fn nothing_said(output: &OutputTerms) -> Value {
    json!({
        "type": { "coding": [{ "system": output.type_system, "code": output.type_code }] },
        "valueCodeableConcept": {
            "coding": [{ "system": output.value_system, "code": output.value_code }],
            "text": output.text,
        },
    })
}

fn element<'v>(task: &'v mut Value, name: &str) -> &'v mut Value {
    if !task[name].is_object() {
        task[name] = Value::Object(Map::new());
    }
    &mut task[name]
}
