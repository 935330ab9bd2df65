//! Where something stands in a Consent.

use std::fmt;

/// An element or an item of a list, with what is around it. It lives on the stack of who walks, so that who
/// only wants a yes or no pays nothing for it. It holds FHIR's names only: a misspelt name is content.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// The resource.
    Consent,
    /// An element by its name.
    Element(&'a Place<'a>, &'static str),
    /// An item of a list.
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    /// As FHIRPath: `Consent.provision.actor[1].role`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consent => out.write_str("Consent"),
            Self::Element(around, name) => write!(out, "{around}.{name}"),
            Self::Item(list, index) => write!(out, "{list}[{index}]"),
        }
    }
}
