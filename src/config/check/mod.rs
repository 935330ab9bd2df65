//! What a schema cannot say: checks across keys, of addresses and of files. One file per section.
//!
//! Each function reports what it finds and goes on. None as its answer means that something was reported.

mod address;
mod client;
mod clinic;
mod consent;
mod credentials;
mod delivery;
mod limits;
mod named_file;
mod secret;
mod server;
mod store;

pub(super) mod gateway;
pub(super) mod network;
pub(super) mod partner;

use super::findings::Findings;
use super::problem::Code;
use super::raw;
use crate::model::partner::BusinessIdentifier;

/// A value cannot be used, and the reason was reported.
struct Reported;

/// A value that must be there.
fn needed<T>(findings: &mut Findings, key: &str, value: Option<T>, help: &str) -> Option<T> {
    if value.is_none() {
        findings.report(Code::MissingKey, key, format!("`{key}` is missing"), help);
    }
    value
}

fn organization(raw: raw::client::Organization) -> Option<BusinessIdentifier> {
    // The schema requires both, so what is missing here was reported.
    Some(BusinessIdentifier { system: raw.system?, value: raw.value? })
}
