//! What partners send about referrals that we have.

mod additions;
mod messages;
mod stop;
mod task;

use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::gateway_client::Reply;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

use crate::support::{TestGateway, answered_task};

/// A referral that stands at the clinic: its id here, and its names there.
struct Known {
    id: String,
    there: ClinicReferral,
}

impl Known {
    async fn with(gateway: &mut TestGateway, partner: &str) -> Self {
        let bundle = people::referral(1, &ReferralOptions::default());
        let reply = gateway.send_bundle(partner, &bundle).await;
        gateway.settle().await;
        let id = answered_task(&reply)["id"].as_str().unwrap().to_owned();
        Self { id, there: gateway.clinic().referrals().remove(0) }
    }

    async fn of(gateway: &mut TestGateway) -> Self {
        Self::with(gateway, "lakeside").await
    }

    fn task(&self) -> String {
        format!("Task/{}", self.id)
    }

    fn order(&self) -> String {
        format!("ServiceRequest/{}", self.id)
    }

    /// The coordination Task as it is at the clinic.
    fn at_clinic(&self, gateway: &TestGateway) -> Value {
        gateway.clinic().server().read("Task", id_of(&self.there.task)).unwrap()
    }
}

fn id_of(reference: &str) -> &str {
    reference.split('/').nth(1).unwrap()
}

/// The Task as the partner reads it.
async fn shown(gateway: &TestGateway, known: &Known) -> Reply {
    let reply = gateway.lakeside().get(&known.task()).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply
}

/// Sends a Task back as a change of the version that was read.
async fn put(gateway: &TestGateway, known: &Known, read: &Reply, task: &Value) -> Reply {
    let etag = read.headers["etag"].to_str().unwrap();
    let call = gateway.lakeside_calls("PUT", &format!("/fhir/{}", known.task())).await;
    call.header("if-match", etag).fhir(task.to_string()).send().await
}

async fn post(gateway: &TestGateway, resource: &Value) -> Reply {
    let path = format!("/fhir/{}", resource["resourceType"].as_str().unwrap());
    gateway.lakeside_calls("POST", &path).await.fhir(resource.to_string()).send().await
}

fn communication(about: &str) -> Value {
    json!({
        "resourceType": "Communication",
        "identifier": [{ "system": "https://lakeside.example/messages", "value": "answer-1" }],
        "status": "completed",
        "basedOn": [{ "reference": about }],
        "payload": [{ "contentString": "The imaging is from last week." }],
    })
}
