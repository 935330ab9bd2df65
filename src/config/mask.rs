//! Keeps secrets out of what is shown.

use std::ops::Range;

use super::nearest::nearest;

/// Words that make a key's value a secret, also when they are misspelt.
const SECRET_WORDS: [&str; 5] = ["secret", "token", "password", "passwd", "passphrase"];

/// Whether the value of a key of this name must not be shown. A file's name and an address may.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_pointer = name.ends_with("_file") || name.ends_with("_url");
    let mut words = name.split(['_', '-']);
    let has_a_secret_word = SECRET_WORDS.iter().any(|word| name.contains(word));
    !is_pointer && (has_a_secret_word || words.any(|word| nearest(word, &SECRET_WORDS).is_some()))
}

/// What to hide in a text that is not TOML: from the `=` behind a secret's name to the end of the line,
/// or of the text where a value of several lines begins.
pub(crate) fn in_broken_text(text: &str) -> Vec<Range<usize>> {
    let mut masked = Vec::new();
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(at) = secret_value_in(line) {
            let several_lines = line[at..].contains("\"\"\"") || line[at..].contains("'''");
            let end = if several_lines { text.len() } else { line_start + line.len() };
            masked.push(line_start + at..end);
        }
        line_start += line.len();
    }
    masked
}

/// Where the value of the first secret in a line begins.
fn secret_value_in(line: &str) -> Option<usize> {
    let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
    line.match_indices('=').map(|(at, _)| at).find_map(|at| {
        let before = line[..at].trim_end().trim_end_matches(['"', '\'']);
        let name_start = before.rfind(|it| !is_name(it)).map_or(0, |it| it + 1);
        before.get(name_start..).is_some_and(is_secret).then_some(at + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_also_misspelt() {
        for name in
            ["token", "hook_token", "client_secret", "clientsecret", "pasword", "client-sercet", "TOKKEN"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in
            ["token_file", "token_url", "client_id", "base_url", "kind", "name", "timeout_s", "key_id"]
        {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_broken_text_is_masked_behind_the_names_of_secrets() {
        assert_eq!(in_broken_text("a = 1\nb = { token = \"x\"\nc = 2").first(), Some(&(19..24)));
        assert_eq!(in_broken_text("password = '''\nx\ny").first(), Some(&(10..18)));
    }
}
