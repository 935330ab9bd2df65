//! The road out, up to the sending.

use serde_json::{Value, json};

use super::{Asked, Direction, Previewed, Shape};
use crate::config::settings::Config;
use crate::fhir::outcome::{Explain, Issue, Severity};
use crate::fhir::{json as reader, resource};
use crate::inbound::gather;
use crate::inbound::{House, InboundError, edge, open};
use crate::model::envelope::Door;
use crate::model::partner::{OutboundMode, Partner};
use crate::outbound::preview::{Material, Shown, shown};

/// Walks the road.
pub(super) fn walk(house: &House, config: &Config, partner: &Partner, asked: &Asked) -> Previewed {
    let sent = reader::parse(&asked.body).map_err(InboundError::from);
    let known = sent.as_ref().cloned().unwrap_or_default();
    let shape = Shape { door: door(partner), ..Shape::of(&known, partner) };
    let mut it = Previewed::new(Direction::Outbound, shape, &known);
    it.notes.push("Whether consent releases it is decided at sending: nothing was asked here.".to_owned());
    let referral = sent.and_then(|_| referral(partner, asked, &mut it.notes));
    let referral = match referral {
        Ok(referral) => referral,
        Err(error) => {
            it.issues = error.issues();
            return it;
        }
    };
    let material = Material {
        sent: &known,
        referral: &referral,
        partner,
        dialects: &house.dialects,
        public_url: &house.public_url,
        clinic_base: config.clinic.endpoint.base_url.as_str().trim_end_matches('/'),
        now: asked.now,
    };
    match shown(&material) {
        Ok(shown) => tell(&mut it, shown, partner),
        Err(error) => it.notes.push(format!("It would not be sent: {error}.")),
    }
    it
}

fn tell(it: &mut Previewed, shown: Shown, partner: &Partner) {
    for (reference, part) in &shown.assumed {
        it.notes.push(format!("{reference} is taken for {part} of the referral."));
    }
    for reference in &shown.missing {
        it.notes.push(format!("{reference} is read at the clinic when it is sent, and is not in the file."));
    }
    let is_shared = partner.outbound.share.contains(&shown.kind.share);
    if !is_shared {
        it.notes
            .push("The partner's file does not share this kind of update: it would not be sent.".to_owned());
    }
    it.issues = shown.issues;
    it.codes = shown.codes.iter().map(ToString::to_string).collect();
    it.account = shown.account;
    it.steps = shown.steps;
    it.results = shown.resources;
    it.accepted = is_shared && it.issues.iter().all(|it: &Issue| it.severity != Severity::Error);
}

fn door(partner: &Partner) -> String {
    let is_inbox = matches!(partner.outbound.mode, OutboundMode::Inbox);
    if is_inbox {
        "to the partner's inbox here".to_owned()
    } else {
        "to the partner's FHIR server".to_owned()
    }
}

/// The message that the update answers, as R4.
fn referral(partner: &Partner, asked: &Asked, notes: &mut Vec<String>) -> Result<Value, InboundError> {
    let Some(body) = &asked.referral else {
        notes.push("The referral that it answers is made up; name yours with --referral.".to_owned());
        return Ok(made_up());
    };
    let sent = reader::parse(body)?;
    let is_task = open::door_for(&sent, partner.fhir_version) == Door::Task;
    let sent = if is_task { gather::without_reading(sent, None)?.collection } else { sent };
    let message = edge::as_r4(sent, partner.fhir_version);
    let known = ["Bundle", "ServiceRequest"].contains(&resource::resource_type(&message));
    if known { Ok(message) } else { Err(InboundError::WrongDoor(Door::Transaction)) }
}

fn made_up() -> Value {
    json!({
        "resourceType": "ServiceRequest",
        "contained": [{
            "resourceType": "Patient",
            "id": "patient",
            "identifier": [{ "system": "urn:example:patients", "value": "PATIENT-0000" }],
        }],
        "identifier": [{ "system": "urn:example:orders", "value": "ORDER-0000" }],
        "status": "active",
        "intent": "order",
        "subject": { "reference": "#patient" },
    })
}
