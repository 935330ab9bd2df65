//! The table's text.
//!
//! ```text
//! DomainResource Patient
//!  gender 0..1 code =administrative-gender
//!  deceased[x] 0..1 boolean|dateTime
//!  contact 0..* +
//!   organization 0..1 Reference(Organization)
//!   ! pat-1
//! =administrative-gender male female other unknown
//! ```
//!
//! One space more is one level deeper. `+` has elements of its own (`+Element`
//! without modifier extensions), `@Path` those of another, `*` is any type.

use super::{Content, Definitions, Element, Kind, Shape, Type, TypeName};

/// A line of the table that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the table is not a type, an element, an invariant or a list of codes")]
pub struct TableError {
    /// The line, from 1.
    pub line: usize,
}

/// Reads the table.
pub(super) fn read(text: &str) -> Result<Definitions, TableError> {
    let lines = text.lines().enumerate().filter(|(_, it)| !it.is_empty() && !it.starts_with('#'));
    let mut lines = lines.map(|(number, it)| (number + 1, it)).peekable();
    let mut definitions = Definitions::default();
    while let Some((number, line)) = lines.next() {
        let unread = TableError { line: number };
        if let Some(codes) = line.strip_prefix('=') {
            let mut words = codes.split(' ');
            let name = words.next().ok_or(unread)?.to_owned();
            definitions.codes.insert(name, words.map(str::to_owned).collect());
        } else {
            let (kind, name) = line.split_once(' ').ok_or(TableError { line: number })?;
            let kind = read_kind(kind).ok_or(unread)?;
            let content = read_content(&mut lines, 1)?;
            definitions.types.insert(name.to_owned(), Type { kind, content });
        }
    }
    Ok(definitions)
}

type Lines<'l, I> = std::iter::Peekable<I>;

fn read_content<'l, I>(lines: &mut Lines<'l, I>, depth: usize) -> Result<Content, TableError>
where
    I: Iterator<Item = (usize, &'l str)>,
{
    let mut content = Content::default();
    while let Some((number, line)) = lines.next_if(|(_, it)| indent(it) == depth) {
        if let Some(keys) = line.trim_start().strip_prefix("! ") {
            content.invariants.extend(keys.split(' ').map(str::to_owned));
            continue;
        }
        let mut element = read_element(line.trim_start()).ok_or(TableError { line: number })?;
        if let Shape::Parts(kind, _) = element.shape {
            element.shape = Shape::Parts(kind, read_content(lines, depth + 1)?);
        }
        content.elements.push(element);
    }
    Ok(content)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn read_kind(word: &str) -> Option<Kind> {
    Some(match word {
        "Resource" => Kind::Resource,
        "DomainResource" => Kind::DomainResource,
        "Element" => Kind::Element,
        "BackboneElement" => Kind::BackboneElement,
        _ => return None,
    })
}

fn read_element(line: &str) -> Option<Element> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let (least, most) = words.next()?.split_once("..")?;
    let shape = match words.next()? {
        "+" => Shape::Parts(Kind::BackboneElement, Content::default()),
        "+Element" => Shape::Parts(Kind::Element, Content::default()),
        "*" => Shape::Open,
        other => match other.strip_prefix('@') {
            Some(path) => Shape::Same(path.to_owned()),
            None => Shape::Of(other.split('|').map(read_type).collect()),
        },
    };
    let codes = words.next().and_then(|it| it.strip_prefix('=')).map(str::to_owned);
    Some(Element {
        name: name.trim_end_matches("[x]").to_owned(),
        is_choice: name.ends_with("[x]"),
        required: least != "0",
        repeats: most == "*",
        shape,
        codes,
    })
}

fn read_type(word: &str) -> TypeName {
    let (name, targets) = word.split_once('(').unwrap_or((word, ""));
    let targets = targets.trim_end_matches(')').split(',').filter(|it| !it.is_empty());
    TypeName { name: name.to_owned(), targets: targets.map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# R4\nDomainResource Patient\n gender 0..1 code =gender\n deceased[x] 0..1 \
        boolean|dateTime\n contact 0..* +\n  organization 1..1 Reference(Organization)\n  ! pat-1\n link 0..* \
        @Patient.contact\n=gender male female\n";

    #[test]
    fn a_table_is_read_with_its_levels() {
        let definitions = read(TABLE).unwrap();

        let patient = &definitions.types["Patient"];
        assert_eq!(patient.kind, Kind::DomainResource);
        assert_eq!(patient.content.elements.len(), 4);
        assert!(patient.content.elements[1].is_choice);
        let contact = definitions.content("Patient.link").unwrap();
        assert_eq!(contact.invariants, ["pat-1"]);
        assert_eq!(contact.elements[0].name, "organization");
        assert!(contact.elements[0].required && !contact.elements[0].repeats);
        assert_eq!(definitions.codes["gender"], ["male", "female"]);
    }

    #[test]
    fn a_line_that_says_nothing_is_named() {
        assert_eq!(read("Element Period\n start dateTime\n").unwrap_err(), TableError { line: 2 });
        assert_eq!(read("# only\nperiod\n").unwrap_err(), TableError { line: 2 });
    }

    #[test]
    fn the_kept_table_can_be_read_and_knows_every_type_that_it_names() {
        let definitions = Definitions::r4();

        let known = |it: &TypeName| {
            super::super::is_primitive(&it.name)
                || it.name == super::super::SIMPLE_QUANTITY
                || it.name == "Resource"
                || definitions.types.contains_key(&it.name)
        };
        let mut unknown = Vec::new();
        let mut waiting: Vec<&Content> = definitions.types.values().map(|it| &it.content).collect();
        while let Some(content) = waiting.pop() {
            for element in &content.elements {
                match &element.shape {
                    Shape::Of(types) => unknown.extend(types.iter().filter(|it| !known(it))),
                    Shape::Parts(_, parts) => waiting.push(parts),
                    Shape::Same(path) => assert!(definitions.content(path).is_some(), "{path}"),
                    Shape::Open => {}
                }
                let codes = element.codes.as_ref();
                assert!(codes.is_none_or(|it| definitions.codes.contains_key(it)), "{codes:?}");
            }
        }
        assert_eq!(unknown, Vec::<&TypeName>::new());
        assert!(definitions.resources().count() > 40);
    }
}
