//! One effect at one server, and the name by which it is known there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::translate::{ForPartner, has_one_identifier};
use crate::fhir::capability::Method;
use crate::fhir::client::FhirClient;
use crate::fhir::client::failure::{Failure, Refused};
use crate::fhir::client::found::Found;
use crate::fhir::client::in_order::{Part, rename};
use crate::fhir::client::write::{NewResource, Placed};
use crate::fhir::reference::type_and_id;
use crate::fhir::{bundle, coding};
use crate::model::delivery::RemoteResource;
use crate::model::ids::DeliveryId;
use crate::model::looks::LookObserver;
use crate::translation::effect::token_query;

/// How often what others change meanwhile is read again and replaced, within one attempt.
const REBASES: usize = 3;

pub(super) struct Effect<'a> {
    pub(super) server: &'a FhirClient,
    pub(super) method: Method,
    pub(super) message: &'a ForPartner,
    pub(super) system: String,
    pub(super) name: DeliveryId,
    /// The partner's id.
    pub(super) endpoint: &'a str,
    pub(super) looks: &'a dyn LookObserver,
}

/// Where a replaced resource stands.
pub(super) enum Standing {
    At(RemoteResource),
    /// A later one of ours is in its place.
    Superseded,
    /// Nothing stands there any more.
    Gone,
    /// Something that travels along is there more than once.
    Several,
}

impl Effect<'_> {
    /// What an earlier try may have left.
    pub(super) async fn look(&self) -> Result<Found<RemoteResource>, Failure> {
        let found = self.server.look_for(self.method, &self.main()).await?;
        self.looks.looked(self.endpoint, found.word());
        Ok(match found {
            Found::Nothing => Found::Nothing,
            Found::One(there) => Found::One(remote_of(&there)),
            Found::Several => Found::Several,
        })
    }

    /// Writes it as new, with what travels along. What is found in its place is of another version, unless it
    /// bears our name: then an earlier try made it.
    pub(super) async fn create(&self) -> Result<Standing, Failure> {
        let Found::One(Placed { reference, etag, created, .. }) = self.write().await? else {
            return Ok(Standing::Several);
        };
        let remote = RemoteResource { reference, etag };
        if created || !self.is_created_by_place() {
            return Ok(Standing::At(remote));
        }
        let there = self.present(&remote).await?.ok_or(UNNAMED)?;
        match self.latest_on(&there) {
            Some(name) if name == self.name => Ok(Standing::At(remote_of(&there))),
            Some(name) if name.made() > self.name.made() => Ok(Standing::Superseded),
            _ => self.replace(&remote_of(&there)).await,
        }
    }

    async fn write(&self) -> Result<Found<Placed>, Failure> {
        let main = NewResource { condition: self.condition(), ..self.main() };
        match self.method {
            Method::Transaction => match self.send_together(None).await {
                Err(Failure::Status(Refused { status: 412, .. })) => Ok(Found::Several),
                other => other.map(Found::One),
            },
            method if self.message.companions.is_empty() => self.server.write_new(method, &main).await,
            method => {
                let mut parts = self.companions();
                parts.push(Part { full_url: MAIN_ADDRESS.to_owned(), new: main });
                Ok(match self.server.write_in_order(method, &parts).await? {
                    Found::One(mut placed) => placed.pop().map_or(Found::Nothing, Found::One),
                    _ => Found::Several,
                })
            }
        }
    }

    /// A creation that arrives late must not find any version of the resource, not just its own.
    fn is_created_by_place(&self) -> bool {
        matches!(self.method, Method::Transaction | Method::ConditionalCreate)
            && !has_one_identifier(&self.message.main)
    }

    fn condition(&self) -> String {
        if self.is_created_by_place() {
            token_query("identifier", &self.system, &self.message.place)
        } else {
            self.main().condition
        }
    }

    /// Replaces what stands there, if it is still the version that we know. If it changed meanwhile: our own
    /// effect counts as done, a later one of ours stays, and anything else is replaced under its new version.
    pub(super) async fn replace(&self, remote: &RemoteResource) -> Result<Standing, Failure> {
        let mut content = self.message.main.clone();
        let together = self.method == Method::Transaction && !self.message.companions.is_empty();
        if !together && !self.message.companions.is_empty() {
            let companions = self.companions();
            let Found::One(placed) = self.server.write_in_order(self.method, &companions).await? else {
                return Ok(Standing::Several);
            };
            let names = companions.iter().zip(placed);
            let names: BTreeMap<&str, String> =
                names.map(|(part, placed)| (part.full_url.as_str(), placed.reference)).collect();
            rename(&mut content, &names);
        }
        let mut remote = match &remote.etag {
            Some(_) => remote.clone(),
            None => match self.present(remote).await? {
                Some(there) => remote_of(&there),
                None => return Ok(Standing::Gone),
            },
        };
        for rebase in 0..=REBASES {
            let sent = if together {
                self.send_together(Some(&remote))
                    .await
                    .map(|Placed { reference, etag, .. }| RemoteResource { reference, etag })
            } else {
                self.send_alone(&content, &remote).await
            };
            match sent {
                Ok(remote) => return Ok(Standing::At(remote)),
                // A server that lets nobody choose ids answers 405 where nothing stands.
                Err(Failure::Status(refused)) if !together && matches!(refused.status, 404 | 405 | 410) => {
                    let there = self.present(&remote).await?;
                    return there.map_or(Ok(Standing::Gone), |_| Err(Failure::Status(refused)));
                }
                Err(Failure::Status(Refused { status: 409 | 412, .. })) if rebase < REBASES => {}
                Err(failure) => return Err(failure),
            }
            let Some(present) = self.present(&remote).await? else {
                return Ok(Standing::Gone);
            };
            match self.latest_on(&present) {
                Some(name) if name == self.name => return Ok(Standing::At(remote_of(&present))),
                Some(name) if name.made() > self.name.made() => return Ok(Standing::Superseded),
                _ => remote = remote_of(&present),
            }
        }
        Err(UNNAMED)
    }

    async fn present(&self, remote: &RemoteResource) -> Result<Option<Value>, Failure> {
        match self.server.read(&remote.reference).await {
            Ok(there) => Ok(Some(there)),
            Err(Failure::Status(Refused { status: 404 | 410, .. })) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn send_alone(&self, content: &Value, remote: &RemoteResource) -> Result<RemoteResource, Failure> {
        let content = with_id(content, &remote.reference);
        let answer = self.server.update(&remote.reference, &content, remote.etag.as_deref()).await?;
        Ok(RemoteResource { reference: remote.reference.clone(), etag: answer.etag })
    }

    async fn send_together(&self, remote: Option<&RemoteResource>) -> Result<Placed, Failure> {
        let companions = self.companions();
        let mut entries: Vec<Value> = companions
            .iter()
            .map(|it| bundle::create_entry(&it.full_url, it.new.content.clone(), &it.new.condition))
            .collect();
        entries.push(self.main_entry(remote));
        let response = self.server.transaction(&bundle::transaction(entries)).await?;
        let answer = bundle::entries(&response).last().map(|entry| &entry["response"]).ok_or(UNNAMED)?;
        let location = answer["location"].as_str().and_then(type_and_id);
        let named = location.map(|(resource_type, id)| format!("{resource_type}/{id}"));
        let reference = named.or_else(|| remote.map(|it| it.reference.clone())).ok_or(UNNAMED)?;
        let created = answer["status"].as_str().is_some_and(|it| it.starts_with("201"));
        Ok(Placed { reference, etag: answer["etag"].as_str().map(str::to_owned), at: None, created })
    }

    fn main_entry(&self, remote: Option<&RemoteResource>) -> Value {
        let main = self.main();
        let Some(remote) = remote else {
            return bundle::create_entry(MAIN_ADDRESS, main.content.clone(), &self.condition());
        };
        let mut request = json!({ "method": "PUT", "url": remote.reference });
        if let Some(etag) = &remote.etag {
            request["ifMatch"] = json!(etag);
        }
        let content = with_id(&main.content, &remote.reference);
        json!({ "fullUrl": MAIN_ADDRESS, "resource": content, "request": request })
    }

    fn main(&self) -> NewResource {
        self.named(&self.message.main, self.name.to_string())
    }

    fn companions(&self) -> Vec<Part> {
        let companions = self.message.companions.iter().enumerate();
        let part = |(number, (address, companion)): (usize, &(String, Value))| Part {
            full_url: address.clone(),
            new: self.named(companion, format!("{}-{number}", self.name)),
        };
        companions.map(part).collect()
    }

    fn named(&self, content: &Value, name: String) -> NewResource {
        let condition = token_query("identifier", &self.system, &name);
        NewResource { content: content.clone(), condition, id: Some(name) }
    }

    /// Our effect on a resource; of several the latest. Ourselves before anything else.
    fn latest_on(&self, resource: &Value) -> Option<DeliveryId> {
        let single = &resource["identifier"];
        let single = single["system"].as_str().zip(single["value"].as_str());
        let ours = coding::identifiers(resource).chain(single).filter(|(system, _)| *system == self.system);
        ours.filter_map(|(_, value)| value.parse().ok())
            .max_by_key(|it: &DeliveryId| (*it == self.name, it.made()))
    }
}

const MAIN_ADDRESS: &str = "urn:uuid:00000000-0000-4000-8000-00000000000a";

/// It was taken, and the server does not say under which name.
const UNNAMED: Failure = Failure::Unusable { what: "unnamed", may_have_happened: true };

fn with_id(resource: &Value, reference: &str) -> Value {
    let mut resource = resource.clone();
    resource["id"] = json!(reference.split('/').next_back().unwrap_or_default());
    resource
}

fn remote_of(resource: &Value) -> RemoteResource {
    let Placed { reference, etag, .. } = Placed::found(resource);
    RemoteResource { reference, etag }
}
