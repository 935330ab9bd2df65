//! Files that a `*_file` key names. Their content is never shown.

use std::path::Path;

use serde_json::Value;

use super::Reported;
use crate::config::findings::Findings;
use crate::config::problem::Code;

/// The text of a file.
pub(super) fn text(findings: &mut Findings, key: &str, file: &Path) -> Option<String> {
    match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) => {
            let message = format!("the file of `{key}` cannot be read: {error}");
            let help = "check the path and its permissions; a relative path starts at the working directory";
            findings.report(Code::NamedFile, key, message, help);
            None
        }
    }
}

/// The text of a PEM file (RFC 7468) with at least one block whose label ends in `label`.
pub(super) fn pem(findings: &mut Findings, key: &str, file: &Path, label: &str) -> Option<String> {
    let text = text(findings, key, file)?;
    let ending = format!("{label}-----");
    if text.lines().any(|line| line.starts_with("-----BEGIN ") && line.trim_end().ends_with(&ending)) {
        return Some(text);
    }
    let message = format!("the file of `{key}` has no PEM block {label}");
    findings.report(Code::NamedFile, key, message, "use the PEM form, with its BEGIN and END lines");
    None
}

/// The certificates of a PEM file, where one is named.
pub(super) fn issuers(
    findings: &mut Findings,
    key: &str,
    file: Option<&Path>,
) -> Result<Option<String>, Reported> {
    file.map(|file| pem(findings, key, file, "CERTIFICATE").ok_or(Reported)).transpose()
}

/// The text of a JWKS document (RFC 7517) with public keys only.
pub(super) fn jwks(findings: &mut Findings, key: &str, file: &Path) -> Option<String> {
    let text = text(findings, key, file)?;
    let Some(help) = fault_of(&text) else { return Some(text) };
    findings.report(Code::NamedFile, key, format!("the file of `{key}` is not a JWKS of public keys"), help);
    None
}

fn fault_of(jwks: &str) -> Option<&'static str> {
    let Ok(jwks) = serde_json::from_str::<Value>(jwks) else { return Some("it must be JSON") };
    let keys = jwks["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    if keys.is_empty() {
        return Some("it must be an object with at least one key in `keys`");
    }
    let is_private = |key: &Value| key.get("d").is_some() || key.get("k").is_some();
    keys.iter().any(is_private).then_some("ask for the public keys; private keys must stay with their owner")
}
