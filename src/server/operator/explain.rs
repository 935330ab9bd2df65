//! What would consent say about a resource at the clinic, for a partner, and why.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::OperatorDoors;
use crate::consent::disclosure::{DISCLOSE, Purpose};
use crate::consent::explain::explain as in_words;
use crate::model::ids::PartnerId;
use crate::outbound::consent_check::{CheckError, ConsentCheck, Subject};

/// The question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    partner: String,
    resource: String,
    at: Option<String>,
}

/// Asks as for an attempt that begins now. That it was asked is on record.
pub(super) async fn explain(
    State(doors): State<OperatorDoors>,
    Json(asked): Json<Asked>,
) -> (StatusCode, Json<Value>) {
    let Some(partner) = doors.partners.get(&PartnerId::new(asked.partner)) else {
        return refused(StatusCode::NOT_FOUND, "there is no such partner in the settings");
    };
    let Ok(at) = asked.at.map(|it| it.parse::<Timestamp>()).transpose() else {
        return refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            "`at` must be an instant, such as 2026-03-10T15:00:00Z",
        );
    };
    let check = ConsentCheck {
        patient: None,
        recipient: Some(partner.id.clone()),
        organization: partner.organization.clone(),
        purpose: Purpose::reason("TREAT"),
        action: DISCLOSE.to_owned(),
        subject: Subject::Reference(asked.resource),
        at,
    };
    match doors.outbound.consent_check(&check).await {
        Ok(checked) => {
            let answer = json!({ "explanation": in_words(&checked.trace), "trace": checked.trace });
            (StatusCode::OK, Json(answer))
        }
        Err(error @ (CheckError::NotFound | CheckError::NoPatient)) => {
            refused(StatusCode::NOT_FOUND, &error.to_string())
        }
        Err(error) => refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

fn refused(status: StatusCode, error: &str) -> (StatusCode, Json<Value>) {
    (status, Json(json!({ "error": error })))
}
