//! `[store]`.

use std::path::PathBuf;

use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::problem::Code;
use crate::config::raw::gateway as raw;
use crate::config::settings::Store;

const KEY: &str = "store.url";

/// Checks the section.
pub(super) fn check(findings: &mut Findings, raw: raw::Store) -> Option<Store> {
    let path = path(findings, &raw.url)?;
    Some(Store { path, encryption_key_file: raw.encryption_key_file })
}

fn path(findings: &mut Findings, url: &str) -> Option<PathBuf> {
    let help = "write it like sqlite:data/gateway.db";
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        // Such an address usually has a password in it.
        findings.mask(&Key::from(KEY));
        findings.report(
            Code::NotSupported,
            KEY,
            "PostgreSQL is not supported in this version".to_owned(),
            help,
        );
        return None;
    }
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    let path = path.filter(|path| !path.is_empty() && !path.starts_with(':') && !path.contains('?'));
    if path.is_none() {
        findings.report(Code::BadValue, KEY, format!("`{KEY}` does not name a SQLite file"), help);
    }
    path.map(PathBuf::from)
}
