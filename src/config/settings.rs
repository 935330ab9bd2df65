//! The settings after all checks: what the rest of the program uses.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use url::Url;

use crate::model::client::{Client, Rate};
use crate::model::partner::{BusinessIdentifier, Endpoint, Partner};
use crate::model::policy::DefaultPolicy;
use crate::model::pressure::PressureLimits;
use crate::model::retention::Retention;
use crate::model::sensitive::Sensitive;

/// Everything that `gateway.toml` and `partners/*.toml` say, checked and read.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our own doors.
    pub server: Server,
    /// How much comes in at a time, and from where on no more is taken.
    pub limits: Limits,
    /// The ledger.
    pub store: Store,
    /// The clinic and its FHIR server.
    pub clinic: Clinic,
    /// What counts where no Consent speaks.
    pub consent: Consent,
    /// How what is owed is delivered.
    pub delivery: Delivery,
    /// Our own keys, which take turns.
    pub keys: Keys,
    /// A folder of definitions that are used besides those inside the program.
    pub profiles_directory: Option<PathBuf>,
    /// The program's log.
    pub log: Log,
    /// The partners whose files are without mistakes, by id.
    pub partners: Vec<Partner>,
}

/// Our own keys, which take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The folder of keys that `keys rotate` writes; it need not exist.
    pub directory: Option<PathBuf>,
    /// How long a new key is published before it signs, and an old one after that.
    pub overlap: Duration,
}

/// Our own doors.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where partners and the clinic's EHR reach us.
    pub listen: SocketAddr,
    /// How they reach us from outside. No slash at the end of its path, but `Url` prints one where the path
    /// is empty: use [`Server::address`].
    pub public_url: Url,
    /// Where console, metrics and health are.
    pub operator_listen: SocketAddr,
    /// Whether partners' addresses may be plain http, loopback or private, also after name resolution.
    pub allow_private_networks: bool,
    /// Whether something in front of us ends TLS: then others reach us even on loopback.
    pub tls_terminated_upstream: bool,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// How long a caller may take to send its body.
    pub body_timeout: Duration,
    /// How long we go on after the stop signal, while `/readyz` says that we are going.
    pub stop_delay: Duration,
    /// How long open requests may take to end then.
    pub request_grace: Duration,
    /// How long deliveries under way may take to end after that.
    pub send_grace: Duration,
    /// TLS at our own door; none: plain HTTP.
    pub tls: Option<Tls>,
}

impl Server {
    /// An address of ours as others see it: `address("/fhir")` is `{public_url}/fhir`.
    /// `path` starts with a slash; an empty one gives the public address without a slash at its end.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

/// How much comes in at a time, and from where on no more is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at each door.
    pub connections: usize,
    /// The most bytes of request bodies in memory at the same time.
    pub body_bytes_at_once: usize,
    /// How often a client may call whose own settings do not say.
    pub client: Rate,
    /// How often a client may ask for a token.
    pub token: Rate,
    /// The most resources that are read from a partner's server for one Task.
    pub gather_resources: usize,
    /// The longest that this may take.
    pub gather_patience: Duration,
    /// From where on no more referrals are taken.
    pub pressure: PressureLimits,
    /// The size of the ballast file beside the ledger, in bytes; 0: none.
    pub ballast_bytes: u64,
    /// How often we look how much waits and how much room there is.
    pub look_every: Duration,
}

/// The files of TLS at our own door, PEM. They existed when the settings were read; they may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Our certificate and its issuers.
    pub certificate_file: PathBuf,
    /// Our private key.
    pub private_key_file: PathBuf,
    /// The issuers of callers' certificates; given: callers must show one.
    pub client_ca_file: Option<PathBuf>,
}

/// The ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// Where it stands.
    pub database: Database,
    /// The file of 32 random bytes that seal what is stored; it need not exist while the store is new.
    pub encryption_key_file: PathBuf,
    /// Key files of before: what they sealed can be read, and is sealed anew.
    pub former_key_files: Vec<PathBuf>,
    /// How long what is finished is kept.
    pub retention: Retention,
}

/// A database for the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// This file; it need not exist.
    Sqlite(PathBuf),
    /// This database, which several gateways may share.
    Postgres(PostgresDatabase),
}

/// A PostgreSQL database for the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresDatabase {
    /// Its address, usually with a password in it.
    pub url: Sensitive<String>,
    /// How many connections this gateway uses at most.
    pub connections: u32,
    /// Names this gateway among those that share the ledger; none: another name after each start.
    pub instance: Option<String>,
}

/// The clinic and its FHIR server.
#[derive(Clone, Debug)]
pub struct Clinic {
    /// Its name, as partners read it.
    pub name: String,
    /// Its business identifier: owner of every coordination Task.
    pub organization: BusinessIdentifier,
    /// Its FHIR server.
    pub endpoint: Endpoint,
    /// How often we ask what has changed.
    pub poll_interval: Duration,
    /// How far back each question reaches behind the last one.
    pub poll_overlap: Duration,
    /// The zone in which dates without a time are read.
    pub time_zone: TimeZone,
    /// The bearer token of `/hooks/clinic`; none: that door is shut.
    pub hook_token: Option<Sensitive<String>>,
    /// Its EHR as our client; none: it cannot call us.
    pub client: Option<Client>,
}

/// What counts where no Consent speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// How old an answer about consent may be at the moment of sending; zero: ask anew each time.
    pub max_staleness: Duration,
    /// Whether a partner is told that something was taken out of an update.
    pub mark_redacted: bool,
    /// The clinic's default.
    pub default: DefaultPolicy,
}

/// How what is owed is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// How long an effect is left alone whose outcome is unknown.
    pub quiet_period: Duration,
    /// The wait after the first failure.
    pub first_retry: Duration,
    /// How long we try to write a referral to the clinic.
    pub clinic_deadline: Duration,
    /// How long we try to send an update to a partner.
    pub partner_deadline: Duration,
    /// How often a held update is decided again without a notice.
    pub decide_again: Duration,
    /// How many deliveries run at the same time; at least 1.
    pub workers: usize,
    /// How many of them at one server; at least 1.
    pub attempts_per_endpoint: usize,
    /// How many attempts begin at one server in a second, on average; 0: no such limit.
    pub attempts_per_second: u32,
    /// How long a worker owns a delivery.
    pub lease: Duration,
}

/// The program's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// How its lines look.
    pub format: LogFormat,
    /// The least that is logged, as `tracing` writes it: `error`, `warn`, `info`, `debug` or `trace`.
    pub level: &'static str,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
