//! From a partner's submission to the transaction for the clinic.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::codes::explain_codes;
use super::compare::{Change, Reasons, compare, keep_references, leaves};
use super::whole::{dropped, whole};
use super::{Account, Added, Fate, UNACCOUNTED};
use crate::fhir::bundle;
use crate::fhir::resource::resource_type;
use crate::translation::coordination::TAKEN_OVER;
use crate::translation::submission::{Part, Submission};
use crate::translation::to_clinic::{ForClinic, point_into_transaction};

/// The account of a submission's translation. `message` is R4, and what was translated.
pub fn of_translation(message: &Value, written: &ForClinic) -> Account {
    let submission = Submission::of(message);
    let mut found = Found::default();
    for (number, part) in submission.parts().iter().enumerate() {
        let place = submission.place(number);
        if let Some(entry) = written.parts.iter().position(|it| *it == Some(number)) {
            found.add(written_part(&submission, (part, &place), (entry, written)));
            found.add(envelope_of_entry(message, &place, (entry, written)));
        } else {
            found.add(not_written(&submission, (number, part, &place), written));
            let (place, around) = around(message, &place);
            found.add(dropped((place, &around), "of the envelope"));
        }
    }
    found.add(envelope(message, &written.bundle));
    found.entries_of_ours(written);
    found.in_order(message, written)
}

/// What was found so far, in no order.
#[derive(Default)]
struct Found {
    parts: Vec<Account>,
}

impl Found {
    fn add(&mut self, account: Account) {
        self.parts.push(account);
    }

    /// Entries that no part became: the Provenance, large attachments, a Task where none was sent.
    fn entries_of_ours(&mut self, written: &ForClinic) {
        for (number, _) in written.parts.iter().enumerate().filter(|(_, it)| it.is_none()) {
            let entry = &written.bundle["entry"][number];
            let how = match resource_type(&entry["resource"]) {
                "Provenance" => "says who sent it, when, and that it came through the gateway",
                "Binary" => "a large attachment is a resource of its own",
                _ => "the coordination Task is the gateway's own",
            };
            let mut added = Vec::new();
            leaves(entry, &format!("Bundle.entry[{number}]"), &mut |to, _| {
                added.push(Added { to: to.to_owned(), how: how.to_owned() });
            });
            self.add(Account { added, passages: Vec::new() });
        }
    }

    fn in_order(self, message: &Value, written: &ForClinic) -> Account {
        let mut account = whole((resource_type(message), message), self.parts, |_| UNACCOUNTED);
        let result = ("Bundle".to_owned(), &written.bundle);
        let how = "a large attachment is a resource of its own";
        account.claim_moved((message, ".attachment.data"), (&[result], ".resource.data"), how);
        explain_codes(&mut account, ("Bundle", &written.bundle), &written.codes);
        explain_references(&mut account, &written.bundle);
        account
    }
}

/// Says of each rewritten reference to which entry it leads.
fn explain_references(account: &mut Account, bundle: &Value) {
    let mut addresses = HashMap::new();
    for (number, entry) in bundle::entries(bundle).enumerate() {
        addresses.extend(entry["fullUrl"].as_str().map(|it| (it, number)));
    }
    let mut entries = HashMap::new();
    leaves(bundle, "Bundle", &mut |place, value| {
        let entry = value.as_str().and_then(|it| addresses.get(it));
        entries.extend(entry.map(|it| (place.to_owned(), it)));
    });
    for it in account.passages.iter_mut().filter(|it| it.from.ends_with(".reference")) {
        if let Some(entry) = it.to.as_ref().and_then(|to| entries.get(to)) {
            it.how = format!("reference rewritten; it leads to Bundle.entry[{entry}].resource");
        }
    }
}

/// A part and the entry that it became.
fn written_part(
    submission: &Submission<'_>,
    (part, place): (&Part<'_>, &str),
    (entry, written): (usize, &ForClinic),
) -> Account {
    let is_task = part.resource_type() == "Task";
    let mut resource = part.resource.clone();
    if let Some(map) = resource.as_object_mut().filter(|_| part.contains_parts) {
        map.shift_remove("contained");
    }
    let to = format!("Bundle.entry[{entry}].resource");
    let reasons = Reasons {
        relink: &|reference| {
            let mut there = reference.clone();
            point_into_transaction(&mut there, part, submission, &written.firsts);
            Some(there)
        },
        changed: &|it| changed(is_task, &it.from[place.len()..], it),
        gone: &|from| gone(is_task, &from[place.len()..]),
        added: &|it| added(part.resource_type(), &it[to.len()..]),
    };
    compare((place, &resource), (&to, &written.bundle["entry"][entry]["resource"]), &reasons)
}

fn changed(is_task: bool, path: &str, change: &Change<'_>) -> Option<(Fate, String)> {
    if is_task && !is_taken_over(path) {
        let how = "the clinic's Task is made anew: the gateway says this itself";
        return Some((Fate::Dropped, how.to_owned()));
    }
    let is_order = path == ".intent" && change.after == "filler-order";
    is_order.then(|| (Fate::Mapped, "the clinic's own is a filler order for the placer's".to_owned()))
}

fn gone(is_task: bool, path: &str) -> Option<String> {
    let how = match path {
        ".id" => "an id is the business of the server that gives it",
        _ if path.starts_with(".meta.") => "only its own server may say this of it",
        _ if is_task && !is_taken_over(path) => "the clinic's Task is made anew; the placer keeps its own",
        _ => return None,
    };
    Some(how.to_owned())
}

/// Whether the clinic's Task has an element from the placer's.
fn is_taken_over(path: &str) -> bool {
    let element = path.trim_start_matches('.').split(['.', '[']).next().unwrap_or_default();
    element == "identifier" || TAKEN_OVER.contains(&element)
}

fn added(resource_type: &str, path: &str) -> String {
    let how = if resource_type == "Task" {
        "the clinic's Task is made anew: the gateway says this itself"
    } else if path.starts_with(".meta.tag[") {
        "the gateway's name for it, by which it is found again"
    } else if path.starts_with(".identifier[") && path.contains("].type.") {
        "says whose identifier it is, the placer's or the gateway's"
    } else if path.starts_with(".identifier[") {
        "the gateway's name for it, by which it is found again"
    } else if path.starts_with(".basedOn[") {
        "names the placer's order"
    } else if path.ends_with(".attachment.url") {
        "a large attachment is a resource of its own"
    } else if path.contains(".identifier.") {
        "an address elsewhere, kept as an identifier"
    } else {
        "added by the gateway"
    };
    how.to_owned()
}

/// A part that is not written: another of the same identifier is, or another Task.
fn not_written(
    submission: &Submission<'_>,
    (number, part, place): (usize, &Part<'_>, &str),
    written: &ForClinic,
) -> Account {
    let first = written.firsts.get(number).copied().unwrap_or(number);
    if first == number {
        let is_task = part.resource_type() == "Task";
        let how = if is_task { "a second Task: the first one counts" } else { UNACCOUNTED };
        return dropped((place, part.resource), how);
    }
    // It is another of the same: what both say is said once.
    let how = format!("written once: {} has the same identifier", submission.place(first));
    let earlier = submission.parts()[first].resource;
    let reasons = Reasons {
        relink: &keep_references,
        changed: &|_| Some((Fate::Dropped, how.clone())),
        gone: &|_| Some(how.clone()),
        added: &|_| String::new(),
    };
    let entry = written.parts.iter().position(|it| *it == Some(first)).unwrap_or_default();
    let to = format!("Bundle.entry[{entry}].resource");
    let mut account = compare((place, part.resource), (&to, earlier), &reasons);
    let mut there = HashSet::new();
    leaves(&written.bundle, "Bundle", &mut |place, _| {
        there.insert(place.to_owned());
    });
    for it in &mut account.passages {
        let stands = it.to.as_ref().is_some_and(|to| there.contains(to));
        it.fate = if stands { Fate::Mapped } else { Fate::Dropped };
        it.to = it.to.take().filter(|_| stands);
        it.how.clone_from(&how);
    }
    account.added.clear();
    account
}

/// What stands around a resource in its Bundle, and where. A single resource has nothing around it.
fn around<'p>(bundle: &Value, place: &'p str) -> (&'p str, Value) {
    let number =
        place.strip_prefix("Bundle.entry[").and_then(|it| it.split(']').next()?.parse::<usize>().ok());
    let entry = number.and_then(|it| bundle["entry"][it].as_object());
    let around = entry.map_or_else(|| Value::Object(Map::new()), |it| without(it, "resource"));
    (place.strip_suffix(".resource").unwrap_or(place), around)
}

fn envelope_of_entry(message: &Value, place: &str, (entry, written): (usize, &ForClinic)) -> Account {
    let (from, sent) = around(message, place);
    let to = format!("Bundle.entry[{entry}].resource");
    let (to, there) = around(&written.bundle, &to);
    let reasons = Reasons {
        relink: &keep_references,
        changed: &|_| Some((Fate::Mapped, "its address and its search within the transaction".to_owned())),
        gone: &|_| Some("of the envelope".to_owned()),
        added: &|_| "how it is written once".to_owned(),
    };
    compare((from, &sent), (to, &there), &reasons)
}

/// The head of the Bundle, and of a message its header.
fn envelope(message: &Value, bundle: &Value) -> Account {
    let head = |it: &Value| match it {
        Value::Object(map) if resource_type(it) == "Bundle" => without(map, "entry"),
        _ => Value::Object(Map::new()),
    };
    let reasons = Reasons {
        relink: &keep_references,
        changed: &|_| Some((Fate::Mapped, "the clinic is written to in one transaction".to_owned())),
        gone: &|_| Some("of the envelope".to_owned()),
        added: &|_| "the clinic is written to in one transaction".to_owned(),
    };
    let mut account = compare(("Bundle", &head(message)), ("Bundle", &head(bundle)), &reasons);
    if bundle::header(message).is_some() {
        let header = dropped(("Bundle.entry[0]", &message["entry"][0]), "of the message's envelope");
        account.passages.extend(header.passages);
    }
    account
}

fn without(map: &Map<String, Value>, name: &str) -> Value {
    Value::Object(
        map.iter().filter(|(it, _)| *it != name).map(|(name, it)| (name.clone(), it.clone())).collect(),
    )
}
