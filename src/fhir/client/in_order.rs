//! Several resources that belong together, at a server without transactions: one after the other, each after
//! those that it refers to, and each looked for first. Whatever breaks off is taken up where it broke off.

use std::collections::BTreeMap;

use serde_json::Value;

use super::FhirClient;
use super::failure::Failure;
use super::found::Found;
use super::write::{NewResource, Placed};
use crate::fhir::capability::Method;

/// One of several resources.
#[derive(Clone, Debug)]
pub struct Part {
    /// By what the others refer to it, `urn:uuid:…`.
    pub full_url: String,
    /// The resource.
    pub new: NewResource,
}

impl FhirClient {
    /// Writes the parts. The answer has them in the order in which they were given.
    pub async fn write_in_order(
        &self,
        method: Method,
        parts: &[Part],
    ) -> Result<Found<Vec<Placed>>, Failure> {
        let mut names: BTreeMap<&str, String> = BTreeMap::new();
        let mut placed: Vec<Option<Placed>> = vec![None; parts.len()];
        while placed.iter().any(Option::is_none) {
            let ready = parts.iter().enumerate().find(|(number, part)| {
                placed[*number].is_none()
                    && parts.iter().all(|other| {
                        names.contains_key(other.full_url.as_str())
                            || other.full_url == part.full_url
                            || !mentions(&part.new.content, &other.full_url)
                    })
            });
            let (number, part) = ready.ok_or(Failure::NotSent("circular-references"))?;
            let Found::One(there) = self.write_part(method, part, &names).await? else {
                return Ok(Found::Several);
            };
            names.insert(&part.full_url, there.reference.clone());
            placed[number] = Some(there);
        }
        Ok(Found::One(placed.into_iter().flatten().collect()))
    }

    async fn write_part(
        &self,
        method: Method,
        part: &Part,
        names: &BTreeMap<&str, String>,
    ) -> Result<Found<Placed>, Failure> {
        match self.look_for(method, &part.new).await? {
            Found::One(there) => return Ok(Found::One(Placed::found(&there))),
            Found::Several => return Ok(Found::Several),
            Found::Nothing => {}
        }
        let mut new = part.new.clone();
        rename(&mut new.content, names);
        self.write_new(method, &new).await
    }
}

/// Whether a text stands anywhere in a value. The addresses within a message are made up for it, so whatever
/// is equal to one is one.
fn mentions(value: &Value, full_url: &str) -> bool {
    match value {
        Value::String(text) => text == full_url,
        Value::Array(items) => items.iter().any(|it| mentions(it, full_url)),
        Value::Object(elements) => elements.values().any(|it| mentions(it, full_url)),
        _ => false,
    }
}

/// Puts the names at the server in the place of the addresses within the message.
pub fn rename(value: &mut Value, names: &BTreeMap<&str, String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = names.get(text.as_str()) {
                name.clone_into(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| rename(it, names)),
        Value::Object(elements) => elements.values_mut().for_each(|it| rename(it, names)),
        _ => {}
    }
}
