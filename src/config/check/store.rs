//! The ledger's place and keys.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::problem::Code;
use crate::config::raw::gateway as raw;
use crate::config::settings::{Database, PostgresDatabase, Store};
use crate::model::retention::Retention;
use crate::model::sensitive::Sensitive;

const KEY: &str = "store.url";

/// Checks the section.
pub(super) fn check(findings: &mut Findings, raw: raw::Store) -> Option<Store> {
    for file in raw.former_key_files.iter().filter(|file| !file.is_file()) {
        let key = "store.former_key_files";
        let help = "put the file back, or take it out of the list once everything is sealed anew";
        findings.report(Code::NamedFile, key, format!("there is no file {}", file.display()), help);
    }
    let retention = Retention {
        payloads: days(raw.payload_days),
        attempts: days(raw.attempt_days),
        trail: days(raw.trail_days),
    };
    let (encryption_key_file, former_key_files) =
        (raw.encryption_key_file.clone(), raw.former_key_files.clone());
    Some(Store { database: database(findings, raw)?, encryption_key_file, former_key_files, retention })
}

fn days(number: u32) -> Duration {
    Duration::from_hours(24 * u64::from(number))
}

fn database(findings: &mut Findings, raw: raw::Store) -> Option<Database> {
    if raw.url.starts_with("postgres:") || raw.url.starts_with("postgresql:") {
        // Such an address usually has a password in it.
        findings.mask(&Key::from(KEY));
        return postgres(findings, raw);
    }
    let path = raw.url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    let path = path.filter(|path| !path.is_empty() && !path.starts_with(':') && !path.contains('?'));
    if path.is_none() {
        let message = format!("`{KEY}` names neither a SQLite file nor a PostgreSQL database");
        let help = "write it like sqlite:data/gateway.db or postgres://name@host/database";
        findings.report(Code::BadValue, KEY, message, help);
    }
    path.map(|path| Database::Sqlite(PathBuf::from(path)))
}

fn postgres(findings: &mut Findings, raw: raw::Store) -> Option<Database> {
    let has_database = url::Url::parse(&raw.url).is_ok_and(|url| url.path().len() > 1);
    if !has_database {
        let help = "write it like postgres://name:password@host:5432/database";
        findings.report(Code::BadValue, KEY, format!("`{KEY}` does not name a PostgreSQL database"), help);
        return None;
    }
    let url = Sensitive::new(raw.url);
    Some(Database::Postgres(PostgresDatabase { url, connections: raw.connections, instance: raw.instance }))
}
