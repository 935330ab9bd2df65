//! The names by which people call places in a file.

use std::collections::HashMap;

use serde_json::Value;

use crate::fhir::resource::resource_type;
use crate::translation::account::is_at;

/// The resources of a file, by their places.
#[derive(Clone, Debug, Default)]
pub struct Places {
    root: String,
    types: HashMap<String, String>,
}

impl Places {
    /// Those of a message as it was sent.
    pub(super) fn of(sent: &Value) -> Self {
        let root = resource_type(sent).to_owned();
        let mut types = HashMap::new();
        collect(sent, &root, &mut types);
        Self { root, types }
    }

    /// Whether a place is the one that is asked for, or below it. That one may begin with the message
    /// (`Bundle.entry[1].resource.code`) or with a resource of it (`ServiceRequest.code`), may stand for several, and
    /// may leave out indexes.
    pub fn is_meant(&self, place: &str, wanted: &str) -> bool {
        let (resource, rest) = self.resource_of(place);
        is_at(place, wanted) || is_at(&format!("{}{rest}", self.type_of(resource)), wanted)
    }

    /// The innermost resource that a place is in, and the path within it.
    pub fn resource_of<'p>(&self, place: &'p str) -> (&'p str, &'p str) {
        let ends = place.match_indices(['.', '[']).map(|(at, _)| at).chain([place.len()]);
        let at = ends.filter(|at| self.types.contains_key(&place[..*at])).max().unwrap_or_default();
        place.split_at(at)
    }

    /// The type of the resource at a place.
    pub fn type_of(&self, resource: &str) -> &str {
        self.types.get(resource).map_or(self.root.as_str(), String::as_str)
    }
}

fn collect(value: &Value, place: &str, types: &mut HashMap<String, String>) {
    match value {
        Value::Object(map) => {
            if value["resourceType"].is_string() {
                types.insert(place.to_owned(), resource_type(value).to_owned());
            }
            map.iter().for_each(|(name, it)| collect(it, &format!("{place}.{name}"), types));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, it)| collect(it, &format!("{place}[{n}]"), types));
        }
        _ => {}
    }
}
