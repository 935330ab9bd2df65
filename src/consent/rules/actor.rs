//! `provision.actor`: who (consent S7.1).

use serde_json::Value;

use super::author;
use crate::consent::answer::Kind;
use crate::consent::question::{Question, items};
use crate::consent::standing::eligibility::names_organization;
use crate::consent::truth::Truth;
use crate::fhir::coding::codings;

/// The part that an actor plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Recipient,
    Custodian,
    Author,
    Other,
}

const ROLES: [Role; 4] = [Role::Recipient, Role::Custodian, Role::Author, Role::Other];

/// A permit needs every kind of actor that it names; within a kind they are alternatives. A deny reaches
/// whoever is named in whatever role, the clinic where it is the custodian, and the data's author.
pub fn matches(question: &Question<'_>, actors: &Value, kind: Kind) -> Truth {
    match kind {
        Kind::Permit => {
            let of =
                |role| items(actors).filter(move |it| role_of(it) == role).map(|it| permits(question, it));
            Truth::all(
                ROLES.iter().filter(|role| of(**role).next().is_some()).map(|role| Truth::any(of(*role))),
            )
        }
        Kind::Deny => Truth::any(items(actors).map(|it| denies(question, it))),
    }
}

/// Whether an actor is a custodian: the one that does not narrow an untyped root (consent S3).
pub fn is_custodian(actor: &Value) -> bool {
    role_of(actor) == Role::Custodian
}

fn permits(question: &Question<'_>, actor: &Value) -> Truth {
    let named = &actor["reference"];
    match role_of(actor) {
        Role::Recipient => question.look(Kind::Permit).names(named),
        Role::Custodian => is_clinic(question, named, Kind::Permit),
        Role::Author => author::is_by(question, named, Kind::Permit),
        Role::Other => Truth::False,
    }
}

fn denies(question: &Question<'_>, actor: &Value) -> Truth {
    let named = &actor["reference"];
    let receiver = question.look(Kind::Deny).names(named);
    match role_of(actor) {
        Role::Custodian => receiver.or(is_clinic(question, named, Kind::Deny)),
        Role::Author => receiver.or(author::is_by(question, named, Kind::Deny)),
        Role::Recipient | Role::Other => receiver,
    }
}

fn is_clinic(question: &Question<'_>, named: &Value, kind: Kind) -> Truth {
    names_organization(question.situation, named, &question.situation.custodian, kind)
}

fn role_of(actor: &Value) -> Role {
    let mut codes = codings(&actor["role"]).filter_map(|it| it["code"].as_str());
    codes
        .find_map(|code| match code {
            "IRCP" | "PRCP" | "GRANTEE" | "DELEGATEE" => Some(Role::Recipient),
            "CST" => Some(Role::Custodian),
            "AUT" => Some(Role::Author),
            _ => None,
        })
        .unwrap_or(Role::Other)
}
