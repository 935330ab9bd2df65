//! What others read of our keys.

use super::super::published::OwnKeys;
use super::*;
use crate::model::partner::{Credentials, OwnKey, TokenGrant};

fn credentials(pem: String, key_id: &str, algorithm: SigningAlgorithm) -> Credentials {
    let grant = TokenGrant {
        token_url: "https://lakeside.example/token".parse().unwrap(),
        client_id: "gateway".to_owned(),
        scope: "system/*.cruds".to_owned(),
        audience: None,
        form: Vec::new(),
    };
    let private_key = Sensitive::new(pem.into_bytes());
    Credentials::PrivateKeyJwt {
        grant,
        key: OwnKey::Given { private_key, key_id: key_id.to_owned(), algorithm },
    }
}

#[test]
fn the_keys_of_all_servers_are_published_once_each_and_without_their_private_halves() {
    let all = [
        credentials(rsa_pem(), "a", SigningAlgorithm::Rs384),
        credentials(rsa_pem(), "a", SigningAlgorithm::Rs256),
        credentials(ec_pem(), "a", SigningAlgorithm::Es384),
        credentials("broken".to_owned(), "b", SigningAlgorithm::Es384),
        Credentials::None,
    ];

    let document = OwnKeys::of(all.iter(), None).unwrap().document();

    let keys = document["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2, "{document}");
    assert!(keys.iter().all(|it| it["kid"] == "a" && it["use"] == "sig"));
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(keys.iter().all(|it| it.get(member).is_none()));
    }
}

#[test]
fn two_keys_of_one_name_are_refused() {
    let all = [
        credentials(ec_pem(), "a", SigningAlgorithm::Es384),
        credentials(new_ec_pem(), "a", SigningAlgorithm::Es384),
    ];

    assert_eq!(OwnKeys::of(all.iter(), None).err().unwrap().0, "a");
}

#[test]
fn without_keys_of_ours_the_document_is_an_empty_set() {
    assert_eq!(OwnKeys::default().document(), json!({ "keys": [] }));
}
