//! One request to the gateway as a test wants it, right or wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use referral_gateway::fhir::client::http_client;
use referral_gateway::fhir::json;
use referral_gateway::sandbox::gateway_client::Reply;
use reqwest::{Method, RequestBuilder};

use super::TestGateway;

/// A request that was not sent yet. It has no headers but those that it is given.
pub struct Call(RequestBuilder);

impl TestGateway {
    /// A request without a token. The path begins with a slash.
    pub fn call(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Call(http_client().request(method, format!("{}{path}", self.public_url())))
    }

    /// A request with an access token of this partner.
    pub async fn call_as(&self, partner: &str, method: &str, path: &str) -> Call {
        let token = self.token(partner).await;
        self.call(method, path).header("authorization", &format!("Bearer {token}"))
    }

    /// A request with an access token of lakeside.
    pub async fn lakeside_calls(&self, method: &str, path: &str) -> Call {
        self.call_as("lakeside", method, path).await
    }

    /// A request to the operator's door.
    pub fn operator_calls(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Call(http_client().request(method, format!("{}{path}", self.operator_url())))
    }

    /// A new access token of this partner, with every scope.
    pub async fn token(&self, partner: &str) -> String {
        let reply = self.partner(partner).client().request_token().await.unwrap();
        reply.body["access_token"].as_str().unwrap().to_owned()
    }

    /// The Authorization header of a new access token of this client, with these scopes.
    pub async fn token_of(&self, client: &str, secret: &str, scope: &str) -> String {
        let basic = STANDARD.encode(format!("{client}:{secret}"));
        let form = format!("grant_type=client_credentials&scope={scope}");
        let call = self.call("POST", "/oauth2/token").header("authorization", &format!("Basic {basic}"));
        let reply = call.form(form).send().await;
        format!("Bearer {}", reply.body["access_token"].as_str().expect("a token"))
    }

    /// Sends these bytes to the Bundle door as lakeside. Where they are JSON, their patient becomes a canary.
    pub async fn send_bytes(&mut self, body: impl Into<Vec<u8>>) -> Reply {
        let body = body.into();
        if let Ok(message) = json::parse(&body) {
            self.watch_for(&message);
        }
        self.lakeside_calls("POST", "/fhir").await.fhir(body).send().await
    }
}

impl Call {
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// A body, and nothing that says what it is.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self(self.0.body(body.into()))
    }

    /// A body that says it is FHIR JSON.
    pub fn fhir(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/fhir+json").body(body)
    }

    /// A form.
    pub fn form(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// The status and the body as it came.
    pub async fn text(self) -> (u16, String) {
        let response = self.0.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub async fn send(self) -> Reply {
        let response = self.0.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = json::parse(&response.bytes().await.unwrap()).unwrap_or_default();
        Reply { status, headers, body }
    }
}
