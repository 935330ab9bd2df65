//! Wiring only: settings → parts → a running gateway → a clean stop.

pub mod backup;
mod clients;
mod dialects;
mod disk;
pub mod handshake;
mod health;
pub mod housekeeping;
pub mod ledger;
mod limits;
pub mod own_keys;
pub mod parts;
mod patience;
pub mod preflight;
pub mod pressure;
pub mod preview;
pub mod profiles;
mod running;
mod sources;
pub mod watching;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::auth::keys::published::SameName;
use crate::auth::obtain::CredentialsProblem;
use crate::auth::verify::ClientProblem;
use crate::config::settings::Config;
use crate::fhir::client::UnusableIssuers;
use crate::model::clock::Clock;
use crate::model::work::StoreError;
use crate::outbound::watch::WatchError;
use crate::server::listen::{self, Door};
use crate::server::tls::{self, TlsError};
use crate::store::seal::KeyError;
use crate::store::{postgres, sqlite};
use parts::Parts;
use profiles::ProfileError;
use running::Running;

/// Why a gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key of the ledger is not there or does not fit.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The ledger's file cannot be opened.
    #[error(transparent)]
    File(#[from] sqlite::OpenError),
    /// The ledger's database cannot be opened.
    #[error(transparent)]
    Database(#[from] postgres::OpenError),
    /// There is no ledger yet.
    #[error("there is no ledger at {0}; a gateway makes it at its first start")]
    NoLedger(String),
    /// The ledger does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A definition cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Everybody knows the secret of the shipped example.
    #[error("the client secret of `{0}` is still that of the example; set another before others can connect")]
    ExampleSecret(String),
    /// Clients that cannot be told apart or have no usable key.
    #[error("{} clients cannot be registered; `check` says which", .0.len())]
    Clients(Vec<ClientProblem>),
    /// Two keys of ours cannot be told apart.
    #[error(transparent)]
    Keys(#[from] SameName),
    /// Our own credentials at a server cannot be used.
    #[error("the credentials for {0} cannot be used: {1}")]
    Credentials(String, CredentialsProblem),
    /// The issuers that a server's certificate may be of.
    #[error("the issuers in `ca_file` of {0} {1}")]
    Issuers(String, UnusableIssuers),
    /// TLS at our own door cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address is taken or not ours.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
}

/// Our two sockets, bound before anything else so that a taken address changes nothing.
#[derive(Debug)]
pub struct Sockets {
    /// For partners and the clinic's EHR.
    pub public: TcpListener,
    /// For operators.
    pub operator: TcpListener,
}

impl Sockets {
    /// Binds the addresses of the settings.
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        let bind = async |address| {
            TcpListener::bind(address).await.map_err(|error| StartError::Listen(address, error))
        };
        Ok(Self {
            public: bind(config.server.listen).await?,
            operator: bind(config.server.operator_listen).await?,
        })
    }
}

/// How often it is looked whether the ledger still takes changes.
const LEDGER_LOOK: Duration = Duration::from_millis(200);

/// A gateway whose doors are open.
pub struct Gateway {
    parts: Parts,
    config: Arc<Config>,
    partners_door: Running,
    work: Running,
    operators_door: Running,
}

impl Gateway {
    /// Opens the ledger and the doors. Work waits until [`Gateway::run_in_background`], or is done by hand.
    /// Without a clock the ledger's counts, which is the database's where several gateways share one.
    pub async fn start(
        config: Config,
        sockets: Sockets,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Self, StartError> {
        let config = Arc::new(config);
        let parts = Parts::assemble(&config, clock).await?;
        let quiet = config.delivery.quiet_period;
        let now = parts.doors.clock.now();
        let interrupted = parts.store.recover(now.saturating_add(quiet).unwrap_or(now)).await?;
        if interrupted > 0 {
            tracing::warn!(
                interrupted,
                "deliveries were cut off by the last stop; they are looked for first"
            );
        }
        parts.doors.outbound.begin().await?;
        let trail = parts.store.trail_head().await?;
        // Whoever keeps the log elsewhere can prove later that no record before this line was cut off.
        tracing::info!(records = trail.number, link = %trail.link, "the audit trail goes up to here");
        let tls = tls_of(&config)?;
        parts.pressure.look().await;
        let (connections, grace) = (config.limits.connections, config.server.request_grace);
        let router = crate::server::router(parts.doors.clone());
        let public = Door { listener: sockets.public, tls, router, connections };
        let router = parts.operator_router();
        let operator = Door { listener: sockets.operator, tls: None, router, connections };
        let [mut partners_door, mut operators_door] = [Running::new(), Running::new()];
        partners_door.start(|stopped| listen::serve(public, stopped, grace));
        operators_door.start(|stopped| listen::serve(operator, stopped, OPERATORS_GRACE));
        Ok(Self { parts, config, partners_door, work: Running::new(), operators_door })
    }

    /// Starts the loops that watch the clinic, work off what is owed, and look how much waits.
    pub fn run_in_background(&mut self) {
        let worker = self.parts.worker.clone();
        let wake = Arc::clone(&self.parts.doors.work);
        let grace = self.config.server.send_grace;
        self.work.start(|stopped| async move { worker.run(wake, stopped, grace).await });
        self.work.start(|stopped| self.parts.pressure.clone().run(stopped));
        let housekeeper = self.parts.housekeeper(&self.config);
        self.work.start(|stopped| housekeeper.run(stopped));
        let watching = self.parts.watching(self.config.clinic.poll_interval);
        self.work.start(|stopped| watching.run(stopped));
    }

    /// Looks at the clinic once, by hand. Returns how many updates are newly owed.
    pub async fn notice(&self) -> Result<usize, WatchError> {
        self.parts.doors.outbound.notice().await
    }

    /// Asks servers that do not take a kind of writing what they offer now, by hand.
    pub async fn look_at_offers(&self) -> Result<(), StoreError> {
        self.parts.housekeeper(&self.config).look_at_offers().await
    }

    /// Looks through the audit trail, by hand.
    pub async fn look_at_trail(&self) -> Result<(), StoreError> {
        let housekeeper = self.parts.housekeeper(&self.config);
        housekeeper.look_at_trail(&mut housekeeper.progress()).await
    }

    /// Looks how much waits and how much room there is, by hand, and shuts or opens the door.
    pub async fn look_at_pressure(&self) {
        self.parts.pressure.look().await;
    }

    /// Works off what is due now, by hand. Returns how many attempts were made.
    pub async fn run_work(&self) -> Result<usize, StoreError> {
        let mut attempts = 0;
        loop {
            match self.parts.worker.run_due().await? {
                0 => return Ok(attempts),
                made => attempts += made,
            }
        }
    }

    /// Returns when the ledger takes no more changes. Only a new start finds out what is on the disk.
    pub async fn until_the_ledger_fails(&self) {
        while self.parts.store.is_writable() {
            tokio::time::sleep(LEDGER_LOOK).await;
        }
    }

    /// The parts, for tests and the demo.
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Ends in order (reference: delivery B10). A delivery that is cut off is known as such, and is looked for
    /// after the next start.
    ///
    /// 1. Says that it is not ready, and goes on for `server.stop_delay_s`: whoever spreads the load notices.
    /// 2. Takes no more requests; those that are open may end within `server.shutdown_grace_s`.
    /// 3. Takes no more work; attempts that run may end within `server.send_grace_s`. There is no lease to give
    ///    back: work is taken only when it can begin at once.
    /// 4. Shuts the operator's door and lets go of the ledger: what was handed to the writer is committed, and
    ///    the write-ahead log is emptied.
    pub async fn stop(self) {
        self.parts.say_stopping();
        tokio::time::sleep(self.config.server.stop_delay).await;
        self.partners_door.end(self.config.server.request_grace).await;
        self.work.end(self.config.server.send_grace).await;
        self.operators_door.end(OPERATORS_GRACE).await;
    }
}

/// How long requests of operators may take to end.
const OPERATORS_GRACE: Duration = Duration::from_secs(1);

fn tls_of(config: &Config) -> Result<Option<tokio_rustls::TlsAcceptor>, StartError> {
    let Some(files) = &config.server.tls else {
        return Ok(None);
    };
    let acceptor =
        tls::acceptor(&files.certificate_file, &files.private_key_file, files.client_ca_file.as_deref())?;
    Ok(Some(acceptor))
}
