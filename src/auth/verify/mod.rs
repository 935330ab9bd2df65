//! Tokens that we are shown: the token endpoint, and the access tokens that it issues.

mod assertion;
mod bearer;
mod clients;
mod diagnose;
mod discovery;
mod fault;
mod form;
mod issue;
mod jwks;
mod jwt;
mod published;
mod refusal;
mod secret;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use bearer::{AccessTokens, BearerRefusal, Caller};
pub use clients::{ClientFault, ClientProblem, Clients, Registry};
pub use diagnose::{Bench, Check, Diagnosis, diagnose, names};
pub use discovery::{Addresses, smart_configuration};
pub use form::TokenRequest;
pub use issue::{IssuedToken, TokenService};
pub use jwks::{JwkFault, JwksProblem, PublicKeys, check_jwks, read_jwks};
pub use published::{KeyName, KeysFault, PublishedKeys};
pub use refusal::TokenRefusal;
