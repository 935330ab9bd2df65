//! Synthetic people and their referrals. The same seed gives the same JSON, to the byte.

mod case;
mod cover;
mod findings;
mod order;
mod party;

use serde_json::{Value, json};

use self::case::{Case, Shape};
use crate::fhir::bundle::transaction;
use crate::fhir::resource::resource_type;

/// What a referral contains and who sends it.
#[derive(Clone, Debug)]
pub struct ReferralOptions {
    /// The partner's name in its identifier systems: `lakeside` gives `https://lakeside.example/…`.
    pub partner: String,
    /// The NPI of the partner's organisation.
    pub npi: String,
    /// Whether the patient's consent comes with it.
    pub consent: ConsentEnclosure,
    /// How large the enclosed letter is at least, in bytes.
    pub letter_bytes: usize,
}

impl Default for ReferralOptions {
    fn default() -> Self {
        Self {
            partner: "lakeside".to_owned(),
            npi: "1234567893".to_owned(),
            consent: ConsentEnclosure::Enclosed,
            letter_bytes: 0,
        }
    }
}

/// Whether the patient's consent comes with a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentEnclosure {
    /// An active opt-in comes with it.
    Enclosed,
    /// It is left out.
    LeftOut,
}

/// A referral as a transaction Bundle, the placer's Task last.
pub fn referral(seed: u64, options: &ReferralOptions) -> Value {
    let case = Case::new(seed, options.clone(), Shape::Bundle);
    let mut entries: Vec<Value> = enclosures(&case).iter().map(|it| case.entry(it.0, &it.1)).collect();
    entries.push(case.entry("request", &order::service_request(&case)));
    entries.push(case.entry("task", &order::task(&case)));
    transaction(entries)
}

/// A referral as one ServiceRequest that contains what it refers to.
pub fn service_request(seed: u64, options: &ReferralOptions) -> Value {
    let case = Case::new(seed, options.clone(), Shape::Contained);
    let contained: Vec<Value> = enclosures(&case)
        .into_iter()
        .map(|(name, mut resource)| {
            resource["id"] = json!(name);
            resource
        })
        .collect();
    let mut request = order::service_request(&case);
    request["contained"] = json!(contained);
    request
}

/// A referral as a message of this event, `(system, code)`, about its Task or its ServiceRequest.
pub fn message(seed: u64, options: &ReferralOptions, (system, code): (&str, &str), about: &str) -> Value {
    let mut message = referral(seed, options);
    let entries = message["entry"].as_array().cloned().unwrap_or_default();
    let focus = entries.iter().find(|it| resource_type(&it["resource"]) == about);
    let header = json!({
        "resourceType": "MessageHeader",
        "id": format!("header-{seed}"),
        "eventCoding": { "system": system, "code": code },
        "source": { "endpoint": format!("https://{}.example/fhir/$process-message", options.partner) },
        "focus": focus.map(|it| json!([{ "reference": it["fullUrl"] }])),
    });
    let address = format!("https://{}.example/fhir/MessageHeader/header-{seed}", options.partner);
    let first = json!({ "fullUrl": address, "resource": header });
    let parts = entries.iter().map(|it| json!({ "fullUrl": it["fullUrl"], "resource": it["resource"] }));
    message["id"] = json!(format!("message-{seed}"));
    message["type"] = json!("message");
    message["entry"] = [first].into_iter().chain(parts).collect();
    message
}

/// A referral as a Task that contains everything.
pub fn task(seed: u64, options: &ReferralOptions) -> Value {
    let mut request = service_request(seed, options);
    let inside = request.as_object_mut().and_then(|it| it.shift_remove("contained"));
    request["id"] = json!("request");
    let mut contained: Vec<Value> = inside.and_then(|it| it.as_array().cloned()).unwrap_or_default();
    contained.push(request);
    let mut task = order::task(&Case::new(seed, options.clone(), Shape::Contained));
    task["contained"] = json!(contained);
    task
}

/// The resources of a type in a referral, such as its Patient.
pub fn resources_of<'b>(bundle: &'b Value, wanted: &str) -> Vec<&'b Value> {
    crate::fhir::bundle::resources(bundle).filter(|it| resource_type(it) == wanted).collect()
}

/// Everything but the order itself, each with its name in the case.
fn enclosures(case: &Case) -> Vec<(&'static str, Value)> {
    let mut list = vec![
        ("patient", party::patient(case)),
        ("organization", party::organization(case)),
        ("practitioner", party::practitioner(case)),
        ("role", party::practitioner_role(case)),
        ("coverage", cover::coverage(case)),
        ("condition", findings::condition(case)),
        ("observation", findings::observation(case)),
        ("letter", findings::letter(case)),
    ];
    if case.has_consent() {
        list.push(("consent", cover::consent(case)));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::reference;

    #[test]
    fn the_same_seed_gives_the_same_referral_and_another_gives_other_people() {
        let options = ReferralOptions::default();

        assert_eq!(referral(7, &options).to_string(), referral(7, &options).to_string());
        let patient = |seed| resources_of(&referral(seed, &options), "Patient")[0]["identifier"].clone();
        assert_ne!(patient(7), patient(8));
    }

    #[test]
    fn every_reference_of_a_referral_is_answered_by_an_entry() {
        for consent in [ConsentEnclosure::Enclosed, ConsentEnclosure::LeftOut] {
            let bundle = referral(1, &ReferralOptions { consent, ..ReferralOptions::default() });
            let full_urls: Vec<&Value> =
                bundle["entry"].as_array().unwrap().iter().map(|it| &it["fullUrl"]).collect();

            reference::for_each(&bundle, "Bundle", &mut |path, it| {
                assert!(full_urls.contains(&&it["reference"]), "{path}");
            });
        }
    }

    #[test]
    fn every_reference_of_a_single_request_is_contained() {
        let request = service_request(1, &ReferralOptions::default());
        let ids: Vec<String> = request["contained"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| format!("#{}", it["id"].as_str().unwrap()))
            .collect();

        reference::for_each(&request, "ServiceRequest", &mut |path, it| {
            assert!(ids.iter().any(|id| it["reference"] == id.as_str()), "{path}");
        });
    }
}
