//! Ways to break a Consent. Each changes one place: drops, renames, retypes, nests, repeats, or puts something
//! odd there.

use serde_json::{Map, Value, json};

use super::choice::Choice;

/// No message nests deeper: our parser refuses it.
const DEEPEST: usize = 60;

/// Breaks a value in one place.
pub(crate) fn break_once(value: &mut Value, choice: &mut Choice<'_>) {
    let before = value.clone();
    let mut index = choice.of(count(value));
    visit(value, &mut index, &mut |it| change(it, choice));
    if depth(value) > DEEPEST {
        *value = before;
    }
}

/// Puts an element of another Consent, or of its root rule, where the same one stands or could stand.
pub(crate) fn take_over(value: &mut Value, from: &Value, choice: &mut Choice<'_>) {
    let (source, target) = if choice.of(2) == 0 {
        (Some(from), Some(value))
    } else {
        (from.get("provision"), value.get_mut("provision"))
    };
    let (Some(Value::Object(source)), Some(Value::Object(target))) = (source, target) else {
        return;
    };
    if let Some(name) = any_name(source, choice) {
        target.insert(name.clone(), source[&name].clone());
    }
}

/// How many values there are in a value, itself counted.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        Value::Array(list) => 1 + list.iter().map(count).sum::<usize>(),
        _ => 1,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or_default(),
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

fn change(value: &mut Value, choice: &mut Choice<'_>) {
    match (value, choice.of(8)) {
        (Value::Object(map), 0 | 1) => drop_one(map, choice),
        (Value::Object(map), 2) => rename_one(map, choice),
        (Value::Object(map), 3) => {
            let name = (*choice.one(&NAMES)).to_owned();
            map.insert(name, odd(choice));
        }
        (Value::Object(map), 4) => swap_two(map, choice),
        (Value::Array(list), 0 | 1) if !list.is_empty() => {
            list.remove(choice.of(list.len()));
        }
        (Value::Array(list), 2 | 3) if !list.is_empty() => list.push(list[choice.of(list.len())].clone()),
        (Value::Array(list), 4) => list.push(odd(choice)),
        (value, 5) => *value = json!([value.clone()]),
        (value, 6) => nest(value, choice),
        (value, _) => *value = odd(choice),
    }
}

fn drop_one(map: &mut Map<String, Value>, choice: &mut Choice<'_>) {
    if let Some(name) = any_name(map, choice) {
        map.shift_remove(&name);
    }
}

/// Misspelt, in capitals, or another element of a Consent.
fn rename_one(map: &mut Map<String, Value>, choice: &mut Choice<'_>) {
    let Some(name) = any_name(map, choice) else {
        return;
    };
    let value = map.shift_remove(&name).unwrap_or_default();
    let new = match choice.of(4) {
        0 => format!("{name}s"),
        1 => name.to_uppercase(),
        2 => format!("_{name}"),
        _ => (*choice.one(&NAMES)).to_owned(),
    };
    map.insert(new, value);
}

fn swap_two(map: &mut Map<String, Value>, choice: &mut Choice<'_>) {
    let (Some(one), Some(other)) = (any_name(map, choice), any_name(map, choice)) else {
        return;
    };
    let (first, second) = (map[&one].clone(), map[&other].clone());
    map.insert(one, second);
    map.insert(other, first);
}

fn any_name(map: &Map<String, Value>, choice: &mut Choice<'_>) -> Option<String> {
    map.keys().nth(choice.of(map.len())).cloned()
}

/// Puts rules around it, sometimes more than are followed.
fn nest(value: &mut Value, choice: &mut Choice<'_>) {
    let kind = *choice.one(&["permit", "deny", ""]);
    for _ in 0..=choice.of(13) {
        *value = json!({ "provision": [value.take()] });
        if !kind.is_empty() {
            value["type"] = json!(kind);
        }
    }
}

/// Elements that a Consent may have in one place, put into any.
const NAMES: [&str; 28] = [
    "action",
    "actor",
    "actors",
    "class",
    "code",
    "coding",
    "data",
    "dataPeriod",
    "dateTime",
    "display",
    "extension",
    "identifier",
    "implicitRules",
    "meaning",
    "modifierExtension",
    "organization",
    "patient",
    "period",
    "policy",
    "policyRule",
    "provision",
    "purpose",
    "reference",
    "role",
    "securityLabel",
    "type",
    "uri",
    "verification",
];

/// Texts that stand in the wrong place, or in none.
const TEXTS: [&str; 40] = [
    "",
    " ",
    "x",
    "permit",
    "deny",
    "PERMIT",
    "permit ",
    "active",
    "inactive",
    "Active",
    "2026",
    "2026-03",
    "2026-02-30",
    "2026-03-10",
    "2026-03-10T15:00:00",
    "2026-03-10T15:00:00Z",
    "2026-03-10T15:00Z",
    "2026-03-10T25:61:61Z",
    "2026-03-10T15:00:00.999999999+14:00",
    "-9999-01-01",
    "0000",
    "9999",
    "9999-12-31T23:59:59Z",
    "é026",
    "20２6-01-01",
    "\u{0}\u{202e}\u{feff}",
    "TREAT",
    "OPTIN",
    "OPTOUT",
    "IRCP",
    "disclose",
    "R",
    "PSY",
    "related",
    "instance",
    "Organization/lakeside",
    "#p",
    "urn:uuid:0",
    "https://clinic.example/fhir/Patient/9/_history/",
    "https://profiles.ihe.net/ITI/PCF/Policy-all-normal",
];

fn odd(choice: &mut Choice<'_>) -> Value {
    match choice.of(16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(0),
        3 => json!([]),
        4 => json!({}),
        5 => json!([null]),
        6 => json!({ "display": "x" }),
        7 => json!({ "modifierExtension": [] }),
        8 => json!([{ "coding": [{ "code": "OPTIN" }] }]),
        9 => json!({ "start": choice.one(&TEXTS), "end": choice.one(&TEXTS) }),
        10 => json!("a".repeat(70_000)),
        _ => json!(choice.one(&TEXTS)),
    }
}
