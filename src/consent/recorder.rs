//! Who writes down how a decision comes about: nobody, or a trace.
//!
//! The engine has one path and asks its recorder at every step. Which recorder it is, is known when the program
//! is compiled, so a decision without a trace does not pay for one.

use super::answer::{Answer, Kind};
use super::labels::label::Label;
use super::matching::situation::Situation;
use super::node_outcome::{Considered, NodeOutcome, Reply};
use super::payload::node::Node;
use super::provision::Level;
use super::question::Question;
use super::standing::Standing;
use super::trace::{ConsentTrace, Counts, CriterionTrace, LabelTrace, NodeTrace, RuleTrace};
use super::truth::Truth;
use super::{family, values, version_of};

/// Notes what is decided about each node.
pub trait Recorder {
    /// What it notes of a Consent's rules.
    type Rules: RuleRecorder;

    /// Notes one node.
    fn node(&mut self, asked: Asked<'_, '_, Self::Rules>);
}

/// Notes what each rule of one Consent answers about one node.
pub trait RuleRecorder: Default {
    /// What it notes of a rule's criteria.
    type Criteria: Default;

    /// Notes whether a criterion matched that is stated on a level.
    fn criterion(
        criteria: &mut Self::Criteria,
        question: &Question<'_>,
        stated: (&'static str, &Level<'_, '_>),
        truth: Truth,
    );

    /// Notes what the rule of a level answered.
    fn rule(&mut self, question: &Question<'_>, level: &Level<'_, '_>, answered: Answered<Self::Criteria>);
}

/// A node with everything that was said about it.
#[derive(Debug)]
pub struct Asked<'a, 'c, R> {
    /// The disclosure.
    pub situation: &'a Situation<'a>,
    /// The node.
    pub node: &'a Node<'a>,
    /// What was decided about it.
    pub outcome: NodeOutcome,
    /// What the Consents answered.
    pub replies: Vec<Reply<'a, R>>,
    /// The same Consents, and whether they count.
    pub considered: &'c [Considered<'a>],
}

/// What a rule answered.
#[derive(Debug)]
pub struct Answered<C> {
    /// Whether it permits or denies.
    pub kind: Kind,
    /// Its own answer.
    pub own: Answer,
    /// Its answer with its children's.
    pub answer: Answer,
    /// Its criteria.
    pub criteria: C,
}

/// Notes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Recorder for Nothing {
    type Rules = Self;

    fn node(&mut self, _asked: Asked<'_, '_, Self>) {}
}

impl RuleRecorder for Nothing {
    type Criteria = ();

    fn criterion((): &mut (), _: &Question<'_>, _: (&'static str, &Level<'_, '_>), _: Truth) {}

    fn rule(&mut self, _: &Question<'_>, _: &Level<'_, '_>, _: Answered<()>) {}
}

impl Recorder for Vec<NodeTrace> {
    type Rules = Vec<RuleTrace>;

    fn node(&mut self, asked: Asked<'_, '_, Self::Rules>) {
        let older_denials = older_denials(&asked);
        let Asked { node, outcome, replies, considered, .. } = asked;
        let consents = replies.into_iter().zip(considered).map(|(it, of)| consent(it, of.standing));
        self.push(NodeTrace {
            node: node.name.clone(),
            outcome: match outcome {
                NodeOutcome::Released(_) => "released",
                NodeOutcome::NeedsConsent(_) => "needs-consent",
                NodeOutcome::Uncertain(_) => "uncertain",
                NodeOutcome::Denied(_) => "denied",
            }
            .into(),
            rule: outcome.rule().into(),
            labels: labels(node),
            consents: consents.collect(),
            older_denials,
        });
    }
}

impl RuleRecorder for Vec<RuleTrace> {
    type Criteria = Vec<CriterionTrace>;

    fn criterion(
        criteria: &mut Self::Criteria,
        question: &Question<'_>,
        (element, level): (&'static str, &Level<'_, '_>),
        matched: Truth,
    ) {
        criteria.push(CriterionTrace {
            element: element.into(),
            value: values::in_words(element, &level.rule[element]),
            stated_by: level.path(question.consent),
            matched,
        });
    }

    fn rule(&mut self, question: &Question<'_>, level: &Level<'_, '_>, answered: Answered<Self::Criteria>) {
        let Answered { kind, own, answer, criteria } = answered;
        self.push(RuleTrace { path: level.path(question.consent), kind, own, answer, criteria });
    }
}

fn labels(node: &Node<'_>) -> Vec<LabelTrace> {
    let label = |it: &Label| LabelTrace { label: it.code.clone(), from: "label".to_owned() };
    let classified = node.labels.classified.iter();
    let told = classified.map(|(about, code)| LabelTrace { label: (*about).to_owned(), from: code.clone() });
    node.labels.stated.iter().map(label).chain(told).collect()
}

fn consent(reply: Reply<'_, Vec<RuleTrace>>, standing: Standing) -> ConsentTrace {
    ConsentTrace {
        consent: version_of(reply.consent),
        counts: match standing {
            Standing::Counts => Counts::Fully,
            Standing::DeniesOnly(_) => Counts::OnlyToDeny,
            Standing::Doubtful(_) => Counts::AsDoubt,
            Standing::Ignored(_) => Counts::NotAtAll,
        },
        answer: reply.verdict.answer,
        rule: reply.rule.into(),
        rules: reply.rules,
    }
}

fn older_denials<R>(asked: &Asked<'_, '_, R>) -> Vec<String> {
    let zone = &asked.situation.disclosure.clinic.time_zone;
    let that = |answer: Answer| {
        asked.replies.iter().filter(move |it| it.verdict.answer == answer).map(|it| it.consent)
    };
    that(Answer::Deny)
        .filter(|denial| {
            that(Answer::Permit).any(|permission| family::is_certainly_older(denial, permission, zone))
        })
        .map(version_of)
        .collect()
}
