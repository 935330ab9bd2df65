//! What keeps a Consent from being understood.

use std::ops::ControlFlow;

use super::place::Place;

/// One reason (consent S2, rule 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `modifierExtension` or `implicitRules` stands there or further in.
    Modifier,
    /// The element has an element that is not in the table.
    UnknownElement,
    /// It has another JSON form.
    NotA(Form),
    /// An object, list or text is empty.
    Empty,
    /// It must be there and is not.
    Missing,
    /// A primitive has extensions and no value.
    OnlyExtensions,
    /// Neither `policy` nor `policyRule` (FHIR R4, ppc-1).
    NoPolicy,
    /// The type of a rule is neither `permit` nor `deny`.
    RuleType,
    /// A nested rule has no type.
    NestedWithoutType,
    /// It is not a code of `provision.data.meaning`.
    Meaning,
    /// A date cannot be read.
    Date,
    /// A time has no zone.
    TimeWithoutZone,
    /// A Period ends before it starts.
    Backwards,
    /// More levels of rules than we follow.
    TooDeep,
}

/// A form of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `{ … }`
    Object,
    /// `[ … ]`
    List,
    /// `"…"`
    Text,
    /// `true` or `false`
    Flag,
    /// Any of object, list and text.
    Value,
}

/// Who is told of faults.
pub trait Listener {
    /// Hears of one, and says whether to look for more.
    fn hear(&mut self, place: Place<'_>, fault: Fault) -> ControlFlow<()>;
}
