//! The settings as they stand in the files. Doc comments here are the descriptions in the JSON Schema.
//!
//! A field without `Option` always has a value, because `config/gateway.toml` gives its default. Everything
//! else is an `Option`, also where the schema requires it: a file with a mistake is still read to its end,
//! so that all its mistakes come to light.

pub(super) mod auth;
pub(super) mod client;
pub(super) mod consent;
pub(super) mod effects;
pub(super) mod gateway;
pub(super) mod limits;
pub(super) mod partner;
