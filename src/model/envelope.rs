//! What arrived, as it arrived.

use jiff::Timestamp;

use super::ids::PartnerId;
use super::sensitive::Sensitive;

/// One submission of a partner. Never changed after it was sealed.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Where it was sent to.
    pub door: Door,
    /// Who sent it; proven by its token.
    pub partner: PartnerId,
    /// The bytes as they came.
    pub body: Sensitive<Vec<u8>>,
    /// When the last byte was here.
    pub received: Timestamp,
    /// `Idempotency-Key`, where the sender gave one (draft-ietf-httpapi-idempotency-key-header).
    pub idempotency_key: Option<String>,
    /// `X-Request-Id`, where the sender gave one: some guides name a message by it (BaRS).
    pub request_id: Option<String>,
    /// `If-None-Exist`, where the sender gave one (FHIR R4, http, conditional create).
    pub if_none_exist: Option<String>,
    /// What the body was made of, where it is not what was sent.
    pub gathered: Option<Gathered>,
}

/// A body that was put together of what was sent and of what that refers to.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// What was sent, without white space or order.
    pub sent: Sensitive<Vec<u8>>,
    /// For each entry of the body, where it is as FHIRPath over what was sent: `Task.focus.resolve()`.
    pub places: Vec<String>,
}

/// The addresses that take referrals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `POST /fhir`: a transaction.
    Transaction,
    /// `POST /fhir/ServiceRequest`: a single order.
    ServiceRequest,
    /// `POST /fhir/Task`: the order is contained, or stands on the sender's own server.
    Task,
    /// `POST /fhir/$process-message`: a message.
    Message,
}
