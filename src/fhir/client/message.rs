//! Sending a message and reading its reply (FHIR R4, messaging; the operation `$process-message`).

use serde_json::Value;

use super::answer::{Answer, says_error};
use super::failure::{Failure, Refused, Says, Target};
use super::{FhirClient, Request, header};
use crate::fhir::message::{Reply, Response};
use crate::fhir::resource::resource_type;

/// A message that is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The Bundle.
    pub bundle: &'a Value,
    /// The id of it that a reply must quote.
    pub quoted: &'a str,
    /// `X-Request-Id`: the same each time that the message is sent.
    pub request_id: &'a str,
    /// `X-Correlation-Id`: the same for all messages of one conversation.
    pub correlation_id: &'a str,
    /// Whether its receiver says 409 with the issue code `duplicate` to what it has taken already (NHS BaRS).
    pub conflict_is_repeat: bool,
}

impl FhirClient {
    /// Sends a message. It was taken if the reply says `ok` to it, and where nothing is replied: 2xx with an empty body,
    /// with an OperationOutcome without an error, or with a message that answers none.
    ///
    /// # Errors
    /// [`Failure::Replied`]: the receiver says that it did not do it. [`Failure::Unusable`] with the code
    /// `reply-to-another`: the reply answers another message, and nothing is known of this one.
    pub async fn process_message(&self, message: &Outgoing<'_>) -> Result<(), Failure> {
        let address = format!("{}/$process-message", self.base);
        let mut request = Request::post(Target::Message, address, message.bundle);
        request.quoted = Some(message.quoted);
        request.headers.insert("x-request-id", header(message.request_id)?);
        request.headers.insert("x-correlation-id", header(message.correlation_id)?);
        match self.send(request).await {
            Ok(answer) => taken(answer, message.quoted),
            Err(Failure::Status(Refused { status: 409, says: Says::Duplicate, .. }))
                if message.conflict_is_repeat =>
            {
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }
}

fn taken(answer: Answer, quoted: &str) -> Result<(), Failure> {
    let status = answer.status;
    let unusable = |what| Err(Failure::Unusable { what, may_have_happened: true });
    let Some(body) = answer.into_body() else {
        return Ok(());
    };
    let reply = match resource_type(&body) {
        "OperationOutcome" if !says_error(&body) => return Ok(()),
        "Bundle" => Reply::of(&body),
        _ => return unusable("unexpected-body"),
    };
    let Some(reply) = reply else {
        return Ok(());
    };
    match reply.response {
        _ if reply.quoted != quoted => unusable("reply-to-another"),
        Some(Response::Ok) => Ok(()),
        Some(response) => Err(Failure::Replied { response, status }),
        None => unusable("unexpected-body"),
    }
}
