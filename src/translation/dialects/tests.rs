use serde_json::{Value, json};

use super::*;
use crate::model::referral_state::Actor;
use crate::translation::codes::CodeMap;
use ReferralState::{Accepted, CancelRequested, Cancelled, Completed, Declined, Failed, Scheduled};

fn rules(dialect: Dialect) -> DialectRules {
    let file = format!("{}/profiles/dialects/{}/dialect.toml", env!("CARGO_MANIFEST_DIR"), dialect.word());
    DialectRules::parse(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The example clinic's stages in our words.
fn states() -> CodeMaps {
    let map = include_str!("../../../profiles/states/ConceptMap-stage-to-state.json");
    CodeMaps::of([&CodeMap::parse(&serde_json::from_str(map).unwrap()).unwrap()])
}

fn clinic_task(status: &str, stage: Option<&str>) -> Value {
    let mut task = json!({ "resourceType": "Task", "status": status });
    if let Some(stage) = stage {
        let system = "https://clinic.example/fhir/CodeSystem/referral-stage";
        task["businessStatus"] = json!({ "coding": [{ "system": system, "code": stage }] });
    }
    task
}

/// Status, and the business status in the guide's own system.
fn said(dialect: Dialect, status: &str, stage: Option<&str>) -> (Value, String, String) {
    let rules = rules(dialect);
    let mut task = clinic_task(status, stage);
    let stands = state_of(&task, &states()).unwrap();
    say_state(&mut task, &rules, stands);
    let system = rules.business_status_system.clone().unwrap_or_default();
    let codings = task["businessStatus"]["coding"].as_array().cloned().unwrap_or_default();
    let own = codings.iter().find(|it| it["system"] == system.as_str());
    let code = own.map_or("", |it| it["code"].as_str().unwrap()).to_owned();
    let status = task["status"].as_str().unwrap().to_owned();
    (task, status, code)
}

/// A status and a business status.
type Said = (&'static str, &'static str);

/// Status and stage at the clinic; then what COW, BSeR and SDOH say (standards, part C).
const IN_EACH_GUIDE: &[(&str, Option<&str>, Said, Said, &str)] = &[
    ("requested", None, ("requested", ""), ("received", "2.0"), "requested"),
    ("received", None, ("received", ""), ("received", "2.0"), "requested"),
    (
        "received",
        Some("awaiting-information"),
        ("received", "awaiting-information"),
        ("received", "2.0"),
        "requested",
    ),
    (
        "in-progress",
        Some("awaiting-information"),
        ("in-progress", "awaiting-information"),
        ("in-progress", ""),
        "on-hold",
    ),
    ("accepted", None, ("accepted", ""), ("accepted", "3.0"), "accepted"),
    ("ready", None, ("accepted", ""), ("accepted", "3.0"), "accepted"),
    (
        "in-progress",
        Some("visit-scheduled"),
        ("in-progress", "visit-scheduled"),
        ("in-progress", "5.1.1"),
        "in-progress",
    ),
    ("in-progress", Some("no-show"), ("in-progress", ""), ("in-progress", "5.1.2"), "in-progress"),
    ("in-progress", Some("visit-cancelled"), ("in-progress", ""), ("in-progress", "5.1.3"), "in-progress"),
    (
        "in-progress",
        Some("preliminary-outcome"),
        ("in-progress", "preliminary-outcome"),
        ("in-progress", "5.1.4"),
        "in-progress",
    ),
    ("completed", Some("visit-complete"), ("completed", "visit-complete"), ("completed", "7.0"), "completed"),
    ("rejected", None, ("rejected", ""), ("rejected", "4.0"), "rejected"),
    ("failed", None, ("failed", ""), ("rejected", "4.0"), "failed"),
    ("cancelled", None, ("cancelled", ""), ("cancelled", "6.0"), "cancelled"),
    ("accepted", Some("cancel-requested"), ("accepted", ""), ("in-progress", "5.2"), "accepted"),
];

#[test]
fn every_dialect_says_each_state_as_the_guides_do() {
    for (status, stage, cow, bser, sdoh) in IN_EACH_GUIDE.iter().copied() {
        let of = |dialect| {
            let (_, status, code) = said(dialect, status, stage);
            (status, code)
        };
        let owned = |(status, code): (&str, &str)| (status.to_owned(), code.to_owned());

        assert_eq!(of(Dialect::Cow), owned(cow), "cow: {status} {stage:?}");
        assert_eq!(of(Dialect::Bser), owned(bser), "bser: {status} {stage:?}");
        assert_eq!(of(Dialect::Sdoh), owned((sdoh, "")), "sdoh: {status} {stage:?}");
    }
}

#[test]
fn an_end_is_told_by_the_status_whatever_was_left_behind() {
    let task = clinic_task("cancelled", Some("visit-scheduled"));
    assert_eq!(state_of(&task, &states()), Some(ReferralState::Cancelled));
    let task = clinic_task("in-progress", Some("visit-complete"));
    assert_eq!(state_of(&task, &states()), Some(ReferralState::InProgress));
}

#[test]
fn plain_passes_a_task_on_as_it_is() {
    for status in ["received", "ready", "in-progress", "completed"] {
        let (task, ..) = said(Dialect::Plain, status, Some("visit-scheduled"));
        assert_eq!(task, clinic_task(status, Some("visit-scheduled")));
    }
}

#[test]
fn the_clinics_own_coding_stays_first() {
    let (task, ..) = said(Dialect::Bser, "in-progress", Some("visit-scheduled"));

    assert_eq!(task["businessStatus"]["coding"][0]["code"], "visit-scheduled");
    assert_eq!(task["businessStatus"]["coding"][1]["code"], "5.1.1");
}

#[test]
fn sdoh_gives_a_reason_and_an_output_where_the_guide_wants_one() {
    let (declined, ..) = said(Dialect::Sdoh, "rejected", None);
    assert_eq!(declined["statusReason"]["text"], "No reason is given here.");
    let (no_show, ..) = said(Dialect::Sdoh, "in-progress", Some("no-show"));
    assert_eq!(no_show["statusReason"]["text"], "The patient did not come.");
    let (completed, ..) = said(Dialect::Sdoh, "completed", None);
    assert_eq!(completed["output"][0]["type"]["coding"][0]["code"], "resulting-activity");
    assert_eq!(completed["output"][0]["valueCodeableConcept"]["coding"][0]["code"], "unknown");
}

#[test]
fn a_reason_that_is_only_coded_gets_its_text_where_the_guide_needs_one() {
    let reason = json!({ "coding": [{ "system": "urn:a", "code": "full", "display": "No capacity" }] });
    for (dialect, text) in [(Dialect::Bser, json!("No capacity")), (Dialect::Cow, Value::Null)] {
        let mut task = clinic_task("rejected", None);
        task["statusReason"] = reason.clone();

        say_state(&mut task, &rules(dialect), ReferralState::Declined);

        assert_eq!(task["statusReason"]["text"], text, "{dialect:?}");
    }
}

#[test]
fn both_links_to_the_order_are_written() {
    let order = json!({ "type": "ServiceRequest", "identifier": { "value": "1" } });
    let mut by_focus = json!({ "resourceType": "Task", "focus": order });
    let mut by_based_on = json!({ "resourceType": "Task", "basedOn": [order] });

    say_both_links(&mut by_focus);
    say_both_links(&mut by_based_on);

    assert_eq!((&by_focus["basedOn"][0], &by_based_on["focus"]), (&order, &order));
}

#[test]
fn a_placers_cancel_and_a_decline_after_the_start_are_the_guides_own() {
    let judge = |dialect, by, from, to| rules(dialect).transitions().judge(by, Some(from), to).is_ok();
    // (directly before the start, directly afterwards, by asking afterwards)
    let cancels = [
        (Dialect::Cow, (true, false, true)),
        (Dialect::Bser, (false, false, true)),
        (Dialect::Sdoh, (true, true, false)),
        (Dialect::Bars, (true, true, false)),
    ];
    for (dialect, expected) in cancels {
        let before = judge(dialect, Actor::Placer, Accepted, Cancelled);
        let after = judge(dialect, Actor::Placer, Scheduled, Cancelled);
        let asked = judge(dialect, Actor::Placer, Scheduled, CancelRequested);
        assert_eq!((before, after, asked), expected, "{dialect:?}");
    }
    assert!(judge(Dialect::Bser, Actor::Filler, Scheduled, Declined));
    assert!(!judge(Dialect::Cow, Actor::Filler, Scheduled, Declined));
    assert!(judge(Dialect::Cow, Actor::Filler, Scheduled, Failed));
    assert!(judge(Dialect::Bser, Actor::Filler, CancelRequested, Completed), "it may end completed anyway");
}

#[test]
fn bars_has_its_error_codes_and_the_receivers_come_first() {
    let bars = rules(Dialect::Bars);
    let system = "https://fhir.nhs.uk/Codesystem/http-error-codes";

    assert_eq!(bars.error_code(409, "duplicate"), Some((system, "REC_CONFLICT")));
    assert_eq!(bars.error_code(425, "duplicate"), Some((system, "REC_TOO_EARLY")));
    assert_eq!(bars.error_code(429, "throttled"), Some((system, "SEND_TOO_MANY_REQUESTS")));
    assert_eq!(bars.error_code(418, "invalid"), None);
    assert_eq!(bars.duplicates.while_running, Some(425));
}

#[test]
fn a_mistake_in_a_definition_has_its_line() {
    let good = std::fs::read_to_string(format!(
        "{}/profiles/dialects/bser/dialect.toml",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap();
    let fault = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        let line = text.lines().position(|it| it.contains(to.lines().next().unwrap_or_default()));
        (DialectRules::parse(&text).unwrap_err(), line.map(|it| it + 1))
    };

    let (misspelt, line) = fault("status = \"accepted\"", "status = \"acepted\"");
    assert_eq!(Some(misspelt.line), line);
    assert!(misspelt.text.contains("acepted"), "{misspelt}");
    let (unknown, line) = fault("correlation = ", "corelation = ");
    assert_eq!(Some(unknown.line), line);
    let (missing, _) = fault("[states.on-hold]", "[states.no-show-2]");
    assert!(missing.text.contains("no-show-2"), "{missing}");
    let (no_system, _) = fault("business_status_system", "# business_status_system");
    assert!(no_system.text.contains("business_status_system"), "{no_system}");
    let (out_of_an_end, _) = fault("from = [\"cancel-requested\"]", "from = [\"completed\"]");
    assert!(out_of_an_end.text.contains("it is over"), "{out_of_an_end}");
    let (unmet, line) = fault("header_needs = [", "header_needs = [\"definition\", ");
    assert_eq!(Some(unmet.line), line);
    assert!(unmet.text.contains("definition"), "{unmet}");
}
