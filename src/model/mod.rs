//! The nouns of the gateway. Nothing here knows FHIR's JSON, HTTP or SQL.

pub mod audit;
pub mod client;
pub mod clock;
pub mod delivery;
pub mod effects;
pub mod endpoint;
pub mod envelope;
pub mod figures;
pub mod ids;
pub mod partner;
pub mod policy;
pub mod pressure;
pub mod referral;
pub mod retention;
pub mod sensitive;
pub mod update;
pub mod work;
