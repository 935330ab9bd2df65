//! A referring EHR, as its settings file describes it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::client::Client;
use super::dialect::Dialect;
use super::effects::WriteRules;
use super::fhir_version::FhirVersion;
use super::ids::PartnerId;
use super::sensitive::Sensitive;

/// One referring organisation and how we speak with its EHR.
#[derive(Clone, Debug)]
pub struct Partner {
    /// The id, which is also the name of its file in `config/partners/`.
    pub id: PartnerId,
    /// The name that people know it by.
    pub name: String,
    /// The organisation's business identifier; consent and Provenance name it.
    pub organization: BusinessIdentifier,
    /// The guide that it follows.
    pub dialect: Dialect,
    /// The version of FHIR that it speaks.
    pub fhir_version: FhirVersion,
    /// The profiles that what it sends must meet, by their canonical addresses.
    pub profiles: Vec<String>,
    /// How it proves who it is when it calls us.
    pub client: Client,
    /// How updates go back.
    pub outbound: Outbound,
}

/// An identifier that people and organisations are known by: FHIR's `Identifier.system` and `.value`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BusinessIdentifier {
    /// The namespace, a URI.
    pub system: String,
    /// The value within it.
    pub value: String,
}

/// How updates go back to a partner.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Pushed to its server, sent as messages, or left for it to read.
    pub mode: OutboundMode,
    /// What may go back at all; consent is asked besides.
    pub share: Vec<Share>,
}

/// The way an update takes to a partner.
#[derive(Clone, Debug)]
pub enum OutboundMode {
    /// Written to the partner's FHIR server.
    Rest(Box<Endpoint>),
    /// Sent as FHIR messages to the partner's `$process-message`.
    Message(Box<Endpoint>),
    /// Read by the partner from us.
    Inbox,
}

impl OutboundMode {
    /// The partner's own FHIR server, where we know one.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Rest(endpoint) | Self::Message(endpoint) => Some(endpoint),
            Self::Inbox => None,
        }
    }
}

/// A kind of update that an agreement with a partner may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Share {
    /// Task: where the referral stands.
    ReferralStatus,
    /// Appointment.
    Scheduling,
    /// Communication.
    Communication,
    /// Composition or DocumentReference.
    VisitSummary,
    /// DiagnosticReport with its Observations.
    Results,
    /// CarePlan.
    CarePlan,
}

/// A FHIR server that we write to and read from.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The FHIR base address, without a slash at its end.
    pub base_url: Url,
    /// The only issuers whose certificates it may show, PEM; none: those that this machine trusts.
    pub issuers: Option<String>,
    /// How we prove who we are there.
    pub credentials: Credentials,
    /// The longest that one request may take, its body included.
    pub timeout: Duration,
    /// How what we write there is written once.
    pub writes: WriteRules,
    /// How much it may be asked to do, where that differs from other servers.
    pub pace: Pace,
}

/// How much one server may be asked to do; none: as much as others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// So many attempts at the same time.
    pub at_once: Option<u32>,
    /// So many attempts begin in a second, on average; 0: no limit.
    pub per_second: Option<u32>,
}

/// How we prove who we are at a FHIR server.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// The server asks for nothing.
    None,
    /// A fixed bearer token.
    Bearer(Sensitive<String>),
    /// HTTP Basic.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Sensitive<String>,
    },
    /// OAuth 2.0 client credentials with a shared secret (RFC 6749 §2.3.1).
    ClientSecret {
        /// Where tokens come from, under which name and for what.
        grant: TokenGrant,
        /// The client secret.
        client_secret: Sensitive<String>,
        /// Where it stands in the request.
        place: SecretPlace,
    },
    /// OAuth 2.0 client credentials with a signed assertion (SMART Backend Services, RFC 7523).
    PrivateKeyJwt {
        /// Where tokens come from, under which name and for what.
        grant: TokenGrant,
        /// What signs it.
        key: OwnKey,
    },
}

/// Where a client secret stands in a token request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretPlace {
    /// In an `Authorization` header, by HTTP Basic.
    #[default]
    Basic,
    /// In the form, for servers that do not know better.
    Form,
}

/// A key that signs our client assertions.
#[derive(Clone, Debug)]
pub enum OwnKey {
    /// The one that the settings name.
    Given {
        /// The private key, PEM.
        private_key: Sensitive<Vec<u8>>,
        /// The key's id in the JWKS that the server knows.
        key_id: String,
        /// The signature algorithm.
        algorithm: SigningAlgorithm,
    },
    /// The one of the folder of keys whose turn it is.
    InTurn(SigningAlgorithm),
}

/// What every OAuth 2.0 token request needs.
#[derive(Clone, Debug)]
pub struct TokenGrant {
    /// The token endpoint; also the audience of an assertion.
    pub token_url: Url,
    /// Our client id there.
    pub client_id: String,
    /// The scopes that we ask for, separated by spaces.
    pub scope: String,
    /// What an assertion names as its audience; none: the token endpoint.
    pub audience: Option<String>,
    /// Further fields of the form, which some servers want.
    pub form: Vec<(String, Sensitive<String>)>,
}

/// The signature algorithms of our client assertions: the first two are those of SMART Backend Services, the others what
/// some servers want instead (RFC 7518 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl SigningAlgorithm {
    /// The word of the header `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs384 => "RS384",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// Every partner that is configured.
#[derive(Clone, Debug, Default)]
pub struct Partners(BTreeMap<PartnerId, Arc<Partner>>);

impl Partners {
    /// The partner of this id.
    pub fn get(&self, id: &PartnerId) -> Option<&Arc<Partner>> {
        self.0.get(id)
    }

    /// Every partner, by its id.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Partner>> {
        self.0.values()
    }
}

impl FromIterator<Partner> for Partners {
    fn from_iter<I: IntoIterator<Item = Partner>>(partners: I) -> Self {
        Self(partners.into_iter().map(|partner| (partner.id.clone(), Arc::new(partner))).collect())
    }
}
