//! Bodies that are broken in ways that nobody thought of (reference: delivery F43, F44).

use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::json;

use super::random::Random;
use crate::support::{TestGateway, assert_refused, issues_of};

const ROUNDS: u64 = 200;

/// A referral with bytes changed, cut out, repeated or put in by chance: it is refused in words or taken as
/// the referral that it still is, and nothing panics.
#[tokio::test]
async fn a_referral_that_is_broken_by_chance_is_refused_in_words_or_taken() {
    let seed = Random::seed_from("FAULT_SEED", 43);
    println!("FAULT_SEED={seed}");
    let mut random = Random::from_seed(seed);
    let mut gateway = TestGateway::start().await;
    let good = people::referral(1, &ReferralOptions::default()).to_string().into_bytes();

    for round in 0..ROUNDS {
        let mut body = good.clone();
        for _ in 0..=random.below(3) {
            break_one(&mut body, &mut random);
        }
        let reply = gateway.send_bytes(body).await;
        let status = reply.status.as_u16();
        assert!(matches!(status, 200 | 400 | 422), "round {round}: {status} {}", reply.body);
        if status != 200 {
            issues_of(&reply);
        }
    }
    gateway.settle().await;
}

fn break_one(body: &mut Vec<u8>, random: &mut Random) {
    const PIECES: [&[u8]; 12] =
        [b"{", b"}", b"[", b"]", b"\"", b",", b":", b"null", b"1e999", b"\\ud800", b"\xff", b"\0"];
    let length = body.len() as u64;
    let place = |random: &mut Random| usize::try_from(random.below(length)).unwrap();
    let (from, size) = (place(random), usize::try_from(random.below(40)).unwrap());
    let until = (from + size).min(body.len());
    match random.below(4) {
        0 => body[from] ^= 1 << random.below(8),
        1 => drop(body.drain(from..until)),
        2 => {
            let piece = body[from..until].to_vec();
            body.splice(from..from, piece);
        }
        _ => {
            let piece = PIECES[usize::try_from(random.below(12)).unwrap()];
            body.splice(from..from, piece.iter().copied());
        }
    }
}

#[tokio::test]
async fn numbers_beyond_any_machine_are_no_reason_to_fail() {
    let mut gateway = TestGateway::start().await;
    let good = people::referral(1, &ReferralOptions::default()).to_string();
    for number in ["1e999999", "-1e-999999", &"9".repeat(10_000), &format!("0.{}1", "0".repeat(10_000))] {
        let body = good.replacen("\"entry\":", &format!("\"total\":{number},\"entry\":"), 1);

        let reply = gateway.send_bytes(body).await;

        assert!(matches!(reply.status.as_u16(), 200 | 400 | 422), "{number:.20}: {}", reply.status);
    }
    gateway.settle().await;
}

#[tokio::test]
async fn keys_by_the_ten_thousand_and_entries_by_the_ten_thousand_are_refused() {
    let mut gateway = TestGateway::start().await;
    let keys: serde_json::Map<String, serde_json::Value> =
        (0..50_000).map(|number| (format!("k{number}"), json!(1))).collect();
    let entries =
        json!({ "resourceType": "Bundle", "type": "transaction", "entry": vec![json!({}); 10_000] });

    for body in [json!(keys).to_string(), entries.to_string()] {
        let reply = gateway.send_bytes(body).await;
        assert_eq!(reply.status, 422);
        issues_of(&reply);
    }
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn ten_megabytes_in_one_string_are_refused() {
    let mut gateway = TestGateway::start().await;
    let body = format!("{{\"resourceType\":\"Bundle\",\"id\":\"{}\"}}", "x".repeat(10 * 1024 * 1024));

    assert_refused(&gateway.send_bytes(body).await, 413, "SEND_BODY_TOO_LARGE");
    gateway.assert_nothing_recorded();
}
