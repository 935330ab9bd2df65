//! One attempt over HTTP.

use serde_json::Value;

use super::Outbound;
use super::effect::{Effect, Standing};
use super::translate::ForPartner;
use crate::consent::permit::Permit;
use crate::fhir::capability::Method;
use crate::fhir::client::FhirClient;
use crate::fhir::client::failure::Failure;
use crate::fhir::client::found::Found;
use crate::fhir::resource;
use crate::model::delivery::{Cause, Delivery, Owed, RemoteResource};
use crate::model::effects::{Effects, WriteRules};
use crate::model::partner::OutboundMode;
use crate::model::work::Settlement;
use crate::translation::effect::{agreed_way, effect_system};

/// How often we look in vain that there is one and not two, before it counts as delivered.
const LOOKS: u32 = 6;

impl Outbound {
    /// Sends an update to the partner's server, so that it stands there once: as new at first, replaced by
    /// `If-Match` afterwards, and looked for before it is sent again (delivery B5). A message is sent again under the
    /// same ids instead.
    pub(super) async fn send(
        &self,
        delivery: &Delivery,
        message: ForPartner,
        permit: Permit,
        way: Way<'_>,
    ) -> Result<Settlement, Failure> {
        let covered = matches!(&delivery.task, Owed::Deliver(update)
            if permit.covers(&update.resource, &delivery.partner));
        if !covered {
            return Ok(quarantined("permit-mismatch"));
        }
        let outcome = match way {
            Way::Message { .. } => {
                self.send_message(delivery, &message, &way).await?;
                Outcome::Taken
            }
            Way::Rest { server, method, rules } => {
                let effect = Effect {
                    server,
                    method,
                    message: &message,
                    system: effect_system(&self.house.public_url),
                    name: delivery.id,
                    endpoint: delivery.partner.as_str(),
                    looks: self.looks.as_ref(),
                };
                place(delivery, &effect, rules).await?
            }
        };
        let (remote, remark) = match outcome {
            Outcome::Taken => (None, None),
            Outcome::At(remote) => (Some(remote), None),
            Outcome::NotVerified(remote) => (Some(remote), Some("not-verified")),
            Outcome::Superseded => return Ok(Settlement::Superseded),
            Outcome::Unclear(code) => return Ok(quarantined(code)),
        };
        tracing::info!(delivery.id = %delivery.id, referral.id = %delivery.referral, "update delivered");
        Ok(Settlement::Delivered {
            remote,
            sent_sha256: message.sha256(),
            decision: permit.note().clone(),
            remark,
            told: message.told,
        })
    }

    /// How it will be written. Found out before it goes on record that it was sent.
    pub(super) async fn way(&self, delivery: &Delivery, message: &ForPartner) -> Result<Way<'_>, Failure> {
        let server = self.servers.get(&delivery.partner).ok_or(Failure::NotSent("partner-not-configured"))?;
        match &self.partner(&delivery.partner)?.outbound.mode {
            // What its CapabilityStatement says of resources is nothing to a message.
            OutboundMode::Message(_) => Ok(Way::Message { server }),
            OutboundMode::Rest(endpoint) => {
                let rules = endpoint.writes;
                let method = server.way(agreed_way(rules.effects), &types(message)).await?;
                Ok(Way::Rest { server, method, rules })
            }
            OutboundMode::Inbox => Err(Failure::NotSent("partner-not-configured")),
        }
    }
}

/// To where and how.
pub(super) enum Way<'a> {
    /// As a message.
    Message { server: &'a FhirClient },
    /// As resources.
    Rest { server: &'a FhirClient, method: Method, rules: WriteRules },
}

impl<'a> Way<'a> {
    pub(super) const fn server(&self) -> &'a FhirClient {
        match self {
            Self::Message { server } | Self::Rest { server, .. } => server,
        }
    }
}

/// Where an update stands now.
enum Outcome {
    /// Its receiver took the message; what it makes of it is its own matter.
    Taken,
    At(RemoteResource),
    /// It stands there, and the server's searches never found it.
    NotVerified(RemoteResource),
    /// A later one of ours stands in its place.
    Superseded,
    /// Not ours to guess at.
    Unclear(&'static str),
}

async fn place(delivery: &Delivery, effect: &Effect<'_>, rules: WriteRules) -> Result<Outcome, Failure> {
    if let Some(told_at) = &delivery.told_at {
        effect.server.wait_for_outcome(told_at.reveal()).await?;
    }
    if delivery.effect_unknown {
        match effect.look().await? {
            Found::One(there) if delivery.placed.as_ref().is_some_and(|it| *it != there.reference) => {
                return Ok(Outcome::Unclear("several-matches"));
            }
            Found::One(there) => return Ok(Outcome::At(there)),
            Found::Several => return Ok(Outcome::Unclear("several-matches")),
            Found::Nothing => {}
        }
        if let Some(reference) = &delivery.placed {
            return not_found(delivery, reference);
        }
        if rules.effects == Effects::AtMostOnce && delivery.remote.is_none() {
            return Ok(Outcome::Unclear("outcome-unknown"));
        }
    }
    if let Some(remote) = &delivery.remote {
        match effect.replace(remote).await? {
            Standing::At(remote) => return Ok(Outcome::At(remote)),
            Standing::Superseded => return Ok(Outcome::Superseded),
            Standing::Several => return Ok(Outcome::Unclear("several-matches")),
            // What stood there is gone: it is new again.
            Standing::Gone => {}
        }
    }
    let remote = match effect.create().await? {
        Standing::At(remote) => remote,
        Standing::Superseded => return Ok(Outcome::Superseded),
        Standing::Several => return Ok(Outcome::Unclear("several-matches")),
        Standing::Gone => return Ok(Outcome::Unclear("outcome-unknown")),
    };
    // Under an id of ours there cannot be two.
    if effect.method != Method::ClientId && rules.must_verify(delivery.effect_unknown) {
        match effect.look().await {
            Ok(Found::One(there)) if there.reference == remote.reference => {}
            Ok(Found::One(_) | Found::Several) => return Ok(Outcome::Unclear("several-matches")),
            // Its searches may come to know it later.
            Ok(Found::Nothing) | Err(_) => {
                return Err(Failure::Unverified { placed: Some(remote.reference) });
            }
        }
    }
    Ok(Outcome::At(remote))
}

/// It was taken, and a search does not find it yet.
fn not_found(delivery: &Delivery, reference: &str) -> Result<Outcome, Failure> {
    if delivery.attempts < LOOKS {
        return Err(Failure::Unverified { placed: None });
    }
    tracing::warn!(
        delivery.id = %delivery.id,
        referral.id = %delivery.referral,
        "the server's searches do not find what it took; whether it is there twice is not known"
    );
    Ok(Outcome::NotVerified(RemoteResource { reference: reference.to_owned(), etag: None }))
}

fn types(message: &ForPartner) -> Vec<&str> {
    let all = message.companions.iter().map(|(_, it)| it).chain([&message.main]);
    all.map(|it: &Value| resource::resource_type(it)).collect()
}

const fn quarantined(code: &'static str) -> Settlement {
    Settlement::Quarantined(Cause { code, http_status: None })
}
