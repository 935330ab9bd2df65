//! A reply as one transaction for the clinic's server.

use serde_json::{Value, json};

use super::Places;
use crate::fhir::message_index::{Entry, MessageIndex};
use crate::fhir::reference;
use crate::fhir::{bundle, coding, resource};
use crate::translation::codes::CodeMaps;
use crate::translation::coordination::{Parties, TASK_CODE, organization, provenance};
use crate::translation::effect::EffectNames;
use crate::translation::filler_order::type_as_placer;
use crate::translation::to_clinic::{ForClinic, WITHOUT_IDENTIFIERS, add_tag, keep_of_meta};

/// What a reply is translated with.
#[derive(Clone, Copy, Debug)]
pub struct ReplyParties<'a> {
    /// Where at the clinic things stand.
    pub places: &'a Places<'a>,
    /// Our names for what is written.
    pub names: &'a EffectNames,
    /// Who sent it, and when.
    pub parties: &'a Parties<'a>,
    /// The partner's codes in the clinic's.
    pub maps: &'a CodeMaps,
}

const PROVENANCE_ADDRESS: &str = "urn:uuid:00000000-0000-4000-8000-00000000000c";

/// The resources that a reply brings, each linked to the order and its patient, and the Provenance of all.
pub fn reply_to_clinic(
    additions: &[&Entry<'_>],
    index: &MessageIndex<'_>,
    with: &ReplyParties<'_>,
) -> ForClinic {
    let resources = additions.iter().map(|entry| addition(entry, index, with));
    transaction(resources.collect(), with)
}

/// The Task at the clinic by which the placer asks to stop the referral (FHIR R4, code system task-code; Clinical
/// Order Workflows, cancelling and modifying requests). `sent`: the Task that asks, where one does.
pub fn abort_task(sent: Option<&Value>, with: &ReplyParties<'_>) -> Option<ForClinic> {
    let places = with.places;
    let task = places.at_clinic(&super::places::Named::Task)?;
    let order = places.at_clinic(&super::places::Named::Order)?;
    let parties = with.parties;
    let mut abort = json!({
        "resourceType": "Task",
        "basedOn": [{ "reference": order, "type": "ServiceRequest" }],
        "status": "requested",
        "intent": "order",
        "code": coding::concept(TASK_CODE, "abort"),
        "focus": { "reference": task, "type": "Task" },
        "authoredOn": parties.received.to_string(),
        "lastModified": parties.received.to_string(),
        "requester": organization(&parties.partner.organization, &parties.partner.name),
        "owner": organization(parties.clinic, parties.clinic_name),
    });
    if let Some(patient) = places.patient() {
        abort["for"] = json!({ "reference": patient, "type": "Patient" });
    }
    for element in ["identifier", "statusReason", "reasonCode", "description", "note"] {
        if let Some(value) = sent
            .filter(|_| element != "identifier" || sent.is_some_and(super::is_abort))
            .and_then(|it| it.get(element))
        {
            abort[element] = value.clone();
        }
    }
    with.maps.translate(&mut abort);
    Some(transaction(vec![abort], with))
}

fn addition(entry: &Entry<'_>, index: &MessageIndex<'_>, with: &ReplyParties<'_>) -> Value {
    let mut resource = entry.resource.clone();
    if let Some(map) = resource.as_object_mut() {
        map.shift_remove("id");
    }
    keep_of_meta(&mut resource, &["profile", "security", "tag"]);
    reference::for_each_mut(&mut resource, &mut |it| with.places.rewrite(it, index, entry));
    link(&mut resource, with);
    with.maps.translate(&mut resource);
    resource
}

/// Links a resource to the order, so that everybody at the clinic finds it there.
fn link(resource: &mut Value, with: &ReplyParties<'_>) {
    let Some(order) = with.places.at_clinic(&super::places::Named::Order) else {
        return;
    };
    let link = json!({ "reference": order, "type": "ServiceRequest" });
    let is_document = resource::resource_type(resource) == "DocumentReference";
    if is_document && !resource["context"].is_object() {
        resource["context"] = json!({});
    }
    let (holder, element) =
        if is_document { (&mut resource["context"], "related") } else { (&mut *resource, "basedOn") };
    let is_there =
        holder[element].as_array().is_some_and(|all| all.iter().any(|it| it["reference"] == order.as_str()));
    if !is_there {
        resource::push_item(holder, element, link);
    }
    // Whoever is named was found to be the referral's patient.
    let is_contained = resource["subject"]["reference"].as_str().is_some_and(|it| it.starts_with('#'));
    if let Some(patient) = with.places.patient().filter(|_| !is_contained) {
        resource["subject"] = json!({ "reference": patient, "type": "Patient" });
    }
    let author = match resource::resource_type(resource) {
        "Communication" => "sender",
        "QuestionnaireResponse" => "author",
        _ => return,
    };
    if resource.get(author).is_none() {
        let parties = with.parties;
        resource[author] = organization(&parties.partner.organization, &parties.partner.name);
    }
}

fn transaction(resources: Vec<Value>, with: &ReplyParties<'_>) -> ForClinic {
    let names = with.names;
    let (mut entries, mut ids, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
    for (number, mut resource) in resources.into_iter().enumerate() {
        let address = format!("urn:uuid:00000000-0000-4000-9000-{number:012x}");
        let name = number.to_string();
        let condition = mark(&mut resource, names, &name);
        entries.push(bundle::create_entry(&address, resource, &condition));
        ids.push(Some(names.name(&name)));
        addresses.push(address);
    }
    let targets: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let provenance = provenance(names, with.parties, &targets, None);
    entries.push(bundle::create_entry(PROVENANCE_ADDRESS, provenance, &names.by_tag("provenance")));
    ids.push(Some(names.name("provenance")));
    ForClinic {
        parts: vec![None; entries.len()],
        bundle: bundle::transaction(entries),
        ids,
        codes: Vec::new(),
        firsts: Vec::new(),
    }
}

/// Gives a resource our name, and returns the search that finds it again.
fn mark(resource: &mut Value, names: &EffectNames, name: &str) -> String {
    if WITHOUT_IDENTIFIERS.contains(&resource::resource_type(resource)) {
        add_tag(resource, names.tag(name));
        return names.by_tag(name);
    }
    type_as_placer(resource);
    resource::push_item(resource, "identifier", names.identifier(name));
    names.by_identifier(name)
}
