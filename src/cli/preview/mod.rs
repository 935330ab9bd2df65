//! `preview`: what each step of the road makes of a message. Nothing is written.

mod loss;
mod object;
mod table;
mod text;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::settings::{self, SettingsFolder};
use super::{EXIT_CONFIG, fail, say};
use crate::app::preview::{Asked, Previewed, preview};
use crate::model::clock::{Clock, SystemClock};
use crate::model::ids::PartnerId;

/// Show what each step of the road makes of a message, and where each of its values goes. Nothing is written or sent. The
/// output holds the values of the file.
#[derive(Args, Debug)]
pub struct Preview {
    /// The message, as JSON: a Bundle, a ServiceRequest, a Task; or a resource of the clinic's that goes to a partner.
    file: PathBuf,
    /// The partner that would send it, or get it.
    #[arg(long, value_name = "ID")]
    partner: String,
    /// It is a resource of the clinic's. To be said of types that a partner might send, too: Task, Communication,
    /// DocumentReference; and of a Bundle of a resource and of what it refers to.
    #[arg(long)]
    outbound: bool,
    /// For a resource of the clinic's: the message of the referral that it is about. Left out: one is made up.
    #[arg(long, value_name = "FILE")]
    referral: Option<PathBuf>,
    /// Show only where this went: `ServiceRequest.code`, `Bundle.entry[1].resource.identifier[0].value`. What is below
    /// it is shown, too; indexes may be left out.
    #[arg(long, value_name = "PLACE", visible_alias = "where")]
    element: Option<String>,
    #[command(flatten)]
    settings: SettingsFolder,
    /// Write one JSON object.
    #[arg(long)]
    json: bool,
}

impl Preview {
    /// Exit code 0: the message would be taken, or sent if consent permits; or the element is shown. 1: it would not, or
    /// has no such element.
    pub fn run(self) -> ExitCode {
        let loaded = self.settings.load();
        let Some(config) = loaded.config else {
            settings::show(&loaded.problems);
            return ExitCode::from(EXIT_CONFIG);
        };
        let id = PartnerId::new(&self.partner);
        let Some(partner) = config.partners.iter().find(|it| it.id == id) else {
            settings::show(&loaded.problems);
            return fail(&format!("no partner `{id}` is configured without mistakes"));
        };
        let asked = match self.asked() {
            Ok(asked) => asked,
            Err(reason) => return fail(&reason),
        };
        match preview(&config, partner, &asked) {
            Ok(previewed) => self.report(previewed),
            Err(error) => fail(&error.to_string()),
        }
    }

    fn asked(&self) -> Result<Asked, String> {
        let read =
            |file: &Path| fs::read(file).map_err(|it| format!("{} cannot be read: {it}", file.display()));
        Ok(Asked {
            body: read(&self.file)?,
            referral: self.referral.as_deref().map(read).transpose()?,
            outbound: self.outbound,
            now: SystemClock.now(),
        })
    }

    fn report(&self, mut previewed: Previewed) -> ExitCode {
        let answers = previewed.accepted || self.element.is_some();
        let tally = previewed.account.tally();
        if let Some(wanted) = &self.element {
            let places = previewed.places.clone();
            previewed.account.passages.retain(|it| places.is_meant(&it.from, wanted));
            if previewed.account.passages.is_empty() {
                text::issues(&previewed);
                return fail(&format!("the file has no value at `{wanted}`"));
            }
            if !self.json {
                text::issues(&previewed);
                table::every_value(&previewed);
                return ExitCode::SUCCESS;
            }
            previewed.account.added.clear();
        }
        if self.json {
            say(&object::of(&previewed, tally).to_string());
        } else {
            text::report(&previewed);
        }
        if answers { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
