//! Keywords that our JSON Schemas have besides those of the standard.

use jsonschema::ValidationOptions;

pub(super) mod base64;
pub(super) mod choices;
pub(super) mod codes;
pub(super) mod invariants;

/// Adds them to how a schema is compiled.
pub(super) fn add(options: ValidationOptions<'static>) -> ValidationOptions<'static> {
    options
        .with_keyword(base64::KEYWORD, base64::compile)
        .with_keyword(choices::KEYWORD, choices::compile)
        .with_keyword(choices::REQUIRED, choices::compile_required)
        .with_keyword(codes::KEYWORD, codes::compile)
        .with_keyword(invariants::KEYWORD, invariants::compile)
}
