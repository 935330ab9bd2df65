//! Worker step: write the referral to the clinic's server, once.

use serde_json::Value;

use super::{Inbound, translate};
use crate::fhir::client::failure::{Failure, Refused};
use crate::fhir::client::found::Found;
use crate::fhir::reference::type_and_id;
use crate::fhir::{bundle, json, resource};
use crate::model::delivery::{Cause, Delivery};
use crate::model::referral::{ClinicRecord, Referral, Written};
use crate::model::update::ResourceVersion;
use crate::model::work::{Settlement, StoreError};
use crate::translation::effect::{EffectNames, effect_system, token};
use crate::translation::submission::Submission;
use crate::translation::to_clinic::ForClinic;

impl Inbound {
    /// Writes one referral to the clinic as one transaction of conditional creates. Where an earlier attempt
    /// may have taken effect, it looks for our own identifiers first (reference: delivery B5).
    pub async fn forward(&self, delivery: &Delivery) -> Result<Settlement, Failure> {
        let (referral, message) = match self.recorded(delivery).await? {
            Ok(recorded) => recorded,
            Err(settlement) => return Ok(settlement),
        };
        if delivery.effect_unknown {
            match self.find_at_clinic(&referral, &message).await? {
                Found::Nothing => {}
                Found::One(record) => return Ok(Settlement::Forwarded(record)),
                Found::Several => return Ok(several_matches(None)),
            }
        }
        let partner =
            self.partners.get(&delivery.partner).ok_or(Failure::NotSent("partner-not-configured"))?;
        let for_clinic = translate::for_clinic(&message, &referral, &self.house, partner);
        let response = match self.clinic.transaction(&for_clinic.bundle).await {
            // Two of the clinic's records fit one condition, such as two Patients with one identifier.
            Err(Failure::Status(Refused { status: 412, .. })) => {
                return Ok(several_matches(Some(412)));
            }
            other => other?,
        };
        let record = read_response(&response, &for_clinic)
            .ok_or(Failure::Unusable { what: "transaction-response", may_have_happened: true })?;
        tracing::info!(referral.id = %referral.id, "referral written to the clinic");
        Ok(Settlement::Forwarded(record))
    }

    /// The referral and its message; or how the delivery ends because they cannot be read.
    async fn recorded(&self, delivery: &Delivery) -> Result<Result<(Referral, Value), Settlement>, Failure> {
        let unreadable = || Settlement::Quarantined(Cause { code: "payload-unreadable", http_status: None });
        let body = match self.store.body(delivery.referral).await {
            Ok(Some(body)) => body,
            Ok(None) => return Ok(Err(unreadable())),
            Err(error @ StoreError::Unreadable { .. }) => {
                tracing::error!(delivery.id = %delivery.id, %error, "a payload cannot be read and is put aside");
                return Ok(Err(unreadable()));
            }
            Err(_) => return Err(Failure::NotSent("ledger-unavailable")),
        };
        let referral = self.store.referral(delivery.referral).await;
        let referral = referral.map_err(|_| Failure::NotSent("ledger-unavailable"))?;
        match (referral, json::parse(body.reveal())) {
            (Some(referral), Ok(message)) => Ok(Ok((referral, message))),
            _ => Ok(Err(unreadable())),
        }
    }

    /// What an earlier attempt made: the transaction is all or nothing, so the order stands for all of it.
    async fn find_at_clinic(
        &self,
        referral: &Referral,
        message: &Value,
    ) -> Result<Found<ClinicRecord>, Failure> {
        let submission = Submission::of(message);
        let names = EffectNames::new(&self.house.public_url, referral.id);
        let number = |resource_type| submission.first(resource_type).map(|(number, _)| number);
        let Some(order_number) = number("ServiceRequest") else {
            return Ok(Found::Nothing); // A valid submission has one.
        };
        let order = match self.find("ServiceRequest", &names.name(&order_number.to_string())).await? {
            Found::One(order) => order,
            Found::Nothing => return Ok(Found::Nothing),
            Found::Several => return Ok(Found::Several),
        };
        let task = match self.find("Task", &names.name("task")).await? {
            Found::One(task) => task,
            Found::Nothing => {
                return Err(Failure::Unusable { what: "order-without-task", may_have_happened: true });
            }
            Found::Several => return Ok(Found::Several),
        };
        let written = [
            order["subject"]["reference"].as_str().map(|it| found(it, submission.patient())),
            Some(found(&format!("ServiceRequest/{}", resource::id(&order)), Some(order_number))),
            Some(found(&format!("Task/{}", resource::id(&task)), number("Task"))),
        ];
        let at = resource::last_updated(&order);
        Ok(Found::One(ClinicRecord { written: written.into_iter().flatten().collect(), at }))
    }

    async fn find(&self, resource_type: &str, name: &str) -> Result<Found<Value>, Failure> {
        self.clinic.find(resource_type, &token(&effect_system(&self.house.public_url), name)).await
    }
}

/// Which of them is meant is not ours to guess (reference: delivery B5).
const fn several_matches(http_status: Option<u16>) -> Settlement {
    Settlement::Quarantined(Cause { code: "several-matches", http_status })
}

/// A resource that was there already: whatever its version, it may hold what the clinic did since.
fn found(reference: &str, entry: Option<usize>) -> Written {
    let (resource_type, id) = type_and_id(reference).unwrap_or_default();
    let resource = ResourceVersion {
        resource_type: resource_type.to_owned(),
        id: id.to_owned(),
        version: String::new(),
    };
    Written { entry, resource }
}

/// What the clinic's server made of each entry; none, if the response does not answer every entry.
fn read_response(response: &Value, sent: &ForClinic) -> Option<ClinicRecord> {
    let answers: Vec<&Value> = bundle::entries(response).map(|entry| &entry["response"]).collect();
    if answers.len() != sent.parts.len() {
        return None;
    }
    let written: Option<Vec<Written>> =
        answers.iter().zip(&sent.parts).map(|(answer, part)| read_answer(answer, *part)).collect();
    let at = answers.iter().filter_map(|it| it["lastModified"].as_str()?.parse().ok()).min();
    Some(ClinicRecord { written: written?, at })
}

fn read_answer(answer: &Value, entry: Option<usize>) -> Option<Written> {
    let location = answer["location"].as_str()?;
    let mut written = found(location, entry);
    let created = answer["status"].as_str().is_some_and(|status| status.starts_with("201"));
    if let Some((_, version)) = location.split_once("/_history/").filter(|_| created) {
        version.clone_into(&mut written.resource.version);
    }
    (!written.resource.id.is_empty()).then_some(written)
}
