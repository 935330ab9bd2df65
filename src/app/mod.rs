//! Wiring only: settings → parts → a running gateway → a clean stop.

pub mod ledger;
pub mod parts;
pub mod preflight;
pub mod profiles;
pub mod watching;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::auth::obtain::CredentialsProblem;
use crate::auth::verify::ClientProblem;
use crate::config::settings::Config;
use crate::model::clock::Clock;
use crate::model::work::StoreError;
use crate::outbound::watch::WatchError;
use crate::server::listen::{self, Door};
use crate::server::tls::{self, TlsError};
use crate::store::seal::KeyError;
use crate::store::{postgres, sqlite};
use parts::Parts;
use profiles::ProfileError;

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
    /// Our own credentials at a server cannot be used.
    #[error("the credentials for {0} cannot be used: {1}")]
    Credentials(String, CredentialsProblem),
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

/// A gateway whose doors are open.
pub struct Gateway {
    parts: Parts,
    config: Arc<Config>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
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
        let (stop, stopped) = watch::channel(false);
        let tls = tls_of(&config)?;
        let public =
            Door { listener: sockets.public, tls, router: crate::server::router(parts.doors.clone()) };
        let operator = Door { listener: sockets.operator, tls: None, router: parts.operator_router() };
        let grace = config.server.shutdown_grace;
        let tasks = vec![
            tokio::spawn(listen::serve(public, stopped.clone(), grace)),
            tokio::spawn(listen::serve(operator, stopped, grace)),
        ];
        Ok(Self { parts, config, stop, tasks })
    }

    /// Starts the loops that watch the clinic and work off what is owed.
    pub fn run_in_background(&mut self) {
        let worker = self.parts.worker.clone();
        let work = Arc::clone(&self.parts.doors.work);
        let stopped = self.stop.subscribe();
        self.tasks.push(tokio::spawn(async move { worker.run(work, stopped).await }));
        let watching = self.parts.watching(self.config.clinic.poll_interval);
        self.tasks.push(tokio::spawn(watching.run(self.stop.subscribe())));
    }

    /// Looks at the clinic once, by hand. Returns how many updates are newly owed.
    pub async fn notice(&self) -> Result<usize, WatchError> {
        self.parts.doors.outbound.notice().await
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

    /// The parts, for tests and the demo.
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Closes the doors, lets what runs come to its end within the grace period, and lets go of the ledger.
    /// A delivery that is cut off is known as such, and is looked for after the next start.
    pub async fn stop(self) {
        // Nobody listens any more when every task has ended by itself.
        let _ = self.stop.send(true);
        let end = tokio::time::Instant::now() + self.config.server.shutdown_grace;
        for mut task in self.tasks {
            match tokio::time::timeout_at(end, &mut task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(panicked = error.is_panic(), "a part of the gateway was cut off");
                }
                Err(_) => {
                    task.abort();
                    tracing::warn!("a part of the gateway was cut off at the end of the grace period");
                }
            }
        }
    }
}

fn tls_of(config: &Config) -> Result<Option<tokio_rustls::TlsAcceptor>, StartError> {
    let Some(files) = &config.server.tls else {
        return Ok(None);
    };
    let acceptor =
        tls::acceptor(&files.certificate_file, &files.private_key_file, files.client_ca_file.as_deref())?;
    Ok(Some(acceptor))
}
