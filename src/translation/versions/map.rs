//! What differs between R4 and another version, as `profiles/versions/*.map` states it. R4 is on the left. What
//! is not stated follows from the tables: an element of the same name is carried, any other is kept as an
//! extension.
//!
//! ```text
//! ServiceRequest = ReferralRequest          a type or a part, and its other name
//!  requisition = groupIdentifier            the same under another name; `a.b` is in the first part
//!  status { revoked=cancelled draft>active } codes: both ways, or only in the direction of the arrow; `a*=b*`:
//!                                           by their beginnings
//!  clinicalStatus system http://…           a CodeableConcept of this system on one side, a code on the other
//!  reasonCode + reasonReference = reason    a concept and a reference in one CodeableReference
//!  recorder = participant.actor where function http://…|enterer
//!  negation status=not-done by notDone=true else completed
//!  default right taken unk                  added where it is missing
//!  modifier right doNotPerform              turns the meaning round: kept as a modifier extension
//!  types reference                          its text names types
//!  call consent_rules                       what cannot be said here
//! ```

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// A line of a map that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(super) struct MapError {
    /// The line, from 1.
    pub(super) line: usize,
    /// What is wrong with it.
    pub(super) problem: &'static str,
}

/// Everything that is stated about one version.
#[derive(Debug, Default)]
pub(super) struct VersionMap {
    /// By the path in R4 and the path in the other version.
    blocks: HashMap<(String, String), Vec<Statement>>,
    /// Types that have another name: R4's, the other's, and whether the other is marked as the rarer one.
    renamed: Vec<(String, String, bool)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    Move { left: Vec<String>, right: Vec<String>, how: How },
    Join { concept: String, reference: String, right: String },
    Negation { status: (String, String), by: (String, String), otherwise: String },
    Default { side: Side, element: String, code: String },
    Modifier { side: Side, element: String },
    Types { element: String },
    Call { function: String },
}

/// What happens to the value on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    Same,
    Codes(Codes),
    System(String),
    /// The part of the right side has this code in this element.
    Where {
        element: String,
        system: String,
        code: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Codes of the left in those of the right, and back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Codes {
    to_right: BTreeMap<String, String>,
    to_left: BTreeMap<String, String>,
}

impl Codes {
    /// The code at the other side; what is not named is the same there.
    pub(super) fn translate<'c>(&'c self, code: &'c str, to: Side) -> Cow<'c, str> {
        let codes = if to == Side::Left { &self.to_left } else { &self.to_right };
        if let Some(there) = codes.get(code) {
            return Cow::Borrowed(there);
        }
        let beginnings =
            codes.iter().filter_map(|(from, to)| from.strip_suffix('*').zip(to.strip_suffix('*')));
        let mut fitting =
            beginnings.filter_map(|(from, to)| Some(format!("{to}{}", code.strip_prefix(from)?)));
        fitting.next().map_or(Cow::Borrowed(code), Cow::Owned)
    }
}

impl VersionMap {
    /// Reads a map.
    pub(super) fn read(text: &str) -> Result<Self, MapError> {
        let mut map = Self::default();
        let mut block: Option<(String, String)> = None;
        for (number, line) in text.lines().enumerate() {
            let unread = |problem| MapError { line: number + 1, problem };
            let words: Vec<&str> = line.split_whitespace().collect();
            if words.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with(' ') {
                let statement = statement(&words).ok_or_else(|| unread("is no statement"))?;
                let block = block.clone().ok_or_else(|| unread("stands under no type"))?;
                map.blocks.entry(block).or_default().push(statement);
            } else {
                let (left, right, marked) = header(&words).ok_or_else(|| unread("names no type"))?;
                if left != right && !left.contains('.') {
                    map.renamed.push((left.clone(), right.clone(), marked));
                }
                block = Some((left, right));
            }
        }
        Ok(map)
    }

    pub(super) fn statements(&self, left: &str, right: &str) -> &[Statement] {
        let key = (left.to_owned(), right.to_owned());
        self.blocks.get(&key).map_or(&[][..], Vec::as_slice)
    }

    /// Every block.
    #[cfg(test)]
    pub(super) fn blocks(&self) -> impl Iterator<Item = (&str, &str, &[Statement])> {
        self.blocks.iter().map(|((left, right), it)| (left.as_str(), right.as_str(), it.as_slice()))
    }

    /// The name of a type at the other side. `marked` is what an earlier conversion noted of it.
    pub(super) fn type_name<'n>(&'n self, name: &'n str, to: Side, marked: Option<&str>) -> &'n str {
        if to == Side::Left {
            return self.renamed.iter().find(|(_, right, _)| right == name).map_or(name, |(left, ..)| left);
        }
        let mut fitting = self.renamed.iter().filter(|(left, ..)| left == name);
        let wanted = |(_, right, is_marked): &&(String, String, bool)| match marked {
            Some(marked) => right == marked,
            None => !is_marked,
        };
        fitting.find(wanted).map_or(name, |(_, right, _)| right)
    }

    /// Whether a type of the other side must be noted, so that it can be found again.
    pub(super) fn is_marked(&self, right: &str) -> bool {
        self.renamed.iter().any(|(_, it, marked)| it == right && *marked)
    }
}

fn header(words: &[&str]) -> Option<(String, String, bool)> {
    match words {
        [name] => Some(((*name).to_owned(), (*name).to_owned(), false)),
        [left, "=", right] => Some(((*left).to_owned(), (*right).to_owned(), false)),
        [left, "=", right, "marked"] => Some(((*left).to_owned(), (*right).to_owned(), true)),
        _ => None,
    }
}

fn statement(words: &[&str]) -> Option<Statement> {
    let text = |it: &str| it.to_owned();
    Some(match words {
        ["types", element] => Statement::Types { element: text(element) },
        ["call", function] => Statement::Call { function: text(function) },
        ["default", side, element, code] => {
            Statement::Default { side: read_side(side)?, element: text(element), code: text(code) }
        }
        ["modifier", side, element] => Statement::Modifier { side: read_side(side)?, element: text(element) },
        ["negation", status, "by", by, "else", otherwise] => {
            Statement::Negation { status: pair(status)?, by: pair(by)?, otherwise: text(otherwise) }
        }
        [concept, "+", reference, "=", right] => {
            Statement::Join { concept: text(concept), reference: text(reference), right: text(right) }
        }
        [left, "=", right, how @ ..] => {
            Statement::Move { left: path(left), right: path(right), how: read_how(how)? }
        }
        [name, how @ ..] if !how.is_empty() => {
            Statement::Move { left: path(name), right: path(name), how: read_how(how)? }
        }
        _ => return None,
    })
}

fn read_side(word: &str) -> Option<Side> {
    match word {
        "left" => Some(Side::Left),
        "right" => Some(Side::Right),
        _ => None,
    }
}

fn path(text: &str) -> Vec<String> {
    text.split('.').map(str::to_owned).collect()
}

fn pair(text: &str) -> Option<(String, String)> {
    text.split_once('=').map(|(left, right)| (left.to_owned(), right.to_owned()))
}

fn read_how(words: &[&str]) -> Option<How> {
    Some(match words {
        [] => How::Same,
        ["system", system] => How::System((*system).to_owned()),
        ["where", element, value] => {
            let (system, code) = value.split_once('|')?;
            How::Where { element: (*element).to_owned(), system: system.to_owned(), code: code.to_owned() }
        }
        ["{", codes @ .., "}"] => How::Codes(read_codes(codes)?),
        _ => return None,
    })
}

fn read_codes(words: &[&str]) -> Option<Codes> {
    let mut codes = Codes::default();
    for word in words {
        let at = word.find(['=', '>', '<'])?;
        let (left, right) = (word[..at].to_owned(), word[at + 1..].to_owned());
        if !word[at..].starts_with('<') {
            codes.to_right.insert(left.clone(), right.clone());
        }
        if !word[at..].starts_with('>') {
            codes.to_left.insert(right, left);
        }
    }
    Some(codes)
}
