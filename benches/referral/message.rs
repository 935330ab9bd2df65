//! A referral of 55 KiB, as a sender with two letters attached would send it, and the road that it takes.

use std::path::Path;

use jiff::Timestamp;
use referral_gateway::config;
use referral_gateway::config::environment::ProcessEnvironment;
use referral_gateway::config::settings::Config;
use referral_gateway::fhir::json;
use referral_gateway::model::ids::ReferralId;
use referral_gateway::translation::codes::CodeMaps;
use referral_gateway::translation::coordination::Parties;
use referral_gateway::translation::effect::EffectNames;
use referral_gateway::translation::submission::Submission;
use referral_gateway::translation::to_clinic::{ForClinic, to_clinic};
use serde_json::{Value, json};

/// What a message weighs.
const BYTES: usize = 55 * 1024;

/// The address of [`profile`].
pub(crate) const PROFILE: &str = "urn:bench:referral";

const REFERRAL: &[u8] = include_bytes!("../../fixtures/lakeside/complete-bundle/request.json");
const MAP: &[u8] = include_bytes!("../../profiles/clinic/ConceptMap-reason-to-clinic.json");

/// The bytes of the message.
pub(crate) fn body() -> Vec<u8> {
    let mut message = json::parse(REFERRAL).expect("the fixture is JSON");
    let rest = BYTES - message.to_string().len();
    let letter = message["entry"].as_array().into_iter().flatten().position(is_document);
    let letter = &mut message["entry"][letter.expect("the fixture has a letter")]["resource"];
    let content =
        json!({ "attachment": { "contentType": "application/pdf", "data": "QUJD".repeat(rest / 8) } });
    letter["content"] = json!([content, content]);
    message.to_string().into_bytes()
}

/// A profile as a clinic may have one: slices, a pattern, a narrowed reference.
pub(crate) fn profile() -> Value {
    json!({
        "resourceType": "StructureDefinition", "url": PROFILE, "type": "ServiceRequest", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/ServiceRequest",
        "differential": { "element": [
            { "id": "ServiceRequest.identifier", "path": "ServiceRequest.identifier", "min": 1, "slicing": {
                "discriminator": [{ "type": "value", "path": "system" }], "rules": "open" } },
            { "id": "ServiceRequest.identifier:ours", "path": "ServiceRequest.identifier", "max": "1" },
            { "id": "ServiceRequest.identifier:ours.system", "path": "ServiceRequest.identifier.system", "min": 1,
              "fixedUri": "urn:ours" },
            { "id": "ServiceRequest.intent", "path": "ServiceRequest.intent", "patternCode": "order" },
            { "id": "ServiceRequest.code", "path": "ServiceRequest.code", "min": 1 },
            { "id": "ServiceRequest.subject", "path": "ServiceRequest.subject", "type": [{ "code": "Reference",
                "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"] }] }] },
    })
}

/// What translation needs.
pub(crate) struct Road {
    config: Config,
    maps: CodeMaps,
    names: EffectNames,
}

impl Road {
    /// With the shipped settings.
    pub(crate) fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let config =
            config::load(&folder, &ProcessEnvironment).config.expect("the shipped settings are good");
        let map = json::parse(MAP).expect("the map is JSON");
        let names = EffectNames::new("http://127.0.0.1:8080", ReferralId::new(Timestamp::UNIX_EPOCH));
        Self { config, maps: CodeMaps::of([&map]), names }
    }

    /// The transaction for the clinic.
    pub(crate) fn translate(&self, message: &Value) -> ForClinic {
        let parties = Parties {
            partner: &self.config.partners[0],
            clinic_name: &self.config.clinic.name,
            clinic: &self.config.clinic.organization,
            public_url: "http://127.0.0.1:8080",
            received: Timestamp::UNIX_EPOCH,
        };
        to_clinic(&Submission::of(message), &self.names, &parties, &self.maps)
    }
}

fn is_document(entry: &Value) -> bool {
    entry["resource"]["resourceType"] == "DocumentReference"
}
