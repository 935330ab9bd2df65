//! What a rule says about the data: class, code, time and instance (consent S7.5 to S7.8).

use serde_json::{Value, json};

use super::fixtures::{Setting, about, consent, labelled, observation, task};
use super::letters::{assert_answers, both};

const FORMAT: &str = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode";
const OTHER_FORMAT: &str = "urn:oid:1.3.6.1.4.1.19376.1.2.3";

fn class(system: &str, code: &str) -> Value {
    json!([{ "system": system, "code": code }])
}

#[test]
fn a_class_is_a_type_or_a_profile() {
    let mut main = task();
    main["meta"]["profile"] = json!(["urn:example:profile|1.0"]);

    assert_answers(
        &Setting::new().sends(&[main]),
        "class",
        &[
            (class("http://hl7.org/fhir/resource-types", "Task"), "P D"),
            (class("http://hl7.org/fhir/resource-types", "Observation"), "X N"),
            (class("urn:ietf:rfc:3986", "urn:example:profile|2.0"), "P D"),
            (class("urn:ietf:rfc:3986", "urn:example:other"), "X N"),
            (class("urn:local", "Task"), "X HD"),
            (json!([{ "system": "http://hl7.org/fhir/resource-types" }]), "X HD"),
        ],
    );
}

#[test]
fn a_class_is_a_media_type_or_a_format_of_a_document() {
    let document = |content: Value| {
        let document = json!({
            "resourceType": "DocumentReference", "id": "d", "subject": { "reference": "Patient/9" },
            "content": [content], "contained": [{ "resourceType": "Binary", "contentType": "text/plain" }],
        });
        Setting::new().sends(&[document])
    };
    let format = |system: &str| json!({ "system": system, "code": "urn:f" });
    let pdf = json!({ "contentType": "Application/PDF; version=2" });
    let media = |code: &str| json!({ "class": class("urn:ietf:bcp:13", code) });
    let with_pdf = document(json!({ "attachment": pdf, "format": format(OTHER_FORMAT) }));

    for (class, expected) in [
        (class(FORMAT, "urn:f"), "P D"),
        (class(FORMAT, "urn:g"), "X N"),
        (class("urn:ietf:bcp:13", "application/pdf"), "P D"),
    ] {
        let answers = both(&without_contained(&with_pdf), &json!({ "class": class }));
        assert_eq!(answers, expected, "{class}");
    }
    assert_eq!(both(&without_contained(&with_pdf), &media("text/plain")), "X N");
    let strange = document(json!({ "attachment": pdf, "format": format("urn:local") }));
    assert_eq!(both(&without_contained(&strange), &json!({ "class": class(FORMAT, "urn:f") })), "X N");
    assert_eq!(
        both(&without_contained(&document(json!({ "attachment": {} }))), &media("text/plain")),
        "X HD"
    );
    // What is contained is of its own class: the document itself is denied nothing here, its part is.
    let denied = consent(&json!({ "type": "permit", "provision": [
        { "type": "deny", "class": class("urn:ietf:bcp:13", "text/plain") },
    ]}));
    assert_eq!(with_pdf.consents(&[denied]).outcome(), "redact provision-permit");
}

fn without_contained(setting: &Setting) -> Setting {
    let mut setting = setting.clone();
    setting.resources[0].as_object_mut().unwrap().shift_remove("contained");
    setting
}

#[test]
fn a_code_must_be_the_same_in_the_same_system() {
    let coded = |system: &str, code: &str| json!([{ "coding": [{ "system": system, "code": code }] }]);
    let mut spoken = observation("o", "718-7");
    spoken["note"] = json!([{ "text": "…" }]);

    assert_answers(
        &Setting::new().sends(&[observation("o", "718-7")]),
        "code",
        &[
            (coded("http://loinc.org", "718-7"), "P D"),
            (coded("http://loinc.org", "718-8"), "X N"),
            (coded("urn:local", "718-7"), "X N"),
            (json!([{ "coding": [{ "code": "718-7" }] }]), "X D"),
            (json!([{ "coding": [{ "code": "718-8" }] }]), "X N"),
            (json!([{ "text": "haemoglobin" }]), "X HD"),
        ],
    );
    assert_answers(
        &Setting::new().sends(&[spoken]),
        "code",
        &[(coded("http://loinc.org", "718-7"), "P D"), (coded("http://loinc.org", "718-8"), "X HD")],
    );
}

#[test]
fn each_type_is_dated_by_its_own_clinical_time() {
    let (inside, outside) = ("2026-03-01", "2020-03-01");
    let period = json!({ "dataPeriod": { "start": "2026", "end": "2026" } });
    let of_others = json!({ "effectiveDateTime": outside });
    for (resource_type, elements) in [
        ("Observation", json!({ "effectiveDateTime": inside, "issued": outside })),
        (
            "DiagnosticReport",
            json!({ "effectivePeriod": { "start": inside, "end": inside }, "date": outside }),
        ),
        ("Observation", json!({ "issued": "2026-03-01T00:00:00Z", "date": outside })),
        ("Composition", json!({ "date": inside, "other": of_others })),
        (
            "DocumentReference",
            json!({ "context": { "period": { "start": inside, "end": inside } }, "date": outside }),
        ),
        ("Communication", json!({ "sent": inside, "received": outside })),
        ("Task", json!({ "executionPeriod": { "start": inside, "end": inside }, "authoredOn": outside })),
        ("Task", json!({ "lastModified": inside, "authoredOn": outside })),
        ("CarePlan", json!({ "period": { "start": inside, "end": inside }, "created": outside })),
        ("Encounter", json!({ "period": { "start": inside, "end": inside } })),
        ("Condition", json!({ "onsetDateTime": inside, "recordedDate": outside })),
        ("Procedure", json!({ "performedDateTime": inside })),
        ("MedicationRequest", json!({ "authoredOn": inside })),
        ("ServiceRequest", json!({ "authoredOn": inside })),
        ("Immunization", json!({ "date": inside })),
    ] {
        let mut resource = elements;
        resource["resourceType"] = json!(resource_type);
        resource["id"] = json!("r");
        resource["subject"] = json!({ "reference": "Patient/9" });
        if !matches!(resource_type, "Observation" | "DiagnosticReport" | "Immunization") {
            // An element that the type does not have.
            resource["effectiveDateTime"] = json!(outside);
        }
        assert_eq!(
            both(&Setting::new().sends(std::slice::from_ref(&resource)), &period),
            "P D",
            "{resource}"
        );
    }
}

#[test]
fn an_appointment_is_dated_from_its_start_to_its_end_and_undated_data_only_by_doubt() {
    let period = json!({ "dataPeriod": { "start": "2026", "end": "2026" } });
    let appointment = |end: &str| {
        Setting::new().sends(&[json!({
            "resourceType": "Appointment", "id": "a", "start": "2026-12-31T23:00:00Z", "end": end,
            "participant": [{ "actor": { "reference": "Patient/9" } }],
        })])
    };
    let undated = json!({ "resourceType": "Task", "id": "5", "for": { "reference": "Patient/9" } });

    assert_eq!(both(&appointment("2026-12-31T23:30:00Z"), &period), "P D");
    assert_eq!(both(&appointment("2027-01-01T00:30:00Z"), &period), "X D");
    assert_eq!(both(&Setting::new().sends(&[undated]), &period), "X HD");
    assert_eq!(both(&Setting::new(), &json!({ "dataPeriod": { "end": "2025" } })), "X N");
    // Months count whole, in a period of the rule too.
    assert_eq!(
        both(&Setting::new(), &json!({ "dataPeriod": { "start": "2026-03", "end": "2026-03" } })),
        "P D"
    );
    assert_eq!(both(&Setting::new(), &json!({ "period": { "end": "2026-02" } })), "N N");
    assert_eq!(both(&Setting::new(), &json!({ "period": { "end": "2026-03" } })), "P D");
}

fn data(meaning: &str, reference: &Value) -> Value {
    json!([{ "meaning": meaning, "reference": reference }])
}

fn to(reference: &str) -> Value {
    json!({ "reference": reference })
}

#[test]
fn an_instance_is_named_by_its_id_or_its_identifier() {
    let mut main = task();
    main["identifier"] = json!([{ "system": "urn:lab", "value": "L1" }]);
    let identified =
        |system: &str, value: &str| json!({ "identifier": { "system": system, "value": value } });
    let mut without_id = main.clone();
    without_id.as_object_mut().unwrap().shift_remove("id");

    assert_answers(
        &Setting::new().sends(&[main]),
        "data",
        &[
            (data("instance", &to("Task/5")), "P D"),
            (data("instance", &to("Task/6")), "X N"),
            (data("instance", &to("https://elsewhere.example/Task/5")), "HP HD"),
            (data("instance", &identified("urn:lab", "L1")), "P D"),
            (data("instance", &identified("urn:lab", "L2")), "X N"),
            (data("instance", &identified("urn:other", "L1")), "HP HD"),
        ],
    );
    let unnamed = Setting::new().sends(&[without_id]);
    assert_eq!(both(&unnamed, &json!({ "data": data("instance", &to("Task/5")) })), "HP HD");
}

#[test]
fn dependents_refer_to_the_instance() {
    let mut main = task();
    main["encounter"] = to("Encounter/e");
    main["focus"] = to("https://elsewhere.example/Encounter/1");

    assert_answers(
        &Setting::new().sends(&[main]),
        "data",
        &[
            (data("dependents", &to("Task/5")), "P D"),
            (data("dependents", &to("Encounter/e")), "P D"),
            (data("dependents", &to("Encounter/f")), "X N"),
            (data("dependents", &to("https://elsewhere.example/Encounter/1")), "P D"),
            (data("dependents", &to("https://elsewhere.example/Encounter/2")), "HP HD"),
        ],
    );
}

#[test]
fn related_data_refer_to_an_occasion_and_are_referred_to_by_anything_else() {
    let mut main = task();
    main["encounter"] = to("Encounter/e");
    main["focus"] = to("Observation/known");
    let mut setting = Setting::new().sends(&[main]);
    setting.directory = vec![
        json!({ "resourceType": "Observation", "id": "known" }),
        json!({ "resourceType": "Observation", "id": "pointing", "basedOn": [to("Task/5")] }),
        json!({ "resourceType": "Encounter", "id": "pointing", "basedOn": [to("Task/5")] }),
    ];

    assert_answers(
        &setting,
        "data",
        &[
            (data("related", &to("Encounter/e")), "P D"),
            (data("related", &to("Encounter/f")), "X N"),
            (data("related", &to("Encounter/pointing")), "X D"),
            (data("related", &to("Observation/pointing")), "P D"),
            (data("related", &to("Observation/known")), "X D"),
            (data("related", &to("Observation/unknown")), "HP HD"),
        ],
    );
}

#[test]
fn naming_the_very_instance_names_its_sensitivity_and_naming_what_it_depends_on_does_not() {
    let sensitive = labelled(observation("o", "718-7"), &[about("SUD")]);
    let with = |data: Value| {
        let consent = consent(&json!({ "type": "permit", "data": data }));
        Setting::new().sends(std::slice::from_ref(&sensitive)).consents(&[consent]).outcome()
    };
    let entry = |meaning: &str, name: &str| json!({ "meaning": meaning, "reference": to(name) });

    assert_eq!(with(json!([entry("instance", "Observation/o")])), "permit provision-permit");
    assert_eq!(with(json!([entry("dependents", "Observation/o")])), "hold sensitivity-not-named");
    let another_instance = json!([entry("instance", "Observation/p"), entry("dependents", "Observation/o")]);
    assert_eq!(with(another_instance), "hold sensitivity-not-named");
}
