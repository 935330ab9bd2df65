//! What a partner would get of a clinic's resource, and what became of each of its values. For an engineer who has
//! the resource at hand: consent is not asked here, so nothing of this can be sent. It makes no `Reduced` and no
//! `ForPartner`.

mod account;

use jiff::Timestamp;
use serde_json::Value;

use super::kinds::{Kind, kind};
use super::{redact, translate};
use crate::fhir::outcome::Issue;
use crate::fhir::{bundle, reference, resource};
use crate::model::ids::{DeliveryId, ReferralId};
use crate::model::partner::{OutboundMode, Partner};
use crate::model::referral::{ClinicRecord, Referral, Written};
use crate::model::update::ResourceVersion;
use crate::translation::account::{Account, Tally};
use crate::translation::codes::CodeTrace;
use crate::translation::dialects::{DialectBroken, Dialects};
use crate::translation::placer::Placer;
use crate::translation::submission::Submission;
use crate::translation::to_partner::{Form, PartnerTerms, at_clinic};
use crate::validation::check_resource;
use account::{Road, Walked};

/// What there is to look at.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// A resource of the clinic's, or a Bundle of one and of what it refers to.
    pub sent: &'a Value,
    /// The referral that it is about, as R4.
    pub referral: &'a Value,
    /// Who would get it.
    pub partner: &'a Partner,
    /// The guides that partners follow.
    pub dialects: &'a Dialects,
    /// Our public address.
    pub public_url: &'a str,
    /// The clinic's FHIR base address.
    pub clinic_base: &'a str,
    /// The time that it would be sent at.
    pub now: Timestamp,
}

/// What the partner would get.
#[derive(Debug)]
pub struct Shown {
    /// The kind of update.
    pub kind: &'static Kind,
    /// The resource, and behind it what travels along, in the partner's version.
    pub resources: Vec<Value>,
    /// What became of each value of the file.
    pub account: Account,
    /// The same of each step alone.
    pub steps: Vec<(String, Tally)>,
    /// Which codings were added, and by which code map.
    pub codes: Vec<CodeTrace>,
    /// Why it would not leave.
    pub issues: Vec<Issue>,
    /// For what of the referral the clinic's references are taken: a reference, and the place of the part.
    pub assumed: Vec<(String, String)>,
    /// What would travel along, and is not in the file.
    pub missing: Vec<String>,
}

/// Why there is nothing to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotShown {
    /// It is of a type that is never sent.
    #[error("nothing of this type is sent to partners")]
    Kind,
    /// A modifier extension could turn its meaning round.
    #[error("it has a modifier extension, which could turn its meaning round: it would not be sent")]
    NotUnderstood,
    /// What belongs to the partner's dialect cannot be used.
    #[error(transparent)]
    Dialect(#[from] DialectBroken),
}

/// Whether resources of this type are what goes to partners.
pub fn is_sent(resource_type: &str) -> bool {
    kind(resource_type).is_some()
}

/// Walks the road out, up to the sending.
pub fn shown(material: &Material<'_>) -> Result<Shown, NotShown> {
    let all = placed(material.sent);
    let main = all.iter().find(|it| is_sent(resource::resource_type(it.1))).ok_or(NotShown::Kind)?;
    let kind = kind(resource::resource_type(main.1)).ok_or(NotShown::Kind)?;
    let along = (kind.companions)(main.1);
    let along: Vec<String> = along.iter().filter_map(|it| at_clinic(it, material.clinic_base)).collect();
    let at_hand = |name: &String| all.iter().find(|it| resource::is_named(it.1, name));
    let missing = along.iter().filter(|it| at_hand(it).is_none()).cloned().collect();
    let picked: Vec<&Placed<'_>> = std::iter::once(main).chain(along.iter().filter_map(at_hand)).collect();
    let resources = picked.iter().map(|it| it.1.clone()).collect();
    let reduced = redact::to_kind(resources, kind).ok_or(NotShown::NotUnderstood)?;
    let submission = Submission::of(material.referral);
    let (referral, assumed) = assumed_referral(material, &submission, &picked);
    let terms = PartnerTerms {
        referral: &referral,
        placer: &Placer::of(&submission),
        public_url: material.public_url,
        clinic_base: material.clinic_base,
        dialect: material.dialects.of(material.partner.dialect)?,
        told: None,
        form: form(material.partner),
    };
    let effect = DeliveryId::new(material.now).to_string();
    let (main, companions) = translate::looked_at(reduced.clone(), resource::id(main.1), &terms, &effect);
    let made: Vec<Value> = std::iter::once(main).chain(companions).collect();
    let issues = made.iter().flat_map(|it| check_resource(it, resource::resource_type(it))).collect();
    let road = Road { material, kind, picked: &picked, reduced: &reduced, made: &made, terms: &terms };
    let Walked { resources, account, steps, codes } = road.walked();
    Ok(Shown { kind, resources, account, steps, codes, issues, assumed, missing })
}

/// A resource, and where it is in the file.
pub(super) type Placed<'v> = (String, &'v Value);

fn placed(sent: &Value) -> Vec<Placed<'_>> {
    if resource::resource_type(sent) != "Bundle" {
        return vec![(resource::resource_type(sent).to_owned(), sent)];
    }
    let entries = bundle::entries(sent).enumerate();
    entries.map(|(number, it)| (format!("Bundle.entry[{number}].resource"), &it["resource"])).collect()
}

const fn form(partner: &Partner) -> Form {
    if matches!(partner.outbound.mode, OutboundMode::Inbox) { Form::Hosted } else { Form::Pushed }
}

/// A referral whose parts stand at the clinic under the names that the resource uses: of each type, the first that
/// it names is the first of the submission, and so on. The first Task is the coordination Task.
fn assumed_referral(
    material: &Material<'_>,
    submission: &Submission<'_>,
    picked: &[&Placed<'_>],
) -> (Referral, Vec<(String, String)>) {
    let own: Vec<String> = picked.iter().skip(1).map(|it| resource::name_of(it.1)).collect();
    let mut names: Vec<String> = Vec::new();
    if resource::resource_type(picked[0].1) == "Task" {
        names.push(resource::name_of(picked[0].1));
    }
    for (_, resource) in picked {
        reference::for_each(resource, "", &mut |_, it| {
            let name = at_clinic(it["reference"].as_str().unwrap_or_default(), material.clinic_base);
            names.extend(name.filter(|it| !names.contains(it) && !own.contains(it)));
        });
    }
    let mut referral =
        Referral::new(ReferralId::new(material.now), material.partner.id.clone(), material.now);
    let (mut written, mut assumed) = (Vec::new(), Vec::new());
    for name in names {
        let Some((resource_type, id)) = name.split_once('/') else { continue };
        let version = || "1".to_owned();
        let resource = ResourceVersion {
            resource_type: resource_type.to_owned(),
            id: id.to_owned(),
            version: version(),
        };
        if resource_type == "Task" {
            if !assumed.iter().any(|(it, _): &(String, String)| it.starts_with("Task/")) {
                assumed.push((name.clone(), "the coordination Task".to_owned()));
                written.push(Written { entry: None, resource });
            }
            continue;
        }
        let is_free = |it: &usize| !written.iter().any(|known: &Written| known.entry == Some(*it));
        let parts =
            submission.parts().iter().enumerate().filter(|(_, it)| it.resource_type() == resource_type);
        if let Some(number) = parts.map(|(number, _)| number).find(is_free) {
            assumed.push((name.clone(), submission.place(number)));
            written.push(Written { entry: Some(number), resource });
        }
    }
    referral.clinic = Some(ClinicRecord { written, at: None });
    (referral, assumed)
}
