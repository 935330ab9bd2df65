//! The clinic: its FHIR server, and its staff at work on the referrals that the gateway wrote there.
//!
//! Each file is one part of the staff's day. All of it goes through the server in process; what the gateway
//! sees of it, it sees over HTTP.

mod booking;
mod consents;
mod documents;
mod results;
mod task;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::{Value, json};

use super::fhir_server::{FhirServer, Resources};
use crate::fhir::coding::has_coding;
use crate::fhir::resource::{id, resource_type};

pub use self::consents::ConsentSays;

const TASK_CODE: &str = "http://hl7.org/fhir/CodeSystem/task-code";

/// A referral as the clinic sees it: relative references on its own server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClinicReferral {
    /// The filler order, `ServiceRequest/1`.
    pub service_request: String,
    /// The coordination Task that tells how it goes.
    pub task: String,
    /// The patient.
    pub patient: String,
}

/// The clinic with its staff. Clones are the same clinic.
#[derive(Clone)]
pub struct SimulatedClinic {
    server: FhirServer,
    organization: String,
    practitioner: String,
}

impl SimulatedClinic {
    /// Moves in: the clinic's own Organization and Practitioner are written to the server.
    pub fn new(server: FhirServer) -> Self {
        let organization = server.create(json!({
            "resourceType": "Organization",
            "identifier": [{ "system": "https://clinic.example/fhir/sid/organization", "value": "CLINIC" }],
            "active": true,
            "name": "Synthetic Heart Clinic",
        }));
        let practitioner = server.create(json!({
            "resourceType": "Practitioner",
            "identifier": [{ "system": "https://clinic.example/fhir/sid/practitioner", "value": "CARD-1" }],
            "active": true,
            "name": [{ "family": "Cardiosample", "given": ["Stubina"], "prefix": ["Dr."] }],
        }));
        Self { server, organization: reference(&organization), practitioner: reference(&practitioner) }
    }

    /// The clinic's FHIR server.
    pub const fn server(&self) -> &FhirServer {
        &self.server
    }

    /// The referrals that the gateway wrote, oldest first.
    pub fn referrals(&self) -> Vec<ClinicReferral> {
        let requests = self.server.all("ServiceRequest");
        let tasks = self.server.all("Task");
        requests.iter().filter_map(|it| referral(it, tasks.iter())).collect()
    }

    /// Waits until there are this many referrals, and gives the newest.
    pub async fn wait_for_referral(&self, count: usize, timeout: Duration) -> Option<ClinicReferral> {
        let found = |resources: &Resources| {
            let tasks = resources.all("Task");
            let requests = resources.all("ServiceRequest");
            let mut referrals: Vec<ClinicReferral> =
                requests.into_iter().filter_map(|it| referral(it, tasks.iter().copied())).collect();
            (referrals.len() >= count).then(|| referrals.pop()).flatten()
        };
        self.server.wait_for(found, timeout).await
    }

    /// Reads a resource of the clinic by its reference.
    fn at(&self, reference: &str) -> Value {
        let (resource_type, id) = reference.split_once('/').unwrap_or_default();
        self.server.read(resource_type, id).expect("the staff work on what is on their server")
    }

    fn now(&self) -> String {
        format!("{:.0}", self.server.now())
    }

    fn practitioner(&self) -> Value {
        json!({ "reference": self.practitioner, "display": "Dr. Stubina Cardiosample" })
    }
}

/// The filler order with the last `fulfill` Task about it: a placer's own Task comes before the gateway's.
fn referral<'t>(
    request: &Value,
    tasks: impl DoubleEndedIterator<Item = &'t Value>,
) -> Option<ClinicReferral> {
    if request["intent"] != "filler-order" {
        return None;
    }
    let service_request = reference(request);
    let about = |task: &&Value| {
        let named = |it: &Value| it["reference"] == service_request.as_str();
        let based_on = task["basedOn"].as_array().is_some_and(|list| list.iter().any(named));
        has_coding(&task["code"], TASK_CODE, "fulfill") && (named(&task["focus"]) || based_on)
    };
    let task = tasks.rev().find(about)?;
    let patient = request["subject"]["reference"].as_str()?.to_owned();
    Some(ClinicReferral { task: reference(task), service_request, patient })
}

/// The relative reference to a stored resource.
fn reference(resource: &Value) -> String {
    format!("{}/{}", resource_type(resource), id(resource))
}

/// A `Reference` element.
fn to(reference: &str) -> Value {
    json!({ "reference": reference })
}
