//! `gateway.toml` as a whole.

use std::path::PathBuf;
use std::time::Duration;

use super::{clinic, consent, delivery, limits, server, store};
use crate::config::findings::Findings;
use crate::config::problem::Code;
use crate::config::raw::gateway::{Gateway, Log, LogFormat, LogLevel};
use crate::config::settings::{self, Config, Keys};

/// Checks all sections. The answer has no partners yet.
pub(in crate::config) fn check(findings: &mut Findings, raw: Gateway) -> Option<Config> {
    let limits = limits::check(findings, &raw.limits, raw.server.max_body_bytes);
    let private_networks = raw.server.allow_private_networks;
    let server = server::check(findings, raw.server);
    let store = store::check(findings, raw.store);
    let clinic = clinic::check(findings, raw.clinic, private_networks);
    let consent = consent::check(findings, raw.consent);
    check_profiles(findings, raw.profiles.directory.as_ref());
    Some(Config {
        server: server?,
        limits,
        store: store?,
        clinic: clinic?,
        consent: consent?,
        delivery: delivery::check(&raw.delivery),
        keys: Keys { directory: raw.keys.directory, overlap: Duration::from_hours(raw.keys.overlap_h) },
        profiles_directory: raw.profiles.directory,
        log: log(&raw.log),
        partners: Vec::new(),
    })
}

fn check_profiles(findings: &mut Findings, directory: Option<&PathBuf>) {
    if directory.is_some_and(|directory| !directory.is_dir()) {
        let key = "profiles.directory";
        let help = "name a folder that exists; a relative path starts at the working directory";
        findings.report(Code::NamedFile, key, format!("`{key}` is not a folder"), help);
    }
}

fn log(raw: &Log) -> settings::Log {
    let format = match raw.format {
        LogFormat::Text => settings::LogFormat::Text,
        LogFormat::Json => settings::LogFormat::Json,
    };
    let level = match raw.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    settings::Log { format, level }
}
