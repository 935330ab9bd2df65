//! The parts of a gateway, put together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use tokio::sync::Notify;

use super::StartError;
use super::clients;
use super::health::PartsHealth;
use super::housekeeping::Housekeeper;
use super::ledger;
use super::limits;
use super::patience;
use super::preflight;
use super::pressure::PressureGauge;
use super::profiles::{self, Profiles};
use super::sources;
use super::watching::Watching;
use crate::auth::keys::folder::KeyFolder;
use crate::auth::obtain::token_source;
use crate::auth::verify::Addresses;
use crate::config::settings::Config;
use crate::consent::disclosure::{ClinicRules, Party};
use crate::consent::redact::Mark;
use crate::fhir::client::failure::Failure;
use crate::fhir::client::{FhirClient, http_client, http_client_trusting};
use crate::inbound::{self, Inbound};
use crate::model::clock::Clock;
use crate::model::delivery::{Delivery, Owed};
use crate::model::ids::PartnerId;
use crate::model::partner::{Endpoint, Partners};
use crate::model::work::Settlement;
use crate::outbound::{self, Outbound};
use crate::server::admission::Admission;
use crate::server::operator::{self, OperatorDoors};
use crate::server::{Doors, Limits};
use crate::store::Store;
use crate::store::seal::GatewayKey;
use crate::telemetry::metrics::Metrics;
use crate::validation;
use crate::worker::{Step, Worker};

/// Everything that a running gateway is made of.
pub struct Parts {
    /// The ledger.
    pub store: Arc<dyn Store>,
    /// What the public doors need, both roads among it.
    pub doors: Doors,
    /// Works off what is owed.
    pub worker: Worker,
    /// Looks how much waits, and shuts or opens the door.
    pub pressure: PressureGauge,
    clinic_answers: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
}

impl Parts {
    /// Makes the parts of these settings.
    pub(super) async fn assemble(config: &Config, clock: Option<Arc<dyn Clock>>) -> Result<Self, StartError> {
        validation::prepare();
        preflight::refuse_example_secrets(config)?;
        limits::make_room(config);
        let metrics = Arc::default();
        let opened = ledger::open(&config.store, &metrics).await?;
        let (clock, store) = (&clock.unwrap_or_else(|| Arc::clone(&opened.clock)), &opened.store);
        let house = House::of(config, store, clock, metrics)?;
        let (inbound, outbound) = (house.inbound(config), house.outbound(config));
        let clinic_changed = Arc::new(Notify::new());
        let worker = Worker {
            forwarded: Arc::clone(&clinic_changed),
            suspects: Arc::default(),
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            step: Arc::new(Roads { inbound: inbound.clone(), outbound: outbound.clone() }),
            metrics: Arc::clone(&house.metrics),
            patience: patience::of(config),
        };
        let doors = Doors { clinic_changed, ..house.doors(config, inbound, outbound, &opened.key)? };
        opened.listen(&doors.work);
        let pressure = limits::pressure(config, store, &doors);
        Ok(Self {
            store: Arc::clone(store),
            doors,
            worker,
            pressure,
            clinic_answers: Arc::new(AtomicBool::new(true)),
            stopping: Arc::default(),
        })
    }

    /// From here on `/readyz` says that we are going.
    pub(super) fn say_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(super) fn operator_router(&self) -> Router {
        operator::router(OperatorDoors {
            outbound: self.doors.outbound.clone(),
            partners: Arc::clone(&self.doors.partners),
            store: Arc::clone(&self.store) as _,
            clock: Arc::clone(&self.doors.clock),
            work: Arc::clone(&self.doors.work),
            metrics: Arc::clone(&self.doors.metrics),
            health: Arc::new(PartsHealth {
                store: Arc::clone(&self.store),
                clinic_answers: Arc::clone(&self.clinic_answers),
                admission: Arc::clone(&self.doors.admission),
                stopping: Arc::clone(&self.stopping),
            }),
        })
    }

    /// Keeps the ledger in order.
    pub fn housekeeper(&self, config: &Config) -> Housekeeper {
        Housekeeper::of(config, &self.store, &self.doors)
    }

    pub(super) fn watching(&self, interval: Duration) -> Watching {
        Watching {
            outbound: self.doors.outbound.clone(),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.doors.clock),
            interval,
            clinic_changed: Arc::clone(&self.doors.clinic_changed),
            work: Arc::clone(&self.doors.work),
            clinic_answers: Arc::clone(&self.clinic_answers),
        }
    }
}

/// What several parts are made of.
struct House<'a> {
    store: &'a Arc<dyn Store>,
    clock: &'a Arc<dyn Clock>,
    clinic: FhirClient,
    partners: Arc<Partners>,
    servers: Arc<BTreeMap<PartnerId, FhirClient>>,
    admission: Arc<Admission>,
    profiles: Profiles,
    public_url: String,
    metrics: Arc<Metrics>,
    keys: Option<Arc<KeyFolder>>,
}

impl<'a> House<'a> {
    fn of(
        config: &Config,
        store: &'a Arc<dyn Store>,
        clock: &'a Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StartError> {
        let (http, keys) = (http_client(), clients::key_folder(config, clock));
        let client =
            |name: &str, endpoint: &Endpoint| fhir_client(name, endpoint, clock, &http, keys.as_ref());
        let partners: Partners = config.partners.iter().cloned().collect();
        Ok(Self {
            store,
            clock,
            clinic: client("the clinic", &config.clinic.endpoint)?,
            servers: Arc::new(sources::servers(&partners, client)?),
            admission: Arc::new(limits::admission(config, clock)),
            partners: Arc::new(partners),
            profiles: profiles::load(config.profiles_directory.as_deref())?,
            public_url: config.server.address(""),
            metrics,
            keys,
        })
    }

    fn inbound(&self, config: &Config) -> Inbound {
        Inbound {
            store: Arc::clone(self.store) as _,
            clock: Arc::clone(self.clock),
            clinic: self.clinic.clone(),
            sources: Arc::new(sources::sources(&self.servers, &self.admission, config)),
            partners: Arc::clone(&self.partners),
            looks: Arc::clone(&self.metrics) as _,
            house: Arc::new(inbound::House {
                public_url: self.public_url.clone(),
                clinic_name: config.clinic.name.clone(),
                clinic: config.clinic.organization.clone(),
                dialects: self.profiles.dialects.clone(),
                profiles: self.profiles.library.clone(),
                time_zone: config.clinic.time_zone.clone(),
                writes: config.clinic.endpoint.writes,
            }),
        }
    }

    fn outbound(&self, config: &Config) -> Outbound {
        Outbound {
            store: Arc::clone(self.store) as _,
            clock: Arc::clone(self.clock),
            clinic: self.clinic.clone(),
            partners: Arc::clone(&self.partners),
            servers: Arc::clone(&self.servers),
            house: Arc::new(outbound::House {
                public_url: self.public_url.clone(),
                dialects: self.profiles.dialects.clone(),
                clinic_name: config.clinic.name.clone(),
                clinic: config.clinic.organization.clone(),
                consent: Arc::new(self.clinic_rules(config)),
                mark: if config.consent.mark_redacted { Mark::Say } else { Mark::Silent },
                decide_again: config.delivery.decide_again,
                overlap: config.clinic.poll_overlap,
            }),
            looks: Arc::clone(&self.metrics) as _,
            refused_feeds: Arc::default(),
            looked_at: Arc::default(),
        }
    }

    fn clinic_rules(&self, config: &Config) -> ClinicRules {
        let organization = &config.clinic.organization;
        ClinicRules {
            base: self.clinic.base().to_owned(),
            custodian: Party::identified(organization.system.clone(), organization.value.clone()),
            trusted_custodians: Vec::new(),
            known_label_systems: Vec::new(),
            max_staleness: config.consent.max_staleness,
            default: config.consent.default.clone(),
            time_zone: config.clinic.time_zone.clone(),
            lists: self.profiles.lists.clone(),
        }
    }

    fn doors(
        &self,
        config: &Config,
        inbound: Inbound,
        outbound: Outbound,
        key: &GatewayKey,
    ) -> Result<Doors, StartError> {
        let addresses = Arc::new(Addresses::under(&self.public_url));
        let (access_tokens, token_service) =
            clients::tokens(config, &addresses, key, self.store, self.clock)?;
        Ok(Doors {
            inbound,
            outbound,
            partners: Arc::clone(&self.partners),
            access_tokens,
            token_service,
            own_keys: Arc::new(clients::own_keys(config, self.keys.clone())?),
            addresses,
            admission: Arc::clone(&self.admission),
            clock: Arc::clone(self.clock),
            limits: Limits {
                max_body_bytes: config.server.max_body_bytes,
                body_timeout: config.server.body_timeout,
            },
            work: Arc::new(Notify::new()),
            clinic_changed: Arc::new(Notify::new()),
            hook_token: config.clinic.hook_token.clone(),
            metrics: Arc::clone(&self.metrics),
        })
    }
}

pub(super) fn fhir_client(
    name: &str,
    endpoint: &Endpoint,
    clock: &Arc<dyn Clock>,
    http: &reqwest::Client,
    keys: Option<&Arc<KeyFolder>>,
) -> Result<FhirClient, StartError> {
    let http = match &endpoint.issuers {
        Some(issuers) => {
            http_client_trusting(issuers).map_err(|problem| StartError::Issuers(name.to_owned(), problem))?
        }
        None => http.clone(),
    };
    let tokens = token_source(&endpoint.credentials, Arc::clone(clock), http.clone(), keys)
        .map_err(|problem| StartError::Credentials(name.to_owned(), problem))?;
    Ok(FhirClient::new(http, &endpoint.base_url, tokens, endpoint.timeout))
}

/// Both roads, as the worker sees them.
struct Roads {
    inbound: Inbound,
    outbound: Outbound,
}

#[async_trait]
impl Step for Roads {
    async fn attempt(&self, delivery: &Delivery) -> Result<Settlement, Failure> {
        match &delivery.task {
            Owed::Forward => self.inbound.forward(delivery).await,
            Owed::Reply(id, _) => self.inbound.take_reply(delivery, *id).await,
            Owed::Deliver(update) => self.outbound.deliver(delivery, update).await,
        }
    }
}
