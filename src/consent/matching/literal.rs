//! Literal references, as seen from the clinic's server.

use crate::fhir::reference::{Target, target};

/// What a literal reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal<'a> {
    /// `Type/id` on the clinic's server, base and version taken off.
    Local(&'a str),
    /// A complete address elsewhere.
    Elsewhere(&'a str),
    /// A contained resource.
    Contained(&'a str),
    /// It cannot be followed.
    Unclear,
}

/// Reads a literal reference (consent S7.1).
pub fn literal<'a>(text: &'a str, base: &str) -> Literal<'a> {
    match target(text) {
        Target::Contained(id) => Literal::Contained(id),
        Target::Relative { .. } => Literal::Local(without_version(text)),
        Target::Absolute(url) => match url.strip_prefix(base).and_then(|it| it.strip_prefix('/')) {
            Some(relative) if matches!(target(relative), Target::Relative { .. }) => {
                Literal::Local(without_version(relative))
            }
            _ => Literal::Elsewhere(without_version(url)),
        },
        Target::Urn(_) | Target::Unclear(_) => Literal::Unclear,
    }
}

/// FHIR's type of a local name.
pub fn type_of(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

fn without_version(text: &str) -> &str {
    text.split("/_history/").next().unwrap_or(text)
}
