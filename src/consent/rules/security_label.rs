//! `provision.securityLabel`: how sensitive (consent S7.4).

use serde_json::Value;

use crate::consent::answer::Kind;
use crate::consent::labels::Labels;
use crate::consent::labels::label::Meaning;
use crate::consent::labels::sensitivity::{ACT_CODE, Sensitivity, is_at_or_below, reached_by_deny};
use crate::consent::purpose::ACT_REASON;
use crate::consent::question::{Question, items};
use crate::consent::truth::Truth;
use crate::model::policy::Confidentiality;

/// Whether the node's labels are among those that the rule names.
pub fn matches(question: &Question<'_>, labels: &Value, kind: Kind) -> Truth {
    let named = Named { labels };
    match kind {
        Kind::Permit => named.covers(question),
        Kind::Deny => named.reaches(question),
    }
}

/// Whether a rule's labels name a sensitivity, by itself or by a level of restricted data (consent S8).
pub fn names(labels: &Value, about: Sensitivity) -> bool {
    let named = Named { labels };
    named.covers_sensitivity(about) || named.level() >= Some(Confidentiality::Restricted)
}

/// The labels that a rule names. They are few, so they are read as often as they are asked for, and nothing is
/// kept of them.
#[derive(Clone, Copy)]
struct Named<'a> {
    labels: &'a Value,
}

impl<'a> Named<'a> {
    fn all(self) -> impl Iterator<Item = (Code<'a>, Meaning)> {
        items(self.labels).map(|it| {
            let text = |name: &str| it[name].as_str().unwrap_or_default();
            let code = Code { system: text("system"), code: text("code") };
            (code, Meaning::of(code.system, code.code))
        })
    }

    fn levels(self) -> impl Iterator<Item = Confidentiality> {
        self.all().filter_map(|(_, it)| if let Meaning::Level(level) = it { Some(level) } else { None })
    }

    fn level(self) -> Option<Confidentiality> {
        self.levels().max()
    }

    fn about(self) -> impl Iterator<Item = Sensitivity> {
        self.all().filter_map(|(_, it)| if let Meaning::About(about) = it { Some(about) } else { None })
    }

    fn others(self) -> impl Iterator<Item = Code<'a>> {
        self.all().filter(|(_, it)| *it == Meaning::Other).map(|(code, _)| code)
    }

    fn covers_sensitivity(self, one: Sensitivity) -> bool {
        self.about().any(|it| is_at_or_below(one, it))
    }

    /// A permit covers up to its level (R4's high water mark) what it names. One that names only
    /// sensitivities does not cover ordinary data.
    fn covers(self, question: &Question<'_>) -> Truth {
        let labels = &question.node.labels;
        let level = self.level();
        let all_named = labels.sensitivities.iter().all(|it| self.covers_sensitivity(it));
        let restricted = level >= Some(Confidentiality::Restricted);
        let within = Some(labels.confidentiality) <= level;
        let sensitive = !labels.sensitivities.is_empty();
        let by_name = sensitive && all_named && labels.confidentiality <= Confidentiality::Restricted;
        let by_other = !sensitive
            && labels.confidentiality <= Confidentiality::Normal
            && self.others().any(|it| it.is_stated(labels));
        if ((all_named || restricted) && within) || by_name || by_other {
            return if labels.are_unknown() { Truth::Unknown } else { Truth::True };
        }
        let unknown_label = self.others().any(|it| it.is_undetectable(question));
        if unknown_label { Truth::Unknown } else { Truth::False }
    }

    /// A deny reaches its level and above, its sensitivities with what is meant along, and equal labels.
    fn reaches(self, question: &Question<'_>) -> Truth {
        let labels = &question.node.labels;
        let by_level = self.levels().any(|it| labels.confidentiality >= it);
        let by_name = !labels.sensitivities.is_empty()
            && self.about().flat_map(reached_by_deny).any(|it| labels.sensitivities.contains(it));
        let by_other = self.others().any(|it| it.is_stated(labels));
        if by_level || by_name || by_other {
            return Truth::True;
        }
        let undetectable = self.about().any(|it| is_missed(it, labels, question))
            || self.others().any(|it| it.is_undetectable(question));
        if labels.are_unknown() || undetectable { Truth::Unknown } else { Truth::False }
    }
}

/// Whether an unlabelled node may be about this without anybody having noticed.
fn is_missed(about: Sensitivity, labels: &Labels, question: &Question<'_>) -> bool {
    !labels.has_level() && !question.situation.disclosure.clinic.lists.can_detect(about)
}

/// A label that a rule names.
#[derive(Clone, Copy)]
struct Code<'a> {
    system: &'a str,
    code: &'a str,
}

impl Code<'_> {
    fn is_stated(self, labels: &Labels) -> bool {
        labels.stated.iter().any(|it| it.system == self.system && it.code == self.code)
    }

    /// Whether its absence means nothing: its system is not one that the clinic applies, or it is one that only
    /// a labeller of people applies and nobody has labelled this.
    fn is_undetectable(self, question: &Question<'_>) -> bool {
        let clinic = question.situation.disclosure.clinic;
        let ours = self.system == ACT_CODE
            || self.system == ACT_REASON
            || self.system.starts_with("http://terminology.hl7.org/CodeSystem/v3-")
            || clinic.known_label_systems.iter().any(|it| it == self.system);
        !ours || !question.node.labels.has_level()
    }
}
