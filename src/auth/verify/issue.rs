//! The token endpoint, without HTTP around it.

use std::sync::Arc;

use http::HeaderMap;
use serde_json::{Value, json};

use super::assertion::{self, Claims};
use super::bearer::AccessTokens;
use super::clients::{Clients, Keys};
use super::discovery::Addresses;
use super::fault::{CredentialFault, Fault, RequestFault};
use super::form::{Form, TokenRequest};
use super::jwks::PublicKeys;
use super::jwt::Jwt;
use super::published::{KeyName, PublishedKeys};
use super::refusal::{TokenRefusal, never_stored};
use super::secret::BasicCredentials;
use crate::auth::scope::Scopes;
use crate::model::client::{ClientRole, KeyAddress, SpentAssertions};
use crate::model::sensitive::Sensitive;

/// How many problems of a client's keys are told in one line.
const MOST_NOTES: usize = 3;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An access token for a client.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token.
    pub access_token: Sensitive<String>,
    /// How long it is good for, in seconds.
    pub expires_in_s: u32,
    /// What it is good for.
    pub scopes: Scopes,
    /// Whom it was issued to; for the log.
    pub client_id: String,
}

impl IssuedToken {
    /// The body of the answer (RFC 6749 §5.1). Holds the token: not for the log.
    pub fn body(&self) -> Value {
        json!({
            "access_token": self.access_token.reveal(),
            "token_type": "bearer",
            "expires_in": self.expires_in_s,
            "scope": self.scopes.to_string(),
        })
    }

    /// The headers of the answer besides Content-Type.
    pub fn headers(&self) -> HeaderMap {
        never_stored()
    }
}

/// Issues access tokens to registered clients.
pub struct TokenService {
    token_endpoint: String,
    tokens: Arc<AccessTokens>,
    spent: Arc<dyn SpentAssertions>,
    published: Arc<dyn PublishedKeys>,
}

impl TokenService {
    /// The token endpoint at one of our addresses, for the clients that `tokens` knows.
    pub fn new(
        addresses: &Addresses,
        tokens: Arc<AccessTokens>,
        spent: Arc<dyn SpentAssertions>,
        published: Arc<dyn PublishedKeys>,
    ) -> Self {
        Self { token_endpoint: addresses.token_endpoint.clone(), tokens, spent, published }
    }

    /// Answers one request: who is it, and what may it have?
    pub async fn issue(&self, request: TokenRequest) -> Result<IssuedToken, TokenRefusal> {
        let form = Form::read(&request).map_err(TokenRefusal::new)?;
        grant_type(&form).map_err(TokenRefusal::new)?;
        let shown = Shown::read(&form, &request).map_err(TokenRefusal::new)?;
        let known = self.authenticate(&shown).await;
        let known = known.and_then(|it| same_client(it, form.client_id.as_deref()));
        let answer = known.and_then(|it| Ok((grant(&shown, &form, &it.role)?, it)));
        let refused = |fault| TokenRefusal::new(fault).naming(shown.client_id(), shown.key_id());
        let (scopes, authenticated) = answer.map_err(refused)?;
        Ok(self.tokens.issue(authenticated.client_id, scopes))
    }

    /// Which registered client the caller says it is. Nothing of it is proven.
    pub fn claimed_client(&self, request: &TokenRequest) -> Option<String> {
        let form = Form::read(request).ok()?;
        let shown = Shown::read(&form, request).ok()?;
        let claimed = shown.client_id()?;
        self.tokens.clients().role_of(claimed).map(|_| claimed.to_owned())
    }

    async fn authenticate(&self, shown: &Shown<'_>) -> Result<Authenticated, Fault> {
        match shown {
            Shown::Secret(basic) => Ok(self.by_secret(basic)?),
            Shown::Assertion(jwt) => self.by_assertion(jwt).await,
        }
    }

    fn by_secret(&self, basic: &BasicCredentials) -> Result<Authenticated, CredentialFault> {
        let clients = self.tokens.clients();
        let secret = clients.secret_of(&basic.client_id);
        let equal = secret.unwrap_or(clients.decoy_secret()).is_of(basic);
        match (secret, clients.role_of(&basic.client_id)) {
            (Some(_), Some(role)) if equal => Ok(Authenticated::new(&basic.client_id, role)),
            (Some(_), _) => Err(CredentialFault::WrongSecret),
            (None, _) => Err(CredentialFault::UnknownClient),
        }
    }

    async fn by_assertion(&self, jwt: &Jwt<'_>) -> Result<Authenticated, Fault> {
        let clients = self.tokens.clients();
        let Claims { client_id, jti, until } =
            assertion::claims(jwt, &self.token_endpoint, self.tokens.now())?;
        let named = assertion::key_named(jwt)?;
        match self.keys(&clients, client_id, jwt, &named).await {
            Ok(keys) => assertion::signature(jwt, &keys, &named)?,
            Err(fault) => {
                assertion::decoy(jwt, clients.decoy_keys(), named.algorithm);
                return Err(fault.into());
            }
        }
        let role = clients.role_of(client_id).ok_or(CredentialFault::UnknownClient)?;
        // Last, so that nobody without the key can use up another client's ids.
        if !self.spent.spend(client_id, jti, until).await? {
            return Err(CredentialFault::Replayed.into());
        }
        Ok(Authenticated::new(client_id, role))
    }

    /// The client's keys, among which the named one is.
    async fn keys(
        &self,
        clients: &Clients,
        client_id: &str,
        jwt: &Jwt<'_>,
        named: &KeyName,
    ) -> Result<Arc<PublicKeys>, CredentialFault> {
        match clients.keys_of(client_id) {
            None => Err(CredentialFault::UnknownClient),
            Some(Keys::Given(keys)) => {
                assertion::key_url(jwt, None)?;
                if keys.has(named) { Ok(Arc::clone(keys)) } else { Err(CredentialFault::UnknownKey) }
            }
            Some(Keys::At(address)) => {
                assertion::key_url(jwt, Some(&address.url))?;
                self.published_keys(address, named).await
            }
        }
    }

    async fn published_keys(
        &self,
        address: &KeyAddress,
        named: &KeyName,
    ) -> Result<Arc<PublicKeys>, CredentialFault> {
        let url = address.url.to_string();
        match self.published.keys(address, named).await {
            Ok(keys) if keys.has(named) => Ok(keys),
            Ok(keys) => {
                let problems = keys.problems().iter().take(MOST_NOTES);
                let notes: Vec<String> = problems.map(|it| format!("; {it}")).collect();
                let notes = notes.concat();
                Err(CredentialFault::UnknownKeyAt { url, notes })
            }
            Err(fault) => Err(CredentialFault::KeysUnread { url, fault }),
        }
    }
}

struct Authenticated {
    client_id: String,
    role: ClientRole,
}

impl Authenticated {
    fn new(client_id: &str, role: &ClientRole) -> Self {
        Self { client_id: client_id.to_owned(), role: role.clone() }
    }
}

/// What a client shows as proof.
enum Shown<'a> {
    Secret(BasicCredentials),
    Assertion(Jwt<'a>),
}

impl<'a> Shown<'a> {
    /// Exactly one way of authentication (RFC 6749 §2.3).
    fn read(form: &'a Form, request: &TokenRequest) -> Result<Self, Fault> {
        let asserts = form.client_assertion.is_some() || form.client_assertion_type.is_some();
        match (&request.authorization, asserts) {
            (Some(_), true) => Err(RequestFault::TwoMethods.into()),
            _ if form.client_secret.is_some() => Err(CredentialFault::SecretInBody.into()),
            (Some(header), false) => Ok(Self::Secret(BasicCredentials::read(header)?)),
            (None, true) => Self::assertion(form),
            (None, false) => Err(CredentialFault::None.into()),
        }
    }

    fn assertion(form: &'a Form) -> Result<Self, Fault> {
        if form.client_assertion_type.as_deref() != Some(JWT_BEARER) {
            return Err(RequestFault::AssertionType.into());
        }
        let token = form.client_assertion.as_deref().ok_or(RequestFault::NoAssertion)?;
        Ok(Self::Assertion(Jwt::read(token).ok_or(CredentialFault::NotAJwt)?))
    }

    fn client_id(&self) -> Option<&str> {
        match self {
            Self::Secret(basic) => Some(&basic.client_id),
            Self::Assertion(jwt) => jwt.claim_text("iss"),
        }
    }

    fn key_id(&self) -> Option<&str> {
        match self {
            Self::Secret(_) => None,
            Self::Assertion(jwt) => jwt.header_text("kid"),
        }
    }
}

fn grant_type(form: &Form) -> Result<(), RequestFault> {
    match form.grant_type.as_deref() {
        Some("client_credentials") => Ok(()),
        Some(_) => Err(RequestFault::OtherGrantType),
        None => Err(RequestFault::NoGrantType),
    }
}

fn same_client(known: Authenticated, client_id: Option<&str>) -> Result<Authenticated, Fault> {
    let same = client_id.is_none_or(|it| it == known.client_id);
    if same { Ok(known) } else { Err(CredentialFault::OtherClientId.into()) }
}

/// SMART requires `scope`; people with a secret and curl may leave it out and get all of their role's.
fn grant(shown: &Shown<'_>, form: &Form, role: &ClientRole) -> Result<Scopes, Fault> {
    match (&form.scope, shown) {
        (Some(asked), _) => Scopes::grant(asked, role).ok_or(Fault::Scope),
        (None, Shown::Secret(_)) => Ok(Scopes::of_role(role)),
        (None, Shown::Assertion(_)) => Err(RequestFault::NoScope.into()),
    }
}
