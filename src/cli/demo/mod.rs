//! `demo`: a referral goes in and updates come back; one is withheld. Real gateway, real HTTP, simulated
//! clinic and partner, all in this process.

pub mod script;
pub mod transcript;
pub mod world;

use std::process::ExitCode;

use clap::Args;

use super::serve::StopSignals;
use super::{fail, tell};
use crate::telemetry::{self, Format};
use script::Script;
use transcript::Transcript;
use world::World;

/// Show a referral going in and updates coming back.
#[derive(Args, Debug)]
pub struct Demo {
    /// End when the loop is closed. Exit code 0: it is; other: it could not be.
    #[arg(long)]
    once: bool,
    /// Which synthetic patient. The same seed prints the same.
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

impl Demo {
    /// Plays the demo; then stays up for your own requests, unless it was to be played once.
    pub async fn run(self) -> ExitCode {
        telemetry::start(Format::Text, "warn");
        let mut stop = StopSignals::catch();
        let world = match World::start().await {
            Ok(world) => world,
            Err(reason) => return fail(&reason),
        };
        tell(&world.addresses());
        let mut script = Script::new(&world, self.seed, Transcript::new());
        let played = script.play().await;
        let code = match played {
            Ok(()) => ExitCode::SUCCESS,
            Err(stuck) => fail(&format!("the loop did not close: {stuck}")),
        };
        if !self.once && code == ExitCode::SUCCESS {
            tell("The gateway stays up. End it with Ctrl-C.");
            stop.next().await;
        }
        world.stop().await;
        code
    }
}
