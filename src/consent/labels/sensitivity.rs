//! The sensitivities of v3-ActCode and which lies under which.

use std::sync::LazyLock;

/// A code of v3-ActCode that makes data restricted.
pub type Sensitivity = &'static str;

/// The code system of sensitivities.
pub const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// Every sensitivity with those above it, R4 edition (consent (b)). The use disorders of alcohol and opioids
/// are grouped under SUD by v3-ActCode and under ETH by IHE PCF; both hold.
const ABOVE: [(Sensitivity, &[Sensitivity]); 23] = [
    ("SPI", &[]),
    ("BH", &["SPI"]),
    ("COGN", &["BH"]),
    ("DVD", &["BH"]),
    ("EMOTDIS", &["BH"]),
    ("MH", &["SPI"]),
    ("PSY", &["SPI"]),
    ("PSYTHPN", &["SPI"]),
    ("SUD", &["SPI"]),
    ("ETHUD", &["SUD", "ETH"]),
    ("OPIOIDUD", &["SUD", "ETH"]),
    ("ETH", &[]),
    ("GDIS", &[]),
    ("HIV", &[]),
    ("MST", &[]),
    ("PREGNANT", &[]),
    ("SCA", &[]),
    ("SDV", &[]),
    ("SEX", &[]),
    ("SICKLE", &[]),
    ("STD", &[]),
    ("TBOO", &[]),
    ("VIO", &[]),
];

/// What a deny of one also reaches: other words for it, and what is usually meant along (consent S7.4).
const WIDENED: [(Sensitivity, Sensitivity); 13] = [
    ("SUD", "ETH"),
    ("ETH", "SUD"),
    ("MH", "PSY"),
    ("PSY", "MH"),
    ("STD", "HIV"),
    ("VIO", "SDV"),
    ("SDV", "VIO"),
    ("SEX", "STD"),
    ("SCA", "SICKLE"),
    ("SICKLE", "SCA"),
    ("BH", "MH"),
    ("BH", "PSY"),
    ("BH", "SUD"),
];

/// The sensitivity of a code of v3-ActCode, if it is one. The law's name stands for what it protects.
pub fn of_code(code: &str) -> Option<Sensitivity> {
    let code = if code == "42CFRPart2" { "SUD" } else { code };
    ABOVE.iter().find(|(it, _)| *it == code).map(|(it, _)| *it)
}

/// Whether a sensitivity is another or lies under it.
pub fn is_at_or_below(one: &str, other: &str) -> bool {
    one == other || above(one).iter().any(|it| is_at_or_below(it, other))
}

/// Whether a sensitivity is at or below any of these.
pub fn is_among(one: &str, others: &[impl AsRef<str>]) -> bool {
    others.iter().any(|it| is_at_or_below(one, it.as_ref()))
}

/// Everything that a deny of this reaches: itself, what lies under it, and what is widened from there.
pub fn reached_by_deny(named: &str) -> &'static [Sensitivity] {
    static REACHED: LazyLock<Vec<(Sensitivity, Vec<Sensitivity>)>> =
        LazyLock::new(|| ABOVE.iter().map(|(it, _)| (*it, reach(it))).collect());
    REACHED.iter().find(|(it, _)| *it == named).map_or(&[], |(_, reached)| reached)
}

fn reach(named: Sensitivity) -> Vec<Sensitivity> {
    let mut reached = vec![named];
    let mut next = 0;
    while next < reached.len() {
        let present = reached[next];
        let below = ABOVE.iter().filter(|(_, above)| above.contains(&present)).map(|(it, _)| *it);
        let widened = WIDENED.iter().filter(|(from, _)| *from == present).map(|(_, to)| *to);
        let new: Vec<Sensitivity> = below.chain(widened).filter(|it| !reached.contains(it)).collect();
        reached.extend(new);
        next += 1;
    }
    reached
}

fn above(code: &str) -> &'static [Sensitivity] {
    ABOVE.iter().find(|(it, _)| *it == code).map_or(&[], |(_, above)| *above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_reaches_only_what_lies_below() {
        assert!(is_at_or_below("OPIOIDUD", "SPI"));
        assert!(is_at_or_below("ETHUD", "ETH"));
        assert!(!is_at_or_below("ETH", "SUD"));
        assert!(!is_at_or_below("SPI", "SUD"));
    }

    #[test]
    fn a_deny_reaches_what_is_usually_meant_along() {
        assert!(reached_by_deny("SEX").contains(&"HIV"));
        assert!(reached_by_deny("BH").contains(&"COGN"));
        assert!(reached_by_deny("MH").contains(&"PSY"));
        assert!(!reached_by_deny("HIV").contains(&"STD"));
    }
}
