//! By which code maps codings were added.

use std::collections::HashMap;

use serde_json::Value;

use super::compare::leaves;
use super::{Account, joined, without_indexes};
use crate::translation::codes::CodeTrace;

/// The values of a result, by their places.
type Values<'v> = HashMap<String, &'v Value>;

/// Says of each code by which map it was added, and what a map added for it. The places of `result` begin with `root`.
pub fn explain_codes(account: &mut Account, (root, result): (&str, &Value), codes: &[CodeTrace]) {
    if codes.is_empty() {
        return;
    }
    let mut values = Values::new();
    leaves(result, root, &mut |place, value| {
        values.insert(place.to_owned(), value);
    });
    for it in &mut account.passages {
        if let Some(how) = it.to.as_deref().and_then(|to| mapped_code(to, &values, codes)) {
            it.how = joined(&it.how, &how);
        }
    }
    for it in &mut account.added {
        if let Some(how) = added_code(&it.to, &values, codes) {
            it.how = how;
        }
    }
}

/// By which map a coding of the transaction was added.
fn added_code(to: &str, values: &Values<'_>, codes: &[CodeTrace]) -> Option<String> {
    let (coding, (system, code)) = coding_at(to, values)?;
    let by = codes
        .iter()
        .find(|it| it.to == (system.clone(), code.clone()) && is_element(&coding, &it.element))?;
    Some(format!("{} group[{}] ({}) gives it for {}|{}", by.map, by.group, by.why, by.from.0, by.from.1))
}

/// To what a code of the source was mapped besides.
fn mapped_code(to: &str, values: &Values<'_>, codes: &[CodeTrace]) -> Option<String> {
    to.strip_suffix(".code")?;
    let (coding, (system, code)) = coding_at(to, values)?;
    let mut by = codes
        .iter()
        .filter(|it| it.from == (system.clone(), code.clone()) && is_element(&coding, &it.element));
    let by = by.next()?;
    Some(format!("{} group[{}] ({}) adds {}|{}", by.map, by.group, by.why, by.to.0, by.to.1))
}

/// The coding that a place is in, with its system and code.
fn coding_at(place: &str, values: &Values<'_>) -> Option<(String, (String, String))> {
    let at = place.rfind(".coding[")?;
    let end = place[at..].find(']')? + at + 1;
    let coding = &place[..end];
    let text = |name: &str| values.get(&format!("{coding}.{name}"))?.as_str().map(str::to_owned);
    Some((coding.to_owned(), (text("system").unwrap_or_default(), text("code")?)))
}

/// Whether a coding stands in an element such as `Condition.code`.
fn is_element(coding: &str, element: &str) -> bool {
    let plain = without_indexes(coding);
    let path = element.split_once('.').map_or(element, |(_, path)| path);
    plain.strip_suffix(".coding").is_some_and(|it| it.ends_with(&format!(".{path}")))
}
