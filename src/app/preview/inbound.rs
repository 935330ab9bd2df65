//! The road in, up to the transaction for the clinic.

use serde_json::Value;

use super::{Asked, Direction, Previewed, Shape};
use crate::fhir::json::JsonError;
use crate::fhir::outcome::{Explain, Severity};
use crate::inbound::gather::{self, Unread};
use crate::inbound::open::{self, Opened};
use crate::inbound::record::Recorded;
use crate::inbound::{House, InboundError, consent_faults, edge, receipt, translate, validate};
use crate::model::envelope::{Door, Envelope, Gathered};
use crate::model::fhir_version::FhirVersion;
use crate::model::ids::ReferralId;
use crate::model::partner::{OutboundMode, Partner};
use crate::model::referral::Referral;
use crate::model::sensitive::Sensitive;
use crate::translation::account::{self, Account};
use crate::translation::reply;
use crate::translation::submission::Submission;
use crate::validation::check_resource;
use crate::validation::profile::Profile;

/// The step that makes a submission of a Task, or of an order that refers to its sender's server.
const OPENED: &str = "opened";

/// Walks the road. What is wrong stops it only where nothing could be said of the rest.
pub(super) fn walk(
    house: &House,
    partner: &Partner,
    asked: &Asked,
    sent: Result<Value, JsonError>,
) -> Previewed {
    let message = sent.as_ref().cloned().unwrap_or_default();
    let mut it = Previewed::new(Direction::Inbound, shape(house, partner, &message), &message);
    if reply::TYPES.contains(&it.shape.resource_type.as_str()) {
        it.shape.door = format!("POST /fhir/{}", it.shape.resource_type);
        it.notes.push(
            "What becomes of a reply depends on where the referral stands, and is not shown.".to_owned(),
        );
        it.notes.push("If this is a resource of the clinic's, say --outbound.".to_owned());
        return it;
    }
    let walked =
        sent.map_err(InboundError::from).and_then(|sent| steps(house, partner, (asked, sent), &mut it));
    if let Err(error) = walked {
        it.issues.extend(error.issues());
    }
    it.accepted =
        (!it.results.is_empty() || it.lacks) && it.issues.iter().all(|it| it.severity != Severity::Error);
    it
}

fn shape(house: &House, partner: &Partner, sent: &Value) -> Shape {
    let door = match open::door_for(sent, partner.fhir_version) {
        Door::Transaction => "POST /fhir",
        Door::ServiceRequest => "POST /fhir/ServiceRequest",
        Door::Task => "POST /fhir/Task",
        Door::Message => "POST /fhir/$process-message",
    };
    let rules = validate::rules(&house.profiles, &house.dialects, partner);
    let shape = Shape::of(sent, partner);
    let applies = |it: &&Profile| {
        let mut types = shape.resources.keys();
        types.any(|name| edge::type_of(name, partner.fhir_version) == it.resource_type)
    };
    let profiles =
        rules.map(|it| it.profiles().into_iter().filter(applies).map(|it| it.url.clone()).collect());
    Shape { door: door.to_owned(), profiles: profiles.unwrap_or_default(), ..shape }
}

fn steps(
    house: &House,
    partner: &Partner,
    (asked, sent): (&Asked, Value),
    it: &mut Previewed,
) -> Result<(), InboundError> {
    let door = open::door_for(&sent, partner.fhir_version);
    let (envelope, gathered) = envelope(partner, asked, (door, &sent), it)?;
    if let Some((account, true)) = gathered {
        it.steps = vec![(OPENED.to_owned(), account.tally())];
        it.account = account;
        return Ok(());
    }
    let gathered = gathered.map(|(account, _)| account);
    let opened = open::message(&envelope, partner.fhir_version)?;
    it.issues = validate::violations(&opened, &envelope, house, partner)?;
    if it.lacks {
        // What is to be read may mend these.
        it.issues.retain(|it| !["SEND_PATIENT_MISSING", "SEND_REFERENCE_UNRESOLVED"].contains(&it.code));
    }
    let message = opened.message();
    let submission = Submission::of(message);
    if it.issues.is_empty() {
        it.issues = opened.as_sent(consent_faults::warnings(&submission, &house.time_zone));
    }
    if submission.patient().is_none() {
        it.notes.push("Nothing can be said of the rest: there is no order of a patient.".to_owned());
        if let Some(account) = gathered {
            it.steps = vec![(OPENED.to_owned(), account.tally())];
            it.account = account;
        }
        return Ok(());
    }
    let referral = Referral::new(ReferralId::new(asked.now), partner.id.clone(), asked.now);
    let for_clinic = translate::for_clinic(message, &referral, house, partner)?;
    let translated = account::of_translation(message, &for_clinic);
    tell(it, (gathered, &opened, translated), partner.fhir_version);
    let recorded = Recorded { referral, repeated: false, message: None };
    let receipt = receipt::of(&recorded, message, house, partner)?;
    it.answer = Some(receipt.transaction_response.unwrap_or(receipt.task));
    it.codes = for_clinic.codes.iter().map(ToString::to_string).collect();
    it.results = vec![for_clinic.bundle];
    Ok(())
}

/// The accounts of the steps, one behind the other.
fn tell(
    it: &mut Previewed,
    (first, opened, last): (Option<Account>, &Opened, Account),
    version: FhirVersion,
) {
    let converted = opened.converted();
    let converted = converted.map(|it| account::of_conversion((&opened.sent, version), it, FhirVersion::R4));
    let steps = [
        (OPENED.to_owned(), first),
        (format!("from FHIR {} to 4.0", version.short()), converted),
        ("in the clinic's terms".to_owned(), Some(last)),
    ];
    let mut whole: Option<Account> = None;
    for (name, account) in steps {
        let Some(account) = account else { continue };
        it.steps.push((name, account.tally()));
        whole = Some(whole.map_or_else(|| account.clone(), |before| before.then(&account)));
    }
    it.account = whole.unwrap_or_default();
}

/// As the door would hand it on. A Task is opened, and what it only names is left where it is; the account of that,
/// and whether the order itself is not here.
fn envelope(
    partner: &Partner,
    asked: &Asked,
    (door, sent): (Door, &Value),
    it: &mut Previewed,
) -> Result<(Envelope, Option<(Account, bool)>), InboundError> {
    let mut envelope = Envelope {
        door,
        partner: partner.id.clone(),
        body: Sensitive::new(asked.body.clone()),
        received: asked.now,
        idempotency_key: None,
        request_id: None,
        if_none_exist: None,
        gathered: None,
    };
    let base = if let OutboundMode::Rest(endpoint) = &partner.outbound.mode {
        Some(&endpoint.base_url)
    } else {
        None
    };
    let refers_home = || base.is_some_and(|base| gather::refers_home(sent, base));
    if !(door == Door::Task || door == Door::ServiceRequest && refers_home()) {
        return Ok((envelope, None));
    }
    let Unread { collection, places, to_read, lacks_order } = gather::without_reading(sent.clone(), base)?;
    for place in &to_read {
        it.notes.push(format!("{place} is read from the partner's server when it is sent, and not here."));
    }
    it.lacks = !to_read.is_empty();
    if lacks_order {
        let note = "The order itself is not here, so nothing can be said of the rest before it is read.";
        it.notes.push(note.to_owned());
        it.issues.extend(
            check_resource(sent, "Task").into_iter().filter(|_| partner.fhir_version == FhirVersion::R4),
        );
    }
    let account = account::of_gathered(sent, &collection, &places);
    envelope.body = Sensitive::new(collection.to_string().into_bytes());
    envelope.gathered = Some(Gathered { sent: Sensitive::new(Vec::new()), places });
    Ok((envelope, Some((account, lacks_order))))
}
