//! What a placer may change of a referral's Task, and what it wants by it.

use serde_json::{Value, json};

use super::Places;
use crate::fhir::message_index::MessageIndex;
use crate::fhir::reference;
use crate::fhir::resource::push_item;
use crate::model::referral_state::ReferralState;
use crate::translation::dialects::{DialectRules, TaskStatus};

/// What a changed Task asks for.
#[derive(Clone, Debug)]
pub struct TaskChange<'a> {
    task: &'a Value,
    /// The state that it says, where its status says one of the guide's.
    pub state: Option<ReferralState>,
}

/// What is to become of the clinic's Task.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It says all of it already.
    Nothing,
    /// This.
    To(Value),
}

/// Elements of a Task that its placer may change; and those that say nothing of the referral.
const THE_PLACERS: [&str; 9] =
    ["status", "statusReason", "businessStatus", "input", "note", "meta", "text", "language", "lastModified"];

/// Where a changed Task says something else than the Task as it was shown, in an element that is not the placer's to
/// say. What is left out says nothing.
pub fn elements_not_the_placers<'t>(sent: &'t Value, shown: &Value) -> Vec<&'t str> {
    let elements = sent.as_object().into_iter().flatten();
    let differs = |(name, value): &(&String, &Value)| {
        !THE_PLACERS.contains(&name.as_str()) && shown.get(name.as_str()) != Some(*value)
    };
    elements.filter(differs).map(|(name, _)| name.as_str()).collect()
}

impl<'a> TaskChange<'a> {
    /// Reads a Task in a guide's words.
    pub fn of(task: &'a Value, rules: &DialectRules) -> Self {
        let status = task["status"].as_str().and_then(TaskStatus::of_code);
        let system = rules.business_status_system.as_deref();
        let coding = task["businessStatus"]["coding"].as_array().into_iter().flatten();
        let code = coding.into_iter().find(|it| system.is_some_and(|system| it["system"] == system));
        let code = code.and_then(|it| it["code"].as_str());
        let state = status.and_then(|it| rules.read(it, code).or_else(|| Some(it.state())));
        Self { task, state }
    }

    /// Whether it asks for the referral to be stopped.
    pub const fn stops(&self) -> bool {
        matches!(
            self.state,
            Some(ReferralState::Cancelled | ReferralState::CancelRequested | ReferralState::EnteredInError)
        )
    }

    /// What it brings for the clinic besides.
    fn brought(&self, places: &Places<'_>, element: &str) -> Vec<Value> {
        let index = MessageIndex::of(self.task);
        let mut all = self.task[element].as_array().cloned().unwrap_or_default();
        if let Some(entry) = index.entries().first() {
            for item in &mut all {
                reference::for_each_mut(item, &mut |it| places.rewrite(it, &index, entry));
            }
        }
        all
    }

    /// Whether it brings anything besides.
    pub fn brings(&self) -> bool {
        ["input", "note"].iter().any(|it| self.task[*it].as_array().is_some_and(|all| !all.is_empty()))
    }

    /// The clinic's Task with what is brought, and stopped where `stop` says so.
    pub fn apply(&self, there: &Value, places: &Places<'_>, stop: bool, now: &str) -> Change {
        let mut changed = there.clone();
        for element in ["input", "note"] {
            for item in self.brought(places, element) {
                let known = changed[element].as_array().is_some_and(|all| all.contains(&item));
                if !known {
                    push_item(&mut changed, element, item);
                }
            }
        }
        if stop {
            changed["status"] = json!("cancelled");
            if let Some(reason) = self.task.get("statusReason") {
                changed["statusReason"] = reason.clone();
            }
        }
        if changed == *there {
            return Change::Nothing;
        }
        changed["lastModified"] = json!(now);
        Change::To(changed)
    }
}
