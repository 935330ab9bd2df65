//! Referrals of a given size, as a partner would send them.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

/// What is measured: a short referral and one with a letter.
pub(crate) const SIZES: [usize; 2] = [4096, 55 * 1024];

/// In whose place a number stands that only one referral has.
const NUMBER: &str = "00000001";

/// A transaction Bundle of this size, filled up by a letter of random bytes, as a scan is to whoever packs it.
pub(crate) fn bundle(bytes: usize) -> String {
    let mut bundle =
        if bytes > SIZES[0] { people::referral(1, &ReferralOptions::default()) } else { short() };
    let entries = bundle["entry"].as_array_mut().expect("a Bundle has entries");
    let letter = entries.iter_mut().map(|entry| &mut entry["resource"]);
    let mut letter = letter.filter(|it| it["resourceType"] == "DocumentReference");
    let letter = letter.next().expect("a letter is in it");
    let data = &mut letter["content"][0]["attachment"]["data"];
    *data = json!("");
    let missing = bytes.saturating_sub(bundle.to_string().len());
    let text = bundle.to_string().replacen("\"data\":\"\"", &format!("\"data\":\"{}\"", scan(missing)), 1);
    assert!(text.len().abs_diff(bytes) < 8, "{} bytes instead of {bytes}", text.len());
    text
}

/// The same referral under another number.
pub(crate) fn numbered(bundle: &str, number: u64) -> String {
    bundle.replace(NUMBER, &format!("{number:08}"))
}

/// So many characters of base64.
fn scan(characters: usize) -> String {
    STANDARD.encode(random(characters / 4 * 3))
}

/// Bytes that nothing can pack.
pub(crate) fn random(bytes: usize) -> Vec<u8> {
    let mut made = vec![0; bytes];
    rand::fill(&mut made).expect("the operating system gives random bytes");
    made
}

/// The patient, the order and a letter, and nothing else.
fn short() -> Value {
    let patient = "urn:uuid:00000000-0000-4000-8000-00000000000a";
    let letter = "urn:uuid:00000000-0000-4000-8000-00000000000b";
    let entry = |url: &str, resource: &Value| {
        let request = json!({ "method": "POST", "url": resource["resourceType"] });
        json!({ "fullUrl": url, "resource": resource, "request": request })
    };
    let resources = [
        (
            patient,
            json!({
                "resourceType": "Patient",
                "identifier": [{ "system": "https://lakeside.example/mrn", "value": "TEST-0001" }],
                "name": [{ "family": "Testperson", "given": ["Fictitia"] }],
                "gender": "female",
                "birthDate": "1980-02-29",
            }),
        ),
        (
            letter,
            json!({
                "resourceType": "DocumentReference",
                "status": "current",
                "type": { "coding": [{ "system": "http://loinc.org", "code": "57133-1" }] },
                "subject": { "reference": patient },
                "content": [{ "attachment": { "contentType": "application/pdf", "data": "" } }],
            }),
        ),
        (
            "urn:uuid:00000000-0000-4000-8000-00000000000c",
            json!({
                "resourceType": "ServiceRequest",
                "identifier": [{ "system": "https://lakeside.example/orders", "value": format!("ORD-{NUMBER}") }],
                "status": "active",
                "intent": "order",
                "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "183519002" }] },
                "subject": { "reference": patient },
                "authoredOn": "2026-03-01T09:30:00-05:00",
                "reasonCode": [{ "text": "Palpitations on exertion" }],
                "supportingInfo": [{ "reference": letter }],
            }),
        ),
    ];
    let entries: Vec<Value> = resources.iter().map(|(url, resource)| entry(url, resource)).collect();
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
}
