//! Bytes → one FHIR message of R4, of the type that its door takes.

use serde_json::Value;

use super::InboundError;
use crate::fhir::json::JsonError;
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::{json, resource};
use crate::model::envelope::{Door, Envelope};
use crate::model::fhir_version::FhirVersion;
use crate::translation::versions::{self, Report};

/// A message as it was sent, and as R4.
#[derive(Clone, Debug)]
pub struct Opened {
    /// As it was sent.
    pub sent: Value,
    converted: Option<versions::Converted>,
}

impl Opened {
    /// The message as R4.
    pub fn message(&self) -> &Value {
        self.converted.as_ref().map_or(&self.sent, |it| &it.value)
    }

    /// The message as R4, alone.
    pub fn into_r4(self) -> Value {
        self.converted.map_or(self.sent, |it| it.value)
    }

    /// What the conversion made of each value; none: it was R4.
    pub fn report(&self) -> Option<&Report> {
        self.converted.as_ref().map(|it| &it.report)
    }

    /// Issues with their places as the sender wrote them, and its elements that its own version does not know.
    pub fn as_sent(&self, issues: Vec<Issue>) -> Vec<Issue> {
        let Some(converted) = &self.converted else {
            return issues;
        };
        let in_source = |mut issue: Issue| {
            for place in &mut issue.expression {
                *place = converted.report.place_in_source(place);
            }
            issue
        };
        let unknown = converted.unknown.iter().map(|place| unknown_element(place));
        unknown.chain(issues.into_iter().map(in_source)).collect()
    }
}

fn unknown_element(place: &str) -> Issue {
    let text = "The version of FHIR that was agreed on has no such element here, or not in this form. Remove it, or write \
                it right.";
    Issue::error(IssueKind::Structure, "SEND_ELEMENT_UNKNOWN", text).at(place)
}

/// Reads the body. Whether it is a referral is not yet said.
pub fn message(envelope: &Envelope, version: FhirVersion) -> Result<Opened, InboundError> {
    let opened = opened(json::parse(envelope.body.reveal())?, version);
    if resource::resource_type(opened.message()) == expected(envelope) {
        Ok(opened)
    } else {
        Err(InboundError::WrongDoor(envelope.door))
    }
}

/// Reads a body that was taken before.
pub fn again(body: &[u8], version: FhirVersion) -> Result<Opened, JsonError> {
    Ok(opened(json::parse(body)?, version))
}

/// The door that a sender of this would choose.
pub fn door_for(sent: &Value, version: FhirVersion) -> Door {
    match (versions::type_to_r4(resource::resource_type(sent), version), sent["type"].as_str()) {
        ("ServiceRequest", _) => Door::ServiceRequest,
        ("Task", _) => Door::Task,
        (_, Some("message")) => Door::Message,
        _ => Door::Transaction,
    }
}

fn opened(sent: Value, version: FhirVersion) -> Opened {
    let converted = (version != FhirVersion::R4).then(|| versions::to_r4(&sent, version));
    Opened { sent, converted }
}

const fn expected(envelope: &Envelope) -> &'static str {
    match envelope.door {
        // A Task comes with what was gathered for it.
        Door::Transaction | Door::Message | Door::Task => "Bundle",
        Door::ServiceRequest if envelope.gathered.is_some() => "Bundle",
        Door::ServiceRequest => "ServiceRequest",
    }
}
