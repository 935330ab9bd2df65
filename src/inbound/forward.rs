//! Worker step: write the referral to the clinic's server, once.

use serde_json::Value;

use super::find::found;
use super::{Inbound, open, translate};
use crate::fhir::bundle;
use crate::fhir::capability::Method;
use crate::fhir::client::failure::{Failure, Refused};
use crate::fhir::client::found::Found;
use crate::fhir::client::in_order::Part;
use crate::fhir::client::write::{NewResource, Placed};
use crate::fhir::resource;
use crate::model::delivery::{Cause, Delivery};
use crate::model::effects::Effects;
use crate::model::partner::Partner;
use crate::model::referral::{ClinicRecord, Referral, Written};
use crate::model::update::ResourceVersion;
use crate::model::work::{Settlement, StoreError};
use crate::translation::effect::agreed_way;
use crate::translation::to_clinic::ForClinic;
use crate::validation::check_resource;

impl Inbound {
    /// Writes one referral to the clinic. Where an earlier attempt may have taken effect, it looks for our own
    /// identifiers first (reference: delivery B5).
    pub async fn forward(&self, delivery: &Delivery) -> Result<Settlement, Failure> {
        let partner =
            self.partners.get(&delivery.partner).ok_or(Failure::NotSent("partner-not-configured"))?;
        let (referral, message) = match self.recorded(delivery, partner).await? {
            Ok(recorded) => recorded,
            Err(settlement) => return Ok(settlement),
        };
        let for_clinic = translate::for_clinic(&message, &referral, &self.house, partner)
            .map_err(|_| Failure::NotSent("dialect-broken"))?;
        if !is_valid(&for_clinic) {
            return Ok(not_valid(delivery));
        }
        let rules = self.house.writes;
        let method = self.clinic.way(agreed_way(rules.effects), &types(&for_clinic)).await?;
        if let Some(told_at) = &delivery.told_at {
            self.clinic.wait_for_outcome(told_at.reveal()).await?;
        }
        if delivery.effect_unknown {
            let together = method == Method::Transaction;
            let is_looked_for_only = delivery.placed.is_some() || rules.effects == Effects::AtMostOnce;
            match self.find_at_clinic(&referral, &message, together).await? {
                Found::One(record) if is_another(&record, delivery) => {
                    return Ok(quarantined("several-matches", None));
                }
                // What was written one after the other may have been broken off: it is taken up below.
                Found::One(record) if together || is_looked_for_only => {
                    return Ok(Settlement::Forwarded(record));
                }
                Found::Several => return Ok(quarantined("several-matches", None)),
                Found::Nothing if delivery.placed.is_some() => {
                    return Err(Failure::Unverified { placed: None });
                }
                Found::Nothing if rules.effects == Effects::AtMostOnce => {
                    return Ok(quarantined("outcome-unknown", None));
                }
                Found::One(_) | Found::Nothing => {}
            }
        }
        let record = match method {
            Method::Transaction => self.write_together(&for_clinic).await?,
            method => self.write_in_order(method, &for_clinic).await?,
        };
        let Found::One(record) = record else {
            // Two of the clinic's records fit one condition, such as two Patients with one identifier.
            return Ok(quarantined("several-matches", Some(412)));
        };
        // Under an id of ours there cannot be two.
        if method != Method::ClientId && rules.must_verify(delivery.effect_unknown) {
            let placed = order(&record);
            match self.find_at_clinic(&referral, &message, false).await {
                Ok(Found::One(found)) if order(&found) == placed => {}
                Ok(Found::One(_) | Found::Several) => return Ok(quarantined("several-matches", None)),
                // Its searches may come to know it later.
                Ok(Found::Nothing) | Err(_) => return Err(Failure::Unverified { placed }),
            }
        }
        tracing::info!(referral.id = %referral.id, "referral written to the clinic");
        Ok(Settlement::Forwarded(record))
    }

    async fn write_together(&self, for_clinic: &ForClinic) -> Result<Found<ClinicRecord>, Failure> {
        let response = match self.clinic.transaction(&for_clinic.bundle).await {
            Err(Failure::Status(Refused { status: 412, .. })) => return Ok(Found::Several),
            other => other?,
        };
        let unusable = Failure::Unusable { what: "transaction-response", may_have_happened: true };
        read_response(&response, for_clinic).map(Found::One).ok_or(unusable)
    }

    async fn write_in_order(
        &self,
        method: Method,
        for_clinic: &ForClinic,
    ) -> Result<Found<ClinicRecord>, Failure> {
        let entries = bundle::entries(&for_clinic.bundle).zip(&for_clinic.ids);
        let parts: Vec<Part> = entries.map(|(entry, id)| part(entry, id.clone())).collect();
        let Found::One(placed) = self.clinic.write_in_order(method, &parts).await? else {
            return Ok(Found::Several);
        };
        let at = placed.iter().filter_map(|it| it.at).min();
        let written = placed.iter().zip(&for_clinic.parts).map(|(placed, part)| written(placed, *part));
        Ok(Found::One(ClinicRecord { written: written.collect(), at }))
    }

    /// The referral and its message; or how the delivery ends because they cannot be read.
    async fn recorded(
        &self,
        delivery: &Delivery,
        partner: &Partner,
    ) -> Result<Result<(Referral, Value), Settlement>, Failure> {
        let body = match self.store.body(delivery.referral).await {
            Ok(Some(body)) => body,
            Ok(None) => return Ok(Err(quarantined("payload-purged", None))),
            Err(error @ StoreError::Unreadable { .. }) => return Ok(Err(unreadable(delivery, &error))),
            Err(_) => return Err(Failure::NotSent("ledger-unavailable")),
        };
        let referral = self.store.referral(delivery.referral).await;
        let referral = referral.map_err(|_| Failure::NotSent("ledger-unavailable"))?;
        match (referral, open::again(body.reveal(), partner.fhir_version)) {
            (Some(referral), Ok(message)) => Ok(Ok((referral, message.into_r4()))),
            _ => Ok(Err(quarantined("payload-unreadable", None))),
        }
    }
}

/// How a delivery ends of which something that is no FHIR would be made.
pub(super) fn not_valid(delivery: &Delivery) -> Settlement {
    tracing::error!(delivery.id = %delivery.id, "what was made for the clinic is not valid FHIR and is not written");
    Settlement::Dead(Cause { code: "not-valid", http_status: None })
}

/// How a delivery ends whose payload cannot be opened.
pub(super) fn unreadable(delivery: &Delivery, error: &StoreError) -> Settlement {
    tracing::warn!(delivery.id = %delivery.id, %error, "a payload cannot be read and is put aside");
    quarantined("payload-unreadable", None)
}

/// Which of several is meant, or whether it happened, is not ours to guess (reference: delivery B5).
const fn quarantined(code: &'static str, http_status: Option<u16>) -> Settlement {
    Settlement::Quarantined(Cause { code, http_status })
}

/// The order that stands at the clinic.
fn order(record: &ClinicRecord) -> Option<String> {
    record.first("ServiceRequest").map(ResourceVersion::reference)
}

/// What is found is not what was put there: then there are two.
fn is_another(record: &ClinicRecord, delivery: &Delivery) -> bool {
    delivery.placed.is_some() && order(record) != delivery.placed
}

/// Whether everything in the transaction is valid FHIR R4, as far as we check it. A message was valid when it was
/// taken; this looks at what became of it.
fn is_valid(for_clinic: &ForClinic) -> bool {
    bundle::entries(&for_clinic.bundle).all(|it| check_resource(&it["resource"], "").is_empty())
}

pub(super) fn types(for_clinic: &ForClinic) -> Vec<&str> {
    bundle::entries(&for_clinic.bundle).map(|entry| resource::resource_type(&entry["resource"])).collect()
}

pub(super) fn part(entry: &Value, id: Option<String>) -> Part {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let condition = text(&entry["request"]["ifNoneExist"]);
    let new = NewResource { content: entry["resource"].clone(), condition, id };
    Part { full_url: text(&entry["fullUrl"]), new }
}

fn written(placed: &Placed, entry: Option<usize>) -> Written {
    let mut written = found(&placed.reference, entry);
    let version = placed.etag.as_deref().map(|it| it.trim_start_matches("W/").trim_matches('"'));
    if let Some(version) = version.filter(|_| placed.created) {
        version.clone_into(&mut written.resource.version);
    }
    written
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
