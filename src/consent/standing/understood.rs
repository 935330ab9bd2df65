//! Whether every part of a Consent is understood (consent S2, rule 4).

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::shape::{CONSENT, Element, PERIOD, PROVISION, Shape, Times};
use crate::consent::answer::Kind;
use crate::consent::period::Interval;

/// How many levels of provisions may lie below the root.
const DEEPEST: usize = 10;

/// Whether a Consent has only elements that this engine understands, in the shape that FHIR gives them.
pub fn is_understood(consent: &Value, zone: &TimeZone) -> bool {
    let reader = Reader { zone, level: 0 };
    // FHIR: a modifier that is not understood must not be ignored, wherever it stands.
    !has_modifier(consent)
        && consent.as_object().is_some_and(|map| reader.is_object(map, CONSENT))
        && (consent.get("policy").is_some() || consent.get("policyRule").is_some())
}

fn has_modifier(value: &Value) -> bool {
    match value {
        Value::Object(map) => {
            // One walk over the names is cheaper than two look-ups by hash in every object.
            map.iter().any(|(name, it)| {
                matches!(name.as_str(), "modifierExtension" | "implicitRules") || has_modifier(it)
            })
        }
        Value::Array(list) => list.iter().any(has_modifier),
        _ => false,
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    zone: &'a TimeZone,
    level: usize,
}

impl Reader<'_> {
    fn is_object(self, map: &Map<String, Value>, elements: &[Element]) -> bool {
        !map.is_empty()
            && map.iter().all(|(name, value)| self.is_element(map, name, value, elements))
            && elements
                .iter()
                .filter(|it| matches!(it.times, Times::Once | Times::NonEmptyList))
                .all(|it| map.keys().any(|name| name == it.name))
    }

    fn is_element(self, map: &Map<String, Value>, name: &str, value: &Value, elements: &[Element]) -> bool {
        if let Some(primitive) = name.strip_prefix('_') {
            // The extensions of a primitive: fine beside it, but they are no substitute for it.
            return map.contains_key(primitive);
        }
        if matches!(name, "id" | "extension") {
            return true;
        }
        let Some(element) = elements.iter().find(|it| it.name == name) else {
            return false;
        };
        match (element.times, value) {
            (Times::List | Times::NonEmptyList, Value::Array(list)) => {
                !list.is_empty() && list.iter().all(|it| self.is_of(it, element.shape))
            }
            (Times::Optional | Times::Once, value) => self.is_of(value, element.shape),
            _ => false,
        }
    }

    fn is_of(self, value: &Value, shape: Shape) -> bool {
        match (shape, value) {
            (Shape::Text, Value::String(text)) => !text.is_empty(),
            (Shape::Date, date) => Interval::of_date(date, self.zone).is_some(),
            (Shape::Period, Value::Object(map)) => {
                self.is_object(map, PERIOD) && Interval::of_period(value, self.zone).is_some()
            }
            (Shape::Object(elements), Value::Object(map)) => self.is_object(map, elements) && is_known(map),
            (Shape::Provision, Value::Object(map)) => self.is_provision(value, map),
            (Shape::Flag, Value::Bool(_))
            | (Shape::Any, Value::Object(_) | Value::Array(_) | Value::String(_)) => true,
            _ => false,
        }
    }

    /// The root may leave its type to the policy; a nested rule may not (FHIR R4, Consent.provision.type).
    fn is_provision(self, value: &Value, map: &Map<String, Value>) -> bool {
        let typed = map.contains_key("type");
        let deeper = Self { level: self.level + 1, ..self };
        self.level <= DEEPEST
            && (typed || self.level == 0)
            && (!typed || Kind::of(value).is_some())
            && deeper.is_object(map, PROVISION)
    }
}

/// Whether the meaning of a `data` entry, where there is one, is known.
fn is_known(map: &Map<String, Value>) -> bool {
    let meaning = map.iter().find(|(name, _)| *name == "meaning").map(|(_, it)| it);
    meaning
        .and_then(Value::as_str)
        .is_none_or(|meaning| matches!(meaning, "instance" | "related" | "dependents" | "authoredby"))
}
