//! Good Consents: what is broken, and what stands beside it.

use serde_json::{Value, json};

const T: &str = "http://terminology.hl7.org/CodeSystem";

fn coding(system: &str, code: &str) -> Value {
    json!({ "system": format!("{T}/{system}"), "code": code })
}

fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [coding(system, code)] })
}

fn actor(role: &str, reference: &str) -> Value {
    json!({ "role": concept("v3-ParticipationType", role), "reference": { "reference": reference } })
}

fn consent(policy: &str, provision: Value) -> Value {
    let mut consent = json!({
        "resourceType": "Consent",
        "id": "c1",
        "meta": { "versionId": "2" },
        "status": "active",
        "scope": concept("consentscope", "patient-privacy"),
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": { "reference": "Patient/9" },
        "dateTime": "2026-01-01",
        "policyRule": concept("v3-ActCode", policy),
    });
    if !provision.is_null() {
        consent["provision"] = provision;
    }
    consent
}

/// All of them.
pub(crate) fn consents() -> Vec<Value> {
    let mut by_address = consent("hipaa-auth", Value::Null);
    by_address["policy"] = json!([{ "uri": "https://profiles.ihe.net/ITI/PCF/Policy-all-normal" }]);
    let mut all = not_permitting();
    all.extend([
        consent("hipaa-auth", json!({ "type": "permit" })),
        consent("hipaa-auth", json!({ "type": "deny" })),
        consent("OPTIN", Value::Null),
        consent("OPTOUT", Value::Null),
        consent("OPTIN", json!({ "purpose": [coding("v3-ActReason", "TREAT")] })),
        consent("OPTIN", opt_in_with_restrictions()),
        consent("OPTOUT", opt_out_with_exceptions()),
        consent("hipaa-auth", everything()),
        by_address,
        full(),
    ]);
    all
}

/// Understood, and yet they permit nothing.
fn not_permitting() -> Vec<Value> {
    let changes = [
        ("dateTime", json!("2027")),
        ("verification", json!([{ "verified": false }])),
        ("organization", json!([{ "reference": "Organization/stranger" }])),
        ("category", json!([concept("consentcategorycodes", "emrgonly")])),
        ("category", json!([concept("consentcategorycodes", "npp")])),
        ("category", json!([concept("consentcategorycodes", "dnr")])),
        ("scope", concept("consentscope", "research")),
        ("status", json!("inactive")),
    ];
    let permit = || consent("OPTIN", json!({ "type": "permit" }));
    changes
        .into_iter()
        .map(|(element, value)| {
            let mut it = permit();
            it[element] = value;
            it
        })
        .collect()
}

fn opt_in_with_restrictions() -> Value {
    json!({
        "type": "deny",
        "period": { "start": "2020-01-01", "end": "2030" },
        "actor": [actor("IRCP", "Organization/other")],
        "securityLabel": [coding("v3-ActCode", "HIV")],
        "provision": [{ "type": "permit", "purpose": [coding("v3-ActReason", "ETREAT")] }],
    })
}

fn opt_out_with_exceptions() -> Value {
    json!({
        "type": "permit",
        "actor": [actor("IRCP", "Group/circle"), actor("IRCP", "CareTeam/team")],
        "securityLabel": [coding("v3-Confidentiality", "R")],
        "provision": [
            { "type": "deny", "data": [{ "meaning": "related", "reference": { "reference": "Encounter/2" } }] },
            { "type": "deny", "dataPeriod": { "end": "2025-12-31" } },
        ],
    })
}

fn everything() -> Value {
    json!({
        "type": "permit",
        "action": [concept("consentaction", "disclose")],
        "purpose": [coding("v3-ActReason", "PurposeOfUse")],
        "class": [{ "system": "http://hl7.org/fhir/resource-types", "code": "Observation" }],
        "code": [{ "coding": [
            { "system": "http://loinc.org", "code": "718-7" }, { "system": "http://loinc.org", "code": "74013-4" }] }],
        "dataPeriod": { "start": "2026-01-01T00:00:00Z" },
        "data": [{ "meaning": "authoredby", "reference": { "reference": "Practitioner/author" } },
            { "meaning": "dependents", "reference": { "reference": "Encounter/1" } }],
    })
}

/// With everything around the rules.
fn full() -> Value {
    let mut full =
        consent("OPTIN", json!({ "type": "permit", "actor": [actor("CST", "Organization/clinic")] }));
    full["patient"]["identifier"] = json!({ "system": "urn:mrn", "value": "1" });
    full["organization"] = json!([{ "reference": "Organization/clinic" }]);
    full["verification"] = json!([{ "verified": true, "verificationDate": "2026-01-02" }]);
    full["policy"] = json!([{ "authority": "https://law.example", "uri": "urn:example:policy" }]);
    full["performer"] = json!([{ "reference": "Patient/9" }]);
    full["text"] = json!({ "status": "generated", "div": "<div>…</div>" });
    full["contained"] = json!([{ "resourceType": "Organization", "id": "p" }]);
    full["extension"] = json!([{ "url": "urn:x", "valueString": "x" }]);
    full
}
