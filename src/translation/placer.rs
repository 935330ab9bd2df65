//! What the placer calls the things that it sent.

use serde_json::{Value, json};

use super::filler_order::type_as_placer;
use super::submission::Submission;
use crate::fhir::coding;
use crate::fhir::message::{Received, ReplyTo};

/// The placer's names for its referral: needed to speak to it in its own terms.
#[derive(Clone, Debug)]
pub struct Placer {
    /// Every identifier of the ServiceRequest, typed.
    pub service_request: Vec<Value>,
    /// Every identifier of the placer's Task, typed.
    pub task: Vec<Value>,
    /// The ServiceRequest's category, where it has one.
    pub order_category: Option<Value>,
    /// The message that the referral came in, where it did.
    message: Option<Received>,
    /// Each part of the submission, in order.
    pub parts: Vec<PlacedPart>,
}

/// One part of a submission, as the placer names it.
#[derive(Clone, Debug)]
pub struct PlacedPart {
    /// FHIR's resource type.
    pub resource_type: String,
    /// Its first business identifier.
    pub identifier: Option<Value>,
    /// Its complete address on the placer's server, where it gave one.
    pub address: Option<String>,
}

impl Placer {
    /// Reads the names out of a submission.
    pub fn of(submission: &Submission<'_>) -> Self {
        Self {
            service_request: typed_identifiers(submission, "ServiceRequest"),
            task: typed_identifiers(submission, "Task"),
            order_category: submission
                .first("ServiceRequest")
                .and_then(|(_, it)| it.resource.get("category").cloned()),
            message: None,
            parts: submission
                .parts()
                .iter()
                .map(|part| PlacedPart {
                    resource_type: part.resource_type().to_owned(),
                    identifier: first_identifier(part.resource),
                    address: part.full_url.filter(|it| is_address(it)).map(str::to_owned),
                })
                .collect(),
        }
    }

    /// The same for a referral that came in this message; in nothing else there is a message to name.
    #[must_use]
    pub fn in_message(self, message: &Value) -> Self {
        Self { message: Received::of(message), ..self }
    }

    /// The id by which an answer names the message that the referral came in.
    pub fn message_id(&self, quotes: ReplyTo) -> Option<&str> {
        self.message.as_ref()?.quoted(quotes)
    }

    /// Where the placer takes messages, by its own word in that message.
    pub fn message_source(&self) -> Option<&str> {
        self.message.as_ref()?.source()
    }

    /// A reference to the placer's own order: by its identifier, or else by its address.
    pub fn order_identifier(&self) -> Option<Value> {
        let order = self.parts.iter().find(|part| part.resource_type == "ServiceRequest")?;
        self.service_request.first().cloned().or_else(|| order.address.as_deref().map(address_identifier))
    }
}

/// A complete address as an identifier (FHIR R4, identifier registry, urn:ietf:rfc:3986).
pub fn address_identifier(address: &str) -> Value {
    json!({ "system": "urn:ietf:rfc:3986", "value": address })
}

fn is_address(full_url: &str) -> bool {
    full_url.starts_with("https://") || full_url.starts_with("http://")
}

/// The first business identifier that has a system.
pub(super) fn first_identifier(resource: &Value) -> Option<Value> {
    let (system, value) = coding::identifiers(resource).find(|(system, _)| !system.is_empty())?;
    Some(json!({ "system": system, "value": value }))
}

fn typed_identifiers(submission: &Submission<'_>, resource_type: &str) -> Vec<Value> {
    let Some((_, part)) = submission.first(resource_type) else {
        return Vec::new();
    };
    let mut named = json!({ "identifier": part.resource.get("identifier").cloned().unwrap_or_default() });
    type_as_placer(&mut named);
    let list = named["identifier"].as_array().cloned().unwrap_or_default();
    list.into_iter().filter(|it| it["value"].is_string()).collect()
}
