//! The command line: one command a file. Only here is anything printed.

pub mod audit;
pub mod check;
pub mod config;
pub mod consent;
pub mod deliveries;
pub mod demo;
pub mod endpoints;
pub mod explain;
pub mod findings;
pub mod keys;
pub mod ledger;
pub mod lint;
pub mod orders;
pub mod partners;
pub mod preview;
pub mod profiles;
pub mod replay;
pub mod serve;
pub mod settings;
pub mod status;

use std::fmt::Display;
use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit code for settings that cannot be used (sysexits, EX_CONFIG).
pub const EXIT_CONFIG: u8 = 78;

/// A FHIR R4 gateway: referrals in, updates back only when consent permits.
#[derive(Debug, Parser)]
#[command(name = "referral-gateway", version, about, arg_required_else_help = true)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    Serve(serve::Serve),
    /// Report every mistake in the settings, and start nothing. Exit code 0 or 78; with --online also 1.
    Check(check::Check),
    /// Show a referral going in and updates coming back: no settings, no network, no services.
    Demo(demo::Demo),
    /// Show what each step of the road makes of a message. Nothing is written.
    Preview(preview::Preview),
    /// What is waiting, why, since when, and what can be done.
    Status(status::StatusCommand),
    /// What is owed to the clinic and to partners, and where it stands.
    #[command(subcommand)]
    Deliveries(deliveries::Deliveries),
    /// Deliveries that are sent again by order.
    #[command(subcommand)]
    Replays(replay::Replays),
    /// The servers that we write to, and leaving one alone for a while.
    #[command(subcommand)]
    Endpoints(endpoints::Endpoints),
    /// Who may connect, and why one cannot.
    #[command(subcommand)]
    Partners(partners::Partners),
    /// Our own keys, with which we sign at others' servers.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// What was decided and disclosed, and whether the record of it is whole.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Copies of the ledger, made beside a gateway that may be running.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// What consent says, and why.
    #[command(subcommand)]
    Consent(consent::Consent),
    /// What resources must look like.
    #[command(subcommand)]
    Profiles(profiles::Profiles),
    /// The settings themselves.
    #[command(subcommand)]
    Config(config::Config),
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    match CommandLine::parse().command {
        Command::Serve(serve) => block_on(serve.run()),
        Command::Check(check) => block_on(check.run()),
        Command::Demo(demo) => block_on(demo.run()),
        Command::Preview(preview) => preview.run(),
        Command::Status(status) => block_on(status.run()),
        Command::Deliveries(deliveries) => block_on(deliveries.run()),
        Command::Replays(replays) => block_on(replays.run()),
        Command::Endpoints(endpoints) => block_on(endpoints.run()),
        Command::Partners(partners) => block_on(partners.run()),
        Command::Keys(keys) => keys.run(),
        Command::Audit(audit) => block_on(audit.run()),
        Command::Ledger(ledger) => block_on(ledger.run()),
        Command::Consent(consent) => block_on(consent.run()),
        Command::Profiles(profiles) => profiles.run(),
        Command::Config(config) => config.run(),
    }
}

fn block_on(work: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => fail(&format!("the program cannot start its threads: {error}")),
    }
}

/// Prints one line of a result.
pub(crate) fn say(line: &str) {
    // A reader that has gone away, such as `head`, is no mistake.
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints one line about the run itself.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Tells what failed.
fn failed(error: impl Display) -> ExitCode {
    fail(&error.to_string())
}

fn fail(reason: &str) -> ExitCode {
    tell(&format!("error: {reason}"));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }
}
