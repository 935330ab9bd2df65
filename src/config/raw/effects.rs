//! How what we write at a server is written once.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::effects as model;

/// The ways to write.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Effects {
    /// The best that the server's CapabilityStatement offers.
    Auto,
    /// Under an id that we choose.
    ClientId,
    /// In one transaction of conditional creates.
    Transaction,
    /// With If-None-Exist.
    ConditionalCreate,
    /// To where a search finds it.
    ConditionalUpdate,
    /// Plainly, and again after an unknown outcome: there may be two.
    AtLeastOnce,
    /// Plainly, and never again after an unknown outcome: there may be none.
    AtMostOnce,
}

/// When we look for a second one.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum VerifyUnique {
    /// After something was sent again whose first outcome was unknown.
    AfterUnknown,
    /// After each first write.
    Always,
    /// Not at all.
    Never,
}

impl From<Effects> for model::Effects {
    fn from(raw: Effects) -> Self {
        match raw {
            Effects::Auto => Self::Auto,
            Effects::ClientId => Self::ClientId,
            Effects::Transaction => Self::Transaction,
            Effects::ConditionalCreate => Self::ConditionalCreate,
            Effects::ConditionalUpdate => Self::ConditionalUpdate,
            Effects::AtLeastOnce => Self::AtLeastOnce,
            Effects::AtMostOnce => Self::AtMostOnce,
        }
    }
}

impl From<VerifyUnique> for model::VerifyUnique {
    fn from(raw: VerifyUnique) -> Self {
        match raw {
            VerifyUnique::AfterUnknown => Self::AfterUnknown,
            VerifyUnique::Always => Self::Always,
            VerifyUnique::Never => Self::Never,
        }
    }
}
