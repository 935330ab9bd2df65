//! The tree of provisions (consent S5).

use serde_json::Value;

use super::answer::{Answer, Kind, combine, own};
use super::labels::sensitivity::Sensitivity;
use super::level::Level;
use super::question::Question;
use super::rules::{data, security_label};
use super::trace::RuleTrace;

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

/// A walk through one Consent's provisions for one node.
#[derive(Debug)]
pub struct Walk<'a> {
    question: Question<'a>,
    /// What each rule answered, children first; nothing where no trace is wanted.
    pub rules: Vec<RuleTrace>,
}

impl<'a> Walk<'a> {
    /// Begins above the root.
    pub const fn new(question: Question<'a>) -> Self {
        Self { question, rules: Vec::new() }
    }

    /// The answer of a typed root.
    pub fn typed_root(&mut self, root: &'a Value, kind: Kind) -> Verdict {
        self.rule(&Level::root(root), kind)
    }

    /// The strongest answer below an untyped root, which only sets the context (R4, "Not permitted in root
    /// rule").
    pub fn below_untyped_root(&mut self, root: &'a Value) -> Verdict {
        self.children(&Level::root(root))
    }

    fn rule(&mut self, level: &Level<'_, 'a>, kind: Kind) -> Verdict {
        let children = self.children(level);
        let own = own(kind, level.request(&self.question, kind), level.data(&self.question, kind));
        let answer = combine(children.answer, own);
        if self.question.situation.is_traced {
            self.rules.push(level.trace(&self.question, (kind, own, answer)));
        }
        let mut named = children.named;
        if own == Answer::Permit {
            named.extend(self.named(level));
        }
        if answer != Answer::Permit {
            named.clear();
        }
        Verdict { answer, named }
    }

    fn children(&mut self, level: &Level<'_, 'a>) -> Verdict {
        let mut strongest = Verdict::of(Answer::Silent);
        for (number, child) in level.children.iter().enumerate() {
            let verdict = match Kind::of(child) {
                Some(kind) => self.rule(&level.below(child, number), kind),
                // Rule 4 of S2 lets no such rule pass; if one did, it would be doubtful.
                None => Verdict::of(Answer::MayDeny),
            };
            strongest = strongest.beside(verdict);
        }
        strongest
    }

    /// The sensitivities that a permit names: by a label, by a code, or by naming the very instance.
    fn named(&self, level: &Level<'_, 'a>) -> impl Iterator<Item = Sensitivity> {
        let question = self.question;
        let all = level.nearest("code").is_some()
            || level.nearest("data").is_some_and(|it| data::names_instance(&question, it));
        let labels = level.nearest("securityLabel");
        let sensitivities = question.node.labels.sensitivities.iter().copied();
        sensitivities.filter(move |it| all || labels.is_some_and(|named| security_label::names(named, it)))
    }
}
