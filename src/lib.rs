//! A FHIR R4 gateway between referring EHRs and one clinic.

pub mod config;
pub mod fhir;
pub mod model;
