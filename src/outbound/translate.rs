//! Into the partner's terms: its references, its codes, its identifiers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Outbound;
use super::digest::sha256_hex;
use super::redact::Reduced;
use crate::consent::permit::Permit;
use crate::fhir::client::failure::Failure;
use crate::fhir::{json, resource};
use crate::model::fhir_version::FhirVersion;
use crate::model::ids::ReferralId;
use crate::model::referral::Referral;
use crate::model::work::StoreError;
use crate::translation::effect::{effect_identifier, hosted_update_id, update_name};
use crate::translation::placer::Placer;
use crate::translation::receipt::echoed_identifiers;
use crate::translation::submission::Submission;
use crate::translation::to_partner::{Form, PartnerTerms, to_partner};
use crate::translation::versions;

/// The referral's own body cannot be read back; no time mends that.
pub(super) const PAYLOAD_UNREADABLE: Failure = Failure::NotSent("payload-unreadable");

/// The referral's own body was destroyed because of its age.
pub(super) const PAYLOAD_PURGED: Failure = Failure::NotSent("payload-purged");

/// What belongs to the partner's dialect cannot be used.
const DIALECT_BROKEN: Failure = Failure::NotSent("dialect-broken");

/// An update as the partner gets it. Only this file makes one, and it asks for the Permit.
#[derive(Debug)]
pub struct ForPartner {
    /// The resource.
    pub(super) main: Value,
    /// What travels along, each with its address in the message.
    pub(super) companions: Vec<(String, Value)>,
    /// The name that every version of the resource bears at the partner's server. A creation that arrives
    /// late finds it, even where a newer version has taken the name of the delivery away.
    pub(super) place: String,
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
            form,
        };
        let addresses: BTreeMap<String, String> = reduced
            .companions
            .iter()
            .enumerate()
            .map(|(n, (it, _))| (it.clone(), address(n, form)))
            .collect();
        let place =
            update_name(reduced.referral.id, resource::resource_type(&reduced.main), &reduced.clinic_id);
        let mut message = ForPartner { main: reduced.main, companions: Vec::new(), place };
        to_partner(&mut message.main, &terms, &addresses);
        for (number, (_, mut companion)) in reduced.companions.into_iter().enumerate() {
            to_partner(&mut companion, &terms, &addresses);
            message.companions.push((address(number, form), companion));
        }
        match form {
            Form::Pushed => message.name_effects(&self.house.public_url, effect),
            Form::Hosted => message.host(&reduced.referral, &reduced.clinic_id),
        }
        if resource::resource_type(&message.main) == "Task" {
            message.echo_identifiers(&placer, &reduced.referral, &self.house.public_url);
        }
        Ok(message)
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
        Ok(Placer::of(&Submission::of(&message)))
    }
}

impl ForPartner {
    /// The same in the version of FHIR that a partner speaks.
    pub(super) fn in_version(mut self, version: FhirVersion) -> Self {
        if version != FhirVersion::R4 {
            let companions = self.companions.iter_mut().map(|(_, it)| it);
            for it in companions.chain([&mut self.main]) {
                *it = versions::from_r4(it, version).value;
            }
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

    /// Every identifier that we were given for the referral goes back with its Task.
    fn echo_identifiers(&mut self, placer: &Placer, referral: &Referral, public_url: &str) {
        let mut identifiers = echoed_identifiers(placer, public_url, referral.id);
        for identifier in self.main["identifier"].as_array().into_iter().flatten() {
            let known = identifiers.iter().any(|it| it["value"] == identifier["value"]);
            if !known {
                identifiers.push(identifier.clone());
            }
        }
        self.main["identifier"] = json!(identifiers);
    }
}

fn address(number: usize, form: Form) -> String {
    match form {
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
