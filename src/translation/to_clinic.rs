//! A partner's submission as one transaction for the clinic's server.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::codes::{CodeMaps, CodeTrace};
use super::coordination::{OrderLinks, Parties, coordination_task, provenance};
use super::effect::{EffectNames, token_query};
use super::filler_order::{make_filler_order, type_as_placer};
use super::placer::{Placer, address_identifier};
use super::submission::{Part, Submission};
use crate::fhir::reference::{self, Target, target};
use crate::fhir::{bundle, coding, resource};

/// A transaction for the clinic's server.
#[derive(Clone, Debug)]
pub struct ForClinic {
    /// The Bundle.
    pub bundle: Value,
    /// For each entry of the Bundle, the part of the submission that it is; none for what we added.
    pub parts: Vec<Option<usize>>,
    /// For each entry, the id that it gets where we choose ids; none for people and organisations, which may
    /// be the clinic's own.
    pub ids: Vec<Option<String>>,
    /// Which codings were added, and by which code map.
    pub codes: Vec<CodeTrace>,
}

/// Attachments above this many base64 characters become a Binary of their own.
const LARGE_ATTACHMENT: usize = 256 * 1024;

/// What people and organisations are known by everywhere. These are found by it, so that the clinic's own
/// record of them is used and not a copy.
const KNOWN_BY_IDENTIFIER: [&str; 6] =
    ["Patient", "Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService"];

/// Types whose `identifier` is a single one and belongs to the sender, or that have none.
pub(super) const WITHOUT_IDENTIFIERS: [&str; 4] =
    ["Binary", "Provenance", "QuestionnaireResponse", "Composition"];

/// Translates a valid submission into the clinic's terms (DESIGN section 4, what we write at the clinic).
pub fn to_clinic(
    submission: &Submission<'_>,
    names: &EffectNames,
    parties: &Parties<'_>,
    maps: &CodeMaps,
) -> ForClinic {
    let placer = Placer::of(submission);
    let mut writer = Writer {
        submission,
        firsts: firsts(submission),
        names,
        maps,
        placer: &placer,
        entries: Vec::new(),
        parts: Vec::new(),
        ids: Vec::new(),
        codes: Vec::new(),
    };
    for (number, part) in submission.parts().iter().enumerate() {
        if part.resource_type() != "Task" && writer.firsts[number] == number {
            writer.write_part(number, part);
        }
    }
    writer.write_coordination(parties);
    ForClinic {
        bundle: bundle::transaction(writer.entries),
        parts: writer.parts,
        ids: writer.ids,
        codes: writer.codes,
    }
}

/// For each part, the first that is known by the same identifier. A transaction may make a conditional create
/// only once, and a sender may name the same practice twice.
fn firsts(submission: &Submission<'_>) -> Vec<usize> {
    let mut seen: HashMap<(&str, String), usize> = HashMap::new();
    let parts = submission.parts().iter().enumerate();
    parts
        .map(|(number, part)| match known_by(part.resource, part.resource_type()) {
            Some(condition) => *seen.entry((part.resource_type(), condition)).or_insert(number),
            None => number,
        })
        .collect()
}

/// The search that finds whoever is known by an identifier everywhere.
fn known_by(resource: &Value, resource_type: &str) -> Option<String> {
    coding::identifiers(resource)
        .find(|(system, _)| !system.is_empty() && KNOWN_BY_IDENTIFIER.contains(&resource_type))
        .map(|(system, value)| token_query("identifier", system, value))
}

struct Writer<'a, 'm> {
    submission: &'a Submission<'m>,
    firsts: Vec<usize>,
    names: &'a EffectNames,
    maps: &'a CodeMaps,
    placer: &'a Placer,
    entries: Vec<Value>,
    parts: Vec<Option<usize>>,
    ids: Vec<Option<String>>,
    codes: Vec<CodeTrace>,
}

impl<'m> Writer<'_, 'm> {
    fn write_part(&mut self, number: usize, part: &Part<'m>) {
        let mut resource = self.rewritten(part);
        if part.resource_type() == "ServiceRequest" {
            make_filler_order(&mut resource, self.placer.order_identifier());
        }
        self.maps.translate_traced(&mut resource, &mut self.codes);
        let id = known_by(&resource, part.resource_type()).is_none().then(|| number.to_string());
        let condition = self.mark(&mut resource, number, part.resource_type());
        let binaries = self.lift_large_attachments(&mut resource, number);
        self.push(&address(number), resource, (&condition, id.as_deref()), Some(number));
        for (name, binary) in binaries {
            self.push(&binary_address(&name), binary, (&self.names.by_tag(&name), Some(&name)), None);
        }
    }

    fn write_coordination(&mut self, parties: &Parties<'_>) {
        let submission = self.submission;
        let order = submission.first("ServiceRequest").map(|(number, _)| address(number));
        let (Some(order), Some(patient)) = (order, submission.patient().map(address)) else {
            return; // A valid submission has both.
        };
        let placer_task = submission.first("Task").map(|(_, part)| self.rewritten(part));
        let links = OrderLinks {
            service_request: &order,
            patient: &patient,
            placer_task_identifiers: &self.placer.task,
        };
        let mut task = coordination_task(self.names, parties, &links, placer_task.as_ref());
        self.maps.translate_traced(&mut task, &mut self.codes);
        let task_number = submission.first("Task").map(|(number, _)| number);
        let known_by = self.names.by_identifier("task");
        self.push(TASK_ADDRESS, task, (&known_by, Some("task")), task_number);

        let full_urls: Vec<String> =
            self.entries.iter().filter_map(|entry| entry["fullUrl"].as_str().map(str::to_owned)).collect();
        let targets: Vec<&str> = full_urls.iter().map(String::as_str).collect();
        let provenance = provenance(self.names, parties, &targets, self.placer.order_identifier().as_ref());
        let known_by = self.names.by_tag("provenance");
        self.push(PROVENANCE_ADDRESS, provenance, (&known_by, Some("provenance")), None);
    }

    /// The part with references into the transaction, and without what only its own server may say.
    fn rewritten(&self, part: &Part<'m>) -> Value {
        let mut resource = part.resource.clone();
        if let Some(map) = resource.as_object_mut() {
            map.shift_remove("id");
            if part.contains_parts {
                map.shift_remove("contained");
            }
        }
        keep_of_meta(&mut resource, &["profile", "security", "tag"]);
        reference::for_each_mut(&mut resource, &mut |it| self.point_into_transaction(it, part));
        resource
    }

    fn point_into_transaction(&self, reference: &mut Value, part: &Part<'m>) {
        let text = reference["reference"].as_str().unwrap_or_default().to_owned();
        if let Some(number) = self.submission.resolve(&text, part) {
            let to_task = self.submission.parts()[number].resource_type() == "Task";
            let address = || address(self.firsts[number]);
            reference["reference"] = json!(if to_task { TASK_ADDRESS.to_owned() } else { address() });
            return;
        }
        if let (Target::Absolute(url), Some(map)) = (target(&text), reference.as_object_mut()) {
            // It names something on the sender's server: kept as a name, not as an address of ours.
            map.shift_remove("reference");
            map.entry("identifier").or_insert_with(|| address_identifier(url));
        }
    }

    /// Gives the resource our name, and returns the search that finds it again.
    fn mark(&self, resource: &mut Value, number: usize, resource_type: &str) -> String {
        let name = number.to_string();
        let known_by = known_by(resource, resource_type);
        if known_by.is_some() || WITHOUT_IDENTIFIERS.contains(&resource_type) {
            add_tag(resource, self.names.tag(&name));
            return known_by.unwrap_or_else(|| self.names.by_tag(&name));
        }
        if resource_type != "ServiceRequest" {
            type_as_placer(resource);
        }
        resource::push_item(resource, "identifier", self.names.identifier(&name));
        self.names.by_identifier(&name)
    }

    fn lift_large_attachments(&self, resource: &mut Value, number: usize) -> Vec<(String, Value)> {
        let mut binaries = Vec::new();
        for content in resource::items_mut(resource, "content") {
            let Some(attachment) = content.get_mut("attachment") else {
                continue;
            };
            if attachment["data"].as_str().is_none_or(|data| data.len() <= LARGE_ATTACHMENT) {
                continue;
            }
            let name = format!("{number}-binary-{}", binaries.len());
            let data =
                attachment.as_object_mut().and_then(|map| map.shift_remove("data")).unwrap_or_default();
            attachment["url"] = json!(binary_address(&name));
            let binary = json!({
                "resourceType": "Binary",
                "meta": { "tag": [self.names.tag(&name)] },
                "contentType": attachment["contentType"].as_str().unwrap_or("application/octet-stream"),
                "data": data,
            });
            binaries.push((name, binary));
        }
        binaries
    }

    /// `known_by`: the search that finds it again, and its name among our effects if it is ours.
    fn push(&mut self, full_url: &str, resource: Value, known_by: (&str, Option<&str>), part: Option<usize>) {
        self.entries.push(bundle::create_entry(full_url, resource, known_by.0));
        self.parts.push(part);
        self.ids.push(known_by.1.map(|name| self.names.name(name)));
    }
}

const TASK_ADDRESS: &str = "urn:uuid:00000000-0000-4000-8000-00000000000a";
const PROVENANCE_ADDRESS: &str = "urn:uuid:00000000-0000-4000-8000-00000000000b";

/// The address of a part within the transaction. It needs to be unique there and nowhere else.
fn address(number: usize) -> String {
    format!("urn:uuid:00000000-0000-4000-9000-{number:012x}")
}

/// The address of a Binary within the transaction, made from its name.
fn binary_address(name: &str) -> String {
    let mut numbers = name.split("-binary-").map(|it| it.parse::<u32>().unwrap_or_default());
    let (part, place) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    format!("urn:uuid:00000000-0000-4000-a000-{part:06x}{place:06x}")
}

/// Leaves these elements of `meta` and removes the others.
pub fn keep_of_meta(resource: &mut Value, kept: &[&str]) {
    let Some(map) = resource.as_object_mut() else {
        return;
    };
    if let Some(meta) = map.get_mut("meta").and_then(Value::as_object_mut) {
        meta.retain(|key, _| kept.contains(&key.as_str()));
        if meta.is_empty() {
            map.shift_remove("meta");
        }
    }
}

pub(super) fn add_tag(resource: &mut Value, tag: Value) {
    let meta = &mut resource["meta"];
    if !meta.is_object() {
        *meta = json!({});
    }
    resource::push_item(meta, "tag", tag);
}
