//! Keeps secrets out of what is shown.

use std::ops::Range;

/// Words that make a key's value a secret.
const SECRET_WORDS: [&str; 4] = ["secret", "token", "passw", "private_key"];

/// Whether the value of a key of this name must not be shown. A file's name and an address may.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_pointer = name.ends_with("_file") || name.ends_with("_url");
    !is_pointer && SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// What to hide in a text that is not TOML: from the `=` behind a secret's name to the end of the line,
/// or of the text where a value of several lines begins.
pub(crate) fn in_broken_text(text: &str) -> Vec<Range<usize>> {
    let lowercase = text.to_ascii_lowercase();
    let mut masked = Vec::new();
    for word in SECRET_WORDS {
        for (at, _) in lowercase.match_indices(word) {
            let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end);
            let Some(equals) = text[at..line_end].find('=').map(|equals| at + equals + 1) else { continue };
            let value = &text[equals..line_end];
            let several_lines = value.contains("\"\"\"") || value.contains("'''");
            masked.push(equals..if several_lines { text.len() } else { line_end });
        }
    }
    masked
}
