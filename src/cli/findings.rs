//! How the steps of a handshake are shown.

use std::process::ExitCode;

use serde_json::json;

use super::say;
use crate::app::handshake::{Finding, Verdict};

/// Shows them, one a line. Exit code 0 unless a step does not work.
pub fn show(findings: &[Finding], as_json: bool) -> ExitCode {
    for it in findings {
        let verdict = word(it.verdict);
        say(&if as_json {
            json!({ "with": it.with, "step": it.step, "verdict": verdict, "words": it.words }).to_string()
        } else {
            format!("{verdict:<4}  {:<16}  {:<11}  {}", it.with, it.step, it.words)
        });
    }
    let broken = findings.iter().any(|it| it.verdict == Verdict::Bad);
    if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::Look => "look",
        Verdict::Bad => "bad",
    }
}
