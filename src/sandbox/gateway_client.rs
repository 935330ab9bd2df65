//! A program that calls the gateway: a partner's EHR, or the clinic's own.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::Value;
use tokio::sync::Mutex;
use url::form_urlencoded;

use crate::fhir::json;
use crate::model::sensitive::Sensitive;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Where the gateway is, and as whom to call it.
#[derive(Clone, Debug)]
pub struct GatewayAccess {
    /// The gateway's public address, without a slash at its end.
    pub public_url: String,
    /// The OAuth 2.0 client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: Sensitive<String>,
    /// The scopes to ask for, separated by spaces.
    pub scope: String,
}

/// What the gateway answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The JSON; null where there is none.
    pub body: Value,
}

/// There is no answer to show.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The gateway could not be reached or broke off.
    #[error("the gateway did not answer")]
    NoAnswer(#[from] reqwest::Error),
    /// The gateway gave no access token; this is what it answered instead.
    #[error("the gateway gave no access token but status {}", .0.status)]
    NoToken(Box<Reply>),
}

/// A client with a secret. Keeps its access token until the gateway refuses it.
pub struct GatewayClient {
    access: GatewayAccess,
    http: reqwest::Client,
    token: Mutex<Option<String>>,
}

impl GatewayClient {
    /// A client that has no token yet.
    pub fn new(access: GatewayAccess) -> Self {
        Self { access, http: http_client(), token: Mutex::new(None) }
    }

    /// Reads a path below the gateway's FHIR base, such as `Task/ref-…`.
    pub async fn get(&self, path: &str) -> Result<Reply, CallError> {
        self.send(Method::GET, path, &[], None).await
    }

    /// Sends a resource to a path below the gateway's FHIR base; an empty path is the base itself.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply, CallError> {
        self.send(Method::POST, path, &[], Some(body.to_string().into_bytes())).await
    }

    /// Sends anything with an access token. One that the gateway refuses is replaced once.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Reply, CallError> {
        let address = format!("{}/fhir/{path}", self.access.public_url);
        let address = address.trim_end_matches('/');
        let request = headers.iter().fold(
            self.http.request(method, address).header(ACCEPT, "application/fhir+json"),
            |request, (name, value)| request.header(name, *value),
        );
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/fhir+json").body(body),
            None => request,
        };
        let reply = self.with_token(request.try_clone()).await?;
        if reply.status != StatusCode::UNAUTHORIZED {
            return Ok(reply);
        }
        *self.token.lock().await = None;
        self.with_token(Some(request)).await
    }

    /// Asks for a new access token and gives the whole answer, right or wrong.
    pub async fn request_token(&self) -> Result<Reply, CallError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", &self.access.scope)
            .finish();
        let request = self
            .http
            .post(format!("{}/oauth2/token", self.access.public_url))
            .basic_auth(&self.access.client_id, Some(self.access.client_secret.reveal()))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        Ok(reply(request.send().await?).await?)
    }

    async fn with_token(&self, request: Option<reqwest::RequestBuilder>) -> Result<Reply, CallError> {
        let request = request.expect("a body of bytes can be cloned");
        let authorization = format!("Bearer {}", self.token().await?);
        Ok(reply(request.header(AUTHORIZATION, authorization).send().await?).await?)
    }

    async fn token(&self) -> Result<String, CallError> {
        let mut kept = self.token.lock().await;
        if let Some(token) = &*kept {
            return Ok(token.clone());
        }
        let reply = self.request_token().await?;
        let Some(token) = reply.body["access_token"].as_str().map(str::to_owned) else {
            return Err(CallError::NoToken(Box::new(reply)));
        };
        *kept = Some(token.clone());
        Ok(token)
    }
}

async fn reply(response: reqwest::Response) -> Result<Reply, reqwest::Error> {
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await?;
    Ok(Reply { status, headers, body: json::parse(&bytes).unwrap_or_default() })
}

/// A client that goes where it is told and nowhere else.
fn http_client() -> reqwest::Client {
    // An error means that a provider is installed already, which is as good.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .expect("the settings of this client are fixed and valid")
}
