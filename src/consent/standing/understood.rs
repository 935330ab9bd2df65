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
        && consent.as_object().is_some_and(|map| {
            reader.is_object(map, CONSENT) && (map.contains_key("policyRule") || map.contains_key("policy"))
        })
}

fn has_modifier(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| {
            matches!(name.as_str(), "modifierExtension" | "implicitRules") || has_modifier(value)
        }),
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
    /// A name stands in an object once, so whoever finds as many required elements as there are has them all.
    fn is_object(self, map: &Map<String, Value>, elements: &[Element]) -> bool {
        let mut required = 0;
        let each_is_fine = map.iter().all(|(name, value)| {
            if let Some(primitive) = name.strip_prefix('_') {
                // The extensions of a primitive: fine beside it, but they are no substitute for it.
                return map.contains_key(primitive);
            }
            let element = elements.iter().find(|it| it.name == name);
            required += usize::from(element.is_some_and(Element::is_required));
            match element {
                Some(element) => self.is_element(element, value),
                None => matches!(name.as_str(), "id" | "extension"),
            }
        });
        each_is_fine && !map.is_empty() && required == elements.iter().filter(|it| it.is_required()).count()
    }

    fn is_element(self, element: &Element, value: &Value) -> bool {
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
            (Shape::Meaning, Value::String(text)) => {
                matches!(text.as_str(), "instance" | "related" | "dependents" | "authoredby")
            }
            (Shape::Object(elements), Value::Object(map)) => self.is_object(map, elements),
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
