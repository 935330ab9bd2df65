//! Whether every part of a Consent is understood (consent S2, rule 4).

use std::ops::ControlFlow;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::fault::{Fault, Listener};
use super::place::Place;
use super::walk::walk;

/// Whether a Consent has only elements that this engine understands, in the shape that FHIR gives them.
pub fn is_understood(consent: &Value, zone: &TimeZone) -> bool {
    walk(consent, zone, &mut FirstFault).is_continue()
}

/// One fault is enough.
struct FirstFault;

impl Listener for FirstFault {
    fn hear(&mut self, _: Place<'_>, _: Fault) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}
