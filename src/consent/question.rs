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

/// The items of a list element.
pub fn items(element: &Value) -> impl Iterator<Item = &Value> {
    element.as_array().into_iter().flatten()
}
