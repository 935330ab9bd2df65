//! Reading what a draft lacks from its sender's own server.

use tokio::task::JoinSet;

use super::draft::{Draft, Wanted};
use super::{GatherFault, Sources};
use crate::fhir::client::FhirClient;
use crate::fhir::client::failure::{Class, Failure};

use serde_json::Value;

/// So many resources are read at the same time.
const AT_ONCE: usize = 4;

/// The reading for one Task.
pub(super) struct Pull<'a> {
    sources: &'a Sources,
    server: &'a FhirClient,
    client_id: &'a str,
    resources: usize,
    bytes: usize,
}

impl<'a> Pull<'a> {
    /// Everything that may be read for one Task of this client is left.
    pub(super) const fn new(sources: &'a Sources, server: &'a FhirClient, client_id: &'a str) -> Self {
        let (resources, bytes) = (sources.most_resources, sources.most_bytes);
        Self { sources, server, client_id, resources, bytes }
    }

    /// Reads the order, and then step by step what it and the Task name.
    pub(super) async fn complete(mut self, mut draft: Draft) -> Result<Draft, GatherFault> {
        if let Some(order) = draft.wanted_order()? {
            self.read(&mut draft, &[order]).await?;
        }
        loop {
            let wanted = draft.wanted()?;
            if wanted.is_empty() {
                return Ok(draft);
            }
            for some in wanted.chunks(AT_ONCE) {
                self.read(&mut draft, some).await?;
            }
        }
    }

    async fn read(&mut self, draft: &mut Draft, wanted: &[Wanted]) -> Result<(), GatherFault> {
        let mut reading = JoinSet::new();
        for (number, it) in wanted.iter().enumerate() {
            self.resources =
                self.resources.checked_sub(1).ok_or_else(|| GatherFault::TooMuch(it.place.clone()))?;
            self.sources.calls.take(self.client_id).map_err(GatherFault::TooOften)?;
            let (server, name, most) = (self.server.clone(), it.name.clone(), self.bytes);
            reading.spawn(async move { (number, server.read_within(&name, most).await) });
        }
        let mut read: Vec<Option<Value>> = vec![None; wanted.len()];
        while let Some(ended) = reading.join_next().await {
            let lost = |_| GatherFault::Unavailable { what: "reading-failed", wait: None };
            let (number, answer) = ended.map_err(lost)?;
            read[number] = Some(answer.map_err(|failure| fault(&failure, &wanted[number].place))?);
        }
        for (it, resource) in wanted.iter().zip(read.into_iter().flatten()) {
            let length = resource.to_string().len();
            self.bytes =
                self.bytes.checked_sub(length).ok_or_else(|| GatherFault::TooMuch(it.place.clone()))?;
            draft.add_read(it, resource);
        }
        Ok(())
    }
}

/// What the sender can mend at once is its own; anything else may mend itself.
fn fault(failure: &Failure, place: &str) -> GatherFault {
    let place = || place.to_owned();
    match (failure, failure.class(), failure.status()) {
        (Failure::Unusable { what: "answer-too-large", .. }, ..) => GatherFault::TooMuch(place()),
        (_, _, Some(404 | 410)) => GatherFault::NotFound(place()),
        (_, Class::Forbidden | Class::Lasting | Class::NotSupported, _) => GatherFault::Refused(place()),
        _ => GatherFault::Unavailable { what: failure.code(), wait: failure.retry_after() },
    }
}
