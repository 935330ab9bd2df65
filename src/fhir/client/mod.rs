//! Our side as a FHIR client: the only place, beside `auth`, that sends HTTP requests.

pub mod answer;
pub mod cause;
mod certificate;
pub mod clock;
pub mod failure;
pub mod found;
pub mod in_order;
pub mod look;
pub mod message;
#[cfg(test)]
mod tests;
pub mod token;
pub mod write;

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;
use url::Url;

use super::bundle;
use super::capability::Capabilities;
use super::resource;
use answer::{Answer, Asked, LARGEST_ANSWER};
use failure::{Class, Failure, Refused, Target};
use token::TokenSource;

/// FHIR's media type for JSON (FHIR R4, http, content types).
pub const FHIR_JSON: &str = "application/fhir+json";

const MOST_PAGES: usize = 1000;

/// The program's HTTP client: no redirects, no proxies, no repeats of its own, so that every request is one
/// that the ledger knows of.
///
/// # Panics
/// When the TLS provider cannot be set up, which no machine that runs this program does.
pub fn http_client() -> reqwest::Client {
    builder().build().expect("the client's settings are constants")
}

/// The same, for a server that may show certificates of these issuers only (PEM).
pub fn http_client_trusting(issuers: &str) -> Result<reqwest::Client, UnusableIssuers> {
    let issuers = reqwest::Certificate::from_pem_bundle(issuers.as_bytes()).map_err(|_| UnusableIssuers)?;
    builder().tls_certs_only(issuers).build().map_err(|_| UnusableIssuers)
}

/// Issuers of certificates that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("are no certificates in PEM that can be used")]
pub struct UnusableIssuers;

fn builder() -> reqwest::ClientBuilder {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_mins(1))
        .user_agent(concat!("referral-gateway/", env!("CARGO_PKG_VERSION")))
}

/// Speaks with one FHIR server.
#[derive(Clone)]
pub struct FhirClient {
    http: reqwest::Client,
    base: String,
    tokens: Arc<dyn TokenSource>,
    timeout: Duration,
    media_type: &'static str,
    capabilities: Arc<tokio::sync::Mutex<Option<Arc<Capabilities>>>>,
}

/// A request before it has a token.
struct Request<'a> {
    method: Method,
    target: Target,
    address: String,
    headers: HeaderMap,
    body: Option<&'a Value>,
    /// The most that the answer may hold.
    most_bytes: usize,
    /// The id that the reply to a message must quote.
    quoted: Option<&'a str>,
}

impl FhirClient {
    /// A client for the server at `base`. `timeout` covers one request from its first byte to the last of
    /// the answer.
    pub fn new(http: reqwest::Client, base: &Url, tokens: Arc<dyn TokenSource>, timeout: Duration) -> Self {
        let base = base.as_str().trim_end_matches('/').to_owned();
        Self { http, base, tokens, timeout, media_type: FHIR_JSON, capabilities: Arc::default() }
    }

    /// The same, for a server that speaks another version of FHIR: the media type says which.
    #[must_use]
    pub fn speaking(self, media_type: &'static str) -> Self {
        Self { media_type, ..self }
    }

    /// The server's base address, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Reads a relative reference: `Task/55` or `Task/55/_history/2` (FHIR R4, http, read and vread). Another
    /// resource than this one is no answer.
    pub async fn read(&self, reference: &str) -> Result<Value, Failure> {
        self.read_within(reference, LARGEST_ANSWER).await
    }

    /// The same, of an answer that may have so many bytes.
    ///
    /// # Errors
    /// Besides those of [`FhirClient::read`]: [`Failure::Unusable`] with the code `answer-too-large`.
    pub async fn read_within(&self, reference: &str, most_bytes: usize) -> Result<Value, Failure> {
        let request = Request::get(Target::Resource, format!("{}/{reference}", self.base));
        let answer = self.send(Request { most_bytes, ..request }).await?;
        let mut parts = reference.split('/');
        let (expected, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let found = answer.resource(expected).map_err(Failure::harmless)?;
        if resource::id(&found) == id {
            return Ok(found);
        }
        Err(Failure::Unusable { what: "unexpected-body", may_have_happened: false })
    }

    /// Reads every page of a search (FHIR R4, search).
    pub async fn search(&self, resource_type: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Failure> {
        let mut page = self.first_page(resource_type, query).await?;
        let mut found = Vec::new();
        for _ in 0..MOST_PAGES {
            found.extend(bundle::resources(&page).cloned());
            match self.next_page(&page).await? {
                Some(next) => page = next,
                None => return Ok(found),
            }
        }
        Err(Failure::Unusable { what: "too-many-pages", may_have_happened: false })
    }

    /// Reads the first page of a search.
    pub async fn first_page(&self, resource_type: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.page(resource_type, &query).await
    }

    async fn page(&self, resource_type: &str, query: &str) -> Result<Value, Failure> {
        let mut request = Request::get(Target::Type, format!("{}/{resource_type}?{query}", self.base));
        request.headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        self.send(request).await?.resource("Bundle").map_err(Failure::harmless)
    }

    /// Reads the page that follows. A link to another origin is not followed: our token would go there.
    pub async fn next_page(&self, page: &Value) -> Result<Option<Value>, Failure> {
        let Some(address) = bundle::next_page(page) else {
            return Ok(None);
        };
        let address = self.within_base(address)?;
        let answer = self.send(Request::get(Target::Type, address)).await?;
        answer.resource("Bundle").map(Some).map_err(Failure::harmless)
    }

    /// Sends a transaction Bundle and returns the transaction-response (FHIR R4, http, transaction).
    pub async fn transaction(&self, bundle: &Value) -> Result<Value, Failure> {
        let answer = self.send(Request::post(Target::Base, self.base.clone(), bundle)).await?;
        let response = answer.resource("Bundle")?;
        // All of it was done or nothing; a server that says otherwise is not one to believe.
        let done = |entry: &Value| entry["response"]["status"].as_str().is_some_and(|it| it.starts_with('2'));
        let refused = Failure::Unusable { what: "entry-refused", may_have_happened: true };
        if bundle::entries(&response).all(done) { Ok(response) } else { Err(refused) }
    }

    /// Asks what became of a request that the server accepted and did not do at once (FHIR R4, async). Whatever
    /// it says, once it is no more under way it can be looked for.
    ///
    /// # Errors
    /// [`Failure::Pending`] while it is under way; or the server cannot tell now.
    pub async fn wait_for_outcome(&self, told_at: &str) -> Result<(), Failure> {
        let Ok(address) = self.within_base(told_at) else {
            return Ok(());
        };
        match self.send(Request::get(Target::Outcome, address)).await {
            // What it says of the request itself, such as that it failed, a search will show.
            Ok(_) | Err(Failure::Unusable { .. } | Failure::Status(Refused { status: 500 | 501, .. })) => {
                Ok(())
            }
            Err(failure) if failure.is_lasting() || failure.class() == Class::Conflict => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    fn within_base(&self, address: &str) -> Result<String, Failure> {
        let foreign = || Failure::Unusable { what: "foreign-address", may_have_happened: false };
        let base = Url::parse(&self.base).map_err(|_| foreign())?;
        let address = base.join(address).map_err(|_| foreign())?;
        if address.origin() == base.origin() { Ok(address.into()) } else { Err(foreign()) }
    }

    /// Sends, and no longer believes what the server says of itself when it cannot do what it said.
    async fn send(&self, request: Request<'_>) -> Result<Answer, Failure> {
        let may_change = request.method != Method::GET;
        let answer = self.send_unchecked(request).await;
        if may_change && answer.as_ref().is_err_and(|it| it.class() == Class::NotSupported) {
            self.forget_capabilities().await;
        }
        answer
    }

    /// Sends once; after a 401 once more with a fresh token, since the first was refused unread.
    async fn send_unchecked(&self, request: Request<'_>) -> Result<Answer, Failure> {
        match self.send_once(&request).await {
            Err(Failure::Status(Refused { status: 401, .. })) => {
                self.tokens.forget().await;
                self.send_once(&request).await
            }
            other => other,
        }
    }

    async fn send_once(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let may_change = request.method != Method::GET;
        let mut builder = self
            .http
            .request(request.method.clone(), &request.address)
            .headers(request.headers.clone())
            .header(ACCEPT, self.media_type)
            .timeout(self.timeout);
        if let Some(token) = self.tokens.authorization().await.map_err(Failure::Token)? {
            builder = builder.header(AUTHORIZATION, token);
        }
        let body = request.body.map(Value::to_string);
        let asked = Asked {
            target: request.target,
            may_change,
            sent_bytes: body.as_ref().map_or(0, String::len),
            most_bytes: request.most_bytes,
            quoted: request.quoted,
        };
        if let Some(body) = body {
            builder = builder.header(CONTENT_TYPE, self.media_type).body(body);
        }
        let response = builder.send().await.map_err(|error| Failure::of(&error, may_change))?;
        Answer::read(response, asked).await
    }
}

impl<'a> Request<'a> {
    fn get(target: Target, address: String) -> Self {
        let headers = HeaderMap::new();
        let most_bytes = LARGEST_ANSWER;
        Self { method: Method::GET, target, address, headers, body: None, most_bytes, quoted: None }
    }

    fn post(target: Target, address: String, body: &'a Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(target, address) }
    }
}

fn header(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|_| Failure::Unusable { what: "header", may_have_happened: false })
}
