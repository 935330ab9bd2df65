//! `preview`: what each step made of a message, and where each of its values went.

use std::fs;
use std::path::Path;
use std::process::Output;

use referral_gateway::model::fhir_version::FhirVersion;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use referral_gateway::translation::versions::from_r4;
use serde_json::{Value, json};

use crate::fixtures::{PARTNERS, cases};
use crate::process::{err, lines, out, run};

const COMPLETE: &str = "fixtures/lakeside/complete-bundle/request.json";

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Settings with the partners of the fixtures; `line` goes into the file of each, `mode` is how it gets updates.
fn settings(line: &str, mode: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shipped = fs::read_to_string("config/partners/lakeside.toml").unwrap();
    fs::create_dir(folder.path().join("partners")).unwrap();
    fs::copy("config/gateway.toml", folder.path().join("gateway.toml")).unwrap();
    for (number, (partner, head)) in PARTNERS.into_iter().enumerate() {
        let head = if head.is_empty() { "fhir_version = \"4.0\"" } else { head };
        let text = shipped
            .replace("lakeside", partner)
            .replace("fhir_version = \"4.0\"", head)
            .replace("1234567893", &format!("123456789{number}"))
            .replace("dialect = \"plain\"", &format!("dialect = \"plain\"\n{line}"))
            .replace("mode = \"rest\"", &format!("mode = \"{mode}\""));
        fs::write(folder.path().join(format!("partners/{partner}.toml")), text).unwrap();
    }
    folder
}

async fn shown(file: &str, partner: &str, folder: &Path, more: &[&str]) -> (i32, Value) {
    let folder = folder.to_str().unwrap();
    let mut arguments = vec!["preview", file, "--partner", partner, "--config", folder, "--json"];
    arguments.extend(more);
    let output = run(&arguments).await;
    let shown = lines(&output).pop();
    (code(&output), shown.unwrap_or_else(|| panic!("{file} {partner}: {}", err(&output))))
}

/// The places of all values.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, it)| places(it, &format!("{at}.{name}"), into)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, it)| places(it, &format!("{at}[{n}]"), into));
        }
        Value::Null => {}
        _ => into.push(at.to_owned()),
    }
}

/// Every value of the file is in the table, once and in its order; none is unaccounted; the shares are the whole.
fn assert_complete(file: &str, shown: &Value, name: &str) {
    let sent: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let mut expected = Vec::new();
    places(&sent, sent["resourceType"].as_str().unwrap(), &mut expected);
    let table = shown["table"].as_array().unwrap();
    let from: Vec<&str> = table.iter().map(|it| it["from"].as_str().unwrap()).collect();
    assert_eq!(from, expected, "{name}");
    let lost: Vec<&Value> =
        table.iter().filter(|it| it["how"].as_str().unwrap().contains("unaccounted")).collect();
    assert!(lost.is_empty(), "{name}: {lost:?}");
    let altogether = &shown["loss"]["altogether"];
    let fates = ["carried", "mapped", "kept", "dropped"].map(|it| &altogether[it]);
    let count: u64 = fates.iter().map(|it| it["count"].as_u64().unwrap()).sum();
    assert_eq!((count, &altogether["all"]), (expected.len() as u64, &json!(expected.len())), "{name}");
    let share: f64 = fates.iter().map(|it| it["percent"].as_f64().unwrap()).sum();
    assert!((share - 100.0).abs() < 1e-6, "{name}: {share}");
}

#[tokio::test]
async fn every_value_of_every_partners_message_is_accounted_for() {
    let folder = settings("", "rest");
    for case in cases().iter().filter(|it| it.outcome.is_none()) {
        let file = format!("fixtures/{}/request.json", case.name);

        let (code, shown) = shown(&file, case.partner, folder.path(), &[]).await;

        assert_eq!((code, &shown["accepted"]), (0, &json!(true)), "{}", case.name);
        assert_complete(&file, &shown, &case.name);
        // And every value of the transaction comes from somewhere.
        let mut written = Vec::new();
        places(&shown["forClinic"], "Bundle", &mut written);
        let told = ["table", "added"].map(|it| shown[it].as_array().unwrap());
        let told: Vec<&str> = told.into_iter().flatten().filter_map(|it| it["to"].as_str()).collect();
        for place in written {
            assert!(told.contains(&place.as_str()), "{}: {place} comes from nowhere", case.name);
        }
    }
}

#[tokio::test]
async fn every_value_of_an_update_is_accounted_for_whoever_gets_it() {
    let mut kinds: Vec<_> = fs::read_dir("fixtures/clinic").unwrap().map(|it| it.unwrap().path()).collect();
    kinds.sort();
    assert_eq!(kinds.len(), 7, "one of each kind");
    for (mode, more) in [("rest", ""), ("inbox", "")] {
        let folder = settings(more, mode);
        for kind in &kinds {
            let file = kind.join("resource.json").display().to_string();
            for (partner, _) in PARTNERS {
                let (code, shown) = shown(&file, partner, folder.path(), &["--outbound"]).await;

                let name = format!("{file} {partner} {mode}");
                assert_eq!((code, &shown["accepted"]), (0, &json!(true)), "{name} {}", shown["outcome"]);
                assert_complete(&file, &shown, &name);
                assert!(!shown["forPartner"].to_string().contains("For us alone"), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn every_guide_says_where_a_referral_stands_and_nothing_is_unaccounted() {
    for dialect in ["cow", "bser", "sdoh", "bars"] {
        let folder = settings("", "rest");
        for file in fs::read_dir(folder.path().join("partners")).unwrap() {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap().replace("\"plain\"", &format!("\"{dialect}\""));
            fs::write(&path, text).unwrap();
        }
        let file = "fixtures/clinic/task/resource.json";

        let (_, shown) = shown(file, "lakeside", folder.path(), &["--outbound"]).await;

        assert_complete(file, &shown, dialect);
        assert_eq!(shown["shape"]["dialect"], dialect);
    }
}

#[tokio::test]
async fn one_command_answers_where_a_field_went() {
    let folder = settings("", "rest");
    let asked = |place: &'static str, file: &'static str, partner: &'static str| {
        let folder = folder.path().to_str().unwrap().to_owned();
        async move { run(&["preview", file, "--partner", partner, "--config", &folder, "--element", place]).await }
    };

    let code_of = asked("Condition.code.coding.code", COMPLETE, "lakeside").await;
    let reason =
        asked("ServiceRequest.reason", "fixtures/summit/complete-bundle/request.json", "summit").await;
    let dropped = asked("Bundle.entry[10].resource.authoredOn", COMPLETE, "lakeside").await;
    let nothing = asked("ServiceRequest.bodySite", COMPLETE, "lakeside").await;

    let told = out(&code_of);
    assert!(
        told.contains(
            "ConceptMap/reason-to-clinic group[0] (equal) adds http://hl7.org/fhir/sid/icd-10-cm|R00.2"
        ),
        "{told}"
    );
    let told = out(&reason);
    assert!(
        told.contains("r5.map line ") && told.contains("reasonCode + reasonReference = reason"),
        "{told}"
    );
    assert!(told.contains("→ Bundle.entry[1].resource.reasonCode[0].text"), "{told}");
    assert!(out(&dropped).contains("dropped: the clinic's Task is made anew"), "{}", out(&dropped));
    assert_eq!((code(&nothing), code(&code_of)), (1, 0));
    assert!(err(&nothing).contains("no value at `ServiceRequest.bodySite`"), "{}", err(&nothing));
}

#[tokio::test]
async fn a_message_with_violations_shows_them_and_the_rest() {
    let folder = settings("", "rest");

    let (code, shown) =
        shown("fixtures/lakeside/wrong-codes/request.json", "lakeside", folder.path(), &[]).await;

    assert_eq!((code, &shown["accepted"]), (1, &json!(false)));
    let issue = &shown["outcome"]["issue"][0];
    assert!(
        issue["severity"] == "error"
            && issue["expression"].is_array()
            && issue["details"]["text"].is_string()
    );
    assert!(!shown["table"].as_array().unwrap().is_empty() && shown["forClinic"]["type"] == "transaction");
    assert_complete("fixtures/lakeside/wrong-codes/request.json", &shown, "wrong-codes");
}

#[tokio::test]
async fn it_says_as_what_a_message_is_recognised() {
    let folder = settings("", "rest");

    let (_, shown) =
        shown("fixtures/millpond/complete-bundle/request.json", "millpond", folder.path(), &[]).await;

    let shape = &shown["shape"];
    assert_eq!(
        (&shape["door"], &shape["fhirVersion"], &shape["dialect"], &shape["bundleType"]),
        (&json!("POST /fhir"), &json!("3.0"), &json!("plain"), &json!("transaction"))
    );
    assert_eq!(shape["resources"]["ReferralRequest"], 1);
    let steps: Vec<&Value> =
        shown["loss"]["steps"].as_array().unwrap().iter().map(|it| &it["step"]).collect();
    assert_eq!(steps, ["from FHIR 3.0 to 4.0", "in the clinic's terms"]);
}

#[tokio::test]
async fn a_task_with_its_order_inside_is_opened_and_what_it_names_elsewhere_is_told() {
    let (folder, files) = (settings("", "rest"), tempfile::tempdir().unwrap());
    let mut task = people::task(1, &ReferralOptions::default());
    let file = files.path().join("task.json");
    fs::write(&file, task.to_string()).unwrap();
    let bare = files.path().join("bare.json");
    task.as_object_mut().unwrap().remove("contained");
    task.as_object_mut().unwrap().remove("basedOn");
    task["focus"] = json!({ "reference": "ServiceRequest/8" });
    task["for"] = json!({ "reference": "Patient/9" });
    fs::write(&bare, task.to_string()).unwrap();
    let (file, bare) = (file.to_str().unwrap(), bare.to_str().unwrap());

    let (code, whole) = shown(file, "lakeside", folder.path(), &[]).await;
    let (_, alone) = shown(bare, "lakeside", folder.path(), &[]).await;

    assert_eq!((code, &whole["shape"]["door"]), (0, &json!("POST /fhir/Task")), "{}", whole["outcome"]);
    assert_complete(file, &whole, "task");
    assert_complete(bare, &alone, "bare task");
    let notes = alone["notes"].to_string();
    let later = from_r4(&people::task(1, &ReferralOptions::default()), FhirVersion::R5).value;
    fs::write(file, later.to_string()).unwrap();
    let (code, whole) = shown(file, "summit", folder.path(), &[]).await;
    assert_eq!(code, 0, "{}", whole["outcome"]);
    assert_complete(file, &whole, "task in 5.0");
    assert_eq!(whole["loss"]["steps"].as_array().unwrap().len(), 3);
    assert!(notes.contains("Task.focus is read from the partner's server when it is sent"), "{notes}");
    let order = json!({
        "resourceType": "ServiceRequest", "status": "active", "intent": "order", "code": { "text": "Echo" },
        "identifier": [{ "system": "urn:orders", "value": "9" }], "subject": { "reference": "Patient/9" },
    });
    fs::write(file, order.to_string()).unwrap();
    let (code, order) = shown(file, "lakeside", folder.path(), &[]).await;
    assert_eq!(code, 0, "{}", order["outcome"]);
    assert!(order["notes"].to_string().contains("ServiceRequest.subject is read from"), "{}", order["notes"]);
    assert_complete(file, &order, "an order whose patient is elsewhere");
}

#[tokio::test]
async fn an_update_is_shown_as_the_partner_would_get_it_and_consent_is_not_asked() {
    let folder = settings("", "rest");
    let file = "fixtures/clinic/appointment/resource.json";

    let (code, shown) = shown(file, "lakeside", folder.path(), &["--referral", COMPLETE]).await;
    let people =
        run(&["preview", file, "--partner", "lakeside", "--config", folder.path().to_str().unwrap()]).await;

    assert_eq!((code, &shown["direction"]), (0, &json!("outbound")));
    assert!(out(&people).contains("Whether consent releases it is decided at sending"));
    let sent = &shown["forPartner"][0];
    assert_eq!(sent["basedOn"][0]["identifier"]["value"], "ORD-0001");
    let fate = |from: &str| {
        let table = shown["table"].as_array().unwrap();
        let it = table.iter().find(|it| it["from"] == from).unwrap();
        (it["fate"].as_str().unwrap().to_owned(), it["how"].as_str().unwrap().to_owned())
    };
    assert_eq!(
        fate("Appointment.comment"),
        ("dropped".to_owned(), "not among the elements that this kind of update sends".to_owned())
    );
    assert_eq!(fate("Appointment.start").0, "carried");
    assert_eq!(fate("Appointment.basedOn[0].reference").0, "mapped");
}

#[tokio::test]
async fn check_says_of_profiles_in_use_what_is_not_checked() {
    let folder = settings("profiles = [\"urn:clinic:coded\"]", "rest");
    let profiles = folder.path().join("profiles");
    fs::create_dir(&profiles).unwrap();
    let profile = json!({
        "resourceType": "StructureDefinition", "url": "urn:clinic:coded", "type": "ServiceRequest",
        "derivation": "constraint", "baseDefinition": "http://hl7.org/fhir/StructureDefinition/ServiceRequest",
        "differential": { "element": [{ "id": "ServiceRequest.code", "path": "ServiceRequest.code",
            "binding": { "strength": "required", "valueSet": "urn:clinic:codes" } }] },
    });
    fs::write(profiles.join("coded.json"), profile.to_string()).unwrap();
    let file = folder.path().join("gateway.toml");
    let named = format!("directory = \"{}\"", profiles.display());
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("# directory = \"/etc/referral-gateway/profiles\"", &named)).unwrap();

    let checked = run(&["check", "--config", folder.path().to_str().unwrap()]).await;

    let told = err(&checked);
    let note = "note: urn:clinic:coded: not checked: the codes of urn:clinic:codes, which is not here (for lakeside, \
                millpond, oakfield, summit)";
    assert!(told.contains(note), "{told}");
    assert_eq!(code(&checked), 0, "{told}");
}

#[tokio::test]
async fn a_resource_that_a_partner_might_send_as_well_is_the_clinics_only_where_that_is_said() {
    let folder = settings("", "rest");
    let file = "fixtures/clinic/communication/resource.json";

    let (code, alone) = shown(file, "lakeside", folder.path(), &[]).await;
    let (_, said) = shown(file, "lakeside", folder.path(), &["--outbound"]).await;

    assert_eq!((code, &alone["direction"], &said["direction"]), (1, &json!("inbound"), &json!("outbound")));
    assert!(alone["notes"].to_string().contains("say --outbound"), "{}", alone["notes"]);
}
