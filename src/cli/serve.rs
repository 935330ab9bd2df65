//! `serve`: run the gateway.

use std::process::ExitCode;

use clap::Args;
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::settings::{self, SettingsFolder};
use super::{EXIT_CONFIG, fail, tell};
use crate::app::{Gateway, Sockets, StartError};
use crate::config::Loaded;
use crate::config::settings::{Config, LogFormat};
use crate::telemetry::{self, Format};

/// Run the gateway.
#[derive(Args, Debug)]
pub struct Serve {
    #[command(flatten)]
    settings: SettingsFolder,
}

impl Serve {
    /// Runs until SIGINT or SIGTERM; a second one ends at once. A ledger that fails ends it too: whoever
    /// started the gateway starts it again, and the start finds out what is on the disk.
    pub async fn run(self) -> ExitCode {
        let Loaded { config, problems } = self.settings.load();
        settings::show(&problems);
        let Some(config) = config else {
            return ExitCode::from(EXIT_CONFIG);
        };
        if !problems.is_empty() {
            tell("The partners above are left out; the others are served.");
        }
        start_log(&config);
        match serve(config).await {
            Ok(Stopped::ByASignal) => ExitCode::SUCCESS,
            Ok(Stopped::ByItsLedger) => {
                fail("the ledger failed; look at its disk, then start the gateway again")
            }
            Err(error) => fail(&error.to_string()),
        }
    }
}

fn start_log(config: &Config) {
    let format = match config.log.format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    telemetry::start(format, config.log.level);
}

/// Why a gateway that was up came to its end.
enum Stopped {
    ByASignal,
    ByItsLedger,
}

/// Patient data is in memory while it is worked on: it must not end up in a core file, nor, in a release, be
/// read by others of the same user (Linux, prctl(2), PR_SET_DUMPABLE). Where that cannot be had, all else holds
/// the same.
fn keep_memory_private() {
    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = setrlimit(Resource::Core, nothing);
    #[cfg(all(target_os = "linux", not(debug_assertions)))]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

async fn serve(config: Config) -> Result<Stopped, StartError> {
    keep_memory_private();
    let mut signals = StopSignals::catch();
    let sockets = Sockets::bind(&config).await?;
    let (listen, operator_listen, partners) =
        (config.server.listen, config.server.operator_listen, config.partners.len());
    let mut gateway = Gateway::start(config, sockets, None).await?;
    gateway.run_in_background();
    tracing::info!(%listen, %operator_listen, partners, "the gateway is up");
    let stopped = tokio::select! {
        () = signals.next() => Stopped::ByASignal,
        () = gateway.until_the_ledger_fails() => Stopped::ByItsLedger,
    };
    tracing::info!("stopping; what runs may end");
    tokio::select! {
        () = gateway.stop() => tracing::info!("stopped"),
        () = signals.next() => {
            tracing::warn!("stopped at once");
            // Not even for what blocks a thread. What was answered is on disk.
            std::process::exit(1);
        }
    }
    Ok(stopped)
}

/// The signals that ask us to stop.
pub(super) struct StopSignals(Option<(Signal, Signal)>);

impl StopSignals {
    /// From here on they no longer end the process by themselves. Without signals there is no way to be asked.
    pub(super) fn catch() -> Self {
        Self(signal(SignalKind::interrupt()).ok().zip(signal(SignalKind::terminate()).ok()))
    }

    /// Returns when the process is asked to stop.
    pub(super) async fn next(&mut self) {
        let Some((interrupt, terminate)) = &mut self.0 else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
