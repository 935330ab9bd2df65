//! One attempt over HTTP.

use serde_json::{Value, json};

use super::Outbound;
use super::translate::{ForPartner, has_one_identifier};
use crate::consent::permit::Permit;
use crate::fhir::client::FhirClient;
use crate::fhir::client::failure::Failure;
use crate::fhir::client::found::Found;
use crate::fhir::reference::type_and_id;
use crate::fhir::{bundle, coding, resource};
use crate::model::delivery::{Cause, Delivery, Owed, RemoteResource};
use crate::model::work::Settlement;
use crate::translation::effect::{effect_system, token, token_query};

impl Outbound {
    /// Sends an update to the partner's server, so that it stands there once: created under a condition at
    /// first, replaced by `If-Match` afterwards, and looked for before it is sent again (delivery B5).
    pub(super) async fn send(
        &self,
        delivery: &Delivery,
        message: ForPartner,
        permit: Permit,
    ) -> Result<Settlement, Failure> {
        let covered = matches!(&delivery.task, Owed::Deliver(update)
            if permit.covers(&update.resource, &delivery.partner));
        if !covered {
            return Ok(Settlement::Quarantined(Cause { code: "permit-mismatch", http_status: None }));
        }
        let server = self.servers.get(&delivery.partner).ok_or(Failure::NotSent("partner-not-configured"))?;
        let effect =
            Effect { server, system: effect_system(&self.house.public_url), name: delivery.id.to_string() };
        let remote = match self.place(delivery, &message, &effect).await? {
            Placed::At(remote) => remote,
            Placed::Several => {
                return Ok(Settlement::Quarantined(Cause { code: "several-matches", http_status: None }));
            }
        };
        tracing::info!(delivery.id = %delivery.id, referral.id = %delivery.referral, "update delivered");
        Ok(Settlement::Delivered {
            remote: Some(remote),
            sent_sha256: message.sha256(),
            decision: permit.note().clone(),
            remark: None,
        })
    }

    async fn place(
        &self,
        delivery: &Delivery,
        message: &ForPartner,
        effect: &Effect<'_>,
    ) -> Result<Placed, Failure> {
        if delivery.effect_unknown {
            let identifier = token(&effect.system, &effect.name);
            match effect.server.find(resource::resource_type(&message.main), &identifier).await? {
                Found::Nothing => {}
                Found::One(there) => return Ok(Placed::At(remote_of(&there))),
                Found::Several => return Ok(Placed::Several),
            }
        }
        if !message.companions.is_empty() {
            return effect.place_together(message, delivery.remote.as_ref()).await.map(Placed::At);
        }
        match &delivery.remote {
            Some(remote) => effect.replace(message, remote).await,
            None => effect.create(message).await,
        }
        .map(Placed::At)
    }
}

/// Where an update stands now.
enum Placed {
    At(RemoteResource),
    Several,
}

/// One effect at one server, and the name by which it is known there.
struct Effect<'a> {
    server: &'a FhirClient,
    system: String,
    name: String,
}

impl Effect<'_> {
    async fn create(&self, message: &ForPartner) -> Result<RemoteResource, Failure> {
        let answer = self.server.create(&message.main, &self.condition(message)).await?;
        let reference = answer.reference().ok_or(UNNAMED)?;
        let remote = RemoteResource { reference, etag: answer.etag };
        if answer.status != FOUND || self.stands_at(&remote).await? {
            return Ok(remote);
        }
        self.replace(message, &remote).await
    }

    /// What a creation must not find: any version of the resource, or where there is room for one name only,
    /// this delivery's.
    fn condition(&self, message: &ForPartner) -> String {
        let name = if has_one_identifier(&message.main) { &self.name } else { &message.place };
        token_query("identifier", &self.system, name)
    }

    /// Whether what stands there is of this delivery, and not of an earlier one that nobody knew the end of.
    async fn stands_at(&self, remote: &RemoteResource) -> Result<bool, Failure> {
        Ok(self.is_on(&self.server.read(&remote.reference).await?))
    }

    /// Replaces what stands there. If it changed meanwhile: our own effect counts as done, and anything
    /// else is replaced once more under its new version.
    async fn replace(
        &self,
        message: &ForPartner,
        remote: &RemoteResource,
    ) -> Result<RemoteResource, Failure> {
        let content = with_id(&message.main, &remote.reference);
        let mut etag = remote.etag.clone();
        for last in [false, true] {
            match self.server.update(&remote.reference, &content, etag.as_deref()).await {
                Ok(answer) => {
                    return Ok(RemoteResource { reference: remote.reference.clone(), etag: answer.etag });
                }
                Err(Failure::Status { status: 409 | 412, .. }) if !last => {}
                Err(failure) => return Err(failure),
            }
            let present = self.server.read(&remote.reference).await?;
            if self.is_on(&present) {
                return Ok(remote_of(&present));
            }
            etag = remote_of(&present).etag;
        }
        Err(UNNAMED)
    }

    /// A resource with what travels along. If what stands there changed meanwhile, it is replaced once more
    /// under its new version, as in [`Effect::replace`].
    async fn place_together(
        &self,
        message: &ForPartner,
        remote: Option<&RemoteResource>,
    ) -> Result<RemoteResource, Failure> {
        let present = match (self.send_together(message, remote).await, remote) {
            (Err(Failure::Status { status: 409 | 412, .. }), Some(remote)) => {
                remote_of(&self.server.read(&remote.reference).await?)
            }
            (Ok((there, true)), _) if !self.stands_at(&there).await? => there,
            (other, _) => return other.map(|(there, _)| there),
        };
        self.send_together(message, Some(&present)).await.map(|(there, _)| there)
    }

    /// True: it was to be created, and was there already.
    async fn send_together(
        &self,
        message: &ForPartner,
        remote: Option<&RemoteResource>,
    ) -> Result<(RemoteResource, bool), Failure> {
        let mut entries: Vec<Value> = Vec::new();
        for (number, (address, companion)) in message.companions.iter().enumerate() {
            let condition = token_query("identifier", &self.system, &format!("{}-{number}", self.name));
            entries.push(bundle::create_entry(address, companion, &condition));
        }
        entries.push(self.main_entry(message, remote));
        let response = self.server.transaction(&bundle::transaction(&entries)).await?;
        let answer = bundle::entries(&response).last().map(|entry| &entry["response"]).ok_or(UNNAMED)?;
        let location = answer["location"].as_str().and_then(type_and_id);
        let named = location.map(|(resource_type, id)| format!("{resource_type}/{id}"));
        let reference = named.or_else(|| remote.map(|it| it.reference.clone())).ok_or(UNNAMED)?;
        let found = remote.is_none() && answer["status"].as_str().is_some_and(|it| it.starts_with("200"));
        Ok((RemoteResource { reference, etag: answer["etag"].as_str().map(str::to_owned) }, found))
    }

    fn main_entry(&self, message: &ForPartner, remote: Option<&RemoteResource>) -> Value {
        let address = "urn:uuid:00000000-0000-4000-8000-00000000000a";
        let Some(remote) = remote else {
            return bundle::create_entry(address, &message.main, &self.condition(message));
        };
        let mut request = json!({ "method": "PUT", "url": remote.reference });
        if let Some(etag) = &remote.etag {
            request["ifMatch"] = json!(etag);
        }
        let content = with_id(&message.main, &remote.reference);
        json!({ "fullUrl": address, "resource": content, "request": request })
    }

    fn is_on(&self, resource: &Value) -> bool {
        let single = &resource["identifier"];
        coding::identifiers(resource).any(|(system, value)| system == self.system && value == self.name)
            || (single["system"] == *self.system && single["value"] == *self.name)
    }
}

/// The status of a conditional create that created nothing (FHIR R4, http, conditional create).
const FOUND: u16 = 200;

/// It was taken, and the server does not say under which name.
const UNNAMED: Failure = Failure::Unusable { what: "unnamed", may_have_happened: true };

fn with_id(resource: &Value, reference: &str) -> Value {
    let mut resource = resource.clone();
    resource["id"] = json!(reference.split('/').next_back().unwrap_or_default());
    resource
}

fn remote_of(resource: &Value) -> RemoteResource {
    let version = resource::version(resource);
    RemoteResource {
        reference: resource::name_of(resource),
        etag: (!version.is_empty()).then(|| format!("W/\"{version}\"")),
    }
}
