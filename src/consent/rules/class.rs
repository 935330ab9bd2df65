//! `provision.class`: what kind of resource or document (consent S7.5).

use serde_json::Value;

use crate::consent::answer::Kind;
use crate::consent::question::{Question, items};
use crate::consent::truth::Truth;
use crate::fhir::resource;

const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";
const PROFILE: &str = "urn:ietf:rfc:3986";
const MEDIA_TYPE: &str = "urn:ietf:bcp:13";

/// IHE format codes, by every name that their code system has had.
const FORMAT: [&str; 3] = [
    "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
    "http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem",
    "urn:oid:1.3.6.1.4.1.19376.1.2.3",
];

/// Whether the resource is of one of the classes.
pub fn matches(question: &Question<'_>, classes: &Value, kind: Kind) -> Truth {
    let resources = [Some(question.node.resource), question.node.file];
    let each = resources.into_iter().flatten();
    Truth::any(each.flat_map(|resource| items(classes).map(move |it| one(it, resource, kind))))
}

fn one(class: &Value, resource: &Value, kind: Kind) -> Truth {
    let Some(code) = class["code"].as_str() else {
        return kind.doubt();
    };
    match class["system"].as_str() {
        Some(RESOURCE_TYPES) => Truth::from(resource::resource_type(resource) == code),
        Some(PROFILE) => has_profile(resource, code).into(),
        Some(MEDIA_TYPE) => media_type(resource, code, kind),
        Some(system) if FORMAT.contains(&system) => has_format(resource, code).into(),
        _ => kind.doubt(),
    }
}

fn has_profile(resource: &Value, profile: &str) -> bool {
    let without_version = |it: &str| it.split('|').next().unwrap_or_default().to_owned();
    let mut profiles = items(&resource["meta"]["profile"]).filter_map(Value::as_str);
    profiles.any(|it| without_version(it) == without_version(profile))
}

/// The media types of a resource's attachments. One without a type could be any.
fn media_type(resource: &Value, wanted: &str, kind: Kind) -> Truth {
    let mut found = Vec::new();
    attachments(resource, &mut found);
    Truth::any(found.iter().map(|it| match it {
        Some(media_type) => {
            let essence = media_type.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case(wanted).into()
        }
        None => kind.doubt(),
    }))
}

fn attachments<'v>(value: &'v Value, found: &mut Vec<Option<&'v str>>) {
    match value {
        Value::Object(map) => {
            if let Some(media_type) = map.get("contentType") {
                found.push(media_type.as_str());
            } else if map.contains_key("attachment") && !map["attachment"]["contentType"].is_string() {
                found.push(None);
            }
            map.iter().filter(|(key, _)| *key != "contained").for_each(|(_, it)| attachments(it, found));
        }
        Value::Array(list) => list.iter().for_each(|it| attachments(it, found)),
        _ => {}
    }
}

fn has_format(resource: &Value, code: &str) -> bool {
    let formats = items(&resource["content"]).map(|it| &it["format"]);
    formats
        .into_iter()
        .any(|it| it["code"] == code && it["system"].as_str().is_some_and(|system| FORMAT.contains(&system)))
}
