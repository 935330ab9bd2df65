//! A care team is named: whoever takes part in it, now, and for whom.

use serde_json::Value;

use super::Look;
use crate::consent::truth::Truth;

/// A team that has no participants, or cannot be read, leaves doubt.
pub fn names(look: &Look<'_>, name: &str) -> Truth {
    let (Some(team), Some(deeper)) = (look.situation.find(name), look.deeper()) else {
        return Truth::Unknown;
    };
    if team.get("status").is_some_and(|it| it != "active") {
        return look.kind.doubt();
    }
    match team["participant"].as_array() {
        Some(participants) => Truth::any(participants.iter().map(|it| takes_part(&deeper, it))),
        None => Truth::Unknown,
    }
}

fn takes_part(look: &Look<'_>, participant: &Value) -> Truth {
    let named =
        ["member", "onBehalfOf"].iter().filter_map(|it| participant.get(*it)).map(|it| look.names(it));
    look.is_current(participant).and(Truth::any(named))
}
