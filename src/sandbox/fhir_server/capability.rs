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

/// The CapabilityStatement of `GET /metadata`.
pub(super) fn capability_statement(base: &str) -> Value {
    let resources: Vec<Value> = TYPES.iter().map(|it| resource(it)).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "software": { "name": "Simulated FHIR server" },
        "implementation": { "description": "In memory, for tests and demonstrations", "url": base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{ "mode": "server", "resource": resources, "interaction": [{ "code": "transaction" }] }],
    })
}

fn resource(resource_type: &str) -> Value {
    let interactions: Vec<Value> = ["read", "vread", "update", "delete", "create", "search-type"]
        .iter()
        .map(|it| json!({ "code": it }))
        .collect();
    json!({
        "type": resource_type,
        "interaction": interactions,
        "versioning": "versioned",
        "readHistory": true,
        "updateCreate": true,
        "conditionalCreate": true,
    })
}
