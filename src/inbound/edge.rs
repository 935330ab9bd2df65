//! What a partner sends and is shown, in the version of FHIR that it speaks.

use serde_json::Value;

use crate::model::fhir_version::FhirVersion;
use crate::translation::versions;

/// A resource of R4 as a partner of this version reads it.
pub fn for_version(resource: Value, version: FhirVersion) -> Value {
    if version == FhirVersion::R4 { resource } else { versions::from_r4(&resource, version).value }
}

/// What a partner of this version wrote, as R4.
pub fn as_r4(sent: Value, version: FhirVersion) -> Value {
    if version == FhirVersion::R4 { sent } else { versions::to_r4(&sent, version).value }
}

/// The name that a type of R4 has in a version.
pub fn type_in(resource_type: &str, version: FhirVersion) -> &str {
    versions::type_from_r4(resource_type, version)
}

/// The type of R4 that a version calls so.
pub fn type_of(resource_type: &str, version: FhirVersion) -> &str {
    versions::type_to_r4(resource_type, version)
}
