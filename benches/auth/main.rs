//! What it costs to know a caller: `cargo bench --bench auth`.
//!
//! A token request with a signed assertion stands beside the bare verification of the same signature, and the check of
//! an access token, which is on the way of every request and is aimed at less than 20 µs, beside its bare HMAC.

mod caller;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA384, UnparsedPublicKey};
use divan::{Bencher, black_box};

use caller::{Door, Key};

const KEYS: [Key; 2] = [Key::Rs384, Key::Es384];

fn main() {
    divan::main();
}

#[divan::bench(args = KEYS)]
fn token_request(bencher: Bencher<'_, '_>, key: Key) {
    let door = Door::open(key);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    bencher.with_inputs(|| door.request()).bench_values(|request| {
        let issued = runtime.block_on(door.service.issue(request));
        issued.unwrap_or_else(|refused| panic!("{}", refused.log_reason()))
    });
}

#[divan::bench(args = KEYS)]
fn bare_signature(bencher: Bencher<'_, '_>, key: Key) {
    let door = Door::open(key);
    bencher.with_inputs(|| door.signed()).bench_refs(|(message, signature)| match key {
        Key::Rs384 => {
            let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA384, &door.public);
            public.verify(black_box(message), signature).expect("it is good");
        }
        Key::Es384 => {
            let public = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &door.public);
            public.verify(black_box(message), signature).expect("it is good");
        }
    });
}

#[divan::bench]
fn access_token(bencher: Bencher<'_, '_>) {
    let door = Door::open(Key::Es384);
    let authorization = door.authorization();
    bencher.bench(|| door.tokens.verify(Some(black_box(&authorization))).expect("it is good"));
}

#[divan::bench]
fn bare_hmac(bencher: Bencher<'_, '_>) {
    let door = Door::open(Key::Es384);
    let authorization = door.authorization();
    let (signed, _) = authorization.rsplit_once('.').expect("a token has three parts");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let tag = hmac::sign(&key, signed.as_bytes());
    bencher.bench(|| hmac::verify(&key, black_box(signed.as_bytes()), tag.as_ref()).expect("it is good"));
}
