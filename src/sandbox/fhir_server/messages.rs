//! The server as a receiver of messages (FHIR R4, messaging): the same message again has no second effect.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::refusal::Refusal;
use super::resources::Resources;
use super::routes::Call;
use super::transaction;
use crate::fhir::bundle::{self, entries};
use crate::fhir::json;
use crate::fhir::message::{Received, ReplyTo, Response, Said};
use crate::fhir::resource::{id, resource_type};

/// How the server receives messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Messaging {
    /// Which id of a message its replies quote.
    pub quotes: ReplyTo,
    /// A message that was taken before is answered with 409 and the issue code `duplicate`, not with the first reply.
    pub repeats_conflict: bool,
}

/// What the server knows of messages.
#[derive(Default)]
pub(super) struct Messages {
    pub(super) manner: Messaging,
    /// Bundle.id, MessageHeader.id, and the reply.
    taken: Vec<(String, String, Value)>,
    /// Where a full URL of a message stands here.
    places: BTreeMap<String, String>,
}

/// `POST /$process-message`: takes a message once, and keeps what it brings.
pub(super) fn process(resources: &mut Resources, call: &Call, base: &str) -> Result<Answer, Refusal> {
    let message = message_of(call)?;
    let received = Received::of(&message).ok_or_else(|| Refusal::bad_request("send a message with ids"))?;
    let names = (id(&message).to_owned(), bundle::header(&message).map_or("", id).to_owned());
    let known = resources.messages.taken.iter().filter(|it| it.0 == names.0).collect::<Vec<_>>();
    if let Some((.., reply)) = known.iter().find(|it| it.1 == names.1) {
        if resources.messages.manner.repeats_conflict {
            return Err(Refusal::new(StatusCode::CONFLICT, "duplicate", "this was taken before"));
        }
        return Ok(Answer::plain(reply.clone()));
    }
    if !known.is_empty() {
        return Err(Refusal::bad_request("the id of the Bundle is that of another message"));
    }
    keep(resources, &message, base)?;
    let reply = in_version(call, reply(&received, resources.messages.manner.quotes, Response::Ok, base));
    resources.messages.taken.push((names.0, names.1, reply.clone()));
    Ok(Answer::plain(reply))
}

/// What a receiver replies that did not do what the message asks for.
pub(super) fn refused(call: &Call, manner: Messaging, response: Response, base: &str) -> Answer {
    match message_of(call).ok().as_ref().and_then(Received::of) {
        Some(received) => Answer::plain(in_version(call, reply(&received, manner.quotes, response, base))),
        None => Answer::refused(&Refusal::bad_request("send a message with ids")),
    }
}

fn message_of(call: &Call) -> Result<Value, Refusal> {
    json::parse(&call.body).map_err(|error| Refusal::bad_request(format!("the body {error}")))
}

fn reply(received: &Received, quotes: ReplyTo, response: Response, base: &str) -> Value {
    let said = Said { response, details: None, focus: None };
    received.reply(quotes, &format!("{base}/$process-message"), &said)
}

/// R5 quotes by an Identifier.
fn in_version(call: &Call, mut reply: Value) -> Value {
    if call.header("content-type").is_some_and(|it| it.contains("fhirVersion=5.0")) {
        let response = &mut reply["entry"][0]["resource"]["response"];
        response["identifier"] = json!({ "value": response["identifier"].take() });
    }
    reply
}

/// Every resource of the message: created, or replaced where its full URL came in a message before.
fn keep(resources: &mut Resources, message: &Value, base: &str) -> Result<(), Refusal> {
    let brought: Vec<&Value> = entries(message).skip(1).collect();
    let written = brought.iter().map(|entry| {
        let mut resource = entry["resource"].clone();
        let full_url = entry["fullUrl"].as_str().unwrap_or_default();
        let request = match resources.messages.places.get(full_url) {
            Some(place) => {
                resource["id"] = json!(place.rsplit('/').next());
                json!({ "method": "PUT", "url": place })
            }
            None => json!({ "method": "POST", "url": resource_type(&resource) }),
        };
        json!({ "fullUrl": full_url, "resource": resource, "request": request })
    });
    let written = bundle::transaction(written.collect());
    let response = transaction::run(resources, &written, base)?;
    for (entry, done) in brought.iter().zip(entries(&response)) {
        let location = done["response"]["location"].as_str().unwrap_or_default();
        let place = location.split("/_history").next().unwrap_or_default().to_owned();
        let full_url = entry["fullUrl"].as_str().unwrap_or_default().to_owned();
        resources.messages.places.insert(full_url, place);
    }
    Ok(())
}
