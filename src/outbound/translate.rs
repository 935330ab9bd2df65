//! Into the partner's terms: its references, its codes, its identifiers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Outbound;
use super::digest::sha256_hex;
use super::message::{address_in_message, is_message};
use super::redact::Reduced;
use crate::consent::permit::Permit;
use crate::fhir::client::failure::Failure;
use crate::fhir::{json, resource};
use crate::model::fhir_version::FhirVersion;
use crate::model::ids::ReferralId;
use crate::model::referral::Referral;
use crate::model::referral_state::ReferralState;
use crate::model::work::StoreError;
use crate::translation::effect::{effect_identifier, hosted_update_id, update_name};
use crate::translation::placer::Placer;
use crate::translation::receipt::echoed_identifiers;
use crate::translation::submission::Submission;
use crate::translation::to_partner::{Form, PartnerTerms, state_to_tell, to_partner};
use crate::translation::versions;
use crate::validation::check_resource;

/// The referral's own body cannot be read back; no time mends that.
pub(super) const PAYLOAD_UNREADABLE: Failure = Failure::NotSent("payload-unreadable");

/// The referral's own body was destroyed because of its age.
pub(super) const PAYLOAD_PURGED: Failure = Failure::NotSent("payload-purged");

/// What belongs to the partner's dialect cannot be used.
const DIALECT_BROKEN: Failure = Failure::NotSent("dialect-broken");

/// An update as the partner gets it. Only this file makes one, and it asks for the Permit.
#[derive(Debug)]
pub struct ForPartner {
    /// The resource; or the message that brings it, with all that travels along.
    pub(super) main: Value,
    /// What travels along with the resource, each with its address.
    pub(super) companions: Vec<(String, Value)>,
    /// The name that every version of the resource bears at the partner's server. A creation that arrives
    /// late finds it, even where a newer version has taken the name of the delivery away.
    pub(super) place: String,
    /// Where the referral stands by it, if it says so.
    pub(super) told: Option<ReferralState>,
}

impl Outbound {
    /// Translates a reduced update. `effect` names it at the other side.
    pub(super) async fn translate(
        &self,
        reduced: Reduced,
        _permit: &Permit,
        form: Form,
        effect: &str,
    ) -> Result<ForPartner, Failure> {
        let partner = self.partner(&reduced.referral.partner)?;
        let placer = self.placer(reduced.referral.id, partner.fhir_version).await?;
        let terms = PartnerTerms {
            referral: &reduced.referral,
            placer: &placer,
            public_url: &self.house.public_url,
            clinic_base: self.clinic.base(),
            dialect: self.house.dialects.of(partner.dialect).map_err(|_| DIALECT_BROKEN)?,
            told: self
                .store
                .last_told(reduced.referral.id)
                .await
                .map_err(|_| Failure::NotSent("ledger-unavailable"))?,
            form,
        };
        let task = reduced.task.as_ref().unwrap_or(&reduced.main);
        let is_told = resource::resource_type(task) == "Task";
        let state = is_told.then(|| state_to_tell(task, &terms)).flatten();
        let update = made((reduced.main, reduced.companions), &reduced.clinic_id, &terms, effect);
        let update = ForPartner { told: state, ..update };
        if form == Form::Message {
            let task = reduced.task.and_then(|it| task_along(it, &terms));
            return self.in_message(update, (task, state), &terms, effect);
        }
        Ok(update)
    }

    async fn placer(&self, referral: ReferralId, version: FhirVersion) -> Result<Placer, Failure> {
        let body = match self.store.body(referral).await {
            Ok(Some(body)) => body,
            Ok(None) => return Err(PAYLOAD_PURGED),
            Err(StoreError::Unreadable { .. }) => return Err(PAYLOAD_UNREADABLE),
            Err(_) => return Err(Failure::NotSent("ledger-unavailable")),
        };
        let sent = json::parse(body.reveal()).map_err(|_| PAYLOAD_UNREADABLE)?;
        let message = if version == FhirVersion::R4 { sent } else { versions::to_r4(&sent, version).value };
        Ok(Placer::of(&Submission::of(&message)).in_message(&message))
    }
}

/// What a partner would get, for a preview: bare values, which nothing sends.
pub(super) fn looked_at(
    reduced: (Value, Vec<(String, Value)>),
    clinic_id: &str,
    terms: &PartnerTerms<'_>,
    effect: &str,
) -> (Value, Vec<Value>) {
    let made = made(reduced, clinic_id, terms, effect);
    (made.main, made.companions.into_iter().map(|(_, it)| it).collect())
}

/// The addresses of what travels along, by its references at the clinic.
pub(super) fn addresses(companions: &[(String, Value)], form: Form, place: &str) -> BTreeMap<String, String> {
    companions.iter().enumerate().map(|(n, (it, _))| (it.clone(), address(n, form, place))).collect()
}

fn made(
    (main, companions): (Value, Vec<(String, Value)>),
    clinic_id: &str,
    terms: &PartnerTerms<'_>,
    effect: &str,
) -> ForPartner {
    let (form, referral) = (terms.form, terms.referral);
    let place = update_name(referral.id, resource::resource_type(&main), clinic_id);
    let addresses = addresses(&companions, form, &place);
    let mut message = ForPartner { main, companions: Vec::new(), place, told: None };
    to_partner(&mut message.main, terms, &addresses);
    for (number, (_, mut companion)) in companions.into_iter().enumerate() {
        to_partner(&mut companion, terms, &addresses);
        message.companions.push((address(number, form, &message.place), companion));
    }
    match form {
        Form::Pushed | Form::Message => message.name_effects(terms.public_url, effect),
        Form::Hosted => message.host(referral, clinic_id),
    }
    if resource::resource_type(&message.main) == "Task" {
        echo_identifiers(&mut message.main, terms);
    }
    message
}

impl ForPartner {
    /// The same in the version of FHIR that a partner speaks. `made`: when the update was first owed, so that the same
    /// message is the same each time.
    pub(super) fn in_version(mut self, version: FhirVersion, made: Timestamp) -> Self {
        let is_message = is_message(&self.main);
        if version != FhirVersion::R4 {
            let companions = self.companions.iter_mut().map(|(_, it)| it);
            for it in companions.chain([&mut self.main]) {
                *it = versions::from_r4(it, version).value;
            }
        }
        // Only STU3 has it, and demands it.
        if is_message && version == FhirVersion::Stu3 {
            self.main["entry"][0]["resource"]["timestamp"] = json!(made.to_string());
        }
        self
    }

    /// The SHA-256 of what goes out, as the ledger and the trail keep it.
    pub(super) fn sha256(&self) -> String {
        let sent = self.companions.iter().map(|(_, it)| it).chain([&self.main]);
        let bytes: Vec<u8> = sent.flat_map(|it| it.to_string().into_bytes()).collect();
        sha256_hex(&bytes)
    }

    /// Gives every resource the name by which a repeat is known at the partner's server.
    fn name_effects(&mut self, public_url: &str, effect: &str) {
        if !has_one_identifier(&self.main) {
            add_identifier(&mut self.main, effect_identifier(public_url, &self.place));
        }
        add_identifier(&mut self.main, effect_identifier(public_url, effect));
        for (number, (_, companion)) in self.companions.iter_mut().enumerate() {
            add_identifier(companion, effect_identifier(public_url, &format!("{effect}-{number}")));
        }
    }

    /// Gives the resource the id under which we host it. What travels along is contained in it.
    fn host(&mut self, referral: &Referral, clinic_id: &str) {
        let resource_type = resource::resource_type(&self.main).to_owned();
        self.main["id"] = json!(hosted_update_id(referral.id, &resource_type, clinic_id));
        let contained = self.companions.drain(..).map(|(address, mut companion)| {
            companion["id"] = json!(address.trim_start_matches('#'));
            companion
        });
        let contained: Vec<Value> = contained.collect();
        if !contained.is_empty() {
            self.main["contained"] = json!(contained);
        }
    }
}

/// Every identifier that we were given for the referral goes back with its Task.
fn echo_identifiers(task: &mut Value, terms: &PartnerTerms<'_>) {
    let mut identifiers = echoed_identifiers(terms.placer, terms.public_url, terms.referral.id);
    for identifier in task["identifier"].as_array().into_iter().flatten() {
        let known = identifiers.iter().any(|it| it["value"] == identifier["value"]);
        if !known {
            identifiers.push(identifier.clone());
        }
    }
    task["identifier"] = json!(identifiers);
}

/// The referral's Task as it goes with an update of another kind: under the names that it has whenever it goes. None:
/// it is not valid, which is no reason to keep the update back.
fn task_along(mut task: Value, terms: &PartnerTerms<'_>) -> Option<Value> {
    let at_clinic = terms.referral.clinic.as_ref().and_then(|it| it.coordination_task())?;
    let place = update_name(terms.referral.id, "Task", &at_clinic.id);
    to_partner(&mut task, terms, &BTreeMap::new());
    add_identifier(&mut task, effect_identifier(terms.public_url, &place));
    echo_identifiers(&mut task, terms);
    check_resource(&task, "Task").is_empty().then_some(task)
}

fn address(number: usize, form: Form, place: &str) -> String {
    match form {
        Form::Message => address_in_message(&format!("{place}-{number}")),
        Form::Pushed => format!("urn:uuid:00000000-0000-4000-9000-{number:012x}"),
        Form::Hosted => format!("#part-{number}"),
    }
}

/// A Composition has a single identifier, and it becomes the delivery's.
pub(super) fn has_one_identifier(resource: &Value) -> bool {
    resource::resource_type(resource) == "Composition"
}

fn add_identifier(resource: &mut Value, identifier: Value) {
    if has_one_identifier(resource) {
        resource["identifier"] = identifier;
        return;
    }
    resource::push_item(resource, "identifier", identifier);
}
