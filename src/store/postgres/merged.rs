//! Several statements as one, so that one question and one answer go over the network for all of them.

use std::fmt::Write as _;

use super::super::sql::{Bound, Statement};

/// One statement that does what all of these do, with the parameters of all. PostgreSQL shows none of its parts
/// what another did, and looks at foreign keys when all are done.
pub(super) fn merged<'a>(statements: &[Statement<'a>]) -> (String, Vec<Bound<'a>>) {
    let (mut text, mut values) = (String::new(), Vec::new());
    for (position, statement) in statements.iter().enumerate() {
        let is_last = position + 1 == statements.len();
        // Writing to a String cannot fail.
        let _ = match (position, is_last) {
            (_, true) => Ok(()),
            (0, _) => write!(text, "WITH part0 AS ("),
            _ => write!(text, ", part{position} AS ("),
        };
        write_numbered(&mut text, statement.sql, values.len());
        text.push_str(if is_last { "" } else { ")" });
        values.extend(&statement.values);
    }
    (text, values)
}

/// The statement, its parameters counted from after those of the ones before it.
fn write_numbered(text: &mut String, sql: &str, before: usize) {
    let mut parts = sql.split('?');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let rest = part.trim_start_matches(|it: char| it.is_ascii_digit());
        let number: usize = part[..part.len() - rest.len()].parse().unwrap_or_default();
        let _ = write!(text, "?{}{rest}", number + before);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sql::bind;
    use super::*;

    #[test]
    fn statements_become_one_whose_parameters_are_numbered_on() {
        let statements = [
            Statement::new("INSERT INTO a VALUES (?1, ?2, ?1)", bind![1_i64, "x"]),
            Statement::new("DELETE FROM b", bind![]),
            Statement::new("UPDATE c SET d = ?2 WHERE e = ?1", bind![3_i64, 4_i64]),
        ];

        let (sql, values) = merged(&statements);

        assert_eq!(
            sql,
            "WITH part0 AS (INSERT INTO a VALUES (?1, ?2, ?1)), part1 AS (DELETE FROM b)\
             UPDATE c SET d = ?4 WHERE e = ?3"
        );
        assert_eq!(values.len(), 4);
    }

    #[test]
    fn one_statement_stays_as_it_is() {
        let (sql, values) = merged(&[Statement::new("DELETE FROM a WHERE b = ?1", bind![1_i64])]);

        assert_eq!((sql.as_str(), values.len()), ("DELETE FROM a WHERE b = ?1", 1));
    }
}
