//! `gateway.toml`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::auth::Auth;
use super::client::{Client, Organization};
use super::consent::Consent;
use super::effects::{Effects, VerifyUnique};
use super::limits::Limits;

/// Settings of the gateway. A key that is left out keeps its default.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "gateway.toml")]
pub(crate) struct Gateway {
    /// Our own doors.
    pub(crate) server: Server,
    /// How much comes in at a time, and from where on no more is taken.
    pub(crate) limits: Limits,
    /// The ledger.
    pub(crate) store: Store,
    /// The clinic and its FHIR server.
    pub(crate) clinic: Clinic,
    /// Where consent is found, and what counts where none speaks.
    pub(crate) consent: Consent,
    /// How what is owed is delivered.
    pub(crate) delivery: Delivery,
    /// Our own keys, which take turns.
    pub(crate) keys: Keys,
    /// What resources must look like.
    pub(crate) profiles: Profiles,
    /// The program's log.
    pub(crate) log: Log,
}

/// Our own keys, which take turns.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    /// The folder of keys that `keys rotate` writes.
    pub(crate) directory: Option<PathBuf>,
    /// How long a new key is published before it signs, and an old one after that, in hours.
    #[schemars(range(min = 1, max = 8760))]
    pub(crate) overlap_h: u64,
}

/// Our own doors.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    /// IP address and port for partners and the clinic's EHR.
    pub(crate) listen: String,
    /// How callers reach `listen` from outside.
    pub(crate) public_url: String,
    /// IP address and port of console, metrics and health.
    pub(crate) operator_listen: String,
    /// Lets partners' addresses be plain http, loopback or private.
    pub(crate) allow_private_networks: bool,
    /// Says that something in front of us ends TLS.
    pub(crate) tls_terminated_upstream: bool,
    /// The largest request body, in bytes.
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub(crate) max_body_bytes: usize,
    /// How long a caller may take to send its body, in seconds.
    #[schemars(range(min = 1, max = 3600))]
    pub(crate) body_timeout_s: u64,
    /// How long we go on after the stop signal, while /readyz says that we are going, in seconds.
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) stop_delay_s: u64,
    /// How long open requests may take to end then, in seconds.
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) shutdown_grace_s: u64,
    /// How long deliveries under way may take to end after that, in seconds.
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) send_grace_s: u64,
    /// TLS at our own door; without it we speak plain HTTP.
    pub(crate) tls: Option<Tls>,
}

/// TLS at our own door.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the fields are the keys of the file")]
pub(crate) struct Tls {
    /// Our certificate and its issuers, PEM.
    #[schemars(required)]
    pub(crate) certificate_file: Option<PathBuf>,
    /// Our private key, PEM.
    #[schemars(required)]
    pub(crate) private_key_file: Option<PathBuf>,
    /// The issuers of callers' certificates, PEM; callers must then show one.
    pub(crate) client_ca_file: Option<PathBuf>,
}

/// The ledger.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    /// `sqlite:PATH` or `postgres://NAME:PASSWORD@HOST/DATABASE`.
    pub(crate) url: String,
    /// The file of 32 random bytes that seal what is stored; created when the store is new.
    pub(crate) encryption_key_file: PathBuf,
    /// Key files of before, while what they sealed is sealed anew.
    pub(crate) former_key_files: Vec<PathBuf>,
    /// PostgreSQL only: how many connections this gateway uses at most.
    #[schemars(range(min = 2, max = 200))]
    pub(crate) connections: u32,
    /// PostgreSQL only: names this gateway among those that share the ledger.
    pub(crate) instance: Option<String>,
    /// For how many days the bodies of finished referrals are kept.
    #[schemars(range(min = 1, max = 36500))]
    pub(crate) payload_days: u32,
    /// For how many days the attempts of finished deliveries are kept.
    #[schemars(range(min = 1, max = 36500))]
    pub(crate) attempt_days: u32,
    /// For how many days the protected parts of the audit trail are kept.
    #[schemars(range(min = 1, max = 36500))]
    pub(crate) trail_days: u32,
}

/// The clinic and its FHIR server.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clinic {
    /// The base address of the clinic's FHIR R4 server.
    pub(crate) base_url: String,
    /// The only issuers whose certificates its server may show, PEM; left out: those that this machine trusts.
    pub(crate) ca_file: Option<PathBuf>,
    /// The clinic's name, as partners read it.
    #[schemars(length(min = 1))]
    pub(crate) name: String,
    /// The clinic's business identifier: owner of every coordination Task.
    pub(crate) organization: Organization,
    /// How often we ask the clinic's server what has changed, in seconds.
    #[schemars(range(min = 1, max = 3600))]
    pub(crate) poll_interval_s: u64,
    /// How far back each question reaches behind the last one, in seconds.
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) poll_overlap_s: u64,
    /// The longest that one request to the clinic's server may take, in seconds.
    #[schemars(range(min = 1, max = 600))]
    pub(crate) timeout_s: u64,
    /// How what we write there is written once.
    pub(crate) effects: Effects,
    /// When we look for a second one of what must be one.
    pub(crate) verify_unique: VerifyUnique,
    /// How many attempts run at its server at the same time; left out: delivery.attempts_per_endpoint.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) attempts_at_once: Option<u32>,
    /// How many attempts begin there in a second, 0 for no limit; left out: delivery.attempts_per_second.
    #[schemars(range(max = 10_000))]
    pub(crate) attempts_per_second: Option<u32>,
    /// The zone in which dates without a time are read, an IANA name.
    pub(crate) time_zone: String,
    /// The bearer token that the clinic's server shows at /hooks/clinic. Give this or `hook_token_file`.
    pub(crate) hook_token: Option<String>,
    /// The file that holds the token of /hooks/clinic.
    pub(crate) hook_token_file: Option<PathBuf>,
    /// How we prove who we are at the clinic's server.
    pub(crate) auth: Auth,
    /// The clinic's EHR as our client.
    pub(crate) client: Option<Client>,
}

/// How what is owed is delivered.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delivery {
    /// How long an effect is left alone whose outcome is unknown, in seconds.
    #[schemars(range(min = 0, max = 86400))]
    pub(crate) quiet_period_s: u64,
    /// The wait after the first failure, in seconds.
    #[schemars(range(min = 1, max = 3600))]
    pub(crate) first_retry_s: u64,
    /// How long we try to write a referral to the clinic, in hours.
    #[schemars(range(min = 1, max = 8760))]
    pub(crate) clinic_deadline_h: u64,
    /// How long we try to send an update to a partner, in hours.
    #[schemars(range(min = 1, max = 8760))]
    pub(crate) partner_deadline_h: u64,
    /// How often a held update is decided again without a notice, in seconds.
    #[schemars(range(min = 1, max = 86400))]
    pub(crate) decide_again_s: u64,
    /// How many deliveries run at the same time.
    #[schemars(range(min = 1, max = 256))]
    pub(crate) workers: usize,
    /// How many of them at one server.
    #[schemars(range(min = 1, max = 256))]
    pub(crate) attempts_per_endpoint: usize,
    /// How many attempts begin at one server in a second; 0: no such limit.
    #[schemars(range(min = 0, max = 10_000))]
    pub(crate) attempts_per_second: u32,
    /// How long a worker owns a delivery, in seconds.
    #[schemars(range(min = 1, max = 3600))]
    pub(crate) lease_s: u64,
}

/// What resources must look like.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    /// A folder of definitions that are used besides those inside the program.
    pub(crate) directory: Option<PathBuf>,
}

/// The program's log.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// For people or for machines.
    pub(crate) format: LogFormat,
    /// The least that is logged.
    pub(crate) level: LogLevel,
}

/// How log lines look.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The least that is logged.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogLevel {
    /// Failures that need a person.
    Error,
    /// Failures that mend themselves.
    Warn,
    /// What happens to referrals.
    Info,
    /// Each step.
    Debug,
    /// Everything.
    Trace,
}
