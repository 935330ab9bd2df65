//! Values from outside the settings files: `${VAR}`, `${VAR:-default}`, `${VAR:?message}`.

use std::collections::BTreeMap;

/// Where `${VAR}` comes from. Injected, so that tests do not touch the process.
pub trait Environment {
    /// The value of a variable; none when it is not set or not UTF-8.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        Self::get(self, name).cloned()
    }
}

/// Why a text could not be filled in. Names variables, never their values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotFilled {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: String,
}

/// Fills in every `${…}` of a text. `$${` stands for a plain `${`.
pub(crate) fn fill_in(text: &str, environment: &dyn Environment) -> Result<String, NotFilled> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, opened) = rest.split_at(at);
        rest = &opened[2..];
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            continue;
        }
        filled.push_str(before);
        let end = rest.find('}').ok_or_else(unclosed)?;
        filled.push_str(&value_of(&rest[..end], environment)?);
        rest = &rest[end + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The value of what stands between the braces.
fn value_of(expression: &str, environment: &dyn Environment) -> Result<String, NotFilled> {
    let name_ends = expression.find(':').unwrap_or(expression.len());
    let (name, operator) = expression.split_at(name_ends);
    let known = operator.is_empty() || operator.starts_with(":-") || operator.starts_with(":?");
    if !is_a_name(name) || !known {
        return Err(malformed());
    }
    // As in a shell, the colon makes an empty variable count as one that is not set.
    let value = environment.get(name).filter(|value| operator.is_empty() || !value.is_empty());
    let value = match (value, operator) {
        (Some(value), _) => value,
        (None, "") => return Err(not_set(name, &format!("set it, or write ${{{name}:-default}}"))),
        (None, operator) => match operator.strip_prefix(":-") {
            Some(default) => default.to_owned(),
            None => return Err(not_set(name, operator.trim_start_matches(":?"))),
        },
    };
    if value.contains(['\n', '\r']) {
        return Err(line_break(name));
    }
    Ok(value)
}

fn is_a_name(name: &str) -> bool {
    let legal = name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    legal && name.starts_with(|first: char| !first.is_ascii_digit())
}

fn not_set(name: &str, help: &str) -> NotFilled {
    NotFilled { message: format!("the variable `{name}` is not set"), help: help.to_owned() }
}

fn line_break(name: &str) -> NotFilled {
    NotFilled {
        message: format!("the variable `{name}` has a line break"),
        help: "put a value of several lines into a file and name it with a `_file` key".to_owned(),
    }
}

fn unclosed() -> NotFilled {
    NotFilled {
        message: "a `${` is never closed".to_owned(),
        help: "close it with `}`, or write `$${` for a plain `${`".to_owned(),
    }
}

fn malformed() -> NotFilled {
    NotFilled {
        message: "this is not a variable".to_owned(),
        help: "write ${VAR}, ${VAR:-default} or ${VAR:?message}; write `$${` for a plain `${`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, NotFilled> {
        let variables = [("A", "one"), ("EMPTY", ""), ("LINES", "a\nb = 1")];
        let environment: BTreeMap<_, _> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        fill_in(text, &environment)
    }

    #[test]
    fn variables_defaults_and_escapes_are_filled_in() {
        assert_eq!(filled("x${A}y${A:-two}").unwrap(), "xoneyone");
        assert_eq!(filled("${B:-two}${EMPTY:-three}${EMPTY}").unwrap(), "twothree");
        assert_eq!(filled("${B:-}").unwrap(), "");
        assert_eq!(filled("$${A} $5 {A}").unwrap(), "${A} $5 {A}");
    }

    #[test]
    fn a_missing_variable_says_the_message_of_its_author() {
        assert_eq!(filled("${B:?ask Jo}").unwrap_err().help, "ask Jo");
        assert_eq!(filled("${EMPTY:?ask Jo}").unwrap_err().message, "the variable `EMPTY` is not set");
        assert_eq!(filled("${B}").unwrap_err().message, "the variable `B` is not set");
    }

    #[test]
    fn a_line_break_cannot_smuggle_in_a_setting() {
        assert_eq!(filled("${LINES}").unwrap_err().message, "the variable `LINES` has a line break");
    }

    #[test]
    fn malformed_variables_are_refused() {
        assert!(filled("${A").is_err());
        assert!(filled("${}").is_err());
        assert!(filled("${1A}").is_err());
        assert!(filled("${A:+x}").is_err());
    }
}
