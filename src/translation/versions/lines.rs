//! Which line of a version's map speaks of a value: for people who ask how it got where it is.

use serde_json::Value;

use super::report::Passage;
use super::table::Table;
use crate::fhir::resource::resource_type;
use crate::model::fhir_version::FhirVersion;

/// A line of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapLine {
    /// The file, below `profiles/versions/`.
    pub file: &'static str,
    /// Counted from 1.
    pub line: usize,
    /// What it says.
    pub text: &'static str,
}

/// An element on the way to a value: the type that it is one of, and its name.
type Step = (String, String);

/// The innermost line that names the elements of a passage in both versions. None: what happened follows from the
/// tables of types, or a function did it.
pub fn line_for(
    (source, from): (&Value, FhirVersion),
    (result, to): (&Value, FhirVersion),
    passage: &Passage,
) -> Option<MapLine> {
    let is_to_r4 = to == FhirVersion::R4;
    let (file, text) = if is_to_r4 { map_text(from) } else { map_text(to) }?;
    let before = steps(source, from, &passage.from);
    let after = passage.to.as_ref().map(|place| steps(result, to, place));
    let lines = named_lines(text);
    let speaks = |it: &&Named<'static>, (path, name): &Step, there: Option<&Step>| {
        let (own, other) = if is_to_r4 { (it.right, it.left) } else { (it.left, it.right) };
        own == path
            && mentions(it.text, name)
            && there.is_none_or(|(path, name)| other == path && mentions(it.text, name))
    };
    let innermost = |before: &[Step], after: &[Step]| {
        let pairs = before.iter().rev().flat_map(|step| after.iter().rev().map(move |there| (step, there)));
        pairs.into_iter().find_map(|(step, there)| lines.iter().find(|it| speaks(it, step, Some(there))))
    };
    let found = match &after {
        // Where it moved, what is the same at the end of both ways came along.
        Some(after) => {
            let same = before
                .iter()
                .rev()
                .zip(after.iter().rev())
                .take_while(|(one, other)| one.1 == other.1)
                .count();
            innermost(&before[..before.len() - same], &after[..after.len() - same])
                .or_else(|| innermost(&before, after))
        }
        None => before.iter().rev().find_map(|step| lines.iter().find(|it| speaks(it, step, None))),
    };
    found.map(|it| MapLine { file, line: it.line, text: it.text })
}

/// A line, with the types that its block is about.
struct Named<'t> {
    left: &'t str,
    right: &'t str,
    line: usize,
    text: &'t str,
}

fn named_lines(text: &str) -> Vec<Named<'_>> {
    let (mut left, mut right) = ("", "");
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, it)| !it.is_empty() && !it.starts_with('#')) {
        let is_header = !line.starts_with(' ');
        if is_header {
            let words: Vec<&str> = line.split_whitespace().collect();
            left = words.first().copied().unwrap_or_default();
            right = words.get(2).copied().unwrap_or(left);
        }
        lines.push(Named { left, right, line: number + 1, text: line.trim() });
    }
    lines
}

/// A header names types and, where they differ, says what a `resourceType` becomes. A modifier moves nothing.
fn mentions(line: &str, name: &str) -> bool {
    if line.starts_with("modifier ") {
        return false;
    }
    if name == "resourceType" {
        return line.starts_with(|it: char| it.is_ascii_uppercase()) && line.contains('=');
    }
    line.split([' ', '.', '=']).any(|it| it == name)
}

/// The elements on the way to a place, from the innermost resource on.
fn steps(root: &Value, version: FhirVersion, place: &str) -> Vec<Step> {
    let table = Table::of(version);
    let mut steps: Vec<Step> = Vec::new();
    let mut value = root;
    let mut path = resource_type(root).to_owned();
    for step in place.split('.').skip(1) {
        let (name, number) = step.split_once('[').map_or((step, None), |(name, number)| {
            (name, number.trim_end_matches(']').parse::<usize>().ok())
        });
        let plain = name.strip_prefix('_').unwrap_or(name);
        steps.push((path.clone(), plain.to_owned()));
        value = number.map_or(&value[name], |it| &value[name][it]);
        if value.get("resourceType").is_some() {
            steps.clear();
            resource_type(value).clone_into(&mut path);
        } else {
            path = table.find(&path, plain).map(|it| it.kind).unwrap_or_default();
        }
    }
    steps
}

fn map_text(version: FhirVersion) -> Option<(&'static str, &'static str)> {
    match version {
        FhirVersion::Stu3 => Some(("stu3.map", super::STU3_TEXT)),
        FhirVersion::R4b => Some(("r4b.map", super::R4B_TEXT)),
        FhirVersion::R5 => Some(("r5.map", super::R5_TEXT)),
        FhirVersion::R4 => None,
    }
}
