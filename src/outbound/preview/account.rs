//! What became of each value on the road out: reduced, translated, and put into the partner's version.

use std::collections::HashSet;

use serde_json::Value;

use super::{Material, Placed};
use crate::fhir::{reference, resource};
use crate::model::fhir_version::FhirVersion;
use crate::outbound::kinds::Kind;
use crate::outbound::kinds::diagnostic_report::OBSERVATION;
use crate::outbound::translate::addresses;
use crate::translation::account::{
    Account, Change, Fate, Reasons, Tally, UNACCOUNTED, compare, dropped, explain_codes, is_at,
    keep_references, of_conversion, whole,
};
use crate::translation::codes::CodeTrace;
use crate::translation::to_partner::{Form, PartnerTerms, relinked};
use crate::translation::versions;

/// The road, once it was walked.
pub(super) struct Road<'a> {
    pub(super) material: &'a Material<'a>,
    pub(super) kind: &'static Kind,
    pub(super) picked: &'a [&'a Placed<'a>],
    pub(super) reduced: &'a (Value, Vec<(String, Value)>),
    /// In R4, the resource first.
    pub(super) made: &'a [Value],
    pub(super) terms: &'a PartnerTerms<'a>,
}

/// What it led to.
pub(super) struct Walked {
    pub(super) resources: Vec<Value>,
    pub(super) account: Account,
    pub(super) steps: Vec<(String, Tally)>,
    pub(super) codes: Vec<CodeTrace>,
}

impl Road<'_> {
    pub(super) fn walked(&self) -> Walked {
        let mut codes = Vec::new();
        let reduced = self.reduction();
        let translated = self.translation(&mut codes);
        let version = self.material.partner.fhir_version;
        let (resources, converted) = self.conversion(version);
        let mut steps = vec![
            ("reduced to what this kind sends".to_owned(), reduced.tally()),
            ("in the partner's terms".to_owned(), translated.tally()),
        ];
        let mut account = reduced.then(&translated);
        if version != FhirVersion::R4 {
            steps.push((format!("from FHIR 4.0 to {}", version.short()), converted.tally()));
            account = account.then(&converted);
        }
        Walked { resources, account, steps, codes }
    }

    /// The reduced resources, each with the name under which its places are told.
    fn reduced(&self) -> Vec<(String, &Value)> {
        let (main, companions) = self.reduced;
        let all = std::iter::once(main).chain(companions.iter().map(|(_, it)| it)).enumerate();
        all.map(|(number, it)| (root(it, number), it)).collect()
    }

    fn reduction(&self) -> Account {
        let (binaries, others): (Vec<&&Placed<'_>>, Vec<&&Placed<'_>>) =
            self.picked.iter().partition(|it| resource::resource_type(it.1) == "Binary");
        let mut parts = Vec::new();
        for (number, ((place, before), (name, after))) in others.into_iter().zip(self.reduced()).enumerate() {
            let minimum =
                if number == 0 { Minimum::of(self.kind, before) } else { Minimum::of_observation() };
            let reasons = Reasons {
                relink: &keep_references,
                changed: &|_| None,
                gone: &|from| minimum.leaves_out(&from[place.len()..]).map(str::to_owned),
                added: &|_| "the content of the file, put inside".to_owned(),
            };
            parts.push(compare((place, before), (&name, after), &reasons));
        }
        for (place, binary) in binaries {
            parts.push(dropped((place, binary), "of the Binary, its content goes, inside the resource"));
        }
        let sent = self.material.sent;
        let is_picked = |place: &str| self.picked.iter().any(|(it, _)| is_at(place, it));
        let mut account = whole((resource::resource_type(sent), sent), parts, |place| {
            if is_picked(place) { UNACCOUNTED } else { "does not travel along" }
        });
        account.claim_moved((self.material.sent, ".data"), (&self.reduced(), ".data"), "put inside");
        account
    }

    fn translation(&self, codes: &mut Vec<CodeTrace>) -> Account {
        let mut account = Account::default();
        let addresses = addresses(&self.reduced.1, self.terms.form, "");
        for (number, (name, before)) in self.reduced().into_iter().enumerate() {
            let (to, after) = self.made_of(number, &name);
            let mut links = Vec::new();
            reference::for_each(before, &name, &mut |path, _| links.push(format!("{path}.")));
            let reasons = Reasons {
                relink: &|it| relinked(it, self.terms, &addresses),
                changed: &|it| self.changed(it),
                gone: &|from| {
                    let in_link = links.iter().any(|it| from.starts_with(it.as_str()));
                    let how = "a link into the clinic's server, or its name there";
                    in_link.then(|| how.to_owned())
                },
                added: &|it| self.added(&it[to.len()..]),
            };
            let mut after = after.clone();
            if let (0, Form::Hosted, Some(map)) = (number, self.terms.form, after.as_object_mut()) {
                map.shift_remove("contained");
            }
            let mut traces = Vec::new();
            self.terms.dialect.to_partner.translate_traced(&mut before.clone(), &mut traces);
            let mut part = compare((&name, before), (&to, &after), &reasons);
            explain_codes(&mut part, (&to, &after), &traces);
            codes.extend(traces);
            account.passages.extend(part.passages);
            account.added.extend(part.added);
        }
        account
    }

    /// What a reduced resource became, and the name under which its places are told.
    fn made_of(&self, number: usize, name: &str) -> (String, &Value) {
        match (self.terms.form, number) {
            (Form::Hosted, 1..) => {
                let inside = number - 1;
                let main = &self.made[0];
                (format!("{}.contained[{inside}]", resource::resource_type(main)), &main["contained"][inside])
            }
            _ => (name.to_owned(), &self.made[number]),
        }
    }

    fn changed(&self, change: &Change<'_>) -> Option<(Fate, String)> {
        let said = || format!("as dialect {} says it", self.material.partner.dialect.word());
        match change.from {
            "Task.status" | "Task.businessStatus.text" => Some((Fate::Mapped, said())),
            it if it.starts_with("Composition.identifier.") => {
                Some((Fate::Dropped, "its one identifier becomes the gateway's name for it".to_owned()))
            }
            _ => None,
        }
    }

    fn added(&self, path: &str) -> String {
        let element = path.trim_start_matches('.').split(['.', '[']).next().unwrap_or_default();
        match element {
            "identifier" => "by which the referral, or this update, is known again".to_owned(),
            "id" => "the id under which it is hosted".to_owned(),
            "status" | "businessStatus" | "statusReason" | "output" => {
                format!("as dialect {} says it", self.material.partner.dialect.word())
            }
            _ => "the referral's own name for what the reference leads to".to_owned(),
        }
    }

    fn conversion(&self, version: FhirVersion) -> (Vec<Value>, Account) {
        let mut account = Account::default();
        let mut resources = Vec::new();
        for (number, made) in self.made.iter().enumerate() {
            if version == FhirVersion::R4 {
                resources.push(made.clone());
                continue;
            }
            let converted = versions::from_r4(made, version);
            let part = of_conversion((made, FhirVersion::R4), &converted, version);
            let part = part.under(number, (&root(made, number), &root(&converted.value, number)));
            account.passages.extend(part.passages);
            account.added.extend(part.added);
            resources.push(converted.value);
        }
        (resources, account)
    }
}

/// What a kind of update sends of a resource.
struct Minimum {
    sent: &'static [&'static str],
    /// The paths that the kind takes out of those elements.
    trimmed: HashSet<String>,
}

impl Minimum {
    fn of(kind: &'static Kind, before: &Value) -> Self {
        let mut after = before.clone();
        (kind.trim)(&mut after);
        let reasons = Reasons {
            relink: &keep_references,
            changed: &|_| None,
            gone: &|_| Some(String::new()),
            added: &|_| String::new(),
        };
        let trimmed = compare(("", before), ("", &after), &reasons).passages.into_iter();
        let trimmed = trimmed.filter(|it| it.fate == Fate::Dropped).map(|it| it.from);
        Self { sent: kind.sent, trimmed: trimmed.collect() }
    }

    fn of_observation() -> Self {
        Self { sent: OBSERVATION, trimmed: HashSet::new() }
    }

    /// Why a value stays at the clinic. None: there is no reason.
    fn leaves_out(&self, path: &str) -> Option<&'static str> {
        let element = path.trim_start_matches('.').split(['.', '[']).next().unwrap_or_default();
        Some(match element {
            _ if path.contains("xtension[") => "extensions stay at the clinic",
            "meta" if path.starts_with(".meta.security") => return None,
            "id" | "meta" => "the clinic's own name and version of it",
            _ if path.ends_with("ttachment.url") => {
                "an address of the clinic's server; the content goes inside, where it is at hand"
            }
            it if !self.sent.contains(&it.trim_start_matches('_')) => {
                "not among the elements that this kind of update sends"
            }
            _ if self.trimmed.contains(path) => "too much for this kind of update",
            _ => return None,
        })
    }
}

/// The name under which the places of a resource are told: of what travels along, with its number.
fn root(resource: &Value, number: usize) -> String {
    let name = resource::resource_type(resource);
    if number == 0 { name.to_owned() } else { format!("{name}[{}]", number - 1) }
}
