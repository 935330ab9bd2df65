//! The submission that grows around a Task or an order.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::home::{Home, Place};
use super::{GatherFault, STEPS};
use crate::fhir::reference::{self, target, type_and_id};
use crate::fhir::resource;
use crate::validation;

/// What an order is called, in FHIR 3.0 and later.
const ORDER_TYPES: [&str; 2] = ["ServiceRequest", "ReferralRequest"];

/// Elements that the referral cannot do without: where one of the order or its Task leads elsewhere, it is refused.
/// Others, such as the `owner` and `performer` who are to do it, may be known by their address alone.
const NEEDED: [&str; 9] = [
    "subject",
    "for",
    "requester",
    "reason",
    "reasonReference",
    "supportingInfo",
    "supportingInformation",
    "insurance",
    "input",
];

/// The Task, its order, and what the two name.
#[derive(Debug)]
pub(super) struct Draft {
    home: Home,
    pieces: Vec<Piece>,
    order: Option<usize>,
}

/// One resource of it.
#[derive(Debug)]
struct Piece {
    full_url: String,
    /// On the sender's server, `Type/id`.
    name: Option<String>,
    /// Where it is, as FHIRPath over the Task that was sent.
    place: String,
    resource: Value,
    /// How many references lead to it from the order or its Task.
    steps: usize,
}

/// Something on the sender's server that the draft lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// `Type/id`.
    pub(super) name: String,
    /// Which reference names it.
    pub(super) place: String,
    steps: usize,
}

impl Draft {
    /// What was sent, a Task or an order, with what it contains.
    pub(super) fn of(sent: Value, home: Home) -> Self {
        let resource_type = resource::resource_type(&sent).to_owned();
        let id = Some(resource::id(&sent)).filter(|it| reference::is_id(it));
        let name = id.map(|it| format!("{resource_type}/{it}"));
        let mut draft = Self { home, pieces: Vec::new(), order: None };
        draft.add(sent, name, (resource_type, 0));
        draft.order = draft.pieces.iter().position(|it| is_order(&it.resource));
        draft
    }

    /// The order on the sender's server, where it is not contained.
    pub(super) fn wanted_order(&self) -> Result<Option<Wanted>, GatherFault> {
        if self.order.is_some() {
            return Ok(None);
        }
        let task = &self.pieces[0].resource;
        let based_on = task["basedOn"].as_array().into_iter().flatten().enumerate();
        let based_on = based_on.map(|(number, it)| (format!("Task.basedOn[{number}]"), it));
        let named = [("Task.focus".to_owned(), &task["focus"])].into_iter().chain(based_on);
        for (place, it) in named {
            let text = it["reference"].as_str().unwrap_or_default();
            if !type_and_id(text).is_some_and(|(resource_type, _)| ORDER_TYPES.contains(&resource_type)) {
                continue;
            }
            return match self.home.place(text) {
                Place::Here(name) => Ok(Some(Wanted { name, place, steps: 0 })),
                Place::Elsewhere | Place::Inside => Err(GatherFault::Origin(place)),
            };
        }
        Err(GatherFault::NoOrder)
    }

    /// What the draft names on the sender's server and lacks, each once.
    pub(super) fn wanted(&self) -> Result<Vec<Wanted>, GatherFault> {
        match self.named_outside() {
            (_, Some(elsewhere)) => Err(GatherFault::Origin(elsewhere)),
            (wanted, None) => Ok(wanted),
        }
    }

    /// Whether it names anything on the sender's server that it lacks.
    pub(super) fn lacks_something(&self) -> bool {
        !self.named_outside().0.is_empty()
    }

    /// What it names on the sender's server; and the first reference that it cannot do without and that leads
    /// elsewhere.
    fn named_outside(&self) -> (Vec<Wanted>, Option<String>) {
        let mut first_elsewhere = None;
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut known: BTreeSet<String> = self.pieces.iter().filter_map(|it| it.name.clone()).collect();
        for (number, piece) in self.pieces.iter().enumerate() {
            let mut elsewhere = None;
            reference::for_each(&piece.resource, "", &mut |path, it| {
                let text = it["reference"].as_str().unwrap_or_default();
                let place = format!("{}{path}", piece.place);
                match self.home.place(text) {
                    Place::Here(name)
                        if self.is_followed(&name, piece.steps) && known.insert(name.clone()) =>
                    {
                        wanted.push(Wanted { name, place, steps: piece.steps + 1 });
                    }
                    Place::Elsewhere if self.is_needed(number, path) => {
                        elsewhere.get_or_insert(place);
                    }
                    _ => {}
                }
            });
            first_elsewhere = first_elsewhere.or(elsewhere);
        }
        (wanted, first_elsewhere)
    }

    /// Adds what was read.
    pub(super) fn add_read(&mut self, wanted: &Wanted, read: Value) {
        let number = self.pieces.len();
        let place = (format!("{}.resolve()", wanted.place), wanted.steps);
        self.add(read, Some(wanted.name.clone()), place);
        if self.order.is_none() && is_order(&self.pieces[number].resource) {
            self.order = Some(number);
        }
    }

    /// The draft of a sender without a server, which must contain all that is needed.
    pub(super) fn without_server(self) -> Result<Self, GatherFault> {
        self.wanted_order()?;
        self.wanted()?;
        Ok(self)
    }

    /// A Bundle of all of it; and where each entry is, as FHIRPath over the Task that was sent.
    pub(super) fn into_collection(mut self) -> (Value, Vec<String>) {
        let names: BTreeSet<String> = self.pieces.iter().filter_map(|it| it.name.clone()).collect();
        let home = self.home.clone();
        for piece in &mut self.pieces {
            reference::for_each_mut(&mut piece.resource, &mut |it| make_complete(it, &home, &names));
        }
        let places = self.pieces.iter().map(|it| it.place.clone()).collect();
        let entries =
            self.pieces.into_iter().map(|it| json!({ "fullUrl": it.full_url, "resource": it.resource }));
        let entries: Vec<Value> = entries.collect();
        (json!({ "resourceType": "Bundle", "type": "collection", "entry": entries }), places)
    }

    /// Adds a resource; what the Task and its order contain become resources of their own, since the clinic's Task
    /// and order are made anew.
    fn add(&mut self, mut resource: Value, name: Option<String>, (place, steps): (String, usize)) {
        let opened = matches!(resource::resource_type(&resource), "Task") || is_order(&resource);
        let inside =
            match resource.as_object_mut().filter(|_| opened).and_then(|it| it.shift_remove("contained")) {
                Some(Value::Array(inside)) => inside,
                _ => Vec::new(),
            };
        let first = self.pieces.len();
        let full_url = match name.as_ref().filter(|_| self.home.is_somewhere()) {
            Some(name) => self.home.address(name),
            None => address(first),
        };
        let ids: Vec<String> = inside.iter().map(|it| resource::id(it).to_owned()).collect();
        let mut container =
            vec![Piece { full_url: full_url.clone(), name, place: place.clone(), resource, steps }];
        for (number, mut it) in inside.into_iter().enumerate() {
            it.as_object_mut().and_then(|it| it.shift_remove("id"));
            let place = format!("{place}.contained[{number}]");
            container.push(Piece {
                full_url: address(first + number + 1),
                name: None,
                place,
                resource: it,
                steps,
            });
        }
        for piece in &mut container {
            reference::for_each_mut(&mut piece.resource, &mut |it| {
                let Some(id) = it["reference"].as_str().and_then(|it| it.strip_prefix('#')) else { return };
                if id.is_empty() {
                    it["reference"] = json!(full_url);
                } else if let Some(number) = ids.iter().position(|it| it == id) {
                    it["reference"] = json!(address(first + number + 1));
                }
            });
        }
        self.pieces.extend(container);
    }

    /// Other orders and Tasks, other people's records, and what a referral does not take are left where they are.
    fn is_followed(&self, name: &str, steps: usize) -> bool {
        let resource_type = name.split('/').next().unwrap_or_default();
        let subject = self.order.and_then(|it| self.pieces[it].resource["subject"]["reference"].as_str());
        let is_subject = || subject.is_some_and(|it| self.home.place(it) == Place::Here(name.to_owned()));
        match resource_type {
            "Task" | "ServiceRequest" | "ReferralRequest" => false,
            "Patient" => is_subject(),
            other => steps < STEPS && validation::supports(other),
        }
    }

    /// Whether the referral cannot do without what an element of this piece names.
    fn is_needed(&self, piece: usize, path: &str) -> bool {
        let element = path.trim_start_matches('.').split(['.', '[']).next().unwrap_or_default();
        (piece == 0 || Some(piece) == self.order) && NEEDED.contains(&element)
    }
}

/// What is on the sender's server and not in the message is named by its complete address: what is relative is on
/// the server that one reads it from, and that is the clinic's in the end.
fn make_complete(it: &mut Value, home: &Home, names: &BTreeSet<String>) {
    let text = it["reference"].as_str().unwrap_or_default();
    let is_relative = matches!(target(text), reference::Target::Relative { .. });
    if let Place::Here(name) = home.place(text)
        && !(is_relative && names.contains(&name))
    {
        it["reference"] = json!(home.address(&name));
    }
}

pub(super) fn is_order(resource: &Value) -> bool {
    ORDER_TYPES.contains(&resource::resource_type(resource))
}

/// An address of a resource that has none. It needs to be unique in its Bundle and nowhere else.
fn address(number: usize) -> String {
    format!("urn:uuid:00000000-0000-4000-8001-{number:012x}")
}
