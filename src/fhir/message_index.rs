//! Finding what a reference within one message names.

use std::collections::HashMap;

use serde_json::Value;

use super::reference::{Target, target, type_and_id};
use super::{bundle, resource};

/// The resources of one message, a Bundle or a single resource, and how they name each other.
#[derive(Debug)]
pub struct MessageIndex<'m> {
    entries: Vec<Entry<'m>>,
    by_full_url: HashMap<&'m str, usize>,
    by_type_and_id: HashMap<(&'m str, &'m str), Named>,
}

/// One resource of a message.
#[derive(Clone, Debug)]
pub struct Entry<'m> {
    /// Where it is, as FHIRPath over the message: `Bundle.entry[3].resource` or `ServiceRequest`.
    pub at: String,
    /// `Bundle.entry.fullUrl`.
    pub full_url: Option<&'m str>,
    /// The resource.
    pub resource: &'m Value,
}

/// Two servers may use one id for two resources; then the id alone names nothing.
#[derive(Clone, Copy, Debug)]
enum Named {
    Once(usize),
    Ambiguous,
}

impl<'m> MessageIndex<'m> {
    /// Reads the resources of a message. An entry without a resource is left out, and so is the header of a
    /// `message` Bundle: it is about the others.
    pub fn of(message: &'m Value) -> Self {
        let entries = if resource::resource_type(message) == "Bundle" {
            bundle_entries(message)
        } else {
            vec![Entry { at: resource::resource_type(message).to_owned(), full_url: None, resource: message }]
        };
        let mut index = Self { entries, by_full_url: HashMap::new(), by_type_and_id: HashMap::new() };
        index.fill();
        index
    }

    /// The resources in the order of the message.
    pub fn entries(&self) -> &[Entry<'m>] {
        &self.entries
    }

    /// The resources of one type.
    pub fn of_type(&self, resource_type: &str) -> impl Iterator<Item = &Entry<'m>> {
        self.entries.iter().filter(move |it| resource::resource_type(it.resource) == resource_type)
    }

    /// The entry with this full URL, the first one where several have it.
    pub fn entry(&self, full_url: &str) -> Option<&Entry<'m>> {
        self.by_full_url.get(full_url).map(|it| &self.entries[*it])
    }

    /// The resource that a literal reference in `container`, or in a resource contained there, names,
    /// if the message has it. A version in the reference is not looked at.
    ///
    /// Source: FHIR R4, Bundle, resolving references in bundles; references, contained resources.
    pub fn resolve(&self, reference: &str, container: &Entry<'m>) -> Option<&'m Value> {
        match target(reference) {
            Target::Contained("") => Some(container.resource),
            Target::Contained(id) => contained(container.resource).find(|it| resource::id(it) == id),
            Target::Urn(url) => self.entry(url).map(|it| it.resource),
            Target::Absolute(url) => self.entry(without_version(url)).map(|it| it.resource),
            Target::Relative { resource_type, id } => self.relative(resource_type, id, container),
            Target::Unclear(_) => None,
        }
    }

    fn relative(&self, resource_type: &'_ str, id: &'_ str, container: &Entry<'m>) -> Option<&'m Value> {
        let same_server =
            container.full_url.and_then(base).map(|base| format!("{base}/{resource_type}/{id}"));
        if let Some(entry) = same_server.and_then(|it| self.entry(&it)) {
            return Some(entry.resource);
        }
        match self.by_type_and_id.get(&(resource_type, id))? {
            Named::Once(at) => Some(self.entries[*at].resource),
            Named::Ambiguous => None,
        }
    }

    fn fill(&mut self) {
        for (at, entry) in self.entries.iter().enumerate() {
            if let Some(full_url) = entry.full_url {
                self.by_full_url.entry(full_url).or_insert(at);
            }
            for name in names(entry) {
                let known = self.by_type_and_id.entry(name).or_insert(Named::Once(at));
                if !matches!(known, Named::Once(it) if *it == at) {
                    *known = Named::Ambiguous;
                }
            }
        }
    }
}

/// The resources contained in a resource.
pub fn contained(resource: &Value) -> impl Iterator<Item = &Value> {
    resource["contained"].as_array().into_iter().flatten()
}

fn bundle_entries(message: &Value) -> Vec<Entry<'_>> {
    let headers = usize::from(bundle::header(message).is_some());
    let entries = bundle::entries(message).enumerate().skip(headers);
    let entries = entries.filter(|(_, it)| it["resource"].is_object());
    let read = entries.map(|(number, it)| Entry {
        at: format!("Bundle.entry[{number}].resource"),
        full_url: it["fullUrl"].as_str(),
        resource: &it["resource"],
    });
    read.collect()
}

/// The `Type/id` of a resource: its own, and that of its address.
fn names<'m>(entry: &Entry<'m>) -> impl Iterator<Item = (&'m str, &'m str)> {
    let own = Some((resource::resource_type(entry.resource), resource::id(entry.resource)));
    let address = entry.full_url.and_then(type_and_id);
    own.filter(|(_, id)| !id.is_empty()).into_iter().chain(address)
}

/// `https://ehr.example/fhir` of `https://ehr.example/fhir/Patient/7`.
fn base(full_url: &str) -> Option<&str> {
    let (resource_type, id) = type_and_id(full_url)?;
    full_url.strip_suffix(id)?.strip_suffix('/')?.strip_suffix(resource_type)?.strip_suffix('/')
}

fn without_version(url: &str) -> &str {
    url.split("/_history/").next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_resolved_by_full_url_by_server_and_by_id() {
        let message = json!({ "resourceType": "Bundle", "entry": [
            { "fullUrl": "urn:uuid:1", "resource": { "resourceType": "Patient", "id": "p" } },
            { "fullUrl": "https://a.example/fhir/Patient/7", "resource": { "resourceType": "Patient", "id": "7" } },
            { "fullUrl": "https://b.example/fhir/Patient/7", "resource": { "resourceType": "Patient", "id": "7" } },
            { "fullUrl": "https://b.example/fhir/Task/1", "resource": { "resourceType": "Task", "id": "1" } },
            { "fullUrl": "urn:uuid:2", "resource": { "resourceType": "Task", "contained": [{ "id": "c" }] } },
        ]});
        let index = MessageIndex::of(&message);
        let (from_b, from_nowhere) = (&index.entries()[3], &index.entries()[4]);
        let resource = |number: usize| Some(&message["entry"][number]["resource"]);

        assert_eq!(index.resolve("urn:uuid:1", from_nowhere), resource(0));
        assert_eq!(index.resolve("Patient/p", from_nowhere), resource(0));
        assert_eq!(index.resolve("Patient/7", from_b), resource(2), "on the server of the container");
        assert_eq!(index.resolve("Patient/7", from_nowhere), None, "ambiguous");
        assert_eq!(index.resolve("https://a.example/fhir/Patient/7/_history/3", from_b), resource(1));
        assert_eq!(index.resolve("#c", from_nowhere), Some(&message["entry"][4]["resource"]["contained"][0]));
        assert_eq!(index.resolve("#c", from_b), None);
        assert_eq!(index.resolve("#", from_b), resource(3));
    }

    #[test]
    fn a_single_resource_is_a_message_of_one_entry() {
        let message = json!({ "resourceType": "ServiceRequest", "contained": [{ "id": "p" }] });
        let index = MessageIndex::of(&message);

        assert_eq!(index.entries()[0].at, "ServiceRequest");
        assert_eq!(index.resolve("#p", &index.entries()[0]), Some(&message["contained"][0]));
    }
}
