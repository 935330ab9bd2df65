//! The versions of FHIR that partners speak.

/// A version of FHIR. Everything inside is R4; others are converted at the edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FhirVersion {
    /// STU3, 3.0.
    Stu3,
    /// R4, 4.0.
    #[default]
    R4,
    /// R4B, 4.3.
    R4b,
    /// R5, 5.0.
    R5,
}

impl FhirVersion {
    /// As `fhirVersion` of a media type and our settings write it (FHIR R4, http, FHIR version parameter).
    pub const fn short(self) -> &'static str {
        match self {
            Self::Stu3 => "3.0",
            Self::R4 => "4.0",
            Self::R4b => "4.3",
            Self::R5 => "5.0",
        }
    }

    /// As a CapabilityStatement writes it: the newest technical correction.
    pub const fn full(self) -> &'static str {
        match self {
            Self::Stu3 => "3.0.2",
            Self::R4 => "4.0.1",
            Self::R4b => "4.3.0",
            Self::R5 => "5.0.0",
        }
    }

    /// The media type of what is written in this version. R4's is without the parameter, as it always was here.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Stu3 => "application/fhir+json; fhirVersion=3.0",
            Self::R4 => "application/fhir+json",
            Self::R4b => "application/fhir+json; fhirVersion=4.3",
            Self::R5 => "application/fhir+json; fhirVersion=5.0",
        }
    }
}
