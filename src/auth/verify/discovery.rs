//! Where we are, and what a client may learn about our token endpoint.

use serde_json::{Value, json};

use crate::auth::scope;
use crate::model::client::ClientRole;
use crate::model::ids::PartnerId;

/// Our addresses as the world sees them. Assertions must name the token endpoint letter by letter, so
/// it is made in one place only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// `server.public_url`, without a slash at its end.
    pub public_url: String,
    /// The FHIR base; the audience of access tokens.
    pub fhir_base: String,
    /// The token endpoint; the audience of client assertions.
    pub token_endpoint: String,
}

impl Addresses {
    /// The addresses under `server.public_url`.
    pub fn under(public_url: &str) -> Self {
        let public_url = public_url.trim_end_matches('/').to_owned();
        Self {
            fhir_base: format!("{public_url}/fhir"),
            token_endpoint: format!("{public_url}/oauth2/token"),
            public_url,
        }
    }
}

/// The document at `/fhir/.well-known/smart-configuration`.
///
/// `issuer`, `jwks_uri` and `authorization_endpoint` are left out on purpose: they belong to launches and
/// OpenID Connect, which we do not offer (smart.md rows 1.3 to 1.7).
pub fn smart_configuration(addresses: &Addresses) -> Value {
    json!({
        "token_endpoint": addresses.token_endpoint,
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "scopes_supported": scope::offered_to(&ClientRole::Partner(PartnerId::new(""))),
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_discovery_document_says_what_backend_services_need_and_no_more() {
        let document = smart_configuration(&Addresses::under("https://gateway.example/"));

        assert_eq!(document["token_endpoint"], "https://gateway.example/oauth2/token");
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert!(document["scopes_supported"].as_array().unwrap().contains(&json!("system/Task.cruds")));
        assert!(document.get("issuer").is_none());
        assert!(document.get("authorization_endpoint").is_none());
    }
}
