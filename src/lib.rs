//! A FHIR R4 gateway between referring EHRs and one clinic.

pub mod fhir;
pub mod model;
pub mod sandbox;
