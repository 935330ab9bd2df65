//! From files to settings.

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::check::network::Reach;
use super::document::{Document, Values};
use super::environment::Environment;
use super::findings::Findings;
use super::key::Key;
use super::problem::{Code, Effect, Problem};
use super::settings::Config;
use super::{check, defaults, raw, schema, structure};
use crate::model::partner::Partner;

/// What `gateway.toml` gave.
pub(super) struct Gateway {
    /// The settings without partners; none when there is a mistake.
    pub(super) config: Option<Config>,
    /// How far partners' addresses may reach.
    reach: Reach,
    /// The client id of the clinic's EHR, which no partner may have, and where it stands.
    taken: Vec<(String, PathBuf)>,
    /// The mistakes.
    pub(super) problems: Vec<Problem>,
}

/// What the partners' files gave.
#[derive(Default)]
pub(super) struct Partners {
    /// Those without mistakes, by file name.
    pub(super) partners: Vec<Partner>,
    /// The mistakes of the others.
    pub(super) problems: Vec<Problem>,
}

/// Reads `gateway.toml`.
pub(super) fn gateway(directory: &Path, environment: &dyn Environment) -> Gateway {
    let file = directory.join("gateway.toml");
    let (mut findings, values) = match open(file.clone(), environment, Effect::GatewayStops) {
        Ok(opened) => opened,
        Err(problems) => {
            let problems = if directory.is_dir() { problems } else { vec![no_folder(directory)] };
            // What may be private is not known; partners should not be blamed for that.
            return Gateway { config: None, reach: Reach::Anywhere, taken: Vec::new(), problems };
        }
    };
    let values = defaults::overlay(structure::check(values, &schema::gateway(), &mut findings));
    let private = values["server"]["allow_private_networks"] == Value::Bool(true)
        || findings.is_reported(&Key::from("server.allow_private_networks"));
    let client_id = values["clinic"]["client"]["client_id"].as_str();
    let taken = client_id.map(|id| (id.to_owned(), file)).into_iter().collect();
    let raw = typed::<raw::gateway::Gateway>(values, &mut findings);
    let config = raw.and_then(|raw| check::gateway::check(&mut findings, raw));
    Gateway {
        config: config.filter(|_| !findings.any()),
        reach: if private { Reach::Anywhere } else { Reach::PublicOnly },
        taken,
        problems: findings.into_problems(),
    }
}

/// Reads every `partners/*.toml`. A folder without `partners` has none.
pub(super) fn partners(directory: &Path, environment: &dyn Environment, gateway: &Gateway) -> Partners {
    let mut found = Partners::default();
    let mut taken = gateway.taken.clone();
    let folder = directory.join("partners");
    let files = match partner_files(&folder) {
        Ok(files) => files,
        Err(error) => {
            found.problems.push(unreadable(&folder, &error, Effect::GatewayStops));
            return found;
        }
    };
    for file in files {
        match partner(file, environment, gateway.reach, &mut taken) {
            Ok(partner) => found.partners.push(partner),
            Err(problems) => found.problems.extend(problems),
        }
    }
    found
}

fn partner_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries: io::Result<Vec<_>> = folder.read_dir()?.map(|entry| Ok(entry?.path())).collect();
    let mut files = entries?;
    files.retain(|file| file.extension().is_some_and(|it| it == "toml"));
    files.sort();
    Ok(files)
}

fn partner(
    file: PathBuf,
    environment: &dyn Environment,
    reach: Reach,
    taken: &mut Vec<(String, PathBuf)>,
) -> Result<Partner, Vec<Problem>> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (mut findings, values) = open(file.clone(), environment, Effect::PartnerLeftOut)?;
    let values = structure::check(values, &schema::partner(), &mut findings);
    let client_id = values["inbound"]["client_id"].as_str().map(str::to_owned);
    check_client_id(&mut findings, client_id.as_deref(), taken);
    let raw = typed(values, &mut findings);
    let partner = raw.and_then(|raw| check::partner::check(&mut findings, raw, &stem, reach));
    match partner {
        Some(partner) if !findings.any() => {
            taken.push((partner.client.client_id.clone(), file));
            Ok(partner)
        }
        _ => Err(findings.into_problems()),
    }
}

/// The first file by name keeps an id that two files claim, so that a new file cannot stop an old partner
/// unless its name comes first.
fn check_client_id(findings: &mut Findings, client_id: Option<&str>, taken: &[(String, PathBuf)]) {
    let other = taken.iter().find(|(id, _)| Some(id.as_str()) == client_id);
    if let Some((_, file)) = other {
        let message = format!("this client id is also used in {}", file.display());
        findings.report(Code::DuplicateClient, "inbound.client_id", message, "give each client its own id");
    }
}

fn open(
    file: PathBuf,
    environment: &dyn Environment,
    effect: Effect,
) -> Result<(Findings, Values), Vec<Problem>> {
    let text = std::fs::read_to_string(&file).map_err(|error| vec![unreadable(&file, &error, effect)])?;
    let text = text.trim_start_matches('\u{feff}').to_owned();
    match Document::parse(file.clone(), text, environment) {
        Ok((document, values)) => Ok((Findings::new(document, effect), values)),
        Err(error) => Err(vec![Problem {
            code: Code::Syntax,
            file,
            key: String::new(),
            message: format!("this is not TOML: {}", error.message),
            help: "texts need quotes, tables a line of their own in square brackets; see https://toml.io"
                .to_owned(),
            place: Some(error.place),
            effect,
        }]),
    }
}

/// The values as our own types. The schema comes from these types, so this cannot fail on what it let pass;
/// should it do so all the same, it must not be silent. The error itself may quote a secret.
fn typed<T: DeserializeOwned>(values: Value, findings: &mut Findings) -> Option<T> {
    let typed = serde_json::from_value(values).ok();
    if typed.is_none() && !findings.any() {
        let message = "a value here cannot be read".to_owned();
        findings.report(
            Code::BadValue,
            Key::default(),
            message,
            "compare the file with the manual of settings",
        );
    }
    typed
}

fn no_folder(directory: &Path) -> Problem {
    let message = "there is no such folder of settings".to_owned();
    let help = "name a folder with a gateway.toml; an empty gateway.toml takes all defaults".to_owned();
    without_place(directory, message, help, Effect::GatewayStops)
}

fn unreadable(file: &Path, error: &io::Error, effect: Effect) -> Problem {
    let message = format!("this cannot be read: {error}");
    let help = "check that it exists, that it is UTF-8 and that we may read it".to_owned();
    without_place(file, message, help, effect)
}

fn without_place(file: &Path, message: String, help: String, effect: Effect) -> Problem {
    let file = file.to_owned();
    Problem { code: Code::Unreadable, file, key: String::new(), message, help, place: None, effect }
}
