//! A FHIR R4 gateway between referring EHRs and one clinic.

pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod consent;
pub mod fhir;
pub mod inbound;
pub mod model;
pub mod outbound;
pub mod sandbox;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod translation;
pub mod validation;
pub mod worker;
