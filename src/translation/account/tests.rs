use std::collections::HashSet;

use serde_json::{Value, json};

use super::compare::leaves;
use super::*;
use crate::fhir::resource::resource_type;
use crate::model::client::{Client, ClientCredential, ClientRole};
use crate::model::fhir_version::FhirVersion;
use crate::model::sensitive::Sensitive;
use crate::translation::codes::CodeMaps;
use crate::translation::submission::Submission;
use crate::translation::to_clinic::ForClinic;
use crate::translation::versions as conversions;

/// Whose messages there are, and in which version.
const PARTNERS: [(&str, FhirVersion); 4] = [
    ("lakeside", FhirVersion::R4),
    ("millpond", FhirVersion::Stu3),
    ("oakfield", FhirVersion::R4b),
    ("summit", FhirVersion::R5),
];

fn fixture(partner: &str, case: &str) -> Value {
    let file = format!("{}/fixtures/{partner}/{case}/request.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Every message that is taken.
fn messages() -> Vec<(Value, FhirVersion)> {
    let mut messages: Vec<_> =
        PARTNERS.into_iter().map(|(it, version)| (fixture(it, "complete-bundle"), version)).collect();
    messages.push((fixture("lakeside", "single-service-request"), FhirVersion::R4));
    messages.push((with_twins(fixture("lakeside", "complete-bundle")), FhirVersion::R4));
    messages.push((as_message(fixture("lakeside", "complete-bundle")), FhirVersion::R4));
    messages
}

/// The same practice twice, a large attachment, and references to the sender's server.
fn with_twins(mut bundle: Value) -> Value {
    let mut twin = bundle["entry"][2].clone();
    twin["fullUrl"] = json!("urn:uuid:00000000-0000-4000-8000-0000000000ff");
    twin["resource"]["name"] = json!("The same practice under another name");
    bundle["entry"].as_array_mut().unwrap().push(twin);
    bundle["entry"][8]["resource"]["content"][0]["attachment"]["data"] = json!("QUJD".repeat(70_000));
    bundle["entry"][8]["resource"]["id"] = json!("document-1");
    bundle["entry"][8]["resource"]["meta"] =
        json!({ "versionId": "7", "lastUpdated": "2026-03-01T09:30:00Z", "profile": ["urn:profile"] });
    bundle["entry"][8]["resource"]["custodian"] =
        json!({ "reference": "https://ehr.lakeside.example/fhir/Organization/9" });
    bundle["entry"][8]["resource"]["authenticator"] = json!({
        "reference": "https://ehr.lakeside.example/fhir/Practitioner/9",
        "identifier": { "system": "urn:people", "value": "nine" },
    });
    bundle
}

fn as_message(mut bundle: Value) -> Value {
    bundle["type"] = json!("message");
    bundle["id"] = json!("message-1");
    let header = json!({ "fullUrl": "urn:uuid:00000000-0000-4000-8000-0000000000aa", "resource": {
        "resourceType": "MessageHeader",
        "eventCoding": { "system": "urn:events", "code": "new" },
        "source": { "endpoint": "https://ehr.lakeside.example/fhir" },
    } });
    bundle["entry"].as_array_mut().unwrap().insert(0, header);
    for entry in bundle["entry"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("request");
    }
    bundle
}

fn translated(message: &Value) -> ForClinic {
    use crate::model::ids::{PartnerId, ReferralId};
    use crate::model::partner::{BusinessIdentifier, Outbound, OutboundMode, Partner};
    use crate::translation::coordination::Parties;
    use crate::translation::effect::EffectNames;

    let now = jiff::Timestamp::UNIX_EPOCH;
    let named =
        |value: &str| BusinessIdentifier { system: "urn:organizations".to_owned(), value: value.to_owned() };
    let partner = Partner {
        id: PartnerId::new("lakeside"),
        name: "Lakeside".to_owned(),
        organization: named("1"),
        dialect: crate::model::dialect::Dialect::Plain,
        fhir_version: FhirVersion::R4,
        profiles: Vec::new(),
        client: Client {
            client_id: "lakeside".to_owned(),
            credential: ClientCredential::Secret(Sensitive::new("secret".to_owned())),
            role: ClientRole::Clinic,
            rate: None,
        },
        outbound: Outbound { mode: OutboundMode::Inbox, share: Vec::new() },
    };
    let parties = Parties {
        partner: &partner,
        clinic_name: "Clinic",
        clinic: &named("2"),
        public_url: "https://us.example",
        received: now,
    };
    let effects = EffectNames::new("https://us.example", ReferralId::new(now));
    crate::translation::to_clinic::to_clinic(
        &Submission::of(message),
        &effects,
        &parties,
        &CodeMaps::default(),
    )
}

/// The road of a message in this version, and its account.
fn walked(sent: &Value, version: FhirVersion) -> (ForClinic, Account) {
    if version == FhirVersion::R4 {
        let written = translated(sent);
        let account = of_translation(sent, &written);
        return (written, account);
    }
    let converted = conversions::to_r4(sent, version);
    let written = translated(&converted.value);
    let first = of_conversion((sent, version), &converted, FhirVersion::R4);
    (written.clone(), first.then(&of_translation(&converted.value, &written)))
}

fn places(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    leaves(value, resource_type(value), &mut |place, _| found.push(place.to_owned()));
    found
}

#[test]
fn every_value_of_every_message_is_accounted_for_and_the_sum_is_the_whole() {
    for (sent, version) in messages() {
        let (_, account) = walked(&sent, version);

        let from: Vec<String> = account.passages.iter().map(|it| it.from.clone()).collect();
        assert_eq!(from, places(&sent), "{version:?}");
        let lost: Vec<&Passage> = account.passages.iter().filter(|it| it.how.contains(UNACCOUNTED)).collect();
        assert_eq!(lost, Vec::<&Passage>::new(), "{version:?}");
        let tally = account.tally();
        assert_eq!(tally.all, tally.carried + tally.mapped + tally.kept + tally.dropped);
        assert_eq!(tally.per_mille().iter().map(|(_, it)| it).sum::<usize>(), 1000);
    }
}

#[test]
fn every_value_of_the_result_comes_from_one_of_the_source_or_was_added() {
    for (sent, version) in messages() {
        let (written, account) = walked(&sent, version);

        let added: Vec<&String> = account.added.iter().map(|it| &it.to).collect();
        let from_source: HashSet<&String> = account.passages.iter().filter_map(|it| it.to.as_ref()).collect();
        let once: HashSet<&&String> = added.iter().collect();
        assert_eq!(once.len(), added.len(), "{version:?}: something was added twice");
        for place in places(&written.bundle) {
            let known = (from_source.contains(&place), once.contains(&&place));
            assert!(known.0 != known.1, "{version:?}: {place} {known:?}");
        }
        for place in from_source.iter().chain(&added) {
            assert!(places(&written.bundle).contains(*place), "{version:?}: {place} is nowhere");
        }
    }
}

/// What decides how a message is read: it cannot be replaced by a word.
fn decides(place: &str) -> bool {
    let names = ["resourceType", "reference", "fullUrl", "method", "url", "type", "focus"];
    names.iter().any(|it| place.ends_with(&format!(".{it}"))) || place == "Bundle.type"
}

#[test]
fn a_word_that_stands_nowhere_else_is_where_the_account_says() {
    const WORD: &str = "zz-nowhere-else";
    for (mut sent, version) in messages() {
        let texts: Vec<String> = places(&sent).into_iter().filter(|it| !decides(it)).collect();
        for place in texts.iter().step_by(3) {
            let pointer = pointer(place);
            let Some(slot) = sent.pointer_mut(&pointer).filter(|it| it.is_string()) else { continue };
            let before = std::mem::replace(slot, json!(WORD));

            let (written, account) = walked(&sent, version);

            let told = account.passages.iter().find(|it| it.from == *place).unwrap();
            let mut there = Vec::new();
            leaves(&written.bundle, "Bundle", &mut |at, value| {
                there.extend((value == WORD).then(|| at.to_owned()));
            });
            match (told.fate, &told.to) {
                (Fate::Dropped, None) => assert_eq!(there, Vec::<String>::new(), "{version:?} {place}"),
                // What was mapped may say it in other words.
                (Fate::Mapped, Some(_)) if there.is_empty() => {}
                (Fate::Mapped, None) => {}
                (_, Some(to)) => {
                    assert!(there.contains(to), "{version:?} {place}: {told:?}, and is at {there:?}");
                }
                other => panic!("{version:?} {place}: {other:?}"),
            }
            *sent.pointer_mut(&pointer).unwrap() = before;
        }
    }
}

/// `/entry/0/resource` of `Bundle.entry[0].resource`.
fn pointer(place: &str) -> String {
    let steps = place.split(['.', '[']).skip(1).map(|it| it.trim_end_matches(']'));
    steps.fold(String::new(), |path, step| format!("{path}/{step}"))
}

#[test]
fn a_value_that_vanishes_on_the_way_is_found_out() {
    let sent = fixture("lakeside", "complete-bundle");
    let written = translated(&sent);
    let account = of_translation(&sent, &written);
    let mut tried = 0;
    for passage in account.passages.iter().step_by(4) {
        let Some(to) = passage.to.as_ref().filter(|it| it.contains(".resource.")) else { continue };
        // The Task is made anew, so most of its values may be left out.
        let task = passage.from.strip_prefix("Bundle.entry[10].resource.");
        if task.is_some_and(|it| {
            !["input", "priority", "restriction", "identifier"].iter().any(|own| it.starts_with(own))
        }) {
            continue;
        }
        let mut harmed = written.clone();
        let (container, name) = to.rsplit_once('.').unwrap();
        let Some((name, None)) =
            name.split_once('[').map(|(name, at)| (name, Some(at))).or(Some((name, None)))
        else {
            continue;
        };
        harmed
            .bundle
            .pointer_mut(&pointer(container))
            .unwrap()
            .as_object_mut()
            .unwrap()
            .shift_remove(name)
            .unwrap();
        tried += 1;

        let found = of_translation(&sent, &harmed);

        let told = found.passages.iter().find(|it| it.from == passage.from).unwrap();
        assert_eq!((told.fate, told.how.as_str()), (Fate::Dropped, UNACCOUNTED), "{}", passage.from);
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn items_of_a_list_are_known_again_when_one_before_them_is_gone_or_added() {
    let before = json!({ "part": [
        { "system": "a", "value": "1" }, { "system": "a", "value": "2" }, { "who": { "reference": "X/1" } },
    ] });
    let after = json!({ "part": [
        { "system": "new" }, { "system": "a", "value": "2", "use": "usual" }, { "who": { "reference": "Y/9" } },
    ] });
    let reasons = Reasons {
        relink: &|it| Some(json!({ "reference": it["reference"].as_str()?.replace("X/1", "Y/9") })),
        changed: &|_| None,
        gone: &|_| Some("gone".to_owned()),
        added: &|_| "added".to_owned(),
    };

    let account = compare(("Thing", &before), ("Thing", &after), &reasons);

    let to: Vec<(Option<&str>, Fate)> =
        account.passages.iter().map(|it| (it.to.as_deref(), it.fate)).collect();
    assert_eq!(
        to,
        [
            (None, Fate::Dropped),
            (None, Fate::Dropped),
            (Some("Thing.part[1].system"), Fate::Carried),
            (Some("Thing.part[1].value"), Fate::Carried),
            (Some("Thing.part[2].who.reference"), Fate::Mapped),
        ]
    );
    let added: Vec<&str> = account.added.iter().map(|it| it.to.as_str()).collect();
    assert_eq!(added, ["Thing.part[1].use", "Thing.part[0].system"]);
}

#[test]
fn shares_are_rounded_so_that_they_sum_to_the_whole() {
    let tally = Tally { all: 3, carried: 1, mapped: 1, dropped: 1, ..Tally::default() };

    let shares = tally.per_mille().map(|(_, it)| it);

    assert_eq!(shares.iter().sum::<usize>(), 1000);
    assert!(shares.iter().all(|it| [0, 333, 334].contains(it)));
    assert_eq!(Tally::default().per_mille().map(|(_, it)| it), [0; 4]);
}

#[test]
fn a_line_of_the_map_is_named_for_what_it_moved() {
    let (_, account) = walked(&fixture("summit", "complete-bundle"), FhirVersion::R5);
    let how = |place: &str| account.passages.iter().find(|it| it.from == place).unwrap().how.clone();

    let reason = how("Bundle.entry[1].resource.reason[0].concept.text");
    assert!(
        reason.ends_with("reasonCode + reasonReference = reason") && reason.starts_with("r5.map line "),
        "{reason}"
    );
    let line: usize = reason["r5.map line ".len()..].split(':').next().unwrap().parse().unwrap();
    let map =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/versions/r5.map")).unwrap();
    assert_eq!(map.lines().nth(line - 1).unwrap().trim(), "reasonCode + reasonReference = reason");
}

#[test]
fn places_may_be_asked_for_without_indexes_and_from_above() {
    assert!(is_at("Bundle.entry[1].resource.code.text", "Bundle.entry[1].resource.code"));
    assert!(is_at("Task.input[0].type.text", "Task.input.type"));
    assert!(!is_at("Task.codeX", "Task.code"));
    assert!(!is_at("Task.input[10].type", "Task.input[1]"));
}
