mod combining;
mod decisions;
mod explaining;
mod fixtures;
mod linting;
// The ways to break a Consent are those of the long run.
#[path = "../../../benches/broken_consents/choice.rs"]
mod choice;
#[path = "../../../benches/broken_consents/mutation.rs"]
mod mutation;
mod order;
mod properties;
mod redaction;
mod remedies;
mod shared;
mod situations;
mod standing;
mod telling;
mod traced_cases;
mod whole;
