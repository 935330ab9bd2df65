//! A referring EHR: it sends referrals and has a FHIR server of its own for the updates.

use serde_json::Value;

use super::fhir_server::FhirServer;
use super::gateway_client::{CallError, GatewayClient, Reply};
use crate::fhir::resource::resource_type;
use crate::fhir::{bundle, reference};

/// A partner that is registered with a gateway.
pub struct SimulatedPartner {
    server: FhirServer,
    client: GatewayClient,
}

impl SimulatedPartner {
    /// A partner with its server, which must be running before the gateway's settings can name it.
    pub const fn new(server: FhirServer, client: GatewayClient) -> Self {
        Self { server, client }
    }

    /// The server that receives the updates.
    pub const fn server(&self) -> &FhirServer {
        &self.server
    }

    /// The client, for requests that the methods here do not cover.
    pub const fn client(&self) -> &GatewayClient {
        &self.client
    }

    /// Sends a transaction Bundle.
    pub async fn send_bundle(&self, bundle: &Value) -> Result<Reply, CallError> {
        self.client.post("", bundle).await
    }

    /// Sends one ServiceRequest.
    pub async fn send_service_request(&self, service_request: &Value) -> Result<Reply, CallError> {
        self.client.post("ServiceRequest", service_request).await
    }

    /// Sends one Task.
    pub async fn send_task(&self, task: &Value) -> Result<Reply, CallError> {
        self.client.post("Task", task).await
    }

    /// Sends a message.
    pub async fn send_message(&self, message: &Value) -> Result<Reply, CallError> {
        self.client.post("$process-message", message).await
    }

    /// Keeps the parts of a referral on its own server, as an EHR does, and gives the Task that asks for it: not
    /// kept, and with the references that it has there.
    pub fn keep(&self, referral: &Value) -> Value {
        let entries: Vec<&Value> = bundle::entries(referral).collect();
        let name = |entry: &Value| {
            let resource_type = resource_type(&entry["resource"]);
            let number = entries.iter().position(|it| it["fullUrl"] == entry["fullUrl"]).unwrap_or_default();
            format!("{resource_type}/part-{number}")
        };
        let mut task = Value::Null;
        for entry in &entries {
            let mut resource = entry["resource"].clone();
            reference::for_each_mut(&mut resource, &mut |it| {
                if let Some(named) = entries.iter().find(|entry| entry["fullUrl"] == it["reference"]) {
                    it["reference"] = Value::String(name(named));
                }
            });
            if resource_type(&resource) == "Task" {
                task = resource;
            } else {
                let id = name(entry).rsplit('/').next().unwrap_or_default().to_owned();
                resource["id"] = Value::String(id);
                self.server.update(resource);
            }
        }
        task
    }

    /// Reads a path below the gateway's FHIR base.
    pub async fn get(&self, path: &str) -> Result<Reply, CallError> {
        self.client.get(path).await
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::model::sensitive::Sensitive;
    use crate::sandbox::fhir_server::{Fault, FhirServerOptions, Misbehaviour};
    use crate::sandbox::gateway_client::GatewayAccess;

    #[tokio::test]
    async fn a_partner_gets_a_token_first_and_a_new_one_when_it_is_refused() {
        // Another simulated server stands in for the gateway: its token endpoint is a fault that answers.
        let gateway = FhirServer::start(FhirServerOptions::default()).await.unwrap();
        gateway.set_bearer_token(Some("t2"));
        for token in ["t1", "t2"] {
            let answer = Misbehaviour::WrongContent(json!({ "access_token": token }));
            gateway.faults().push(Fault::new(answer).on("POST", "oauth2/token"));
        }
        let access = GatewayAccess {
            public_url: gateway.base_url().to_owned(),
            client_id: "lakeside".to_owned(),
            client_secret: Sensitive::new("secret".to_owned()),
            scope: "system/*.cruds".to_owned(),
        };
        let own = FhirServer::start(FhirServerOptions::default()).await.unwrap();
        let partner = SimulatedPartner::new(own, GatewayClient::new(access));

        let reply = partner.get("Task").await.unwrap();

        // Below the stand-in's base there is no second `/fhir`; what matters is who was let in.
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        let requests = gateway.requests();
        assert_eq!(requests[0].header("authorization"), Some("Basic bGFrZXNpZGU6c2VjcmV0"));
        assert_eq!(&*requests[0].body, b"grant_type=client_credentials&scope=system%2F*.cruds");
        assert_eq!(requests[1].header("authorization"), Some("Bearer t1"));
        assert_eq!(requests[3].header("authorization"), Some("Bearer t2"));
    }
}
