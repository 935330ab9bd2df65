//! `POST /fhir/Patient/{id}/$consent-check`: the clinic's EHR asks what consent would say (FHIR R4,
//! operations). Nothing is sent, and that it was asked is on record.

use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Doors;
use super::extract::{AuthenticatedClinic, FhirBody};
use super::refusal::Refusal;
use super::resource_body::ResourceBody;
use crate::auth::scope::Interaction;
use crate::consent::disclosure::{DISCLOSE, Purpose};
use crate::consent::explain::explain;
use crate::consent::purpose::is_known;
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::reference::{Target, is_id, target};
use crate::fhir::{json, resource};
use crate::inbound::InboundError;
use crate::model::partner::BusinessIdentifier;
use crate::outbound::consent_check::{CheckError, Checked, ConsentCheck, Subject};
use crate::outbound::inbox::InboxError;

/// Asks about one patient. The answer is for the clinic only: it names Consents and labels.
pub async fn consent_check(
    State(doors): State<Doors>,
    from: AuthenticatedClinic,
    Path(patient): Path<String>,
    body: FhirBody,
) -> Result<ResourceBody, Refusal> {
    from.must(Interaction::Read, "Consent")?;
    let parameters = json::parse(&body.bytes).map_err(InboundError::from)?;
    if !is_id(&patient) {
        return Err(Refusal::not_found());
    }
    let mut check = read(&parameters)?;
    check.patient = Some(format!("Patient/{patient}"));
    let partner = doors.partners.all().find(|it| it.organization == check.organization);
    check.recipient = partner.map(|it| it.id.clone());
    let checked = doors.outbound.consent_check(&check).await?;
    Ok(ResourceBody::r4(answer(&checked)))
}

/// The parameters as a question; the patient is not among them.
fn read(parameters: &Value) -> Result<ConsentCheck, Refusal> {
    if resource::resource_type(parameters) != "Parameters" {
        return Err(wrong("Parameters", "Send a Parameters resource."));
    }
    let mut check = ConsentCheck {
        patient: None,
        recipient: None,
        organization: BusinessIdentifier { system: String::new(), value: String::new() },
        purpose: Purpose::reason("TREAT"),
        action: DISCLOSE.to_owned(),
        subject: Subject::Reference(String::new()),
        at: None,
    };
    let mut subjects = 0;
    for (number, parameter) in parameters["parameter"].as_array().into_iter().flatten().enumerate() {
        let at = format!("Parameters.parameter[{number}]");
        match parameter["name"].as_str().unwrap_or_default() {
            "recipient" => check.organization = recipient(parameter, &at)?,
            "purpose" => check.purpose = purpose(parameter, &at)?,
            "action" => check.action = action(parameter, &at)?,
            "at" => check.at = Some(instant(parameter, &at)?),
            "resource" | "reference" => {
                check.subject = subject(parameter, &at)?;
                subjects += 1;
            }
            _ => return Err(wrong(&at, "Name it recipient, purpose, action, at, resource or reference.")),
        }
    }
    if check.organization.value.is_empty() {
        return Err(wrong("Parameters.parameter", "Say for whom: add the parameter recipient."));
    }
    if subjects != 1 {
        return Err(wrong("Parameters.parameter", "Say what: add one parameter, resource or reference."));
    }
    Ok(check)
}

fn recipient(parameter: &Value, at: &str) -> Result<BusinessIdentifier, Refusal> {
    let identifier = parameter.get("valueIdentifier").unwrap_or(&parameter["valueReference"]["identifier"]);
    let text = |name: &str| identifier[name].as_str().filter(|it| !it.is_empty()).map(str::to_owned);
    match (text("system"), text("value")) {
        (Some(system), Some(value)) => Ok(BusinessIdentifier { system, value }),
        _ => Err(wrong(at, "Give the organisation's identifier, with system and value, as valueIdentifier.")),
    }
}

fn purpose(parameter: &Value, at: &str) -> Result<Purpose, Refusal> {
    let coded = parameter["valueCoding"]["code"].as_str();
    let code = parameter["valueCode"].as_str().or(coded).filter(|it| is_known(it));
    let system = parameter["valueCoding"]["system"].as_str();
    let purpose = code.map(Purpose::reason).filter(|it| system.is_none_or(|system| system == it.system));
    purpose.ok_or_else(|| wrong(at, "Give a code of v3-ActReason, such as TREAT, as valueCode."))
}

fn action(parameter: &Value, at: &str) -> Result<String, Refusal> {
    let code = parameter["valueCode"].as_str();
    let known = code.filter(|it| matches!(*it, "collect" | "access" | "use" | "disclose" | "correct"));
    known.map(str::to_owned).ok_or_else(|| wrong(at, "Give a code of consentaction as valueCode."))
}

fn instant(parameter: &Value, at: &str) -> Result<Timestamp, Refusal> {
    let text = parameter.get("valueInstant").or_else(|| parameter.get("valueDateTime"));
    let instant = text.and_then(Value::as_str).and_then(|it| it.parse().ok());
    instant.ok_or_else(|| wrong(at, "Give an instant with its zone, as valueInstant."))
}

fn subject(parameter: &Value, at: &str) -> Result<Subject, Refusal> {
    if let Some(resource) = parameter.get("resource").filter(|it| it["resourceType"].is_string()) {
        return Ok(Subject::Resource(Box::new(resource.clone())));
    }
    let reference = parameter["valueReference"]["reference"].as_str().unwrap_or_default();
    match target(reference) {
        Target::Relative { .. } => Ok(Subject::Reference(reference.to_owned())),
        _ => Err(wrong(at, "Give a resource, or as valueReference a relative reference such as Task/5.")),
    }
}

fn wrong(at: &str, fix: &str) -> Refusal {
    let issue = Issue::error(IssueKind::Value, "SEND_CONSENT_CHECK", fix).at(at);
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, issue)
}

fn answer(checked: &Checked) -> Value {
    let trace = &checked.trace;
    let mut parameters = vec![
        json!({ "name": "outcome", "valueCode": trace.outcome }),
        json!({ "name": "rule", "valueString": trace.rule }),
    ];
    for consent in &checked.consents {
        parameters.push(json!({ "name": "consent", "valueReference": { "reference": consent } }));
    }
    for (number, pointer) in &checked.removals {
        parameters.push(json!({ "name": "removed", "part": [
            { "name": "resource", "valueInteger": number },
            { "name": "path", "valueString": pointer },
        ] }));
    }
    if let Some(boundary) = trace.next_boundary {
        parameters.push(json!({ "name": "nextBoundary", "valueInstant": boundary.to_string() }));
    }
    parameters.push(json!({ "name": "explanation", "valueString": explain(trace) }));
    let told = serde_json::to_string(trace).unwrap_or_default();
    parameters.push(json!({ "name": "trace", "valueString": told }));
    json!({ "resourceType": "Parameters", "parameter": parameters })
}

impl From<CheckError> for Refusal {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::NotFound => Self::not_found(),
            CheckError::NoPatient => {
                wrong("Parameters.parameter", "Name a resource that is about a patient.")
            }
            CheckError::Failed(failure) => InboxError::Clinic(failure).into(),
        }
    }
}
