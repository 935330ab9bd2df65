//! Writing a resource that must be there once.

use std::sync::Arc;

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderValue, Method as Verb};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::{Failure, Refused, Target};
use super::found::Found;
use super::{FhirClient, Request, header};
use crate::fhir::capability::{Capabilities, Method, NoWay, digest_of_offer};
use crate::fhir::resource;

/// A resource that is new at a server.
#[derive(Clone, Debug)]
pub struct NewResource {
    /// The resource.
    pub content: Value,
    /// The search that finds it again, ready for a URL: `identifier=…`.
    pub condition: String,
    /// The id that it gets where the client chooses; none: it is somebody else's, and only found or created.
    pub id: Option<String>,
}

/// A resource that stands at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The relative reference there, `Task/8`.
    pub reference: String,
    /// Its ETag.
    pub etag: Option<String>,
    /// When the server wrote it, by its clock, where it says so.
    pub at: Option<Timestamp>,
    /// It was not there before.
    pub created: bool,
}

impl Placed {
    /// As a resource that was read.
    pub fn found(there: &Value) -> Self {
        let version = resource::version(there);
        Self {
            reference: resource::name_of(there),
            etag: (!version.is_empty()).then(|| format!("W/\"{version}\"")),
            at: resource::last_updated(there),
            created: false,
        }
    }

    fn of(answer: Answer, reference: Option<String>) -> Result<Self, Failure> {
        // It was taken, and the server does not say under which name.
        let unnamed = Failure::Unusable { what: "unnamed", may_have_happened: true };
        Ok(Self {
            reference: reference.or_else(|| answer.reference()).ok_or(unnamed)?,
            at: answer.last_updated(),
            created: answer.status == 201,
            etag: answer.etag,
        })
    }
}

impl FhirClient {
    /// The way to write resources of these types: `agreed`, or else the best that the server says that it
    /// offers. That is asked once, and again after it turned out to be wrong.
    pub async fn way(&self, agreed: Option<Method>, types: &[&str]) -> Result<Method, Failure> {
        match agreed {
            Some(method) => Ok(method),
            None => match self.capabilities().await?.way(types) {
                Ok(method) => Ok(method),
                Err(no_way) => {
                    self.forget_capabilities().await;
                    Err(match no_way {
                        NoWay::UnknownType => Failure::UnknownType,
                        NoWay::NoneOffered => Failure::NoWay,
                    })
                }
            },
        }
    }

    async fn capabilities(&self) -> Result<Arc<Capabilities>, Failure> {
        let mut known = self.capabilities.lock().await;
        if let Some(known) = &*known {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(Capabilities::read(&self.statement().await?));
        *known = Some(Arc::clone(&read));
        Ok(read)
    }

    /// Reads anew what the server says that it offers, as a digest; from here on that is believed.
    pub async fn offer(&self) -> Result<String, Failure> {
        let mut known = self.capabilities.lock().await;
        let statement = self.statement().await?;
        *known = Some(Arc::new(Capabilities::read(&statement)));
        Ok(digest_of_offer(&statement))
    }

    async fn statement(&self) -> Result<Value, Failure> {
        let request = Request::get(Target::Base, format!("{}/metadata", self.base));
        let answer = self.send_unchecked(request).await?;
        answer.resource("CapabilityStatement").map_err(Failure::harmless)
    }

    /// What the server says that it offers was wrong, or is so no more.
    pub(super) async fn forget_capabilities(&self) {
        *self.capabilities.lock().await = None;
    }

    /// Writes a resource that is not there, as far as we know. Several: more than one is, and which of them
    /// is meant is not ours to guess.
    pub async fn write_new(&self, method: Method, new: &NewResource) -> Result<Found<Placed>, Failure> {
        let resource_type = resource::resource_type(&new.content);
        let (answer, reference) = match (method, &new.id) {
            (Method::ClientId, Some(id)) => return self.write_under(id, &new.content).await.map(Found::One),
            (Method::ConditionalUpdate, Some(_)) => {
                let address = format!("{}/{resource_type}?{}", self.base, new.condition);
                (self.put(Target::Type, address, &new.content).await, None)
            }
            (Method::Plain, _) => (self.create(&new.content, None).await, None),
            _ => (self.create(&new.content, Some(&new.condition)).await, None),
        };
        match answer.and_then(|answer| answer.about(resource_type)) {
            Err(Failure::Status(Refused { status: 412, .. })) => Ok(Found::Several),
            Ok(answer) => Placed::of(answer, reference).map(Found::One),
            Err(failure) => Err(failure),
        }
    }

    /// Writes under an id of ours, unless something stands there: whatever it is now, it was this once, and
    /// somebody may have gone on with it (RFC 9110 §13.1.2).
    async fn write_under(&self, id: &str, content: &Value) -> Result<Placed, Failure> {
        let reference = format!("{}/{id}", resource::resource_type(content));
        let mut content = content.clone();
        content["id"] = json!(id);
        let mut request = Request::post(Target::Resource, format!("{}/{reference}", self.base), &content);
        request.method = Verb::PUT;
        request.headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        match self.send(request).await.and_then(|answer| answer.about(&reference)) {
            Err(Failure::Status(Refused { status: 412, .. })) => {
                self.read(&reference).await.map(|there| Placed::found(&there))
            }
            Ok(answer) => Placed::of(answer, Some(reference)),
            Err(failure) => Err(failure),
        }
    }

    /// What stands at the server of a resource that may have been written: looked for by the id that it would
    /// have, or else by its name.
    pub async fn look_for(&self, method: Method, new: &NewResource) -> Result<Found<Value>, Failure> {
        let resource_type = resource::resource_type(&new.content);
        let (Method::ClientId, Some(id)) = (method, &new.id) else {
            return match self.find_by(resource_type, &new.condition).await {
                // Where two are accepted, a server that cannot search is too.
                Err(failure) if method == Method::Plain && failure.is_lasting() => Ok(Found::Nothing),
                other => other,
            };
        };
        match self.read(&format!("{resource_type}/{id}")).await {
            Ok(there) => Ok(Found::One(there)),
            Err(Failure::Status(Refused { status: 404, .. })) => Ok(Found::Nothing),
            Err(failure) => Err(failure),
        }
    }

    /// Creates a resource; with a condition only if that finds none (FHIR R4, http, conditional create).
    async fn create(&self, content: &Value, if_none_exist: Option<&str>) -> Result<Answer, Failure> {
        let address = format!("{}/{}", self.base, resource::resource_type(content));
        let mut request = Request::post(Target::Type, address, content);
        if let Some(condition) = if_none_exist {
            request.headers.insert("if-none-exist", header(condition)?);
        }
        self.send(request).await
    }

    async fn put(&self, target: Target, address: String, content: &Value) -> Result<Answer, Failure> {
        let mut request = Request::post(target, address, content);
        request.method = Verb::PUT;
        self.send(request).await
    }

    /// Replaces a resource, if it still is the version that we know (FHIR R4, http, update).
    pub async fn update(
        &self,
        reference: &str,
        content: &Value,
        etag: Option<&str>,
    ) -> Result<Answer, Failure> {
        let mut request = Request::post(Target::Resource, format!("{}/{reference}", self.base), content);
        request.method = Verb::PUT;
        if let Some(etag) = etag {
            request.headers.insert(IF_MATCH, header(etag)?);
        }
        self.send(request).await?.about(reference)
    }
}
