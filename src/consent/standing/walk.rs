//! One walk through a Consent, along the table of its elements: for who asks whether it is understood, and
//! for who asks what is wrong with it.

use std::ops::ControlFlow;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::fault::{Fault, Form, Listener};
use super::place::Place;
use super::shape::{CONSENT, Element, PERIOD, PROVISION, Shape, Times};
use crate::consent::answer::Kind;
use crate::consent::period::Interval;

/// How many levels of provisions may lie below the root.
pub const DEEPEST: usize = 10;

/// Tells of everything that keeps a Consent from being understood, until the listener has heard enough.
pub fn walk(consent: &Value, zone: &TimeZone, listener: &mut impl Listener) -> ControlFlow<()> {
    // FHIR: a modifier that is not understood must not be ignored, wherever it stands.
    if has_modifier(consent) {
        modifiers(consent, Some(CONSENT), Place::Consent, listener)?;
    }
    let mut reader = Reader { zone, level: 0, listener };
    let Value::Object(map) = consent else {
        return reader.tell(Place::Consent, Fault::NotA(Form::Object));
    };
    reader.object(Object { map, elements: CONSENT, place: Place::Consent })?;
    if !map.contains_key("policy") && !map.contains_key("policyRule") {
        reader.tell(Place::Consent, Fault::NoPolicy)?;
    }
    ControlFlow::Continue(())
}

/// Whether a name is one of FHIR's two ways to change what the elements around it mean.
fn is_modifier(name: &str) -> bool {
    matches!(name, "modifierExtension" | "implicitRules")
}

/// Almost no Consent has one: their places are looked for only then.
fn has_modifier(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| is_modifier(name) || has_modifier(value)),
        Value::Array(list) => list.iter().any(has_modifier),
        _ => false,
    }
}

/// Looks everywhere, also outside of the table: there the place is the last one inside.
fn modifiers(
    value: &Value,
    elements: Option<&[Element]>,
    place: Place<'_>,
    listener: &mut impl Listener,
) -> ControlFlow<()> {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if is_modifier(name) {
                    listener.hear(place, Fault::Modifier)?;
                }
                match elements.and_then(|all| all.iter().find(|it| it.name == name)) {
                    Some(it) => {
                        let place = Place::Element(&place, it.name);
                        modifiers(value, Some(below(it.shape)), place, listener)?;
                    }
                    None => modifiers(value, None, place, listener)?,
                }
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                let place = if elements.is_some() { Place::Item(&place, index) } else { place };
                modifiers(value, elements, place, listener)?;
            }
        }
        _ => {}
    }
    ControlFlow::Continue(())
}

const fn below(shape: Shape) -> &'static [Element] {
    match shape {
        Shape::Object(elements) => elements,
        Shape::Provision => PROVISION,
        Shape::Period => PERIOD,
        _ => &[],
    }
}

/// An object, what it may hold, and where it stands.
#[derive(Clone, Copy)]
struct Object<'a> {
    map: &'a Map<String, Value>,
    elements: &'a [Element],
    place: Place<'a>,
}

struct Reader<'a, L> {
    zone: &'a TimeZone,
    level: usize,
    listener: &'a mut L,
}

impl<L: Listener> Reader<'_, L> {
    fn tell(&mut self, place: Place<'_>, fault: Fault) -> ControlFlow<()> {
        self.listener.hear(place, fault)
    }

    fn object(&mut self, object: Object<'_>) -> ControlFlow<()> {
        let Object { map, elements, place } = object;
        if map.is_empty() {
            return self.tell(place, Fault::Empty);
        }
        let mut required = 0;
        for (name, value) in map {
            let element = elements.iter().find(|it| it.name == name);
            required += usize::from(element.is_some_and(Element::is_required));
            self.element(object, (name, element), value)?;
        }
        // A name stands in an object once: as many as there are required are all of them.
        let is_required = |it: &&Element| it.is_required();
        if required < elements.iter().filter(is_required).count() {
            for it in elements.iter().filter(is_required).filter(|it| !map.contains_key(it.name)) {
                self.tell(Place::Element(&place, it.name), Fault::Missing)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn element(
        &mut self,
        around: Object<'_>,
        (name, element): (&str, Option<&Element>),
        value: &Value,
    ) -> ControlFlow<()> {
        let Object { map, place, .. } = around;
        if let Some(primitive) = name.strip_prefix('_') {
            // The extensions of a primitive: fine beside it, but they are no substitute for it.
            let is_beside = map.contains_key(primitive);
            return if is_beside {
                ControlFlow::Continue(())
            } else {
                self.tell(place, Fault::OnlyExtensions)
            };
        }
        if matches!(name, "id" | "extension") || is_modifier(name) {
            return ControlFlow::Continue(());
        }
        let Some(element) = element else {
            return self.tell(place, Fault::UnknownElement);
        };
        let place = Place::Element(&place, element.name);
        match (element.times, value) {
            (Times::List | Times::NonEmptyList, Value::Array(list)) => self.list(list, element.shape, place),
            (Times::List | Times::NonEmptyList, _) => self.tell(place, Fault::NotA(Form::List)),
            (Times::Optional | Times::Once, value) => self.value(value, element.shape, place),
        }
    }

    fn list(&mut self, list: &[Value], shape: Shape, place: Place<'_>) -> ControlFlow<()> {
        if list.is_empty() {
            return self.tell(place, Fault::Empty);
        }
        list.iter()
            .enumerate()
            .try_for_each(|(index, value)| self.value(value, shape, Place::Item(&place, index)))
    }

    fn value(&mut self, value: &Value, shape: Shape, place: Place<'_>) -> ControlFlow<()> {
        let fault = match (shape, value) {
            (Shape::Period, Value::Object(map)) => return self.period(value, map, place),
            (Shape::Object(elements), Value::Object(map)) => {
                return self.object(Object { map, elements, place });
            }
            (Shape::Provision, Value::Object(map)) => return self.provision(map, place),
            (Shape::Text, Value::String(text)) => text.is_empty().then_some(Fault::Empty),
            (Shape::Kind, value) => Kind::of_code(value).is_none().then_some(Fault::RuleType),
            (Shape::Meaning, value) => (!is_meaning(value)).then_some(Fault::Meaning),
            (Shape::Date, date) => self.date(date),
            (Shape::Flag, Value::Bool(_))
            | (Shape::Any, Value::Object(_) | Value::Array(_) | Value::String(_)) => None,
            (Shape::Text, _) => Some(Fault::NotA(Form::Text)),
            (Shape::Flag, _) => Some(Fault::NotA(Form::Flag)),
            (Shape::Any, _) => Some(Fault::NotA(Form::Value)),
            (Shape::Period | Shape::Object(_) | Shape::Provision, _) => Some(Fault::NotA(Form::Object)),
        };
        fault.map_or(ControlFlow::Continue(()), |it| self.tell(place, it))
    }

    fn date(&self, date: &Value) -> Option<Fault> {
        if Interval::of_date(date, self.zone).is_some() {
            return None;
        }
        let time = date.as_str().and_then(|it| it.split_once('T')).map(|(_, time)| time);
        let has_no_zone = time.is_some_and(|it| it.contains(':') && !it.contains(['Z', 'z', '+', '-']));
        Some(if has_no_zone { Fault::TimeWithoutZone } else { Fault::Date })
    }

    fn period(&mut self, period: &Value, map: &Map<String, Value>, place: Place<'_>) -> ControlFlow<()> {
        self.object(Object { map, elements: PERIOD, place })?;
        let is_readable =
            |name| map.get(name).is_none_or(|bound| Interval::of_date(bound, self.zone).is_some());
        let is_backwards = Interval::of_period(period, self.zone).is_none();
        // A bound that cannot be read has been told of.
        if is_backwards && is_readable("start") && is_readable("end") {
            self.tell(place, Fault::Backwards)?;
        }
        ControlFlow::Continue(())
    }

    /// The root may leave its type to the policy; a nested rule may not (FHIR R4, Consent.provision.type).
    fn provision(&mut self, map: &Map<String, Value>, place: Place<'_>) -> ControlFlow<()> {
        if self.level > DEEPEST {
            return self.tell(place, Fault::TooDeep);
        }
        if self.level > 0 && !map.contains_key("type") {
            self.tell(place, Fault::NestedWithoutType)?;
        }
        self.level += 1;
        self.object(Object { map, elements: PROVISION, place })?;
        self.level -= 1;
        ControlFlow::Continue(())
    }
}

fn is_meaning(code: &Value) -> bool {
    matches!(code.as_str(), Some("instance" | "related" | "dependents" | "authoredby"))
}
