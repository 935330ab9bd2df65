//! The partners' own servers: we write updates there, and read there what a Task names.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::StartError;
use crate::config::settings::Config;
use crate::fhir::client::FhirClient;
use crate::inbound::gather::{Source, Sources};
use crate::model::ids::PartnerId;
use crate::model::partner::{Endpoint, Partners};
use crate::server::admission::Admission;

/// For how many Tasks one partner's server is read at the same time.
const TASKS_AT_ONCE: usize = 4;

/// The way to each partner's server, where it has one; `client` makes it.
pub(super) fn servers(
    partners: &Partners,
    client: impl Fn(&str, &Endpoint) -> Result<FhirClient, StartError>,
) -> Result<BTreeMap<PartnerId, FhirClient>, StartError> {
    let mut servers = BTreeMap::new();
    for partner in partners.all() {
        if let Some(endpoint) = partner.outbound.mode.endpoint() {
            let client = client(partner.id.as_str(), endpoint)?;
            servers.insert(partner.id.clone(), client.speaking(partner.fhir_version.media_type()));
        }
    }
    Ok(servers)
}

/// The same servers, and how much may be read there for one Task.
pub(super) fn sources(
    servers: &BTreeMap<PartnerId, FhirClient>,
    admission: &Admission,
    config: &Config,
) -> Sources {
    let sources = servers.iter().map(|(id, server)| {
        let room = Arc::new(Semaphore::new(TASKS_AT_ONCE));
        (id.clone(), Source { server: server.clone(), room })
    });
    Sources {
        servers: sources.collect(),
        calls: Arc::clone(&admission.clients) as _,
        most_resources: config.limits.gather_resources,
        most_bytes: config.server.max_body_bytes,
        patience: config.limits.gather_patience,
    }
}
