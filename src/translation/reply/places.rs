//! Where at the clinic stands what a reply refers to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fhir::message_index::{Entry, MessageIndex};
use crate::fhir::reference::{Target, target, type_and_id};
use crate::fhir::{coding, resource};
use crate::model::ids::ReferralId;
use crate::model::referral::ClinicRecord;
use crate::model::update::ResourceVersion;
use crate::translation::placer::{address_identifier, first_identifier};
use crate::translation::submission::Submission;

/// A referral as its placer knows it, and where its parts stand at the clinic.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The referral.
    pub referral: ReferralId,
    /// What was sent.
    pub submission: &'a Submission<'a>,
    /// What the clinic has of it; none: nothing yet.
    pub record: Option<&'a ClinicRecord>,
    /// What the partner was sent of it, by the names under which the partner knows it, `Type/id`: the clinic's names.
    pub updates: &'a BTreeMap<String, String>,
    /// Our public address.
    pub public_url: &'a str,
    /// The base address of the partner's own server, where it has one.
    pub partner_base: Option<&'a str>,
}

/// What a reference in a reply leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The referral's order.
    Order,
    /// Its coordination Task.
    Task,
    /// A part of what was sent.
    Part(usize),
    /// Something of the clinic's that the partner was sent, by the clinic's name for it.
    Update(String),
}

impl Places<'_> {
    /// What a literal reference in an entry of a reply leads to; none: to nothing of this referral.
    pub fn named(&self, reference: &str, index: &MessageIndex<'_>, entry: &Entry<'_>) -> Option<Named> {
        if let Some(resource) =
            index.resolve(reference, entry).filter(|it| !std::ptr::eq(*it, entry.resource))
        {
            return self.same(resource);
        }
        self.hosted(reference).or_else(|| self.sent(reference)).or_else(|| self.update(reference))
    }

    /// As the partner names what it was sent: on its own server, or on ours.
    fn update(&self, reference: &str) -> Option<Named> {
        let bases = [Some(format!("{}/fhir", self.public_url)), self.partner_base.map(str::to_owned)];
        let relative = match target(reference) {
            Target::Absolute(url) => {
                bases.into_iter().flatten().find_map(|it| url.strip_prefix(&it)?.strip_prefix('/'))?
            }
            Target::Relative { .. } => reference,
            _ => return None,
        };
        let (resource_type, id) = type_and_id(relative)?;
        self.updates.get(&format!("{resource_type}/{id}")).cloned().map(Named::Update)
    }

    /// Whether an identifier is one of the patient's.
    pub fn identifies_patient(&self, identifier: &Value) -> bool {
        let patient = self.submission.patient().and_then(|number| self.submission.parts().get(number));
        let named = (identifier["system"].as_str().unwrap_or_default(), identifier["value"].as_str());
        patient.is_some_and(|it| {
            coding::identifiers(it.resource).any(|(system, value)| (system, Some(value)) == named)
        })
    }

    /// The part of the referral that a resource of a reply is a copy of.
    fn same(&self, copy: &Value) -> Option<Named> {
        let resource_type = resource::resource_type(copy);
        match resource_type {
            "ServiceRequest" => return Some(Named::Order),
            "Task" => return Some(Named::Task),
            _ => {}
        }
        let shared = |part: &Value| {
            coding::identifiers(part)
                .any(|it| !it.0.is_empty() && coding::identifiers(copy).any(|own| own == it))
        };
        let parts = self.submission.parts().iter().enumerate();
        let found =
            parts.into_iter().find(|(_, it)| it.resource_type() == resource_type && shared(it.resource));
        found.map(|(number, _)| Named::Part(number))
    }

    /// By the id under which we host it.
    fn hosted(&self, reference: &str) -> Option<Named> {
        let relative = match target(reference) {
            Target::Absolute(url) => url.strip_prefix(self.public_url)?.strip_prefix("/fhir/")?,
            Target::Relative { .. } => reference,
            _ => return None,
        };
        let (resource_type, id) = type_and_id(relative)?;
        match (id.strip_prefix(&self.referral.to_string())?, resource_type) {
            ("", "Task") => Some(Named::Task),
            ("", "ServiceRequest") => Some(Named::Order),
            (number, _) => number.strip_prefix('-')?.parse().ok().map(Named::Part),
        }
    }

    /// As the placer named it in what it sent.
    fn sent(&self, reference: &str) -> Option<Named> {
        let (order_number, order) = self.submission.first("ServiceRequest")?;
        let number = self.submission.resolve(reference, order)?;
        if number == order_number {
            return Some(Named::Order);
        }
        let is_task = self.submission.parts()[number].resource_type() == "Task";
        Some(if is_task { Named::Task } else { Named::Part(number) })
    }

    /// Whether it is the referral's patient.
    pub fn is_patient(&self, named: &Named) -> bool {
        matches!(named, Named::Part(number) if self.submission.patient() == Some(*number))
    }

    /// What the clinic's server calls it.
    pub fn at_clinic(&self, named: &Named) -> Option<String> {
        let record = self.record?;
        let found = match named {
            Named::Update(there) => return Some(there.clone()),
            Named::Order => record.first("ServiceRequest"),
            Named::Task => record.coordination_task(),
            Named::Part(number) => {
                record.written.iter().find(|it| it.entry == Some(*number)).map(|it| &it.resource)
            }
        };
        found.map(ResourceVersion::reference)
    }

    /// The referral's patient at the clinic.
    pub fn patient(&self) -> Option<String> {
        self.submission.patient().and_then(|number| self.at_clinic(&Named::Part(number)))
    }

    /// Makes a reference lead to what stands at the clinic. What does not stand there is kept as a name.
    pub(super) fn rewrite(&self, reference: &mut Value, index: &MessageIndex<'_>, entry: &Entry<'_>) {
        let text = reference["reference"].as_str().unwrap_or_default().to_owned();
        if matches!(target(&text), Target::Contained(_)) {
            return;
        }
        let named = self.named(&text, index, entry);
        if let Some(there) = named.as_ref().and_then(|it| self.at_clinic(it)) {
            reference["reference"] = json!(there);
            return;
        }
        let identifier = match (named, target(&text)) {
            (Some(Named::Part(number)), _) => self.identifier_of(number),
            (None, Target::Absolute(url)) => Some(address_identifier(url)),
            _ => index.resolve(&text, entry).and_then(first_identifier),
        };
        if let Some(map) = reference.as_object_mut() {
            map.shift_remove("reference");
            if let Some(identifier) = identifier {
                map.entry("identifier").or_insert(identifier);
            }
            if !map.contains_key("identifier") {
                map.entry("display").or_insert_with(|| json!("Not sent along"));
            }
        }
    }

    fn identifier_of(&self, number: usize) -> Option<Value> {
        first_identifier(self.submission.parts().get(number)?.resource)
    }
}
