//! A secret, given in the key itself or in the file that the `*_file` key names.

use std::path::PathBuf;

use super::{Reported, named_file, needed};
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::problem::Code;
use crate::model::sensitive::Sensitive;

/// A secret that must be given. `key` is that of the secret itself, without `_file`.
pub(super) fn required(
    findings: &mut Findings,
    key: &str,
    inline: Option<String>,
    file: Option<PathBuf>,
) -> Option<Sensitive<String>> {
    if findings.is_reported(&Key::from(key)) {
        return None;
    }
    let help = format!("add `{key}_file`, or `{key}` with a ${{VAR}}");
    let secret = optional(findings, key, inline, file).ok()?;
    needed(findings, &format!("{key}_file"), secret, &help)
}

/// A secret that may be left out.
pub(super) fn optional(
    findings: &mut Findings,
    key: &str,
    inline: Option<String>,
    file: Option<PathBuf>,
) -> Result<Option<Sensitive<String>>, Reported> {
    let file_key = format!("{key}_file");
    let (from, secret) = match (inline, file) {
        (Some(_), Some(_)) => {
            let message = format!("both `{key}` and `{file_key}` are given");
            findings.report(Code::Conflict, file_key.as_str(), message, "keep one of them");
            return Err(Reported);
        }
        (Some(secret), None) => (key, secret),
        (None, Some(file)) => {
            (file_key.as_str(), named_file::text(findings, &file_key, &file).ok_or(Reported)?)
        }
        (None, None) => return Ok(None),
    };
    let secret = secret.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        findings.report(
            Code::BadValue,
            from,
            format!("the secret of `{from}` is empty"),
            "put the secret there",
        );
        return Err(Reported);
    }
    Ok(Some(Sensitive::new(secret.to_owned())))
}
