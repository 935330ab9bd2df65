use proptest::prelude::*;

use super::*;

fn map(group: &Value) -> CodeMap {
    CodeMap::parse(&json!({ "resourceType": "ConceptMap", "url": "urn:map", "group": [group] })).unwrap()
}

fn group(rows: &Value, unmapped: Value) -> Value {
    let mut group = json!({ "source": "urn:a", "target": "urn:b", "element": rows });
    if !unmapped.is_null() {
        group["unmapped"] = unmapped;
    }
    group
}

fn row(code: &str, targets: &[(&str, &str)]) -> Value {
    let targets: Vec<Value> = targets
        .iter()
        .map(|(code, equivalence)| json!({ "code": code, "equivalence": equivalence }))
        .collect();
    json!({ "code": code, "target": targets })
}

/// What a code of `urn:a` becomes besides itself.
fn added(maps: &CodeMaps, system: &str, code: &str) -> Vec<String> {
    let mut concept = json!({ "coding": [{ "system": system, "code": code, "userSelected": true }] });
    maps.translate(&mut concept);
    let codings = concept["coding"].as_array().unwrap();
    assert_eq!(codings[0], json!({ "system": system, "code": code, "userSelected": true }));
    codings[1..].iter().map(|it| format!("{}|{}", text(&it["system"]), text(&it["code"]))).collect()
}

fn faults(map: &Value) -> Vec<String> {
    CodeMap::parse(map).unwrap_err().iter().map(|it| it.place.clone()).collect()
}

#[test]
fn the_original_coding_is_kept_and_the_mapped_one_added_once() {
    let maps = CodeMaps::of([&map(&group(&json!([row("1", &[("one", "equal")])]), Value::Null))]);
    let mut resource = json!({ "code": { "coding": [{ "system": "urn:a", "code": "1" }] } });

    maps.translate(&mut resource);
    maps.translate(&mut resource);

    assert_eq!(
        resource["code"]["coding"],
        json!([{ "system": "urn:a", "code": "1" }, { "system": "urn:b", "code": "one" }])
    );
}

#[test]
fn a_code_is_added_only_where_it_is_true_as_well() {
    let codes = [
        ("equal", true, true),
        ("equivalent", true, true),
        ("wider", true, false),
        ("subsumes", true, false),
        ("narrower", false, true),
        ("specializes", false, true),
        ("relatedto", false, false),
        ("inexact", false, false),
        ("unmatched", false, false),
        ("disjoint", false, false),
    ];
    for (equivalence, forward, reverse) in codes {
        let map = map(&group(&json!([row("1", &[("one", equivalence)])]), json!({ "mode": "provided" })));

        let there = added(&CodeMaps::of([&map]), "urn:a", "1");
        let back = added(&CodeMaps::default().or_reversed([&map]), "urn:b", "one");

        assert_eq!(there, if forward { vec!["urn:b|one"] } else { vec![] }, "{equivalence}");
        assert_eq!(back, if reverse { vec!["urn:a|1"] } else { vec![] }, "{equivalence} in reverse");
    }
}

#[test]
fn every_target_of_a_code_is_added() {
    let rows = json!([row("1", &[("one", "equivalent"), ("none", "unmatched"), ("number", "wider")])]);
    let maps = CodeMaps::of([&map(&group(&rows, Value::Null))]);

    assert_eq!(added(&maps, "urn:a", "1"), ["urn:b|one", "urn:b|number"]);
}

#[test]
fn a_code_that_the_map_does_not_list_becomes_what_the_map_says() {
    let rows = json!([row("1", &[("one", "equal")])]);
    let with = |unmapped: Value| CodeMaps::of([&map(&group(&rows, unmapped))]);

    assert_eq!(added(&with(Value::Null), "urn:a", "2"), [""; 0]);
    assert_eq!(added(&with(json!({ "mode": "provided" })), "urn:a", "2"), ["urn:b|2"]);
    assert_eq!(added(&with(json!({ "mode": "fixed", "code": "other" })), "urn:a", "2"), ["urn:b|other"]);
    let other = CodeMap::parse(&json!({ "url": "urn:other", "group": [
        { "source": "urn:a", "target": "urn:c", "element": [row("2", &[("two", "equal")])],
          "unmapped": { "mode": "other-map", "url": "urn:other" } }] }))
    .unwrap();
    let through = with(json!({ "mode": "other-map", "url": "urn:other" })).with_others([&other]);
    assert_eq!(added(&through, "urn:a", "2"), ["urn:c|two"]);
    assert_eq!(added(&through, "urn:a", "3"), [""; 0], "maps that lead in a circle end");
}

#[test]
fn a_map_in_reverse_gives_way_to_one_of_our_own() {
    let there = map(&group(&json!([row("1", &[("one", "equal")])]), Value::Null));
    let back = CodeMap::parse(&json!({ "url": "urn:back", "group": [
        { "source": "urn:b", "target": "urn:a", "element": [row("one", &[("eins", "equal")])] }] }))
    .unwrap();

    assert_eq!(added(&CodeMaps::of([&back]).or_reversed([&there]), "urn:b", "one"), ["urn:a|eins"]);
}

#[test]
fn a_map_for_one_element_leaves_the_others_alone() {
    let limited = json!({ "url": "urn:map", "group": [group(&json!([row("1", &[("one", "equal")])]), Value::Null)],
        "useContext": [{ "code": { "system": ELEMENT_CONTEXT, "code": "element" },
                         "valueCodeableConcept": { "text": "Task.businessStatus" } }] });
    let maps = CodeMaps::of([&CodeMap::parse(&limited).unwrap()]);
    let concept = json!({ "coding": [{ "system": "urn:a", "code": "1" }] });
    let mut task = json!({ "resourceType": "Task", "businessStatus": concept, "code": concept,
        "contained": [{ "resourceType": "Basic", "code": concept }] });
    let mut traces = Vec::new();

    maps.translate_traced(&mut task, &mut traces);

    assert_eq!(task["code"], concept);
    assert_eq!(task["contained"][0]["code"], concept);
    let told: Vec<String> = traces.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["Task.businessStatus: urn:a|1 gives urn:b|one (equal, urn:map group[0])"]);
}

#[test]
fn every_fault_of_a_map_has_its_place() {
    let broken = json!({ "group": [{ "target": "urn:b", "element": [
        { "code": "1", "target": [{ "code": "one" }, { "equivalence": "equal" }] }, { "target": [] }],
        "unmapped": { "mode": "guess" } }] });

    assert_eq!(
        faults(&broken),
        [
            "ConceptMap.group[0].source",
            "ConceptMap.group[0].element[0].target[0].equivalence",
            "ConceptMap.group[0].element[0].target[1].code",
            "ConceptMap.group[0].element[1].code",
            "ConceptMap.group[0].unmapped.mode",
        ]
    );
}

#[test]
fn a_target_that_depends_on_others_is_noted_and_not_used() {
    let rows = json!([{ "code": "1", "target": [
        { "code": "one", "equivalence": "equal", "dependsOn": [{ "property": "p", "value": "v" }] }] }]);
    let map = map(&group(&rows, Value::Null));

    assert_eq!(map.notes[0].place, "ConceptMap.group[0].element[0].target[0].dependsOn");
    assert_eq!(added(&CodeMaps::of([&map]), "urn:a", "1"), [""; 0]);
}

fn pairs() -> impl Strategy<Value = Vec<(String, String, usize)>> {
    prop::collection::vec(("[a-e]{1,2}", "[v-z]{1,2}", 0..4_usize), 0..12)
}

proptest! {
    #[test]
    fn the_original_coding_survives_and_a_mapped_one_leads_back_to_it(pairs in pairs(), code in "[a-f]{1,2}") {
        let words = ["equal", "equivalent", "wider", "narrower"];
        let rows: Vec<Value> =
            pairs.iter().map(|(from, to, word)| row(from, &[(to.as_str(), words[*word])])).collect();
        let map = map(&group(&json!(rows), Value::Null));
        let (there, back) = (CodeMaps::of([&map]), CodeMaps::default().or_reversed([&map]));

        let targets = added(&there, "urn:a", &code);

        for target in targets {
            let target = target.trim_start_matches("urn:b|");
            let exact = pairs.iter().any(|(from, to, word)| *from == code && to == target && *word < 2);
            let origin = format!("urn:a|{code}");
            if exact {
                prop_assert!(added(&back, "urn:b", target).contains(&origin));
            }
        }
    }
}
