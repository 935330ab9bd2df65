//! Looking for the one resource that carries a name.

use serde_json::Value;

use url::form_urlencoded;

use super::FhirClient;
use super::failure::Failure;
use crate::fhir::{bundle, resource};

/// What a search for one resource brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// It is not there.
    Nothing,
    /// It is there.
    One(T),
    /// There are several where there may be one: nobody but a person can tell which counts.
    Several,
}

impl<T> Found<T> {
    /// The word for metrics.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::One(_) => "one",
            Self::Several => "several",
        }
    }
}

fn token_parameter(name: &str, value: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

impl FhirClient {
    /// Searches for the resource with an identifier, given as a search token `system|value`.
    pub async fn find(&self, resource_type: &str, identifier: &str) -> Result<Found<Value>, Failure> {
        self.find_by(resource_type, &token_parameter("identifier", identifier)).await
    }

    /// Searches for the one resource that a search finds; `query` is ready for a URL.
    pub(super) async fn find_by(&self, resource_type: &str, query: &str) -> Result<Found<Value>, Failure> {
        let page = self.page(resource_type, &format!("{query}&_count=3")).await?;
        let mut matches = bundle::resources(&page).filter(|it| resource::resource_type(it) == resource_type);
        Ok(match (matches.next(), matches.next()) {
            (None, _) => Found::Nothing,
            (Some(one), None) => Found::One(one.clone()),
            _ => Found::Several,
        })
    }
}
