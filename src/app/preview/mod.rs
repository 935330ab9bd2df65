//! What each step of a road makes of a message, without a gateway: nothing is opened, written or sent.

mod inbound;
mod outbound;
mod places;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::profiles::{self, ProfileError};
use crate::config::settings::Config;
use crate::fhir::outcome::Issue;
use crate::fhir::{bundle, json, resource};
use crate::inbound::House;
use crate::model::partner::Partner;
use crate::outbound::preview::is_sent;
use crate::translation::account::{Account, Tally};
use crate::translation::reply;

pub use places::Places;

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The bytes of the file.
    pub body: Vec<u8>,
    /// The message that an update answers; none: one is made up.
    pub referral: Option<Vec<u8>>,
    /// It is a resource of the clinic's, though a partner might send one of its type.
    pub outbound: bool,
    /// The time at which it would come or go.
    pub now: Timestamp,
}

/// Which road a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the partner to the clinic.
    Inbound,
    /// From the clinic to the partner.
    Outbound,
}

/// As what a message was recognised.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Where it goes to: `POST /fhir`.
    pub door: String,
    /// The version of FHIR that the partner speaks.
    pub fhir_version: &'static str,
    /// The guide that the partner follows.
    pub dialect: &'static str,
    /// Its type.
    pub resource_type: String,
    /// `Bundle.type`.
    pub bundle_type: Option<String>,
    /// The event of a message, `system|code`.
    pub event: Option<String>,
    /// How many resources of each type are in it.
    pub resources: BTreeMap<String, usize>,
    /// The profiles that it must meet.
    pub profiles: Vec<String>,
}

/// What the steps made of it.
#[derive(Clone, Debug)]
pub struct Previewed {
    /// Which road.
    pub direction: Direction,
    /// As what it was recognised.
    pub shape: Shape,
    /// It would be taken, or sent.
    pub accepted: bool,
    /// What is wrong with it; warnings, too.
    pub issues: Vec<Issue>,
    /// Something of it is read only when it is sent.
    pub lacks: bool,
    /// What must be known to read the rest.
    pub notes: Vec<String>,
    /// What the partner would be answered.
    pub answer: Option<Value>,
    /// Which codings were added, and by which map.
    pub codes: Vec<String>,
    /// The transaction for the clinic; or what the partner would get, what travels along behind it.
    pub results: Vec<Value>,
    /// What became of each value.
    pub account: Account,
    /// How many values went which way in each step.
    pub steps: Vec<(String, Tally)>,
    /// The names of places in the file.
    pub places: Places,
}

/// Walks the road that the message takes.
pub fn preview(config: &Config, partner: &Partner, asked: &Asked) -> Result<Previewed, ProfileError> {
    let house = house(config)?;
    let sent = json::parse(&asked.body);
    let is_outbound = asked.outbound || sent.as_ref().is_ok_and(is_of_clinic);
    Ok(if is_outbound {
        outbound::walk(&house, config, partner, asked)
    } else {
        inbound::walk(&house, partner, asked, sent)
    })
}

/// A Task and what replies bring may be either's; the other types of what goes out no partner sends alone.
fn is_of_clinic(sent: &Value) -> bool {
    let resource_type = resource::resource_type(sent);
    is_sent(resource_type) && resource_type != "Task" && !reply::TYPES.contains(&resource_type)
}

fn house(config: &Config) -> Result<House, ProfileError> {
    let profiles = profiles::load(config.profiles_directory.as_deref())?;
    Ok(House {
        public_url: config.server.address(""),
        clinic_name: config.clinic.name.clone(),
        clinic: config.clinic.organization.clone(),
        dialects: profiles.dialects,
        profiles: profiles.library,
        time_zone: config.clinic.time_zone.clone(),
        writes: config.clinic.endpoint.writes,
    })
}

impl Previewed {
    /// Before anything is known of it.
    fn new(direction: Direction, shape: Shape, sent: &Value) -> Self {
        Self {
            direction,
            shape,
            accepted: false,
            lacks: false,
            issues: Vec::new(),
            notes: Vec::new(),
            answer: None,
            codes: Vec::new(),
            results: Vec::new(),
            account: Account::default(),
            steps: Vec::new(),
            places: Places::of(sent),
        }
    }
}

impl Shape {
    fn of(sent: &Value, partner: &Partner) -> Self {
        let is_bundle = resource::resource_type(sent) == "Bundle";
        let mut resources = BTreeMap::new();
        let mut count =
            |it: &Value| *resources.entry(resource::resource_type(it).to_owned()).or_default() += 1;
        if is_bundle {
            bundle::resources(sent).for_each(&mut count);
        } else if sent.is_object() {
            count(sent);
            sent["contained"].as_array().into_iter().flatten().for_each(&mut count);
        }
        let event = bundle::header(sent).map(|it| {
            let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
            let coding = if it.get("event").is_some() { &it["event"] } else { &it["eventCoding"] };
            format!("{}|{}", text(&coding["system"]), text(&coding["code"]))
        });
        Self {
            door: String::new(),
            fhir_version: partner.fhir_version.short(),
            dialect: partner.dialect.word(),
            resource_type: resource::resource_type(sent).to_owned(),
            bundle_type: sent["type"].as_str().filter(|_| is_bundle).map(str::to_owned),
            event,
            resources,
            profiles: Vec::new(),
        }
    }
}
