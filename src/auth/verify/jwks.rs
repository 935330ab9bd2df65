//! The public keys of a client, as it gave them to us.

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA384, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::published::KeyName;
use crate::fhir::json::{self, JsonError};

/// What is wrong with a JWKS document, and where. Never holds any of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", .place.map(|it| format!("keys[{it}] ")).unwrap_or_default())]
pub struct JwksProblem {
    /// The key's place in `keys`, counted from 0; none where the document as a whole is meant.
    pub place: Option<usize>,
    /// What is wrong.
    pub fault: JwkFault,
}

/// What is wrong with a JWKS document (smart.md row 2.2).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkFault {
    /// Not JSON.
    #[error("the JWKS {0}")]
    NotJson(JsonError),
    /// Not a key set (RFC 7517 §5).
    #[error("the JWKS has no array `keys`")]
    NotAKeySet,
    /// There is no key that could verify an RS384 or ES384 signature.
    #[error("the JWKS has no key for RS384 or ES384")]
    NoUsableKey,
    /// The private half must stay with its owner; this key has to be replaced.
    #[error("holds the private member `{0}`: send only the public key, and make a new one")]
    Private(&'static str),
    /// A shared secret is not a public key.
    #[error("is symmetric (kty `oct`): send an RSA or P-384 key")]
    Symmetric,
    /// Not an object, or without `kty`.
    #[error("is not a key (RFC 7517 section 4)")]
    NotAKey,
    /// Without a key id nobody can choose it.
    #[error("has no `kid`")]
    NoKeyId,
    /// An RSA key that is too short or too long.
    #[error("is an RSA key outside 2048 to 8192 bits")]
    RsaSize,
    /// A curve other than P-384.
    #[error("is on another curve than P-384")]
    Curve,
    /// The numbers do not make a key.
    #[error("has members that do not make a public key")]
    Broken,
    /// Which of two keys is meant must not be a guess.
    #[error("has the same `kid` and `kty` as an earlier key")]
    Repeated,
}

/// The usable public keys of one client.
#[derive(Clone, Debug)]
pub struct PublicKeys {
    keys: Vec<PublicKey>,
    problems: Vec<JwksProblem>,
}

impl PublicKeys {
    /// The one key of this name.
    pub(super) fn fitting(&self, named: &KeyName) -> Option<&DecodingKey> {
        let fits = |it: &&PublicKey| it.key_id == named.key_id && it.algorithm == named.algorithm;
        self.keys.iter().find(fits).map(|it| &it.key)
    }

    /// True: there is a key of this name.
    pub fn has(&self, named: &KeyName) -> bool {
        self.fitting(named).is_some()
    }

    /// What each key is called, for people.
    pub fn names(&self) -> impl Iterator<Item = KeyName> {
        self.keys.iter().map(|it| KeyName { key_id: it.key_id.clone(), algorithm: it.algorithm })
    }

    /// What is wrong with keys of the document that are not among these.
    pub fn problems(&self) -> &[JwksProblem] {
        &self.problems
    }

    /// Keys that verify nothing, for spending the same time on a client or a key that does not exist.
    pub(super) fn decoys() -> Self {
        let mut modulus = [0; 256];
        aws_lc_rs::rand::fill(&mut modulus).expect("the system has random bytes");
        modulus[0] |= 0x80; // 2048 bits,
        modulus[255] |= 1; // and odd, as every modulus is.
        let ec = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("P-384 keys can be made");
        let rsa = DecodingKey::from_rsa_raw_components(&modulus, &[1, 0, 1]);
        let ec = DecodingKey::from_ec_der(ec.public_key().as_ref());
        let decoy = |key, algorithm| PublicKey { key_id: String::new(), algorithm, key };
        let keys = vec![decoy(rsa, Algorithm::RS384), decoy(ec, Algorithm::ES384)];
        Self { keys, problems: Vec::new() }
    }
}

/// Checks a JWKS document that somebody gave us; all problems at once, of which there may be none.
pub fn check_jwks(document: &str) -> Result<PublicKeys, Vec<JwksProblem>> {
    let whole = |fault| vec![JwksProblem { place: None, fault }];
    let found = read_jwks(document.as_bytes()).map_err(whole)?;
    match (found.problems.is_empty(), found.keys.is_empty()) {
        (true, true) => Err(whole(JwkFault::NoUsableKey)),
        (true, false) => Ok(found),
        (false, _) => Err(found.problems),
    }
}

/// Reads a JWKS document by the same rules, and leaves out each key with a problem: whoever publishes keys adds some
/// without asking us, and one that we do not take must not end the others. Of two keys with one name none is left.
///
/// Keys for other purposes or algorithms (`use`, `key_ops`, `alg`, an unknown `kty`) are passed over, as
/// RFC 7517 §5 asks.
pub fn read_jwks(document: &[u8]) -> Result<PublicKeys, JwkFault> {
    let document = json::parse(document).map_err(JwkFault::NotJson)?;
    let listed = document.get("keys").and_then(Value::as_array).ok_or(JwkFault::NotAKeySet)?;
    let mut keys: Vec<PublicKey> = Vec::new();
    let mut problems = Vec::new();
    let mut repeated = Vec::new();
    for (place, jwk) in listed.iter().enumerate() {
        match public_key(jwk) {
            Ok(Some(key)) if keys.iter().any(|it| it.is_named_like(&key)) => {
                problems.push(JwksProblem { place: Some(place), fault: JwkFault::Repeated });
                repeated.push(key);
            }
            Ok(key) => keys.extend(key),
            Err(fault) => problems.push(JwksProblem { place: Some(place), fault }),
        }
    }
    keys.retain(|key| !repeated.iter().any(|it| it.is_named_like(key)));
    Ok(PublicKeys { keys, problems })
}

#[derive(Clone, Debug)]
struct PublicKey {
    key_id: String,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl PublicKey {
    /// One algorithm per key type, so that the same algorithm is the same `kty`.
    fn is_named_like(&self, other: &Self) -> bool {
        self.key_id == other.key_id && self.algorithm == other.algorithm
    }
}

/// RFC 7518 §6.2.2, §6.3.2 and §6.4.1.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// None: a key, but not one for our signatures.
fn public_key(jwk: &Value) -> Result<Option<PublicKey>, JwkFault> {
    let kty = text(jwk, "kty").ok_or(JwkFault::NotAKey)?;
    if kty == "oct" {
        return Err(JwkFault::Symmetric);
    }
    if let Some(name) = PRIVATE_MEMBERS.iter().find(|it| jwk.get(**it).is_some()) {
        return Err(JwkFault::Private(name));
    }
    let algorithm = match kty {
        "RSA" => Algorithm::RS384,
        "EC" => Algorithm::ES384,
        _ => return Ok(None),
    };
    if !is_for_signatures(jwk, algorithm) {
        return Ok(None);
    }
    let key = if kty == "RSA" { rsa_key(jwk) } else { ec_key(jwk) }?;
    let key_id = text(jwk, "kid").filter(|it| !it.is_empty()).ok_or(JwkFault::NoKeyId)?;
    Ok(Some(PublicKey { key_id: key_id.to_owned(), algorithm, key }))
}

fn is_for_signatures(jwk: &Value, algorithm: Algorithm) -> bool {
    let operations = jwk.get("key_ops").and_then(Value::as_array);
    text(jwk, "use").is_none_or(|it| it == "sig")
        && text(jwk, "alg").is_none_or(|it| it.parse() == Ok(algorithm))
        && operations.is_none_or(|it| it.iter().any(|operation| operation == "verify"))
}

/// In bytes. Real exponents have three; a long one only costs time.
const LONGEST_EXPONENT: usize = 8;

fn rsa_key(jwk: &Value) -> Result<DecodingKey, JwkFault> {
    let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
    let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err(JwkFault::RsaSize);
    }
    // With 1 as exponent anybody can sign; the library does not look.
    let odd = |it: &[u8]| it.last().is_some_and(|last| last & 1 == 1);
    if !odd(&n) || !odd(&e) || e == [1] || e.len() > LONGEST_EXPONENT {
        return Err(JwkFault::Broken);
    }
    let components = RsaPublicKeyComponents { n: &n, e: &e };
    components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA384).map_err(|_| JwkFault::Broken)?;
    Ok(DecodingKey::from_rsa_raw_components(&n, &e))
}

/// A big-endian number without leading zeros; some EHRs send one, though RFC 7518 §2 forbids it.
fn number(jwk: &Value, name: &str) -> Result<Vec<u8>, JwkFault> {
    let bytes = bytes(jwk, name)?;
    Ok(bytes.into_iter().skip_while(|it| *it == 0).collect())
}

fn ec_key(jwk: &Value) -> Result<DecodingKey, JwkFault> {
    if text(jwk, "crv") != Some("P-384") {
        return Err(JwkFault::Curve);
    }
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != 48 || y.len() != 48 {
        return Err(JwkFault::Broken);
    }
    let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
    UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &point).parse().map_err(|_| JwkFault::Broken)?;
    Ok(DecodingKey::from_ec_der(&point))
}

fn bytes(jwk: &Value, name: &str) -> Result<Vec<u8>, JwkFault> {
    text(jwk, name).and_then(|it| URL_SAFE_NO_PAD.decode(it).ok()).ok_or(JwkFault::Broken)
}

fn text<'a>(jwk: &'a Value, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::verify::testing::{ec_jwk, rsa_jwk};

    fn faults(keys: &[Value]) -> Vec<JwkFault> {
        let problems = check_jwks(&json!({ "keys": keys }).to_string()).unwrap_err();
        problems.into_iter().map(|it| it.fault).collect()
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    #[test]
    fn two_keys_of_one_client_are_found_by_id_and_algorithm() {
        let keys = check_jwks(&json!({ "keys": [rsa_jwk("a"), ec_jwk("a")] }).to_string()).unwrap();

        assert!(keys.has(&named("a", Algorithm::RS384)));
        assert!(keys.has(&named("a", Algorithm::ES384)));
        assert!(!keys.has(&named("b", Algorithm::RS384)));
        assert!(!keys.has(&named("a", Algorithm::HS256)));
    }

    #[test]
    fn in_a_published_set_a_key_with_a_problem_does_not_end_the_others() {
        let document = json!({ "keys": [
            with(ec_jwk("p256"), "crv", json!("P-256")),
            rsa_jwk("twice"),
            ec_jwk("good"),
            rsa_jwk("twice"),
        ] });

        let keys = read_jwks(document.to_string().as_bytes()).unwrap();

        assert_eq!(keys.names().collect::<Vec<_>>(), [named("good", Algorithm::ES384)]);
        let problems: Vec<_> = keys.problems().iter().map(|it| (it.place, it.fault.clone())).collect();
        assert_eq!(problems, [(Some(0), JwkFault::Curve), (Some(3), JwkFault::Repeated)]);
        assert_eq!(read_jwks(b"[]").unwrap_err(), JwkFault::NotAKeySet);
    }

    fn named(key_id: &str, algorithm: Algorithm) -> KeyName {
        KeyName { key_id: key_id.to_owned(), algorithm }
    }

    #[test]
    fn all_problems_of_a_key_set_come_at_once_with_their_places() {
        let document = json!({ "keys": [
            with(rsa_jwk("a"), "d", json!("AQAB")),
            { "kty": "oct", "k": "c2VjcmV0", "kid": "b" },
            rsa_jwk("c"),
        ] });

        let problems = check_jwks(&document.to_string()).unwrap_err();

        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 2);
        assert!(texts[0].starts_with("keys[0] holds the private member `d`"));
        assert!(texts[1].starts_with("keys[1] is symmetric"));
        assert!(!texts.concat().contains("c2VjcmV0"));
    }

    #[test]
    fn keys_that_must_not_be_used_are_refused() {
        let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
        assert_eq!(faults(&[with(rsa_jwk("a"), "n", json!(short))]), [JwkFault::RsaSize]);
        for exponent in ["Ag", "AQ", "", "AQEBAQEBAQEB", "not base64"] {
            assert_eq!(faults(&[with(rsa_jwk("a"), "e", json!(exponent))]), [JwkFault::Broken]);
        }
        assert_eq!(faults(&[with(ec_jwk("a"), "crv", json!("P-256"))]), [JwkFault::Curve]);
        assert_eq!(faults(&[with(ec_jwk("a"), "x", json!("AAAA"))]), [JwkFault::Broken]);
        let off_the_curve = URL_SAFE_NO_PAD.encode([7; 48]);
        assert_eq!(faults(&[with(ec_jwk("a"), "x", json!(off_the_curve))]), [JwkFault::Broken]);
        assert_eq!(faults(&[with(ec_jwk("a"), "kid", json!(""))]), [JwkFault::NoKeyId]);
        assert_eq!(faults(&[rsa_jwk("a"), rsa_jwk("a")]), [JwkFault::Repeated]);
        assert_eq!(faults(&[json!("key")]), [JwkFault::NotAKey]);
    }

    #[test]
    fn keys_for_other_purposes_are_passed_over() {
        let others = [
            with(rsa_jwk("a"), "use", json!("enc")),
            with(rsa_jwk("b"), "alg", json!("RS256")),
            with(ec_jwk("c"), "key_ops", json!(["deriveKey"])),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "d" }),
        ];

        assert_eq!(faults(&others), [JwkFault::NoUsableKey]);
        assert!(check_jwks(&json!({ "keys": [others[0], ec_jwk("a")] }).to_string()).is_ok());
    }

    #[test]
    fn what_is_not_a_key_set_is_refused() {
        assert!(matches!(check_jwks("{").unwrap_err()[0].fault, JwkFault::NotJson(_)));
        assert_eq!(check_jwks("{}").unwrap_err()[0].fault, JwkFault::NotAKeySet);
        assert_eq!(faults(&[]), [JwkFault::NoUsableKey]);
    }
}
