mod authors;
mod combining;
mod data_rules;
mod decisions;
mod explaining;
mod fixtures;
mod letters;
mod linting;
mod mistakes;
// The ways to break a Consent are those of the long run.
#[path = "../../../benches/broken_consents/choice.rs"]
mod choice;
#[path = "../../../benches/broken_consents/mutation.rs"]
mod mutation;
mod order;
mod payloads;
mod people;
mod policies;
mod properties;
mod recipients;
mod redaction;
mod remedies;
mod removing;
mod sensitivity;
mod shared;
mod situations;
mod standing;
mod telling;
mod told;
mod traced_cases;
mod understanding;
mod whole;
