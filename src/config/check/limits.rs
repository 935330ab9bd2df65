//! `[limits]`.

use std::time::Duration;

use crate::config::findings::Findings;
use crate::config::problem::Code;
use crate::config::raw::limits as raw;
use crate::config::settings::Limits;
use crate::model::client::Rate;
use crate::model::pressure::PressureLimits;

/// Checks the section beside the largest body that one caller may send.
pub(super) fn check(findings: &mut Findings, raw: &raw::Limits, max_body_bytes: usize) -> Limits {
    if raw.body_bytes_at_once < max_body_bytes {
        let room = "limits.body_bytes_at_once";
        let key = if findings.writes(room) { room } else { "server.max_body_bytes" };
        let message = "`limits.body_bytes_at_once` is less than `server.max_body_bytes`".to_owned();
        let help = "make it at least as large, or the largest bodies are never taken";
        findings.report(Code::Conflict, key, message, help);
    }
    Limits {
        connections: raw.connections,
        body_bytes_at_once: raw.body_bytes_at_once,
        client: Rate { per_second: raw.requests_per_second, burst: raw.burst },
        token: Rate { per_second: raw.token_requests_per_second, burst: raw.token_burst },
        gather_resources: raw.gather_resources,
        gather_patience: Duration::from_secs(raw.gather_s),
        pressure: PressureLimits {
            undelivered: raw.undelivered,
            oldest_undelivered: Duration::from_secs(raw.oldest_undelivered_s),
            old_depth: raw.old_depth,
            record_wait: Duration::from_secs(raw.record_wait_s),
            wal_bytes: raw.wal_bytes,
            free_disk_bytes: raw.free_disk_bytes,
            free_disk_percent: raw.free_disk_percent,
        },
        ballast_bytes: raw.ballast_bytes,
        look_every: Duration::from_secs(raw.look_every_s),
    }
}
