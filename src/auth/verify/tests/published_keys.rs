//! Clients that publish their keys.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::model::client::KeyAddress;

const URL: &str = "https://lakeside.example/jwks.json";

/// Publishes these keys at one address, and counts how often they are asked for.
struct Published {
    keys: Result<Arc<PublicKeys>, KeysFault>,
    asked: AtomicUsize,
}

#[async_trait]
impl PublishedKeys for Published {
    async fn keys(&self, address: &KeyAddress, _: &KeyName) -> Result<Arc<PublicKeys>, KeysFault> {
        assert_eq!(address.url.as_str(), URL);
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.keys.clone()
    }
}

struct Door {
    service: TokenService,
    published: Arc<Published>,
}

impl Door {
    fn of(keys: Result<PublicKeys, KeysFault>) -> Self {
        let address = KeyAddress { url: URL.parse().unwrap(), issuers: None };
        let client = Client {
            client_id: "lakeside".to_owned(),
            credential: ClientCredential::KeysAt(address),
            role: partner("lakeside"),
            rate: None,
        };
        let (_, tokens, _) = parts_for(vec![client]);
        let published = Arc::new(Published { keys: keys.map(Arc::new), asked: AtomicUsize::new(0) });
        let spent = Arc::new(SpentInMemory::default());
        let service = TokenService::new(&addresses(), tokens, spent, Arc::clone(&published) as _);
        Self { service, published }
    }

    fn with(keys: &[Value]) -> Self {
        Self::of(Ok(read_jwks(json!({ "keys": keys }).to_string().as_bytes()).unwrap()))
    }

    async fn reason(&self, assertion: &Assertion) -> String {
        let refusal = self.service.issue(request(&signed_form(&assertion.text()), None)).await.unwrap_err();
        assert_eq!(refusal.error(), "invalid_client");
        assert!(!refusal.body().to_string().contains("lakeside"));
        refusal.log_reason()
    }

    fn asked(&self) -> usize {
        self.published.asked.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn an_assertion_is_good_by_a_key_that_the_client_publishes() {
    let door = Door::with(&[ec_jwk("ec")]);
    for assertion in [Assertion::good(), Assertion::good().header("jku", URL)] {
        let issued = door.service.issue(request(&signed_form(&assertion.text()), None)).await;

        assert_eq!(issued.unwrap().client_id, "lakeside");
    }
}

#[tokio::test]
async fn another_jku_than_the_registered_one_is_refused_unread() {
    let door = Door::with(&[ec_jwk("ec")]);
    for jku in [json!("https://evil.example/jwks.json"), json!("jwks.json"), json!(7), json!([URL])] {
        assert!(door.reason(&Assertion::good().header("jku", jku)).await.contains("jku is given"));
    }
    assert_eq!(door.asked(), 0);
}

#[tokio::test]
async fn nothing_is_read_for_an_assertion_that_is_wrong_in_itself() {
    let door = Door::with(&[ec_jwk("ec")]);
    for wrong in [
        Assertion::good().claim("aud", "https://elsewhere.example"),
        Assertion::good().claim("exp", NOW - 600),
        Assertion::good().claim("jti", Value::Null),
        Assertion::good().header("alg", "none"),
        Assertion::good().header("typ", "at+jwt"),
        Assertion::good().header("kid", Value::Null),
        Assertion::good().claim("iss", "nobody").claim("sub", "nobody"),
    ] {
        door.reason(&wrong).await;
    }
    assert_eq!(door.asked(), 0);
}

#[tokio::test]
async fn the_log_says_where_the_key_was_looked_for_and_why_it_was_not_found() {
    let missing = Door::with(&[ec_jwk("other")]).reason(&Assertion::good()).await;
    assert!(
        missing.contains(&format!("no key with this kid that fits alg is in the JWKS at {URL}")),
        "{missing}"
    );
    let twice = Door::with(&[ec_jwk("ec"), ec_jwk("ec")]).reason(&Assertion::good()).await;
    assert!(twice.contains("keys[1] has the same `kid` and `kty`"), "{twice}");
    let unread = Door::of(Err(KeysFault::Status(404))).reason(&Assertion::good()).await;
    assert!(
        unread.contains(&format!("the keys at {URL} cannot be read: the server answered 404")),
        "{unread}"
    );
}
