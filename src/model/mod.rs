//! The nouns of the gateway. Nothing here knows FHIR's JSON, HTTP or SQL.

pub mod audit;
pub mod client;
pub mod clock;
pub mod commits;
pub mod crash_point;
pub mod delivery;
pub mod dialect;
pub mod effects;
pub mod endpoint;
pub mod envelope;
pub mod fhir_version;
pub mod figures;
pub mod ids;
pub mod looks;
pub mod partner;
pub mod policy;
pub mod pressure;
pub mod referral;
pub mod referral_state;
pub mod replay;
pub mod reply;
pub mod retention;
pub mod sensitive;
pub mod status;
pub mod update;
pub mod work;
