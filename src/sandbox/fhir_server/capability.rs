//! What the server says of itself.

use serde_json::{Value, json};

/// The resource types that the server keeps: those that a referral and its answers are made of.
pub(super) const TYPES: &[&str] = &[
    "AllergyIntolerance",
    "Appointment",
    "AuditEvent",
    "Binary",
    "Bundle",
    "CarePlan",
    "CareTeam",
    "Communication",
    "CommunicationRequest",
    "Composition",
    "Condition",
    "Consent",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Endpoint",
    "EpisodeOfCare",
    "Goal",
    "Group",
    "HealthcareService",
    "ImagingStudy",
    "Immunization",
    "List",
    "Location",
    "Media",
    "Medication",
    "MedicationRequest",
    "MedicationStatement",
    "MessageHeader",
    "Observation",
    "Organization",
    "Parameters",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "Schedule",
    "ServiceRequest",
    "Slot",
    "Specimen",
    "Subscription",
    "Task",
];

/// What the server offers, says that it offers, and does: servers differ in this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one element of a CapabilityStatement")]
pub struct Offers {
    /// Transactions.
    pub transaction: bool,
    /// `If-None-Exist`; without it the header is passed over.
    pub conditional_create: bool,
    /// Updates of what a search finds.
    pub conditional_update: bool,
    /// Updates of what is not there, under the client's id.
    pub update_create: bool,
}

impl Default for Offers {
    fn default() -> Self {
        Self { transaction: true, conditional_create: true, conditional_update: false, update_create: false }
    }
}

impl Offers {
    /// A server that can create, update, read and search, and no more.
    pub const NOTHING: Self = Self {
        transaction: false,
        conditional_create: false,
        conditional_update: false,
        update_create: false,
    };
}

/// The CapabilityStatement of `GET /metadata`.
pub(super) fn capability_statement(base: &str, offers: Offers) -> Value {
    let resources: Vec<Value> = TYPES.iter().map(|it| resource(it, offers)).collect();
    let interactions = if offers.transaction { json!([{ "code": "transaction" }]) } else { json!([]) };
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "software": { "name": "Simulated FHIR server" },
        "implementation": { "description": "In memory, for tests and demonstrations", "url": base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{ "mode": "server", "resource": resources, "interaction": interactions }],
    })
}

fn resource(resource_type: &str, offers: Offers) -> Value {
    let interactions: Vec<Value> = ["read", "vread", "update", "delete", "create", "search-type"]
        .iter()
        .map(|it| json!({ "code": it }))
        .collect();
    json!({
        "type": resource_type,
        "interaction": interactions,
        "versioning": "versioned",
        "readHistory": true,
        "updateCreate": offers.update_create,
        "conditionalCreate": offers.conditional_create,
        "conditionalUpdate": offers.conditional_update,
    })
}
