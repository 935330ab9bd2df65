//! What no map can say.

use super::map::Side;
use super::node::{Item, Items, Node, Object};
use super::report::Note;
use super::table::Found;
use super::walk::{Paths, Walk};

/// The names that a map may call.
#[cfg(test)]
pub(super) const NAMES: [&str; 3] = ["consent_rules", "consent_scope", "organization_contacts"];

/// Calls a function by its name.
pub(super) fn call(walk: &mut Walk<'_>, name: &str, source: &mut Object, out: &mut Object) {
    match (name, walk.to_side) {
        ("consent_rules", Side::Left) => rules_to_r4(walk, source, out),
        ("consent_rules", Side::Right) => rules_to_r5(walk, source, out),
        ("consent_scope", Side::Left) => scope_of_r4(source, out),
        ("consent_scope", Side::Right) => scope_left_out(walk, source),
        ("organization_contacts", Side::Left) => contacts_to_r4(walk, source, out),
        ("organization_contacts", Side::Right) => contacts_to_r5(walk, source, out),
        _ => {}
    }
}

const CONSENT: Paths<'static> = Paths { from: "Consent", to: "Consent" };

/// R5 states a decision and exceptions to it, which say the opposite by being exceptions; R4 states the type
/// of each provision. Without a decision the exceptions mean nothing: they then turn the Consent round, and
/// nobody may act on it.
fn rules_to_r4(walk: &mut Walk<'_>, source: &mut Object, out: &mut Object) {
    let decision = source.text("decision").map(str::to_owned);
    let Some(decision) = decision.filter(|it| opposite(it).is_some()) else {
        if let Some(items) = source.take("provision")
            && let Some(found) = walk.source().find("Consent", "provision")
        {
            walk.keep(items.items, &found, out, CONSENT);
        }
        return;
    };
    let mut root = Object::default();
    if let Some(Node::Leaf { value, origin }) = source.remove("decision") {
        root.set("type", Node::Leaf { value, origin });
    }
    if let Some(period) = source.take("period")
        && let Some((found, target)) = pair(walk, ("Consent", "period"), ("Consent.provision", "period"))
    {
        walk.transfer(period, (&found, &target), &mut root, CONSENT);
    }
    if let Some(items) = source.take("provision")
        && let Some((found, target)) =
            pair(walk, ("Consent", "provision"), ("Consent.provision", "provision"))
    {
        walk.transfer(items, (&found, &target), &mut root, CONSENT);
        set_types(&mut root, opposite(&decision));
    }
    out.set("provision", Node::Object(root));
}

/// Only rules that R5 says in the same way: the outermost without criteria of its own but a period, and types
/// that alternate. Others stay as they are, in an extension.
fn rules_to_r5(walk: &mut Walk<'_>, source: &mut Object, out: &mut Object) {
    let Some(Node::Object(root)) = source.get("provision") else {
        return;
    };
    let decision = root.text("type").map(str::to_owned).filter(|it| opposite(it).is_some());
    let is_plain = root.0.iter().all(|(name, _)| matches!(name.as_str(), "type" | "period" | "provision"));
    let alternates = decision.as_deref().is_some_and(|it| alternates(root.get("provision"), opposite(it)));
    let Some(Node::Object(mut root)) = source.remove("provision") else {
        return;
    };
    if !is_plain || !alternates {
        if let Some(found) = walk.source().find("Consent", "provision") {
            walk.keep(vec![Item::of(Node::Object(root))], &found, out, CONSENT);
        }
        return;
    }
    if let Some(decision) = root.remove("type") {
        out.set("decision", decision);
    }
    if let Some(period) = root.take("period")
        && let Some((found, target)) = pair(walk, ("Consent.provision", "period"), ("Consent", "period"))
    {
        walk.transfer(period, (&found, &target), out, CONSENT);
    }
    if let Some(Items { items, .. }) = root.take("provision") {
        let untyped = items.into_iter().map(|it| without_type(walk, it)).collect();
        if let Some((found, target)) =
            pair(walk, ("Consent.provision", "provision"), ("Consent", "provision"))
        {
            walk.transfer(Items::list(untyped), (&found, &target), out, CONSENT);
        }
    }
}

fn pair(walk: &Walk<'_>, from: (&str, &str), to: (&str, &str)) -> Option<(Found<'static>, Found<'static>)> {
    walk.source().find(from.0, from.1).zip(walk.target().find(to.0, to.1))
}

fn opposite(decision: &str) -> Option<&'static str> {
    match decision {
        "permit" => Some("deny"),
        "deny" => Some("permit"),
        _ => None,
    }
}

fn alternates(provisions: Option<&Node>, expected: Option<&'static str>) -> bool {
    let Some(Node::List(list)) = provisions else {
        return true;
    };
    list.iter().all(|it| match it {
        Node::Object(it) => {
            it.text("type") == expected && alternates(it.get("provision"), expected.and_then(opposite))
        }
        _ => false,
    })
}

fn set_types(above: &mut Object, kind: Option<&'static str>) {
    let (Some(Node::List(provisions)), Some(kind)) = (above.get_mut("provision"), kind) else {
        return;
    };
    for provision in provisions {
        if let Node::Object(provision) = provision {
            provision.set("type", Node::added(kind));
            set_types(provision, opposite(kind));
        }
    }
}

fn without_type(walk: &mut Walk<'_>, item: Item) -> Item {
    let Some(Node::Object(mut provision)) = item.value else {
        return item;
    };
    if let Some(kind) = provision.remove("type") {
        walk.note(&kind, Note::Implied);
    }
    if let Some(Items { items, .. }) = provision.take("provision") {
        let inner = items.into_iter().map(|it| without_type(walk, it)).collect();
        provision.put("provision", Items::list(inner));
    }
    Item::of(Node::Object(provision))
}

const SCOPES: &str = "http://terminology.hl7.org/CodeSystem/consentscope";

/// R4 demands a scope, which STU3 and R5 do not have. A Consent of a category that is about privacy has that of
/// privacy; of another, none is made up, and the sender is told that it is missing.
fn scope_of_r4(source: &Object, out: &mut Object) {
    if is_about_privacy(source) {
        out.set("scope", Node::Object(privacy()));
    }
}

/// What would be added again need not be kept.
fn scope_left_out(walk: &mut Walk<'_>, source: &mut Object) {
    if is_about_privacy(source)
        && let Some(scope) = source.get("scope")
        && scope.is_within(&Node::Object(privacy()))
        && Node::Object(privacy()).is_within(scope)
        && let Some(scope) = source.remove("scope")
    {
        walk.note(&scope, Note::Implied);
    }
}

fn privacy() -> Object {
    let mut coding = Object::default();
    coding.set("system", Node::added(SCOPES));
    coding.set("code", Node::added("patient-privacy"));
    let mut concept = Object::default();
    concept.put("coding", Items::list(vec![Item::of(Node::Object(coding))]));
    concept
}

/// LOINC's patient consent, and the directives that HL7 lists for disclosure (v3 ActCode).
fn is_about_privacy(consent: &Object) -> bool {
    let Some(Node::List(categories)) = consent.get("category") else {
        return false;
    };
    let codings = categories.iter().filter_map(|it| match it {
        Node::Object(it) => match it.get("coding") {
            Some(Node::List(list)) => Some(list),
            _ => None,
        },
        _ => None,
    });
    codings.flatten().any(|it| match it {
        Node::Object(it) => {
            matches!(it.text("code"), Some("59284-0" | "IDSCL" | "INFA" | "INFACCESS" | "INFASO"))
        }
        _ => false,
    })
}

const DETAIL: &str = "ExtendedContactDetail";
const CONTACT: &str = "Organization.contact";

/// R5 has one list for the ways to reach an organisation and for its people. An entry without a person and a
/// purpose is the organisation itself.
fn contacts_to_r4(walk: &mut Walk<'_>, source: &mut Object, out: &mut Object) {
    let Some(Items { items, .. }) = source.take("contact") else {
        return;
    };
    for item in items {
        let Some(Node::Object(mut contact)) = item.value else {
            continue;
        };
        if !is_own(&contact) {
            let made = walk.object(contact, Paths { from: DETAIL, to: CONTACT });
            out.put("contact", Items::list(vec![Item::of(Node::Object(made))]));
            continue;
        }
        for name in ["telecom", "address"] {
            let kinds = pair(walk, (DETAIL, name), ("Organization", name));
            if let (Some(items), Some((found, target))) = (contact.take(name), kinds) {
                walk.transfer(items, (&found, &target), out, Paths { from: DETAIL, to: "Organization" });
            }
        }
    }
}

fn is_own(contact: &Object) -> bool {
    contact.0.iter().all(|(name, _)| matches!(name.as_str(), "telecom" | "address"))
}

/// The organisation's own first, each further address in an entry of its own; then its people.
fn contacts_to_r5(walk: &mut Walk<'_>, source: &mut Object, out: &mut Object) {
    let mut own = Object::default();
    let paths = Paths { from: "Organization", to: DETAIL };
    if let (Some(items), Some((found, target))) =
        (source.take("telecom"), pair(walk, ("Organization", "telecom"), (DETAIL, "telecom")))
    {
        walk.transfer(items, (&found, &target), &mut own, paths);
    }
    let addresses = source.take("address").map(|it| it.items).unwrap_or_default();
    for item in addresses {
        if own.get("address").is_some() {
            out.put("contact", Items::list(vec![Item::of(Node::Object(std::mem::take(&mut own)))]));
        }
        if let Some((found, target)) = pair(walk, ("Organization", "address"), (DETAIL, "address")) {
            walk.transfer(Items::single(item), (&found, &target), &mut own, paths);
        }
    }
    if !own.is_empty() {
        out.put("contact", Items::list(vec![Item::of(Node::Object(own))]));
    }
    let people = source.take("contact").map(|it| it.items).unwrap_or_default();
    // One without a person and a purpose would look like the organisation itself.
    if people.iter().any(|it| matches!(&it.value, Some(Node::Object(it)) if is_own(it)))
        && let Some(found) = walk.source().find("Organization", "contact")
    {
        return walk.keep(people, &found, out, Paths { from: "Organization", to: "Organization" });
    }
    for item in people {
        if let Some(Node::Object(contact)) = item.value {
            let made = walk.object(contact, Paths { from: CONTACT, to: DETAIL });
            out.put("contact", Items::list(vec![Item::of(Node::Object(made))]));
        }
    }
}
