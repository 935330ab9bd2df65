//! Who may call us, and how they come by their tokens.

use std::sync::Arc;

use super::StartError;
use crate::auth::fetch::KeyFetcher;
use crate::auth::keys::access_token_key;
use crate::auth::keys::folder::KeyFolder;
use crate::auth::keys::published::{OwnKeys, SameName};
use crate::auth::verify::{AccessTokens, Addresses, Clients, Registry, TokenService};
use crate::config::settings::Config;
use crate::model::client::{Client, SpentAssertions};
use crate::model::clock::Clock;
use crate::store::Store;
use crate::store::seal::GatewayKey;

/// Our keys that take turns, where the settings name a folder for them.
pub(super) fn key_folder(config: &Config, clock: &Arc<dyn Clock>) -> Option<Arc<KeyFolder>> {
    let directory = config.keys.directory.clone();
    directory.map(|directory| Arc::new(KeyFolder::new(directory, Arc::clone(clock))))
}

/// Our keys, for everybody to read.
pub(super) fn own_keys(config: &Config, folder: Option<Arc<KeyFolder>>) -> Result<OwnKeys, SameName> {
    let endpoints = config.partners.iter().filter_map(|partner| partner.outbound.mode.endpoint());
    let partners = endpoints.map(|endpoint| &endpoint.credentials);
    OwnKeys::of(partners.chain([&config.clinic.endpoint.credentials]), folder)
}

/// Every client of these settings.
pub(super) fn registered(config: &Config) -> Vec<Client> {
    config.partners.iter().map(|it| it.client.clone()).chain(config.clinic.client.clone()).collect()
}

/// What checks access tokens, and what gives them.
pub(super) fn tokens(
    config: &Config,
    addresses: &Addresses,
    key: &GatewayKey,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<AccessTokens>, Arc<TokenService>), StartError> {
    let clients = Clients::check(registered(config)).map_err(StartError::Clients)?;
    let registry = Arc::new(Registry::new(clients));
    let signing_key = access_token_key(key.bytes());
    let tokens = Arc::new(AccessTokens::new(registry, addresses, &signing_key, Arc::clone(clock)));
    let spent = Arc::clone(store) as Arc<dyn SpentAssertions>;
    let published = Arc::new(KeyFetcher::new(Arc::clone(clock)));
    let service = TokenService::new(addresses, Arc::clone(&tokens), spent, published);
    Ok((tokens, Arc::new(service)))
}
