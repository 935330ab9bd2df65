//! The tree of provisions (consent S5).

use serde_json::Value;

use super::answer::{Answer, Kind, combine, own};
use super::labels::sensitivity::Sensitivity;
use super::matching::situation::name_of;
use super::question::{Question, items};
use super::rules::{DATA, REQUEST, data, security_label};
use super::trace::RuleTrace;
use super::truth::Truth;

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
    chain: Vec<&'a Value>,
    /// What each rule answered, children first.
    pub rules: Vec<RuleTrace>,
}

impl<'a> Walk<'a> {
    /// Begins above the root.
    pub const fn new(question: Question<'a>) -> Self {
        Self { question, chain: Vec::new(), rules: Vec::new() }
    }

    /// The answer of a typed root.
    pub fn typed_root(&mut self, root: &'a Value) -> Verdict {
        self.rule(root, "")
    }

    /// The strongest answer below an untyped root, which only sets the context (R4, "Not permitted in root
    /// rule").
    pub fn below_untyped_root(&mut self, root: &'a Value) -> Verdict {
        self.chain.push(root);
        let verdict = self.children(root, "");
        self.chain.pop();
        verdict
    }

    fn rule(&mut self, provision: &'a Value, path: &str) -> Verdict {
        self.chain.push(provision);
        let children = self.children(provision, path);
        let verdict = match Kind::of(provision) {
            Some(kind) => self.with_own(children, kind, path),
            // Rule 4 of S2 lets no such rule pass; if one did, it would be doubtful.
            None => Verdict::of(Answer::MayDeny),
        };
        self.chain.pop();
        verdict
    }

    fn children(&mut self, provision: &'a Value, path: &str) -> Verdict {
        let mut strongest = Verdict::of(Answer::Silent);
        for (number, child) in items(&provision["provision"]).enumerate() {
            let dot = if path.is_empty() { "" } else { "." };
            strongest = strongest.beside(self.rule(child, &format!("{path}{dot}{number}")));
        }
        strongest
    }

    fn with_own(&mut self, children: Verdict, kind: Kind, path: &str) -> Verdict {
        let mut criteria = Vec::new();
        let request = self.request(kind, &mut criteria);
        let data = self.data(kind, &mut criteria);
        let own = own(kind, request, data);
        let answer = combine(children.answer, own);
        let path = format!("{}#{path}", name_of(self.question.consent));
        let criteria = criteria.into_iter().map(|(name, truth)| (name.into(), truth)).collect();
        self.rules.push(RuleTrace { path, kind, own, answer, criteria });
        let mut named = children.named;
        if own == Answer::Permit {
            named.extend(self.named());
        }
        if answer != Answer::Permit {
            named.clear();
        }
        Verdict { answer, named }
    }

    /// The rule's own criteria about the request and those of every rule above it.
    fn request(&self, kind: Kind, criteria: &mut Vec<(&'static str, Truth)>) -> Truth {
        let stated = REQUEST.iter().flat_map(|criterion| {
            self.chain.iter().filter_map(move |rule| Some((criterion, rule.get(criterion.name)?)))
        });
        let matched = stated.map(|(criterion, value)| {
            let truth = (criterion.matches)(&self.question, value, kind);
            criteria.push((criterion.name, truth));
            truth
        });
        Truth::all(matched)
    }

    /// The criteria about the data: each as the nearest rule states it.
    fn data(&self, kind: Kind, criteria: &mut Vec<(&'static str, Truth)>) -> Truth {
        let stated = DATA.iter().filter_map(|it| Some((it, self.nearest(it.name)?)));
        let matched = stated.map(|(criterion, value)| {
            let truth = (criterion.matches)(&self.question, value, kind);
            criteria.push((criterion.name, truth));
            truth
        });
        Truth::all(matched)
    }

    fn nearest(&self, element: &str) -> Option<&'a Value> {
        self.chain.iter().rev().find_map(|rule| rule.get(element))
    }

    /// The sensitivities that the permit at the end of the chain names: by a label, by a code, or by naming
    /// the very instance.
    fn named(&self) -> Vec<Sensitivity> {
        let all = self.nearest("code").is_some()
            || self.nearest("data").is_some_and(|it| data::names_instance(&self.question, it));
        let labels = self.nearest("securityLabel");
        let sensitivities = self.question.node.labels.sensitivities.iter().copied();
        sensitivities
            .filter(|it| all || labels.is_some_and(|named| security_label::names(named, it)))
            .collect()
    }
}
