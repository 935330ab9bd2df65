//! The tables of consent S5 and the order of S4.1, exhaustively.

use crate::consent::answer::Answer::{
    self, Deny as D, MayDeny as HD, MayPermit as HP, NotCovered as X, Permit as P, Silent as N,
};
use crate::consent::answer::{Kind, combine, own};
use crate::consent::truth::Truth::{False, True, Unknown};

const OWN: [Answer; 6] = [D, HD, P, HP, X, N];

#[test]
fn children_and_own_combine_as_in_the_table() {
    let table = [
        (D, [D, D, D, D, D, D]),
        (P, [P, P, P, P, P, P]),
        (HD, [D, HD, HD, HD, HD, HD]),
        (HP, [HD, HD, P, HP, HP, HP]),
        (X, [D, HD, P, HP, X, X]),
        (N, [D, HD, P, HP, X, N]),
    ];
    for (children, row) in table {
        for (own, expected) in OWN.into_iter().zip(row) {
            assert_eq!(combine(children, own), expected, "{children:?} over {own:?}");
        }
    }
}

#[test]
fn a_rule_answers_by_request_and_data() {
    let permits = [(True, [P, HP, X]), (Unknown, [HP, HP, N]), (False, [N, N, N])];
    let denies = [(True, [D, HD, N]), (Unknown, [HD, HD, N]), (False, [N, N, N])];
    for (kind, table) in [(Kind::Permit, permits), (Kind::Deny, denies)] {
        for (request, row) in table {
            for (data, expected) in [True, Unknown, False].into_iter().zip(row) {
                assert_eq!(own(kind, request, data), expected, "{kind:?} {request:?} {data:?}");
            }
        }
    }
}

#[test]
fn the_strength_of_answers_is_the_order_among_siblings() {
    assert!(D > HD && HD > P && P > HP && HP > X && X > N);
}

/// Two Consents with any two answers: the stronger decides, and silence goes to the default.
#[test]
fn answers_of_several_consents_are_settled_in_their_order() {
    use super::fixtures::{Setting, consent, deny, named, permit};
    use crate::model::policy::DefaultDecision;
    use serde_json::json;

    let unknown = named("Group/unknown");
    let with_family = |mut consent: serde_json::Value, uri: &str| {
        consent["policy"][0]["uri"] = json!(uri);
        consent
    };
    let answers = [
        (D, deny(), "deny provision-deny"),
        (HD, consent(&json!({ "type": "deny", "actor": unknown })), "hold provision-may-deny"),
        (P, permit(), "permit provision-permit"),
        (HP, consent(&json!({ "type": "permit", "actor": unknown })), "hold provision-may-permit"),
        (
            X,
            with_family(consent(&json!({ "type": "permit", "dataPeriod": { "end": "2025" } })), "urn:other"),
            "deny provision-does-not-cover",
        ),
        (N, consent(&json!({ "type": "deny", "period": { "end": "2025" } })), "permit clinic-default"),
    ];
    for (one, first, expected_of_one) in &answers {
        for (other, second, expected_of_other) in &answers {
            let setting = Setting::new().default(DefaultDecision::Permit);
            let outcome = setting.consents(&[first.clone(), second.clone()]).outcome();
            let expected = if one >= other { expected_of_one } else { expected_of_other };
            assert_eq!(outcome, *expected, "{one:?} beside {other:?}");
        }
    }
}
