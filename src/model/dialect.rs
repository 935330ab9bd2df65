//! The guides that partners follow.

use serde::Deserialize;

/// Which guide a partner follows. What the guide says is data: `profiles/dialects/<dialect>/dialect.toml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// FHIR R4 as it is.
    #[default]
    Plain,
    /// HL7 Clinical Order Workflows.
    Cow,
    /// HL7 Bidirectional Services eReferral.
    Bser,
    /// HL7 SDOH Clinical Care.
    Sdoh,
    /// NHS Booking and Referral Standard.
    Bars,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Cow, Self::Bser, Self::Sdoh, Self::Bars];

    /// Its word in settings and the name of its folder.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Cow => "cow",
            Self::Bser => "bser",
            Self::Sdoh => "sdoh",
            Self::Bars => "bars",
        }
    }
}
