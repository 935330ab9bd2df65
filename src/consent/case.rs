//! Cases: a disclosure in a file, for `consent decide --cases` and for tests. What a case expects is not
//! read here.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::disclosure::{
    ClinicRules, DISCLOSE, Disclosure, Labelling, Party, PatientAtClinic, Purpose, Receiver, Source,
};
use super::examine;
use super::labels::lists::SensitivityLists;
use super::permit::Decision;
use super::trace::Trace;
use crate::fhir::{coding, resource};
use crate::model::ids::PartnerId;
use crate::model::policy::{Confidentiality, DefaultDecision, DefaultPolicy};
use crate::model::update::ResourceVersion;

/// Why a case could not be decided. Says where, never what.
#[derive(Debug, thiserror::Error)]
pub enum CaseProblem {
    /// It is not of the form of a case.
    #[error("not a case: {0}")]
    Form(#[from] serde_json::Error),
    /// An instant, a zone, a level or a default decision in it is not one.
    #[error("{0} is not what it should be")]
    Value(&'static str),
}

/// What was decided about a case.
#[derive(Clone, Debug)]
pub struct CaseDecision {
    /// The case's name.
    pub name: String,
    /// `permit`, `redact`, `hold` or `deny`.
    pub decision: &'static str,
    /// How it came about.
    pub trace: Trace,
}

/// A case as it is written.
#[derive(Clone, Debug)]
pub struct Case {
    name: String,
    now: Timestamp,
    patient: PatientAtClinic,
    receiver: Receiver,
    purpose: Purpose,
    action: String,
    source: Source,
    labelling: Labelling,
    directory: Vec<Value>,
    clinic: ClinicRules,
    consents: Vec<Value>,
    resources: Vec<Value>,
}

/// Decides a case.
pub fn decide_case(case: &Value) -> Result<CaseDecision, CaseProblem> {
    let case = Case::read(case)?;
    let (decision, trace) = case.examine();
    Ok(CaseDecision { name: case.name, decision: decision.note().outcome, trace })
}

impl Case {
    /// Reads a case.
    pub fn read(case: &Value) -> Result<Self, CaseProblem> {
        let File { name, now, context, default_policy, consents, resource } = File::deserialize(case)?;
        let source = context.source();
        let clinic = context.clinic(&default_policy)?;
        Ok(Self {
            name,
            now: now.parse().map_err(|_| CaseProblem::Value("now"))?,
            patient: patient(&context.patient),
            receiver: context.receiver(),
            purpose: context.purpose.as_ref().map(purpose).unwrap_or_default(),
            action: context.action.unwrap_or_else(|| DISCLOSE.to_owned()),
            source,
            labelling: labelling(&context.labeling),
            directory: context.directory,
            clinic,
            consents,
            resources: vec![resource],
        })
    }

    /// Decides it and says how.
    pub fn examine(&self) -> (Decision, Trace) {
        examine(&self.disclosure())
    }

    /// The question that it asks.
    pub fn disclosure(&self) -> Disclosure<'_> {
        Disclosure {
            version: version(&self.resources[0]),
            resources: &self.resources,
            patient: &self.patient,
            recipient: PartnerId::new("case"),
            receiver: &self.receiver,
            purpose: &self.purpose,
            action: &self.action,
            consents: &self.consents,
            source: self.source,
            labelling: self.labelling,
            directory: &self.directory,
            clinic: &self.clinic,
            now: self.now,
        }
    }
}

#[derive(Deserialize)]
struct File {
    name: String,
    now: String,
    context: Context,
    default_policy: Policy,
    #[serde(default)]
    consents: Vec<Value>,
    resource: Value,
}

#[derive(Deserialize)]
struct Context {
    patient: Value,
    #[serde(default)]
    recipient: Value,
    purpose: Option<Value>,
    action: Option<String>,
    #[serde(default)]
    custodian: Value,
    #[serde(default)]
    server_base: String,
    timezone: Option<String>,
    #[serde(default)]
    directory: Vec<Value>,
    #[serde(default)]
    consent_source: Value,
    #[serde(default)]
    labeling: Value,
    max_staleness_seconds: Option<u64>,
    #[serde(default)]
    trusted_custodians: Vec<Value>,
    #[serde(default)]
    known_label_systems: Vec<String>,
}

#[derive(Deserialize)]
struct Policy {
    decision: String,
    purposes: Option<Vec<String>>,
    max_confidentiality: Option<String>,
    #[serde(default)]
    explicit_consent_sensitivity: Vec<String>,
}

impl Context {
    fn source(&self) -> Source {
        match self.consent_source["status"].as_str() {
            Some("ok") | None => {
                // A part of a second is age too: rounded up, so that it never looks fresher than it is.
                let age = self.consent_source["age_seconds"].as_f64().unwrap_or_default();
                Source::Read { age: Duration::try_from_secs_f64(age.ceil()).unwrap_or(Duration::MAX) }
            }
            Some(_) => Source::Unavailable,
        }
    }

    fn receiver(&self) -> Receiver {
        let one = |name: &str| self.recipient.get(name).map(party);
        Receiver {
            organization: one("organization").unwrap_or_default(),
            practitioner: one("practitioner"),
            practitioner_role: one("practitioner_role"),
        }
    }

    fn clinic(&self, policy: &Policy) -> Result<ClinicRules, CaseProblem> {
        let zone = self.timezone.as_deref().unwrap_or("UTC");
        Ok(ClinicRules {
            base: self.server_base.trim_end_matches('/').to_owned(),
            custodian: party(&self.custodian),
            trusted_custodians: self.trusted_custodians.iter().map(party).collect(),
            known_label_systems: self.known_label_systems.clone(),
            max_staleness: Duration::from_secs(self.max_staleness_seconds.unwrap_or_default()),
            default: default(policy)?,
            time_zone: TimeZone::get(zone).map_err(|_| CaseProblem::Value("timezone"))?,
            lists: SensitivityLists::built_in(),
        })
    }
}

fn default(policy: &Policy) -> Result<DefaultPolicy, CaseProblem> {
    let decision = match policy.decision.as_str() {
        "permit" => DefaultDecision::Permit,
        "hold" => DefaultDecision::Hold,
        "deny" => DefaultDecision::Deny,
        _ => return Err(CaseProblem::Value("default_policy.decision")),
    };
    let level = policy.max_confidentiality.as_deref().unwrap_or("N");
    Ok(DefaultPolicy {
        decision,
        purposes: policy.purposes.clone(),
        max_confidentiality: Confidentiality::from_code(level)
            .ok_or(CaseProblem::Value("default_policy.max_confidentiality"))?,
        explicit_consent_sensitivity: policy.explicit_consent_sensitivity.clone(),
    })
}

fn labelling(labelling: &Value) -> Labelling {
    match labelling["status"].as_str() {
        Some("ok") | None => Labelling::Works,
        Some(_) => Labelling::Down,
    }
}

fn purpose(coding: &Value) -> Purpose {
    let text = |name: &str| coding[name].as_str().unwrap_or_default().to_owned();
    Purpose { system: text("system"), code: text("code") }
}

/// A party by its reference alone, or as an object with reference and identifiers.
fn party(party: &Value) -> Party {
    let reference = party.as_str().or_else(|| party["reference"].as_str()).map(str::to_owned);
    Party { reference, identifiers: identifiers(party) }
}

fn patient(patient: &Value) -> PatientAtClinic {
    let texts = |it: &Value| it.as_str().or_else(|| it["reference"].as_str()).map(str::to_owned);
    let aliases = patient["aliases"].as_array().into_iter().flatten();
    PatientAtClinic {
        reference: patient["reference"].as_str().unwrap_or_default().to_owned(),
        identifiers: identifiers(patient),
        aliases: aliases.filter_map(texts).collect(),
    }
}

fn identifiers(holder: &Value) -> Vec<(String, String)> {
    coding::identifiers(holder).map(|(system, value)| (system.to_owned(), value.to_owned())).collect()
}

fn version(main: &Value) -> ResourceVersion {
    ResourceVersion {
        resource_type: resource::resource_type(main).to_owned(),
        id: resource::id(main).to_owned(),
        version: resource::version(main).to_owned(),
    }
}
