//! Names for what we write elsewhere, so that the same effect is known again there.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::fhir::capability::Method;
use crate::fhir::coding::{FILLER, typed_identifier};
use crate::model::effects::Effects;
use crate::model::ids::{ReferralId, ReplyId};

/// The names of the effects of one referral, or of one reply, at another server.
#[derive(Clone, Debug)]
pub struct EffectNames {
    system: String,
    stem: String,
}

impl EffectNames {
    /// Names under our public address.
    pub fn new(public_url: &str, referral: ReferralId) -> Self {
        Self { system: effect_system(public_url), stem: referral.to_string() }
    }

    /// The same of a reply.
    pub fn of_reply(public_url: &str, reply: ReplyId) -> Self {
        Self { system: effect_system(public_url), stem: reply.to_string() }
    }

    /// The name of one part: `ref-…-3`, `ref-…-task`, `reply-…-0`.
    pub fn name(&self, part: &str) -> String {
        format!("{}-{part}", self.stem)
    }

    /// The name as an `Identifier` of the filler's side.
    pub fn identifier(&self, part: &str) -> Value {
        typed_identifier(FILLER, &self.system, &self.name(part))
    }

    /// The name as a `meta.tag`, for types that have no identifier.
    pub fn tag(&self, part: &str) -> Value {
        json!({ "system": self.system, "code": self.name(part) })
    }

    /// The search that finds what carries the identifier.
    pub fn by_identifier(&self, part: &str) -> String {
        token_query("identifier", &self.system, &self.name(part))
    }

    /// The search that finds what carries the tag.
    pub fn by_tag(&self, part: &str) -> String {
        token_query("_tag", &self.system, &self.name(part))
    }
}

/// The way to write that was agreed; none: the best that the server offers.
pub const fn agreed_way(effects: Effects) -> Option<Method> {
    match effects {
        Effects::Auto => None,
        Effects::ClientId => Some(Method::ClientId),
        Effects::Transaction => Some(Method::Transaction),
        Effects::ConditionalCreate => Some(Method::ConditionalCreate),
        Effects::ConditionalUpdate => Some(Method::ConditionalUpdate),
        Effects::AtLeastOnce | Effects::AtMostOnce => Some(Method::Plain),
    }
}

/// The namespace of effect names.
pub fn effect_system(public_url: &str) -> String {
    format!("{public_url}/fhir/effect")
}

/// An effect's name as an `Identifier`.
pub fn effect_identifier(public_url: &str, name: &str) -> Value {
    typed_identifier(FILLER, &effect_system(public_url), name)
}

/// The id under which a partner reads an update: the same for every version of it, and the referral's own
/// for the coordination Task.
pub fn hosted_update_id(referral: ReferralId, resource_type: &str, clinic_id: &str) -> String {
    if resource_type == "Task" {
        return referral.to_string();
    }
    update_name(referral, resource_type, clinic_id)
}

/// The name of an update: the same for every version of it, and without the clinic's own id.
pub fn update_name(referral: ReferralId, resource_type: &str, clinic_id: &str) -> String {
    let digest =
        digest::digest(&digest::SHA256, format!("{referral}|{resource_type}|{clinic_id}").as_bytes());
    let mut name = "upd-".to_owned();
    for byte in &digest.as_ref()[..16] {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Whether a resource is what we wrote of a reply: its partner sent it, and does not get it back.
pub fn is_of_a_reply(resource: &Value, public_url: &str) -> bool {
    let ours = effect_system(public_url);
    let named = |system: &Value, value: &Value| {
        *system == ours.as_str() && value.as_str().is_some_and(|it| it.starts_with(ReplyId::PREFIX))
    };
    let identifiers = resource["identifier"].as_array().into_iter().flatten();
    let tags = resource["meta"]["tag"].as_array().into_iter().flatten();
    identifiers.into_iter().any(|it| named(&it["system"], &it["value"]))
        || tags.into_iter().any(|it| named(&it["system"], &it["code"]))
}

/// A search by token, ready for a URL: `identifier=system|value`.
pub fn token_query(parameter: &str, system: &str, value: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair(parameter, &token(system, value)).finish()
}

/// A token search value. Characters with a meaning in searches are escaped (FHIR R4, search, escaping).
pub fn token(system: &str, value: &str) -> String {
    format!("{}|{}", escaped(system), escaped(value))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '|' | ',' | '$') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_with_a_meaning_in_searches_are_escaped() {
        assert_eq!(token("urn:a", "1|2,3"), r"urn:a|1\|2\,3");
        assert_eq!(token_query("identifier", "http://a", "x y"), "identifier=http%3A%2F%2Fa%7Cx+y");
    }
}
