//! What the clinic wrote, in the partner's terms.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::dialects::{DialectTerms, say_both_links, say_state, state_after, state_of};
use super::message::task_address;
use super::placer::Placer;
use super::receipt::referral_identifier;
use crate::fhir::reference::{self, Target, target, type_and_id};
use crate::fhir::resource::resource_type;
use crate::model::referral::Referral;
use crate::model::referral_state::ReferralState;

/// In whose words, and for which way.
#[derive(Clone, Copy, Debug)]
pub struct PartnerTerms<'a> {
    /// The referral.
    pub referral: &'a Referral,
    /// What the placer calls the things that it sent.
    pub placer: &'a Placer,
    /// Our public address.
    pub public_url: &'a str,
    /// The clinic's FHIR base address; its absolute references begin with it.
    pub clinic_base: &'a str,
    /// The guide that the partner follows, and the clinic's codes in the partner's.
    pub dialect: &'a DialectTerms,
    /// Where the partner was last told that the referral stands.
    pub told: Option<ReferralState>,
    /// Pushed to the partner or hosted for it.
    pub form: Form,
}

/// Where the partner will find the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// On its own server: what it sent is there under its own names.
    Pushed,
    /// In a message to it, which names what it sent as on its own server.
    Message,
    /// On ours: what it sent is here under our ids.
    Hosted,
}

/// What may be named by a reference that leads nowhere: people, places and organisations.
const NAMED_ONLY: [&str; 7] = [
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "HealthcareService",
    "Device",
    "CareTeam",
];

/// Rewrites references and codes. `companions` are the resources that travel along, by their reference at
/// the clinic. A reference that the partner could not follow is reduced to what it may know, or removed.
pub fn to_partner(resource: &mut Value, terms: &PartnerTerms<'_>, companions: &BTreeMap<String, String>) {
    reference::retain(resource, &mut |it| rewrite(it, terms, companions));
    if resource_type(resource) == "Appointment" {
        leave_out_nobodies(resource);
    }
    terms.dialect.to_partner.translate(resource);
    if resource_type(resource) == "Task" {
        let state = state_to_tell(resource, terms);
        say_both_links(resource);
        if let Some(state) = state {
            say_state(resource, &terms.dialect.rules, state);
        }
    }
}

/// What becomes of one Reference; none: it is removed.
pub fn relinked(
    reference: &Value,
    terms: &PartnerTerms<'_>,
    companions: &BTreeMap<String, String>,
) -> Option<Value> {
    let mut it = reference.clone();
    rewrite(&mut it, terms, companions).then_some(it)
}

/// Where the referral stands by a Task of the clinic's, as the partner's guide has it told after what it was told before.
pub fn state_to_tell(task: &Value, terms: &PartnerTerms<'_>) -> Option<ReferralState> {
    let state = state_of(task, &terms.dialect.states)?;
    Some(state_after(&terms.dialect.rules, terms.told, state))
}

/// A participant whom the partner may not know, and of whom nothing else is said, is none (FHIR R4, app-1).
fn leave_out_nobodies(appointment: &mut Value) {
    if let Some(participants) = appointment["participant"].as_array_mut() {
        participants.retain(|it| it.get("actor").is_some() || it.get("type").is_some());
    }
}

fn rewrite(it: &mut Value, terms: &PartnerTerms<'_>, companions: &BTreeMap<String, String>) -> bool {
    let text = it["reference"].as_str().unwrap_or_default().to_owned();
    if matches!(target(&text), Target::Contained(_)) {
        return true;
    }
    let Some(clinic_reference) = at_clinic(&text, terms.clinic_base) else {
        return named_only(it, &text);
    };
    if let Some(address) = companions.get(&clinic_reference) {
        *it = json!({ "reference": address, "type": it["type"] });
        prune_type(it);
        return true;
    }
    match placed(&clinic_reference, terms) {
        Some(known) => {
            *it = known;
            true
        }
        None => named_only(it, &text),
    }
}

/// `Type/id`, if the reference leads to the clinic's server.
pub fn at_clinic(text: &str, clinic_base: &str) -> Option<String> {
    let relative = match target(text) {
        Target::Absolute(url) => url.strip_prefix(clinic_base)?.strip_prefix('/')?,
        Target::Relative { .. } => text,
        _ => return None,
    };
    type_and_id(relative).map(|(resource_type, id)| format!("{resource_type}/{id}"))
}

/// A reference to something that the partner sent, or to the coordination Task.
fn placed(clinic_reference: &str, terms: &PartnerTerms<'_>) -> Option<Value> {
    let clinic = terms.referral.clinic.as_ref()?;
    if clinic.coordination_task().is_some_and(|task| task.reference() == clinic_reference) {
        return Some(coordination_task(terms));
    }
    let written = clinic.written.iter().find(|it| it.resource.reference() == clinic_reference)?;
    let number = written.entry?;
    let part = terms.placer.parts.get(number)?;
    let mut known = json!({ "type": part.resource_type });
    let identifier = if part.resource_type == "ServiceRequest" {
        terms.placer.order_identifier()
    } else {
        part.identifier.clone()
    };
    if let Some(identifier) = identifier {
        known["identifier"] = identifier;
    }
    match (terms.form, &part.address) {
        (Form::Hosted, _) => known["reference"] = json!(hosted(&part.resource_type, number, terms)),
        (Form::Pushed | Form::Message, Some(address)) => known["reference"] = json!(address),
        (Form::Pushed | Form::Message, None) => {}
    }
    Some(known)
}

fn hosted(resource_type: &str, number: usize, terms: &PartnerTerms<'_>) -> String {
    let id = terms.referral.id;
    if resource_type == "ServiceRequest" {
        format!("ServiceRequest/{id}")
    } else {
        format!("{resource_type}/{id}-{number}")
    }
}

fn coordination_task(terms: &PartnerTerms<'_>) -> Value {
    let id = terms.referral.id;
    let reference = match terms.form {
        Form::Hosted => format!("Task/{id}"),
        Form::Pushed | Form::Message => task_address(terms.public_url, id),
    };
    json!({ "reference": reference, "type": "Task", "identifier": referral_identifier(terms.public_url, id) })
}

/// Keeps the name of a person, a place or an organisation and takes the link; a link to anything else goes
/// altogether, since even its display would tell what was not sent.
fn named_only(it: &mut Value, text: &str) -> bool {
    let resource_type = it["type"].as_str().or_else(|| type_and_id(text).map(|(name, _)| name));
    let Some(resource_type) = resource_type.filter(|name| NAMED_ONLY.contains(name)).map(str::to_owned)
    else {
        return false;
    };
    if let Some(map) = it.as_object_mut() {
        map.retain(|key, _| key == "display");
        map.insert("type".to_owned(), json!(resource_type));
    }
    true
}

fn prune_type(it: &mut Value) {
    if it["type"].is_null()
        && let Some(map) = it.as_object_mut()
    {
        map.shift_remove("type");
    }
}
