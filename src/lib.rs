//! A FHIR R4 gateway between referring EHRs and one clinic. This page is the map.
//!
//! A partner's referral takes the road [`inbound`]; what the clinic does with it takes the road [`outbound`]
//! back, and every attempt on that road asks [`consent`] first. The roads never import each other: they meet
//! in the ledger, [`store`], so that no crash can lose what one causes in the other.
//!
//! What holds everywhere, and what is deliberately absent, is in `docs/ARCHITECTURE.md`. Who may import whom
//! is held by `tests/tidy.rs`.

// The two roads.
pub mod inbound;
pub mod outbound;

// What the roads stand on. `audit`, `consent`, `validation` and `translation` are pure.
pub mod audit;
pub mod consent;
pub mod fhir;
pub mod model;
pub mod store;
pub mod translation;
pub mod validation;

// How people and machines reach us, and how work gets done.
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod sandbox;
pub mod server;
pub mod telemetry;
pub mod worker;
