//! Whether a Consent may permit. One that may not still denies: doubt never removes a deny (consent S2, 8).

use serde_json::Value;

use super::Standing;
use crate::consent::answer::Kind;
use crate::consent::matching::circle::Circle;
use crate::consent::matching::literal::Literal;
use crate::consent::matching::situation::Situation;
use crate::consent::period::Interval;
use crate::consent::truth::Truth;

/// Looks at its date, its verification and who manages it.
pub fn standing(consent: &Value, situation: &Situation<'_>) -> Option<Standing> {
    let reason = if is_dated_later(consent, situation) {
        "consent-dated-later"
    } else if !is_verified(consent) {
        "consent-not-verified"
    } else if !is_managed_by_us(consent, situation) {
        "consent-of-another-custodian"
    } else {
        return None;
    };
    Some(Standing::DeniesOnly(reason))
}

fn is_dated_later(consent: &Value, situation: &Situation<'_>) -> bool {
    let disclosure = situation.disclosure;
    let date = Interval::of_date(&consent["dateTime"], &disclosure.clinic.time_zone);
    date.and_then(|it| it.from).is_some_and(|from| from > disclosure.now)
}

fn is_verified(consent: &Value) -> bool {
    consent["verification"].as_array().is_none_or(|list| list.iter().any(|it| it["verified"] == true))
}

fn is_managed_by_us(consent: &Value, situation: &Situation<'_>) -> bool {
    let Some(organizations) = consent["organization"].as_array() else {
        return true;
    };
    organizations.iter().any(|it| {
        [&situation.custodian, &situation.trusted]
            .iter()
            .any(|circle| names_organization(situation, it, circle, Kind::Permit) == Truth::True)
    })
}

/// Whether a reference names the organisation of a circle, or one above it.
pub fn names_organization(
    situation: &Situation<'_>,
    reference: &Value,
    circle: &Circle,
    kind: Kind,
) -> Truth {
    let literal = reference["reference"].as_str().map(|it| match situation.literal(it) {
        Literal::Local(name) => circle.compare_name(name, situation.find(name)),
        Literal::Elsewhere(address) => {
            if circle.has_name(address) {
                Truth::True
            } else {
                Truth::Unknown
            }
        }
        Literal::Contained(_) | Literal::Unclear => Truth::Unknown,
    });
    let identifier = reference.get("identifier").map(|it| circle.compare_identifier(it, kind));
    match (literal, identifier) {
        (Some(one), Some(other)) => one.or(other),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => Truth::Unknown,
    }
}
