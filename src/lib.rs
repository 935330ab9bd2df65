//! A FHIR R4 gateway between referring EHRs and one clinic.

pub mod auth;
pub mod fhir;
pub mod model;
