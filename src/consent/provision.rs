//! The tree of provisions (consent S5).

use serde_json::Value;

use super::answer::{Answer, Kind, combine, own};
use super::labels::sensitivity::Sensitivity;
use super::question::{Question, items};
use super::recorder::{Answered, RuleRecorder};
use super::rules::{Criterion, DATA, REQUEST, data, security_label};
use super::truth::Truth;
use crate::fhir::resource::{element, name_of};

/// What a rule answers, with the sensitivities that its permit names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The answer.
    pub answer: Answer,
    /// Those of the node's sensitivities that the permitting rules name (consent S8).
    pub named: Vec<Sensitivity>,
}

impl Verdict {
    /// An answer that names nothing.
    pub const fn of(answer: Answer) -> Self {
        Self { answer, named: Vec::new() }
    }

    /// The stronger of two siblings; of two permits, what both name.
    fn beside(self, other: Self) -> Self {
        match self.answer.cmp(&other.answer) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Equal => self.naming(other.named),
        }
    }

    fn naming(mut self, more: Vec<Sensitivity>) -> Self {
        self.named.extend(more);
        self
    }
}

/// One rule with the rules above it. It lives on the stack, so that going down the tree allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Level<'a, 'l> {
    /// The provision.
    pub rule: &'a Value,
    number: usize,
    above: Option<&'l Self>,
}

impl<'a> Level<'a, '_> {
    const fn root(rule: &'a Value) -> Self {
        Self { rule, number: 0, above: None }
    }

    /// `Consent/12#0.1`.
    pub fn path(&self, consent: &Value) -> String {
        let below_root = self.upwards().filter(|it| it.above.is_some());
        let mut numbers: Vec<String> = below_root.map(|it| it.number.to_string()).collect();
        numbers.reverse();
        format!("{}#{}", name_of(consent), numbers.join("."))
    }

    /// The rule itself first, the root last.
    fn upwards(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |it| it.above)
    }

    /// The level that states an element for this rule: the nearest.
    fn nearest(&self, name: &str) -> Option<(&Self, &'a Value)> {
        self.upwards().find_map(|it| Some((it, element(it.rule, name)?)))
    }
}

/// A walk through one Consent's provisions for one node.
#[derive(Debug)]
pub struct Walk<'a, R> {
    question: Question<'a>,
    /// What each rule answered, children first.
    pub rules: R,
}

impl<'a, R: RuleRecorder> Walk<'a, R> {
    /// Begins above the root.
    pub fn new(question: Question<'a>) -> Self {
        Self { question, rules: R::default() }
    }

    /// The answer of a typed root.
    pub fn typed_root(&mut self, root: &'a Value) -> Verdict {
        self.rule(&Level::root(root))
    }

    /// The strongest answer below an untyped root, which only sets the context (R4, "Not permitted in root
    /// rule").
    pub fn below_untyped_root(&mut self, root: &'a Value) -> Verdict {
        self.children(&Level::root(root))
    }

    fn rule(&mut self, level: &Level<'a, '_>) -> Verdict {
        let children = self.children(level);
        match Kind::of(level.rule) {
            Some(kind) => self.with_own(children, kind, level),
            // Rule 4 of S2 lets no such rule pass; if one did, it would be doubtful.
            None => Verdict::of(Answer::MayDeny),
        }
    }

    fn children(&mut self, level: &Level<'a, '_>) -> Verdict {
        let mut strongest = Verdict::of(Answer::Silent);
        let rules = element(level.rule, "provision").into_iter().flat_map(items);
        for (number, rule) in rules.enumerate() {
            strongest = strongest.beside(self.rule(&Level { rule, number, above: Some(level) }));
        }
        strongest
    }

    fn with_own(&mut self, children: Verdict, kind: Kind, level: &Level<'a, '_>) -> Verdict {
        let mut criteria = R::Criteria::default();
        let request = self.request(kind, level, &mut criteria);
        let data = self.data(kind, level, &mut criteria);
        let own = own(kind, request, data);
        let answer = combine(children.answer, own);
        self.rules.rule(&self.question, level, Answered { kind, own, answer, criteria });
        let mut named = children.named;
        if own == Answer::Permit {
            named.extend(self.named(level));
        }
        if answer != Answer::Permit {
            named.clear();
        }
        Verdict { answer, named }
    }

    /// The rule's own criteria about the request and those of every rule above it.
    fn request(&self, kind: Kind, level: &Level<'a, '_>, criteria: &mut R::Criteria) -> Truth {
        let stated = REQUEST.iter().flat_map(|criterion| {
            level.upwards().filter_map(move |it| Some((criterion, it, element(it.rule, criterion.name)?)))
        });
        self.all(kind, stated, criteria)
    }

    /// The criteria about the data: each as the nearest rule states it.
    fn data(&self, kind: Kind, level: &Level<'a, '_>, criteria: &mut R::Criteria) -> Truth {
        let stated = DATA.iter().filter_map(|criterion| {
            let (stating, value) = level.nearest(criterion.name)?;
            Some((criterion, stating, value))
        });
        self.all(kind, stated, criteria)
    }

    fn all<'l>(
        &self,
        kind: Kind,
        stated: impl Iterator<Item = (&'l Criterion, &'l Level<'a, 'l>, &'a Value)>,
        criteria: &mut R::Criteria,
    ) -> Truth
    where
        'a: 'l,
    {
        Truth::all(stated.map(|(criterion, stating, value)| {
            let truth = (criterion.matches)(&self.question, value, kind);
            R::criterion(criteria, &self.question, (criterion.name, stating), truth);
            truth
        }))
    }

    /// The sensitivities that the permit at the end of the chain names: by a label, by a code, or by naming
    /// the very instance.
    fn named(&self, level: &Level<'a, '_>) -> impl Iterator<Item = Sensitivity> {
        let stated = |element| level.nearest(element).map(|(_, value)| value);
        let sensitivities = &self.question.node.labels.sensitivities;
        let labels = stated("securityLabel");
        let all = !sensitivities.is_empty()
            && (stated("code").is_some()
                || stated("data").is_some_and(|it| data::names_instance(&self.question, it)));
        let named = sensitivities.iter().copied();
        named.filter(move |it| all || labels.is_some_and(|named| security_label::names(named, it)))
    }
}
