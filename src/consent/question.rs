//! One Consent asked about one node.

use serde_json::Value;

use super::answer::Kind;
use super::matching::receiver::Look;
use super::matching::situation::Situation;
use super::payload::node::Node;

/// What a criterion looks at.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The disclosure.
    pub situation: &'a Situation<'a>,
    /// The resource, contained resource or element.
    pub node: &'a Node<'a>,
    /// The Consent.
    pub consent: &'a Value,
}

impl<'a> Question<'a> {
    /// Begins to look at the receiver.
    pub const fn look(&self, kind: Kind) -> Look<'a> {
        Look::new(self.situation, self.consent, kind)
    }
}

/// An element of an object. The objects of a Consent have few elements: comparing their names is faster than a
/// look-up by hash.
pub fn element<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object()?.iter().find(|(it, _)| *it == name).map(|(_, it)| it)
}

/// The items of a list element.
pub fn items(element: &Value) -> impl Iterator<Item = &Value> {
    element.as_array().into_iter().flatten()
}
