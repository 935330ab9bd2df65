//! A group is named: whoever is in it, now.

use serde_json::Value;

use super::Look;
use crate::consent::truth::Truth;

/// A group that only describes its members, has none, or cannot be read, leaves doubt.
pub fn names(look: &Look<'_>, name: &str) -> Truth {
    let (Some(group), Some(deeper)) = (look.situation.find(name), look.deeper()) else {
        return Truth::Unknown;
    };
    if group["active"] == false {
        return look.kind.doubt();
    }
    let members = group["member"].as_array().map(Vec::as_slice).unwrap_or_default();
    if group["actual"] != true || members.is_empty() {
        return Truth::Unknown;
    }
    Truth::any(members.iter().map(|it| is_member(&deeper, it)))
}

fn is_member(look: &Look<'_>, member: &Value) -> Truth {
    if member["inactive"] == true {
        return Truth::False;
    }
    look.is_current(member).and(look.names(&member["entity"]))
}
