//! Down to what this kind of update needs (reference: consent part (c)), after consent said yes.

use serde_json::{Map, Value, json};

use super::kinds::Kind;
use super::kinds::diagnostic_report::OBSERVATION;
use super::kinds::task;
use super::read::Content;
use crate::consent::permit::Permit;
use crate::consent::redact::{Mark, reduce};
use crate::fhir::resource;
use crate::model::referral::Referral;
use crate::translation::to_clinic::keep_of_meta;

/// An update that holds no more than it needs. Only [`to_minimum`] makes one, and it asks for the Permit.
#[derive(Debug)]
pub struct Reduced {
    /// The referral that it concerns.
    pub(super) referral: Referral,
    /// The id at the clinic.
    pub(super) clinic_id: String,
    /// The resource.
    pub(super) main: Value,
    /// What travels along, with its reference at the clinic.
    pub(super) companions: Vec<(String, Value)>,
    /// The referral's Task, where it goes with an update of another kind.
    pub(super) task: Option<Value>,
}

/// Reduces an update. None: it has a modifier extension, which could turn its meaning round if it went.
pub fn to_minimum(mut content: Content, permit: &Permit, mark: Mark) -> Option<Reduced> {
    content.resources = reduce(&content.resources, permit, mark);
    let Content { kind, referral, mut resources, task: task_name, .. } = content;
    let clinic_id = resource::id(resources.first()?).to_owned();
    let is_task = |it: &Value| task_name.as_deref() == Some(resource::name_of(it).as_str());
    let task = resources.iter().position(is_task).map(|at| keep(resources.remove(at), task::KIND.sent));
    let (main, companions) = to_kind(resources, kind)?;
    Some(Reduced { referral, clinic_id, main, companions, task })
}

/// Down to the elements of a kind. None: see [`to_minimum`]. What it makes is no [`Reduced`] yet, so nothing sends it.
pub(super) fn to_kind(mut resources: Vec<Value>, kind: &Kind) -> Option<(Value, Vec<(String, Value)>)> {
    if resources.is_empty() || resources.iter().any(has_modifier_extension) {
        return None;
    }
    let mut main = resources.remove(0);
    let (binaries, others): (Vec<Value>, Vec<Value>) =
        resources.into_iter().partition(|it| resource::resource_type(it) == "Binary");
    put_inside(&mut main, &binaries);
    keep_of_kind(&mut main, kind);
    let companions = others.into_iter().map(|it| {
        let reference = resource::name_of(&it);
        (reference, keep(it, OBSERVATION))
    });
    Some((main, companions.collect()))
}

fn keep_of_kind(main: &mut Value, kind: &Kind) {
    *main = keep(main.take(), kind.sent);
    (kind.trim)(main);
}

/// The type, the security labels and these elements, with their extensions gone.
fn keep(mut resource: Value, sent: &[&str]) -> Value {
    keep_of_meta(&mut resource, &["security"]);
    if let Some(map) = resource.as_object_mut() {
        map.retain(|key, _| {
            key == "resourceType" || key == "meta" || sent.contains(&key.trim_start_matches('_'))
        });
    }
    drop_extensions(&mut resource);
    resource
}

/// Extensions may say anything; none is needed to understand these updates.
fn drop_extensions(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| key != "extension");
            map.values_mut().for_each(drop_extensions);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_extensions),
        _ => {}
    }
}

pub(super) fn has_modifier_extension(value: &Value) -> bool {
    match value {
        Value::Object(map) => {
            map.contains_key("modifierExtension") || map.values().any(has_modifier_extension)
        }
        Value::Array(list) => list.iter().any(has_modifier_extension),
        _ => false,
    }
}

/// Puts the content of files into the resource, and takes every address of a server out of it.
fn put_inside(resource: &mut Value, binaries: &[Value]) {
    for (list, element) in [("content", "attachment"), ("payload", "contentAttachment")] {
        for item in resource::items_mut(resource, list) {
            if let Some(attachment) = item.get_mut(element).and_then(Value::as_object_mut) {
                put_file_inside(attachment, binaries);
            }
        }
    }
}

fn put_file_inside(attachment: &mut Map<String, Value>, binaries: &[Value]) {
    let Some(url) = attachment.shift_remove("url") else {
        return;
    };
    let address = url.as_str().unwrap_or_default();
    let binary = binaries.iter().find(|it| address.ends_with(&format!("Binary/{}", resource::id(it))));
    if let Some(binary) = binary {
        attachment.insert("data".to_owned(), binary["data"].clone());
        attachment.entry("contentType").or_insert_with(|| json!(binary["contentType"]));
    }
}
