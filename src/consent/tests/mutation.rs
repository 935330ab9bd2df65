//! Ways to break a Consent: each takes a place and some randomness, and changes what stands there.

use serde_json::{Map, Value, json};

/// What is put in the place of something.
pub(super) fn oddities() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(""),
        json!("x"),
        json!("PERMIT"),
        json!("permit"),
        json!("deny"),
        json!("active"),
        json!("2026-02-30"),
        json!("2026"),
        json!("2026-03-10T15:00:00"),
        json!("2026-03-10T15:00:00Z"),
        json!("9999-12-31"),
        json!("\u{0}\u{202e}"),
        json!("#p"),
        json!("urn:uuid:0"),
        json!([]),
        json!({}),
        json!([null]),
        json!({ "display": "x" }),
        json!({ "modifierExtension": [] }),
        json!([{ "coding": [{ "code": "OPTIN" }] }]),
        json!({ "start": "2027", "end": "2026" }),
    ]
}

/// Breaks a value at one of its places; `choices` says which and how.
pub(super) fn break_at(value: &mut Value, choices: [usize; 3]) {
    let places = count(value);
    let mut index = choices[0] % places.max(1);
    visit(value, &mut index, &mut |it| change(it, choices[1], choices[2]));
}

/// Everything in a value that holds something.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        Value::Array(list) => 1 + list.iter().map(count).sum::<usize>(),
        _ => 1,
    }
}

fn visit(value: &mut Value, index: &mut usize, act: &mut impl FnMut(&mut Value)) -> bool {
    if *index == 0 {
        act(value);
        return true;
    }
    *index -= 1;
    match value {
        Value::Object(map) => map.values_mut().any(|it| visit(it, index, act)),
        Value::Array(list) => list.iter_mut().any(|it| visit(it, index, act)),
        _ => false,
    }
}

fn change(value: &mut Value, way: usize, choice: usize) {
    let odd = |choice: usize| oddities()[choice % oddities().len()].clone();
    match (value, way % 6) {
        (Value::Object(map), 0) => drop_one(map, choice),
        (Value::Object(map), 1) => rename_one(map, choice),
        (Value::Object(map), 2) => {
            map.insert(NAMES[choice % NAMES.len()].to_owned(), odd(choice / NAMES.len()));
        }
        (Value::Array(list), 0) if !list.is_empty() => {
            list.remove(choice % list.len());
        }
        (Value::Array(list), 1) if !list.is_empty() => list.push(list[choice % list.len()].clone()),
        (Value::Array(list), 2) => list.push(odd(choice)),
        (value, 3) => *value = json!([value.clone()]),
        (value, 4) => *value = json!({ "provision": value.clone(), "type": "permit" }),
        (value, _) => *value = odd(choice),
    }
}

/// Elements that a Consent may have in one place, put into any.
const NAMES: [&str; 12] = [
    "actor",
    "actors",
    "type",
    "period",
    "provision",
    "modifierExtension",
    "implicitRules",
    "_status",
    "extension",
    "policy",
    "reference",
    "verification",
];

fn drop_one(map: &mut Map<String, Value>, choice: usize) {
    if let Some(name) = map.keys().nth(choice % map.len().max(1)).cloned() {
        map.shift_remove(&name);
    }
}

fn rename_one(map: &mut Map<String, Value>, choice: usize) {
    if let Some(name) = map.keys().nth(choice % map.len().max(1)).cloned()
        && let Some(value) = map.shift_remove(&name)
    {
        map.insert(format!("{name}s"), value);
    }
}
