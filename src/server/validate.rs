//! `$validate`: what a door would say, and nothing is recorded (FHIR R4, operation Resource-validate).

use axum::extract::{RawQuery, State};
use http::StatusCode;
use serde_json::Value;

use super::Doors;
use super::extract::{AuthenticatedPartner, FhirBody};
use super::refusal::Refusal;
use super::resource_body::ResourceBody;
use crate::auth::scope::Interaction;
use crate::fhir::outcome::{Issue, IssueKind, operation_outcome};
use crate::fhir::{json, resource};
use crate::inbound::InboundError;
use crate::inbound::open::door_for;
use crate::model::envelope::{Door, Envelope};
use crate::model::fhir_version::FhirVersion;
use crate::model::sensitive::Sensitive;

/// `POST /fhir/ServiceRequest/$validate`: one ServiceRequest, as the body or as the parameter `resource`.
pub async fn validate_service_request(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    RawQuery(query): RawQuery,
    body: FhirBody,
) -> Result<ResourceBody, Refusal> {
    validate(&doors, &from, query.as_deref(), (&body, |_, _| Door::ServiceRequest)).await
}

/// `POST /fhir/$validate`: a transaction, a message or a ServiceRequest.
pub async fn validate_any(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    RawQuery(query): RawQuery,
    body: FhirBody,
) -> Result<ResourceBody, Refusal> {
    validate(&doors, &from, query.as_deref(), (&body, door_for)).await
}

async fn validate(
    doors: &Doors,
    from: &AuthenticatedPartner,
    query: Option<&str>,
    (body, door): (&FhirBody, fn(&Value, FhirVersion) -> Door),
) -> Result<ResourceBody, Refusal> {
    from.must(Interaction::Create, "ServiceRequest")?;
    if query.is_some_and(|it| !it.is_empty()) {
        return Err(wrong(
            "Parameters.parameter",
            "Leave out `mode` and `profile`: the profiles are those agreed on.",
        ));
    }
    let sent = json::parse(&body.bytes).map_err(InboundError::from)?;
    let (message, place) = message_of(sent)?;
    let version = from.partner.fhir_version;
    let envelope = Envelope {
        door: door(&message, version),
        partner: from.partner.id.clone(),
        body: Sensitive::new(message.to_string().into_bytes()),
        received: doors.clock.now(),
        idempotency_key: None,
        request_id: None,
        if_none_exist: None,
        gathered: None,
    };
    let envelope = doors.inbound.gather_anew(&from.partner, envelope).await?;
    let mut issues = doors.inbound.check(&from.partner, &envelope)?;
    if let Some(place) = place {
        let name = resource::resource_type(&message);
        for issue in &mut issues {
            tell_place_as_sent(issue, name, &place);
        }
    }
    if issues.is_empty() {
        issues.push(Issue::information(
            "SEND_VALID",
            "Nothing is wrong: sent to its door, this would be taken.",
        ));
    }
    Ok(ResourceBody::in_version(operation_outcome(&issues, None), version))
}

/// What is to be validated; and where it is, if it came as a parameter.
fn message_of(mut sent: Value) -> Result<(Value, Option<String>), Refusal> {
    if resource::resource_type(&sent) != "Parameters" {
        return Ok((sent, None));
    }
    let mut found = None;
    for (number, parameter) in resource::items_mut(&mut sent, "parameter").enumerate() {
        let at = format!("Parameters.parameter[{number}]");
        match parameter["name"].as_str() {
            Some("resource") if found.is_none() => {
                found = Some((parameter["resource"].take(), Some(format!("{at}.resource"))));
            }
            _ => return Err(wrong(&at, "Send one parameter, `resource`: the profiles are those agreed on.")),
        }
    }
    found.ok_or_else(|| {
        wrong("Parameters.parameter", "Send what is to be validated as the parameter `resource`.")
    })
}

fn tell_place_as_sent(issue: &mut Issue, name: &str, place: &str) {
    for expression in &mut issue.expression {
        if let Some(rest) = expression.strip_prefix(name) {
            *expression = format!("{place}{rest}");
        }
    }
}

fn wrong(at: &str, fix: &str) -> Refusal {
    let issue = Issue::error(IssueKind::Value, "SEND_VALIDATE", fix).at(at);
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, issue)
}
