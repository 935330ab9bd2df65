use super::*;
use crate::fhir::json::parse;
use crate::validation::definitions::{Content, Definitions, Shape};

/// Invariants of the table that we do not check, and why.
const NOT_CHECKED: &[(&[&str], &str)] = &[
    (&["age-1", "cnt-3", "dis-1", "drt-1"], "a unit's meaning needs UCUM; a wrong one is seen by people"),
    (&["con-3"], "a warning in the definitions"),
    (&["ctm-1"], "it needs the resource behind a reference"),
    (&["ppc-2", "ppc-3", "ppc-4", "ppc-5"], "they name a system `something`, which nobody uses"),
    (&["drq-1", "drq-2", "trd-1", "trd-2", "trd-3"], "of types that only definitions of workflows use"),
    (&["que-0", "que-1", "que-2", "que-5", "que-7", "que-10"], "about the making of a form, not a referral"),
];

fn holds(key: &str, object: &Value) -> bool {
    (by_key(key).unwrap_or_else(|| panic!("{key} is not checked")).holds)(object.as_object().unwrap())
}

#[test]
fn every_invariant_of_the_table_is_checked_or_left_out_with_a_reason() {
    let definitions = Definitions::r4();
    let left_out: Vec<&str> = NOT_CHECKED.iter().flat_map(|(keys, _)| *keys).copied().collect();

    let mut unknown = std::collections::BTreeSet::new();
    let mut waiting: Vec<&Content> = definitions.types.values().map(|it| &it.content).collect();
    while let Some(content) = waiting.pop() {
        unknown.extend(
            content.invariants.iter().filter(|it| by_key(it).is_none() && !left_out.contains(&it.as_str())),
        );
        waiting.extend(content.elements.iter().filter_map(|it| match &it.shape {
            Shape::Parts(_, parts) => Some(parts),
            _ => None,
        }));
    }

    assert_eq!(unknown.into_iter().collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn each_invariant_passes_what_keeps_it_and_finds_what_breaks_it() {
    let cases = parse(include_bytes!("cases.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let key = case["key"].as_str().unwrap();
        assert!(holds(key, &case["keeps"]), "{case}");
        assert!(!holds(key, &case["breaks"]), "{case}");
    }
}
