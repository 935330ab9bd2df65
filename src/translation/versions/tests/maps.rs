//! What the data files say is about elements that exist.

use super::super::map::Statement;
use super::super::{functions, map, map_of};
use super::*;

#[test]
fn every_type_and_element_that_a_map_names_exists_in_its_version() {
    for version in OTHERS {
        let (left, right) = (Table::of(FhirVersion::R4), Table::of(version));
        for (r4, other, statements) in map_of(version).blocks() {
            assert!(!left.elements(r4).is_empty(), "{r4} is not in R4");
            assert!(!right.elements(other).is_empty(), "{other} is not in {version:?}");
            for statement in statements {
                for (table, path, name) in named(statement, r4, other) {
                    let table = if table == map::Side::Left { left } else { right };
                    assert!(exists(table, path, &name), "{path}.{name} in {version:?}: {statement:?}");
                }
            }
        }
    }
}

fn named<'p>(statement: &Statement, r4: &'p str, other: &'p str) -> Vec<(map::Side, &'p str, String)> {
    use map::Side::{Left, Right};
    match statement {
        Statement::Move { left, right, .. } => {
            vec![(Left, r4, left.join(".")), (Right, other, right.join("."))]
        }
        Statement::Join { concept, reference, right } => {
            vec![(Left, r4, concept.clone()), (Left, r4, reference.clone()), (Right, other, right.clone())]
        }
        Statement::Negation { status, by, .. } => {
            vec![(Left, r4, status.0.clone()), (Right, other, status.0.clone()), (Right, other, by.0.clone())]
        }
        Statement::Default { side, element, .. } | Statement::Modifier { side, element } => {
            vec![(*side, if *side == Left { r4 } else { other }, element.clone())]
        }
        Statement::Types { element } => vec![(Left, r4, element.clone()), (Right, other, element.clone())],
        Statement::Call { function } => {
            assert!(functions::NAMES.contains(&function.as_str()), "{function}");
            Vec::new()
        }
    }
}

fn exists(table: &Table, path: &str, names: &str) -> bool {
    let (name, rest) = names.split_once('.').unwrap_or((names, ""));
    if let Some(base) = name.strip_suffix("[x]") {
        return table.elements(path).iter().any(|it| it.is_choice && it.name == base);
    }
    let Some(found) = table.find(path, name) else {
        return false;
    };
    rest.is_empty() || exists(table, &found.kind, rest)
}

#[test]
fn every_type_that_a_table_names_is_in_it() {
    for version in [FhirVersion::Stu3, FhirVersion::R4b, FhirVersion::R5] {
        let table = Table::of(version);
        let mut unknown = Vec::new();
        for (path, element) in table.all() {
            let known = match &element.shape {
                Shape::Types(types) => types
                    .iter()
                    .all(|it| is_primitive(it) || it == "Resource" || !table.elements(it).is_empty()),
                Shape::Parts(path) => !table.elements(path).is_empty(),
                Shape::Any => true,
            };
            if !known {
                unknown.push(format!("{path}.{}: {:?}", element.name, element.shape));
            }
        }
        assert_eq!(unknown, Vec::<String>::new(), "{version:?}");
    }
}

#[test]
fn a_line_that_says_nothing_is_named() {
    let line = |text: &str| map::VersionMap::read(text).unwrap_err().line;

    assert_eq!(line("Task\n reason\n"), 2);
    assert_eq!(line("# a remark\n reason = reasonCode\n"), 2);
    assert_eq!(line("Task == Job\n"), 1);
    assert_eq!(line("Task\n status { draft }\n"), 2);
    assert_eq!(Table::read("Element Period\n start dateTime\n").unwrap_err(), table::TableError(2));
}
