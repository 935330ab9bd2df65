//! Can a client be told from others: its keys, where it has some.

use super::Step;
use crate::auth::fetch::KeyFetcher;
use crate::auth::verify::{KeysFault, PublicKeys, check_jwks, names};
use crate::model::client::{Client, ClientCredential, KeyAddress};

/// The keys of a client, read now.
pub(super) async fn read(client: &Client) -> Result<PublicKeys, String> {
    match &client.credential {
        ClientCredential::Secret(_) => Err("the client has a secret and no keys".to_owned()),
        ClientCredential::Keys(document) => check_jwks(document)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        ClientCredential::KeysAt(address) => {
            KeyFetcher::look(address).await.map_err(|fault| unread(address, &fault))
        }
    }
}

/// What its registration is worth.
pub(super) async fn steps(client: &Client) -> Vec<Step> {
    let place = match &client.credential {
        ClientCredential::Secret(_) => {
            return vec![Step::good("client", format!("{} has a secret, for HTTP Basic", client.client_id))];
        }
        ClientCredential::Keys(_) => "in its file".to_owned(),
        ClientCredential::KeysAt(address) => format!("at {}", address.url),
    };
    match read(client).await {
        Err(why) => vec![Step::bad("keys", why)],
        Ok(keys) => {
            let told = format!("of {} {place}: {}", client.client_id, names(&keys));
            let usable = keys.names().next().is_some();
            let first = if usable { Step::good("keys", told) } else { Step::bad("keys", told) };
            let left_out = keys.problems().iter().map(|it| Step::look("keys", format!("left out: {it}")));
            [first].into_iter().chain(left_out).collect()
        }
    }
}

fn unread(address: &KeyAddress, fault: &KeysFault) -> String {
    format!("the keys at {} cannot be read: {fault}", address.url)
}
