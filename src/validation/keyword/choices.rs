//! The keyword `choices` of our schema: of `value[x]` only one element may be there (FHIR R4, formats, choice of types).

use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

/// How the keyword is spelled.
pub(in crate::validation) const KEYWORD: &str = "choices";

/// The spelling for a profile, which does not list the elements: any that begins with the name will do.
pub(in crate::validation) const REQUIRED: &str = "choicesRequired";

/// What is wrong with a choice, and the name of the choice without `[x]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::validation) enum Problem<'a> {
    /// None of the elements is there, and one must be.
    Missing(&'a str),
    /// More than one is there.
    Ambiguous(&'a str),
}

impl<'a> Problem<'a> {
    /// Reads the message of an error that this keyword reported.
    pub(in crate::validation) fn read(message: &'a str) -> Option<Self> {
        match message.split_once(' ')? {
            ("missing", name) => Some(Self::Missing(name)),
            ("ambiguous", name) => Some(Self::Ambiguous(name)),
            _ => None,
        }
    }

    fn error(self) -> ValidationError<'static> {
        match self {
            Self::Missing(name) => ValidationError::custom(format!("missing {name}")),
            Self::Ambiguous(name) => ValidationError::custom(format!("ambiguous {name}")),
        }
    }
}

/// Builds the keyword of one definition, from `{"value": "0..1", "medication": "1..1"}`.
#[expect(clippy::unnecessary_wraps, reason = "the signature is jsonschema's")]
pub(in crate::validation) fn compile<'a>(
    parent: &'a Map<String, Value>,
    schema: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    let elements: Vec<&String> =
        parent.get("properties").and_then(Value::as_object).map(|it| it.keys().collect()).unwrap_or_default();
    let choices = schema.as_object().into_iter().flatten().map(|(name, cardinality)| Choice {
        name: name.clone(),
        required: cardinality == "1..1",
        elements: elements.iter().filter(|it| is_choice(name, it)).map(|it| (*it).clone()).collect(),
    });
    Ok(Box::new(Choices(choices.collect())))
}

/// Builds the keyword of a profile, from `{"value": "1..1"}`.
#[expect(clippy::unnecessary_wraps, reason = "the signature is jsonschema's")]
pub(in crate::validation) fn compile_required<'a>(
    _parent: &'a Map<String, Value>,
    schema: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    Ok(Box::new(Required(schema.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect())))
}

struct Required(Vec<String>);

impl Required {
    fn missing(&self, instance: &Value) -> Option<Problem<'_>> {
        let object = instance.as_object()?;
        let there = |name: &str| object.keys().any(|it| is_choice(name, it.strip_prefix('_').unwrap_or(it)));
        self.0.iter().find(|it| !there(it)).map(|it| Problem::Missing(it))
    }
}

impl<'i> Keyword<'i> for Required {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        self.missing(instance).map_or(Ok(()), |it| Err(it.error()))
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.missing(instance).is_none()
    }
}

fn is_choice(name: &str, element: &str) -> bool {
    element.strip_prefix(name).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
}

struct Choices(Vec<Choice>);

struct Choice {
    name: String,
    required: bool,
    elements: Vec<String>,
}

impl Choice {
    fn problem(&self, object: &Map<String, Value>) -> Option<Problem<'_>> {
        let mut present =
            object.keys().map(|it| it.strip_prefix('_').unwrap_or(it)).filter(|it| self.has(it));
        let first = present.next();
        // `valueString` and `_valueString` are one element.
        let other = first.and_then(|first| present.find(|it| *it != first));
        match (first, other) {
            (None, _) if self.required => Some(Problem::Missing(&self.name)),
            (_, Some(_)) => Some(Problem::Ambiguous(&self.name)),
            _ => None,
        }
    }

    fn has(&self, element: &str) -> bool {
        element.starts_with(&self.name) && self.elements.iter().any(|it| it == element)
    }
}

impl Choices {
    fn problems<'a>(&'a self, instance: &'a Value) -> impl Iterator<Item = Problem<'a>> {
        instance.as_object().into_iter().flat_map(|object| self.0.iter().filter_map(|it| it.problem(object)))
    }
}

impl<'i> Keyword<'i> for Choices {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        self.problems(instance).next().map_or(Ok(()), |problem| Err(problem.error()))
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.problems(instance).next().is_none()
    }

    fn iter_errors(&self, instance: &'i Value) -> Box<dyn Iterator<Item = ValidationError<'i>> + 'i> {
        let errors: Vec<_> = self.problems(instance).map(Problem::error).collect();
        Box::new(errors.into_iter())
    }
}
