//! The registered clients, checked and ready for use.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::jwks::{JwksProblem, PublicKeys, check_jwks};
use super::secret::SecretDigest;
use crate::model::client::{Client, ClientCredential, ClientRole, KeyAddress};

/// A client that cannot be registered as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("client {client_id}: {fault}")]
pub struct ClientProblem {
    /// Which one.
    pub client_id: String,
    /// What is wrong.
    pub fault: ClientFault,
}

/// What is wrong with a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientFault {
    /// The id is empty.
    #[error("the client id is empty")]
    NoId,
    /// Two clients share an id, so that a token would not say whose it is.
    #[error("the client id is used twice")]
    Repeated,
    /// The shared secret is empty.
    #[error("the client secret is empty")]
    EmptySecret,
    /// The public keys.
    #[error(transparent)]
    Keys(JwksProblem),
}

/// The clients of one state of the configuration.
#[derive(Debug)]
pub struct Clients {
    by_id: HashMap<String, Registered>,
    decoy_keys: PublicKeys,
    decoy_secret: SecretDigest,
}

impl Clients {
    /// Checks all clients; all problems at once.
    pub fn check(clients: Vec<Client>) -> Result<Self, Vec<ClientProblem>> {
        let mut by_id = HashMap::new();
        let mut problems = Vec::new();
        for client in clients {
            let client_id = client.client_id.clone();
            let mut faults = registration_faults(&client, &by_id);
            match proof_of(&client.credential) {
                Ok(proof) => drop(by_id.insert(client_id.clone(), Registered { role: client.role, proof })),
                Err(more) => faults.extend(more),
            }
            problems.extend(
                faults.into_iter().map(|fault| ClientProblem { client_id: client_id.clone(), fault }),
            );
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { by_id, decoy_keys: PublicKeys::decoys(), decoy_secret: SecretDigest::decoy() })
    }

    /// The role of a registered client.
    pub(super) fn role_of(&self, client_id: &str) -> Option<&ClientRole> {
        self.by_id.get(client_id).map(|it| &it.role)
    }

    /// The secret of a client that has one.
    pub(super) fn secret_of(&self, client_id: &str) -> Option<&SecretDigest> {
        match &self.by_id.get(client_id)?.proof {
            Proof::Secret(digest) => Some(digest),
            Proof::Keys(_) => None,
        }
    }

    /// The keys of a client that has some.
    pub(super) fn keys_of(&self, client_id: &str) -> Option<&Keys> {
        match &self.by_id.get(client_id)?.proof {
            Proof::Secret(_) => None,
            Proof::Keys(keys) => Some(keys),
        }
    }

    /// What to compare with where there is nothing, so that the time says nothing either.
    pub(super) const fn decoy_secret(&self) -> &SecretDigest {
        &self.decoy_secret
    }

    /// What to verify with where there is no key.
    pub(super) const fn decoy_keys(&self) -> &PublicKeys {
        &self.decoy_keys
    }
}

/// The clients as they are now. Shared by the token endpoint and by the check of access tokens, so that a
/// client that is no longer configured is out at once.
#[derive(Debug)]
pub struct Registry(RwLock<Arc<Clients>>);

impl Registry {
    /// Starts with these clients.
    pub fn new(clients: Clients) -> Self {
        Self(RwLock::new(Arc::new(clients)))
    }

    /// The clients as they are now.
    pub fn current(&self) -> Arc<Clients> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts the clients of a new configuration in place.
    pub fn replace(&self, clients: Clients) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(clients);
    }
}

#[derive(Debug)]
struct Registered {
    role: ClientRole,
    proof: Proof,
}

#[derive(Debug)]
enum Proof {
    Secret(SecretDigest),
    Keys(Keys),
}

/// Where the keys of a client are.
#[derive(Debug)]
pub(super) enum Keys {
    /// In our hands.
    Given(Arc<PublicKeys>),
    /// At an address of the client's.
    At(KeyAddress),
}

fn registration_faults(client: &Client, earlier: &HashMap<String, Registered>) -> Vec<ClientFault> {
    let empty = client.client_id.is_empty().then_some(ClientFault::NoId);
    let repeated = earlier.contains_key(&client.client_id).then_some(ClientFault::Repeated);
    empty.into_iter().chain(repeated).collect()
}

fn proof_of(credential: &ClientCredential) -> Result<Proof, Vec<ClientFault>> {
    match credential {
        ClientCredential::Secret(secret) if secret.reveal().is_empty() => Err(vec![ClientFault::EmptySecret]),
        ClientCredential::Secret(secret) => Ok(Proof::Secret(SecretDigest::of(secret.reveal()))),
        ClientCredential::Keys(document) => check_jwks(document)
            .map(|keys| Proof::Keys(Keys::Given(Arc::new(keys))))
            .map_err(|problems| problems.into_iter().map(ClientFault::Keys).collect()),
        ClientCredential::KeysAt(address) => Ok(Proof::Keys(Keys::At(address.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sensitive::Sensitive;

    fn client(client_id: &str, credential: ClientCredential) -> Client {
        Client { client_id: client_id.to_owned(), credential, role: ClientRole::Clinic, rate: None }
    }

    #[test]
    fn all_problems_of_all_clients_come_at_once() {
        let secret = |text: &str| ClientCredential::Secret(Sensitive::new(text.to_owned()));
        let clients = vec![
            client("a", secret("hush")),
            client("a", secret("hush")),
            client("b", secret("")),
            client("c", ClientCredential::Keys("{}".to_owned())),
            client("", secret("hush")),
        ];

        let problems = Clients::check(clients).unwrap_err();

        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "client a: the client id is used twice",
                "client b: the client secret is empty",
                "client c: the JWKS has no array `keys`",
                "client : the client id is empty",
            ]
        );
    }
}
