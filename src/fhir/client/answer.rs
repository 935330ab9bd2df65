//! What a server answered.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_LOCATION, DATE, ETAG, LOCATION, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;
use url::Url;

use super::failure::{Failure, Refused, Says, Target};
use crate::fhir::message::{Reply, Response};
use crate::fhir::{json, reference, resource};

/// The longest address that is kept.
const LONGEST_ADDRESS: usize = 2048;

/// The most that one answer may hold, in bytes.
pub(super) const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// A successful answer, 200 to 299.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The relative reference of `Location`, `Task/8`.
    pub location: Option<String>,
    /// The `ETag`.
    pub etag: Option<String>,
    body: Option<Value>,
    may_have_happened: bool,
}

/// What matters of a request when its answer is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// What it was addressed to.
    pub(super) target: Target,
    /// Whether it could change anything.
    pub(super) may_change: bool,
    /// The length of its body, in bytes.
    pub(super) sent_bytes: usize,
    /// The most that its answer may hold, in bytes.
    pub(super) most_bytes: usize,
    /// The id that the reply to a message must quote.
    pub(super) quoted: Option<&'a str>,
}

impl Answer {
    /// The body, which must be a resource of this type.
    pub fn resource(self, expected: &str) -> Result<Value, Failure> {
        let unusable =
            Failure::Unusable { what: "unexpected-body", may_have_happened: self.may_have_happened };
        self.body.filter(|body| resource::resource_type(body) == expected).ok_or(unusable)
    }

    /// The body, where there is one.
    pub(super) fn into_body(self) -> Option<Value> {
        self.body
    }

    /// The answer to a write of `reference`, `Task` or `Task/8`, unless it shows that something else happened:
    /// an error in spite of the status, or another resource.
    pub(super) fn about(self, reference: &str) -> Result<Self, Failure> {
        let (wanted, id) = reference.split_once('/').unwrap_or((reference, ""));
        let fits = |it: &Value| match resource::resource_type(it) {
            "OperationOutcome" => !says_error(it),
            found => found == wanted && (id.is_empty() || resource::id(it) == id),
        };
        let moved = self.location.as_ref().is_some_and(|it| it.split('/').next() != Some(wanted));
        if moved || !self.body.as_ref().is_none_or(fits) {
            let may_have_happened = self.may_have_happened;
            return Err(Failure::Unusable { what: "unexpected-body", may_have_happened });
        }
        Ok(self)
    }

    /// The reference of what was created or replaced: from the header, or else from the body.
    pub fn reference(&self) -> Option<String> {
        self.location.clone().or_else(|| {
            let body = self.body.as_ref()?;
            let (resource_type, id) = (resource::resource_type(body), resource::id(body));
            (!id.is_empty() && resource_type != "OperationOutcome").then(|| format!("{resource_type}/{id}"))
        })
    }

    /// When the server wrote it, by its clock, where the body says so.
    pub(super) fn last_updated(&self) -> Option<Timestamp> {
        self.body.as_ref().and_then(resource::last_updated)
    }

    /// Reads a response to its end.
    pub(super) async fn read(response: reqwest::Response, asked: Asked<'_>) -> Result<Self, Failure> {
        let may_change = asked.may_change;
        let status = response.status();
        let (headers, address) = (response.headers().clone(), response.url().clone());
        let body = read_body(response, asked).await;
        if !status.is_success() {
            return Err(refusal(status.as_u16(), &headers, body.ok().flatten().as_ref(), asked));
        }
        let is_message = asked.target == Target::Message;
        if status.as_u16() == 202 && !is_message && (may_change || asked.target == Target::Outcome) {
            return Err(accepted_only(&address, &headers, asked));
        }
        let location = text(&headers, LOCATION.as_str()).and_then(|it| {
            reference::type_and_id(it).map(|(resource_type, id)| format!("{resource_type}/{id}"))
        });
        Ok(Self {
            status: status.as_u16(),
            // Where the headers say what was made, an unreadable body does not matter.
            body: if location.is_some() { body.unwrap_or_default() } else { body? },
            location,
            etag: text(&headers, ETAG.as_str()).map(str::to_owned),
            may_have_happened: may_change,
        })
    }
}

/// It will be done, or not: what became of it is asked where the server says, or else looked for. An address of
/// another origin is not asked, since our token would go there.
fn accepted_only(address: &Url, headers: &HeaderMap, asked: Asked<'_>) -> Failure {
    let said = text(headers, CONTENT_LOCATION.as_str()).and_then(|it| address.join(it).ok());
    let said = said.filter(|it| it.origin() == address.origin() && it.as_str().len() <= LONGEST_ADDRESS);
    match said.or_else(|| (asked.target == Target::Outcome).then(|| address.clone())) {
        Some(told_at) => Failure::Pending { told_at: told_at.into(), retry_after: retry_after(headers) },
        None => Failure::Unusable { what: "accepted-only", may_have_happened: true },
    }
}

async fn read_body(mut response: reqwest::Response, asked: Asked<'_>) -> Result<Option<Value>, Failure> {
    let Asked { may_change, most_bytes, .. } = asked;
    let too_large = || Failure::Unusable { what: "answer-too-large", may_have_happened: may_change };
    let announced = text(response.headers(), CONTENT_LENGTH.as_str()).and_then(|it| it.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most_bytes) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of(&error, may_change))? {
        if bytes.len() + chunk.len() > most_bytes {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let unreadable = Failure::Unusable { what: "not-json", may_have_happened: may_change };
    json::parse(&bytes).map(Some).map_err(|_| unreadable)
}

fn refusal(status: u16, headers: &HeaderMap, body: Option<&Value>, asked: Asked<'_>) -> Failure {
    let reply = asked.quoted.and_then(|quoted| body.and_then(Reply::of).filter(|it| it.quoted == quoted));
    let response = reply.and_then(|it| it.response);
    if response == Some(Response::FatalError) {
        return Failure::Replied { response: Response::FatalError, status };
    }
    let transient = response == Some(Response::TransientError);
    Failure::Status(Refused {
        status,
        target: asked.target,
        retry_after: retry_after(headers),
        says: if transient { Says::Transient } else { says(body) },
        may_have_happened: asked.may_change,
        sent_bytes: asked.sent_bytes,
    })
}

/// `Retry-After`, in seconds or as a date. A date is measured against the server's own `Date`, so that its
/// clock need not be ours (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, RETRY_AFTER.as_str())?.trim();
    if let Ok(seconds) = asked.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let instant = |text: &str| rfc2822::parse(text).ok().map(|it| it.timestamp());
    let (until, now) = (instant(asked)?, instant(text(headers, DATE.as_str())?)?);
    Duration::try_from(until.duration_since(now)).ok()
}

pub(super) fn says_error(outcome: &Value) -> bool {
    let mut issues = outcome["issue"].as_array().into_iter().flatten();
    issues.any(|it| matches!(it["severity"].as_str(), Some("error" | "fatal")))
}

/// What an OperationOutcome says of the refusal (FHIR R4, issue-type).
fn says(body: Option<&Value>) -> Says {
    let issues = body.and_then(|body| body["issue"].as_array());
    let codes = issues.into_iter().flatten().filter_map(|issue| issue["code"].as_str());
    let mut said = codes.filter_map(|code| match code {
        "transient" | "timeout" | "throttled" | "lock-error" | "no-store" | "incomplete" | "exception" => {
            Some(Says::Transient)
        }
        "duplicate" => Some(Says::Duplicate),
        "not-found" | "multiple-matches" => Some(Says::NotFound),
        _ => None,
    });
    let first = said.next().unwrap_or_default();
    said.find(|it| *it == Says::Transient).unwrap_or(first)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_server_may_ask_for_time_in_seconds_or_until_a_date_of_its_own_clock() {
        let asked = |retry_after: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, HeaderValue::from_static("Tue, 10 Mar 2026 15:00:00 GMT"));
            headers.insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
            super::retry_after(&headers).map(|it| it.as_millis())
        };

        assert_eq!(asked("120"), Some(120_000));
        assert_eq!(asked("1.5"), Some(1_500));
        assert_eq!(asked("Tue, 10 Mar 2026 15:01:00 GMT"), Some(60_000));
        assert_eq!(asked("Tue, 10 Mar 2026 14:00:00 GMT"), None);
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-3"), None);
    }
}
