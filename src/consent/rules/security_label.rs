//! `provision.securityLabel`: how sensitive (consent S7.4).

use serde_json::Value;

use crate::consent::answer::Kind;
use crate::consent::labels::Labels;
use crate::consent::labels::label::{Label, Meaning};
use crate::consent::labels::sensitivity::{ACT_CODE, Sensitivity, is_among, reached_by_deny};
use crate::consent::purpose::ACT_REASON;
use crate::consent::question::{Question, items};
use crate::consent::truth::Truth;
use crate::model::policy::Confidentiality;

/// Whether the node's labels are among those that the rule names.
pub fn matches(question: &Question<'_>, labels: &Value, kind: Kind) -> Truth {
    let named = Named::of(labels);
    match kind {
        Kind::Permit => named.covers(question),
        Kind::Deny => named.reaches(question),
    }
}

/// Whether a rule's labels name a sensitivity, by itself or by a level of restricted data (consent S8).
pub fn names(labels: &Value, about: Sensitivity) -> bool {
    let named = Named::of(labels);
    is_among(about, &named.about) || named.level >= Some(Confidentiality::Restricted)
}

struct Named {
    levels: Vec<Confidentiality>,
    level: Option<Confidentiality>,
    about: Vec<Sensitivity>,
    others: Vec<Label>,
}

impl Named {
    fn of(labels: &Value) -> Self {
        let mut named = Self { levels: Vec::new(), level: None, about: Vec::new(), others: Vec::new() };
        for label in items(labels).map(Label::of_coding) {
            match label.meaning() {
                Meaning::Level(level) => named.levels.push(level),
                Meaning::About(about) => named.about.push(about),
                Meaning::Other => named.others.push(label),
            }
        }
        named.level = named.levels.iter().max().copied();
        named
    }

    /// A permit covers up to its level (R4's high water mark) what it names. One that names only
    /// sensitivities does not cover ordinary data.
    fn covers(&self, question: &Question<'_>) -> Truth {
        let labels = &question.node.labels;
        let all_named = labels.sensitivities.iter().all(|it| is_among(it, &self.about));
        let restricted = self.level >= Some(Confidentiality::Restricted);
        let within = Some(labels.confidentiality) <= self.level;
        let sensitive = !labels.sensitivities.is_empty();
        let by_name = sensitive && all_named && labels.confidentiality <= Confidentiality::Restricted;
        let by_other = !sensitive
            && labels.confidentiality <= Confidentiality::Normal
            && self.others.iter().any(|it| labels.stated.contains(it));
        if ((all_named || restricted) && within) || by_name || by_other {
            return if labels.are_unknown() { Truth::Unknown } else { Truth::True };
        }
        let unknown_label = self.others.iter().any(|it| is_undetectable(it, question));
        if unknown_label { Truth::Unknown } else { Truth::False }
    }

    /// A deny reaches its level and above, its sensitivities with what is meant along, and equal labels.
    fn reaches(&self, question: &Question<'_>) -> Truth {
        let labels = &question.node.labels;
        let by_level = self.levels.iter().any(|it| labels.confidentiality >= *it);
        let by_name =
            self.about.iter().flat_map(|it| reached_by_deny(it)).any(|it| labels.sensitivities.contains(&it));
        let by_other = self.others.iter().any(|it| labels.stated.contains(it));
        if by_level || by_name || by_other {
            return Truth::True;
        }
        let undetectable = self.about.iter().any(|it| is_missed(it, labels, question))
            || self.others.iter().any(|it| is_undetectable(it, question));
        if labels.are_unknown() || undetectable { Truth::Unknown } else { Truth::False }
    }
}

/// Whether an unlabelled node may be about this without anybody having noticed.
fn is_missed(about: Sensitivity, labels: &Labels, question: &Question<'_>) -> bool {
    !labels.has_level() && !question.situation.disclosure.clinic.lists.can_detect(about)
}

/// Whether the absence of a label means nothing: its system is not one that the clinic applies, or it is one
/// that only a labeller of people applies and nobody has labelled this.
fn is_undetectable(label: &Label, question: &Question<'_>) -> bool {
    let clinic = question.situation.disclosure.clinic;
    let ours = label.system == ACT_CODE
        || label.system == ACT_REASON
        || label.system.starts_with("http://terminology.hl7.org/CodeSystem/v3-")
        || clinic.known_label_systems.contains(&label.system);
    !ours || !question.node.labels.has_level()
}
