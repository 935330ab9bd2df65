//! FHIR's mechanics. No referral, no partner and no clinic is known here.

pub mod bundle;
pub mod capability;
pub mod client;
pub mod coding;
pub mod json;
pub mod message;
pub mod message_index;
pub mod outcome;
pub mod reference;
pub mod resource;
