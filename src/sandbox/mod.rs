//! A simulated clinic and a simulated partner over real HTTP on this machine.
//!
//! The demo, a partner's onboarding and the tests use the same ones, so that what is shown is what is tested.

pub mod clinic;
pub mod fhir_server;
pub mod gateway_client;
pub mod partner;
pub mod people;
