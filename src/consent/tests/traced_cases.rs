//! Traces to look at: of the shared cases, where their folder exists, and of cases here.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::fixtures::{Setting, about, based, consent, deny, labelled, named, observation, permit, task};
use crate::consent::case::Case;
use crate::consent::disclosure::{Labelling, Purpose, Source};
use crate::consent::trace::Trace;
use crate::model::policy::DefaultDecision;

/// All of them.
pub(super) fn traces() -> Vec<Trace> {
    let shared = shared_cases().into_iter().map(|case| Case::read(&case).unwrap().examine().1);
    settings().iter().map(Setting::trace).chain(shared).collect()
}

/// The shared cases; none where their folder is missing.
pub(super) fn shared_cases() -> Vec<Value> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/consent-cases");
    let folder = std::env::var_os("CONSENT_CASES").map_or(beside, PathBuf::from);
    let Ok(entries) = folder.read_dir() else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|it| it.unwrap().path()).collect();
    files.retain(|it| it.extension().is_some_and(|end| end == "json"));
    files.sort();
    files.iter().map(|it| serde_json::from_str(&std::fs::read_to_string(it).unwrap()).unwrap()).collect()
}

/// A setting for every way in which consent is given, withheld or missing.
pub(super) fn settings() -> Vec<Setting> {
    let sensitive = labelled(task(), &[about("PSYTHPN")]);
    let except_mental_health = consent(&json!({
        "type": "permit",
        "provision": [{ "type": "deny", "securityLabel": [about("PSY")] }],
    }));
    let for_another = consent(&json!({ "type": "permit", "actor": named("Organization/other") }));
    let mut inactive = permit();
    inactive["status"] = json!("inactive");
    let mut found = Vec::new();
    for default in [DefaultDecision::Permit, DefaultDecision::Hold, DefaultDecision::Deny] {
        for consents in [
            vec![],
            vec![permit()],
            vec![deny()],
            vec![deny(), permit(), deny()],
            vec![inactive.clone()],
            vec![for_another.clone()],
            vec![except_mental_health.clone()],
            vec![based("OPTOUT", &Value::Null)],
            vec![based("OPTIN", &Value::Null)],
            vec![json!({ "resourceType": "OperationOutcome" })],
        ] {
            for resources in
                [vec![task()], vec![sensitive.clone()], vec![task(), observation("o", "44249-1")], vec![]]
            {
                found.push(Setting::new().default(default).consents(&numbered(&consents)).sends(&resources));
            }
        }
    }
    found.extend(broken_settings());
    found
}

fn numbered(consents: &[Value]) -> Vec<Value> {
    let mut consents = consents.to_vec();
    for (number, it) in consents.iter_mut().enumerate() {
        it["id"] = json!(format!("c{number}"));
    }
    consents
}

fn broken_settings() -> [Setting; 4] {
    let mut settings = [(); 4].map(|()| Setting::new().consents(&[permit()]));
    settings[0].source = Source::Unavailable;
    settings[1].labelling = Labelling::Down;
    settings[2].purpose = Purpose::reason("");
    settings[3].receiver.organization = crate::consent::disclosure::Party::default();
    settings
}
