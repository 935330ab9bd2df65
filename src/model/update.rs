//! What the clinic did with a referral: a pointer to a resource version, never its content.

use std::fmt;

use super::ids::ReferralId;
use super::partner::Share;

/// One version of one resource at the clinic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceVersion {
    /// FHIR's resource type.
    pub resource_type: String,
    /// The id at the clinic.
    pub id: String,
    /// `meta.versionId`; empty where the server keeps none.
    pub version: String,
}

impl ResourceVersion {
    /// The relative reference, `Task/55`, without the version.
    pub fn reference(&self) -> String {
        format!("{}/{}", self.resource_type, self.id)
    }
}

impl fmt::Display for ResourceVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/_history/{}", self.resource_type, self.id, self.version)
    }
}

/// A resource version that concerns a referral and is owed to its partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The referral that it concerns.
    pub referral: ReferralId,
    /// Where its content is.
    pub resource: ResourceVersion,
    /// Under which agreement it goes.
    pub share: Share,
}

/// What was decided about one disclosure: codes and versions, no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionNote {
    /// `permit`, `redact` (a permit with something taken out), `hold` or `deny`.
    pub outcome: &'static str,
    /// The rule that decided.
    pub rule: &'static str,
    /// The Consents that were read, each with its version.
    pub consents: Vec<String>,
}
