//! The elements of a Consent that this engine understands, as a table (FHIR R4, Consent; consent S2, 4).
//!
//! What is not in the table may limit the Consent in a way that we would miss, so it makes it doubtful.

/// What an element holds.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string, or any other primitive that JSON writes as one.
    Text,
    /// `true` or `false`.
    Flag,
    /// A date with or without time.
    Date,
    /// A Period whose bounds can be read and are in order.
    Period,
    /// Anything that is not empty: it does not decide.
    Any,
    /// An object with these elements.
    Object(&'static [Element]),
    /// A provision.
    Provision,
    /// `permit` or `deny`.
    Kind,
    /// A code of `provision.data.meaning`.
    Meaning,
}

/// One element: its name, what it holds, whether it is a list, whether it must be there.
#[derive(Clone, Copy, Debug)]
pub struct Element {
    /// FHIR's name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// How often it may stand there.
    pub times: Times,
}

impl Element {
    /// Whether it must be there.
    pub const fn is_required(&self) -> bool {
        matches!(self.times, Times::Once | Times::NonEmptyList)
    }
}

/// How often an element may stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// 0..1
    Optional,
    /// 1..1
    Once,
    /// 0..*
    List,
    /// 1..*
    NonEmptyList,
}

use Times::{List, NonEmptyList, Once, Optional};

const fn element(name: &'static str, shape: Shape, times: Times) -> Element {
    Element { name, shape, times }
}

/// Of the resource.
pub const CONSENT: &[Element] = &[
    element("resourceType", Shape::Text, Once),
    element("id", Shape::Text, Optional),
    element("meta", Shape::Any, Optional),
    element("language", Shape::Text, Optional),
    element("text", Shape::Any, Optional),
    element("contained", Shape::Any, List),
    element("identifier", Shape::Any, List),
    element("status", Shape::Text, Once),
    element("scope", Shape::Object(CONCEPT), Once),
    element("category", Shape::Object(CONCEPT), NonEmptyList),
    element("patient", Shape::Object(REFERENCE), Once),
    element("dateTime", Shape::Date, Optional),
    element("performer", Shape::Any, List),
    element("organization", Shape::Object(REFERENCE), List),
    element("sourceAttachment", Shape::Any, Optional),
    element("sourceReference", Shape::Any, Optional),
    element("policy", Shape::Object(POLICY), List),
    element("policyRule", Shape::Object(CONCEPT), Optional),
    element("verification", Shape::Object(VERIFICATION), List),
    element("provision", Shape::Provision, Optional),
];

/// Of a provision, at any depth. Only the root's `type` may be missing.
pub const PROVISION: &[Element] = &[
    element("type", Shape::Kind, Optional),
    element("period", Shape::Period, Optional),
    element("actor", Shape::Object(ACTOR), List),
    element("action", Shape::Object(CONCEPT), List),
    element("securityLabel", Shape::Object(CODING), List),
    element("purpose", Shape::Object(CODING), List),
    element("class", Shape::Object(CODING), List),
    element("code", Shape::Object(CONCEPT), List),
    element("dataPeriod", Shape::Period, Optional),
    element("data", Shape::Object(DATA), List),
    element("provision", Shape::Provision, List),
];

/// Of a Period.
pub const PERIOD: &[Element] =
    &[element("start", Shape::Date, Optional), element("end", Shape::Date, Optional)];

const ACTOR: &[Element] =
    &[element("role", Shape::Object(CONCEPT), Once), element("reference", Shape::Object(REFERENCE), Once)];

const DATA: &[Element] =
    &[element("meaning", Shape::Meaning, Once), element("reference", Shape::Object(REFERENCE), Once)];

const POLICY: &[Element] =
    &[element("authority", Shape::Text, Optional), element("uri", Shape::Text, Optional)];

const VERIFICATION: &[Element] = &[
    element("verified", Shape::Flag, Once),
    element("verifiedWith", Shape::Any, Optional),
    element("verificationDate", Shape::Date, Optional),
];

const CONCEPT: &[Element] =
    &[element("coding", Shape::Object(CODING), List), element("text", Shape::Text, Optional)];

const CODING: &[Element] = &[
    element("system", Shape::Text, Optional),
    element("version", Shape::Text, Optional),
    element("code", Shape::Text, Optional),
    element("display", Shape::Text, Optional),
    element("userSelected", Shape::Flag, Optional),
];

const REFERENCE: &[Element] = &[
    element("reference", Shape::Text, Optional),
    element("type", Shape::Text, Optional),
    element("identifier", Shape::Object(IDENTIFIER), Optional),
    element("display", Shape::Text, Optional),
];

const IDENTIFIER: &[Element] = &[
    element("use", Shape::Text, Optional),
    element("type", Shape::Any, Optional),
    element("system", Shape::Text, Optional),
    element("value", Shape::Text, Optional),
    element("period", Shape::Any, Optional),
    element("assigner", Shape::Any, Optional),
];
