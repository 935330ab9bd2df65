//! Our side as a FHIR client.

pub mod token;
