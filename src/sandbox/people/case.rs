//! One synthetic case: who takes part in it, and how they are referred to.

use serde_json::{Value, json};
use uuid::Builder;

use super::{ConsentEnclosure, ReferralOptions};
use crate::fhir::resource::resource_type;

/// How the parts of a referral are held together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Bundle,
    Contained,
}

pub(super) struct Case {
    pub(super) seed: u64,
    pub(super) options: ReferralOptions,
    shape: Shape,
}

impl Case {
    pub(super) const fn new(seed: u64, options: ReferralOptions, shape: Shape) -> Self {
        Self { seed, options, shape }
    }

    /// A `Reference` to the part of this name.
    pub(super) fn reference(&self, name: &str) -> Value {
        match self.shape {
            Shape::Bundle => json!({ "reference": self.full_url(name) }),
            Shape::Contained => json!({ "reference": format!("#{name}") }),
        }
    }

    /// A transaction entry that creates the part of this name.
    pub(super) fn entry(&self, name: &str, resource: &Value) -> Value {
        json!({
            "fullUrl": self.full_url(name),
            "resource": resource,
            "request": { "method": "POST", "url": resource_type(resource) },
        })
    }

    pub(super) fn has_consent(&self) -> bool {
        self.options.consent == ConsentEnclosure::Enclosed
    }

    /// The partner's identifier system of this kind.
    pub(super) fn system(&self, kind: &str) -> String {
        format!("https://{}.example/fhir/sid/{kind}", self.options.partner)
    }

    /// A business identifier that only this case has.
    pub(super) fn number(&self, prefix: &str) -> String {
        format!("{prefix}-{:08}", self.seed)
    }

    /// One of several, by the seed; `salt` keeps independent choices independent.
    pub(super) fn pick<T: Copy>(&self, salt: &str, choices: &[T]) -> T {
        let count = u64::try_from(choices.len()).unwrap_or(u64::MAX);
        let index = usize::try_from(self.scatter(salt) % count).unwrap_or_default();
        choices[index]
    }

    fn full_url(&self, name: &str) -> String {
        let high = self.scatter(name).to_be_bytes();
        let low = self.scatter(&format!("{name}/low")).to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high);
        bytes[8..].copy_from_slice(&low);
        format!("urn:uuid:{}", Builder::from_random_bytes(bytes).into_uuid())
    }

    /// A number that depends on the seed and the text and looks random: FNV-1a, then the finish of SplitMix64.
    fn scatter(&self, text: &str) -> u64 {
        let start = 0xCBF2_9CE4_8422_2325 ^ self.seed;
        let hash = text
            .bytes()
            .fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
