//! Errors become answers here, and only here: the one place that knows status codes.

use std::any::Any;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::admission::TRY_AGAIN;
use crate::auth::verify::BearerRefusal;
use crate::fhir::message::{self, Received, ReplyTo, Said};
use crate::fhir::outcome::{Explain, Issue, IssueKind, operation_outcome};
use crate::inbound::InboundError;
use crate::inbound::edge::for_version;
use crate::inbound::gather::GatherFault;
use crate::model::fhir_version::FhirVersion;
use crate::model::work::StoreError;
use crate::outbound::inbox::InboxError;

/// The longest that a caller is asked to wait because its own server asked us to.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// A refused request: what the caller is told, and what our log is told. The body is written by
/// [`request_log`](super::request_log), which knows the request's id.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// For the caller.
    pub issues: Vec<Issue>,
    /// For our log: codes and reasons, no content.
    pub log: String,
    /// Headers that the status demands.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// A message was sent, so that the refusal is told in a reply to it.
    pub in_reply: Option<Box<InReply>>,
}

/// The message that is refused, and where its reply comes from.
#[derive(Clone, Debug)]
pub struct InReply {
    /// The message.
    pub to: Received,
    /// Which of its ids the reply quotes.
    pub quotes: ReplyTo,
    /// Our address for messages.
    pub endpoint: String,
    /// The version of FHIR that the sender speaks.
    pub version: FhirVersion,
}

impl Refusal {
    /// A refusal for one reason.
    pub fn new(status: StatusCode, issue: Issue) -> Self {
        let log = issue.code.to_owned();
        Self { status, issues: vec![issue], log, headers: Vec::new(), in_reply: None }
    }

    /// Not to be found, as far as this caller may know. Unknown, deleted and somebody else's are alike.
    pub fn not_found() -> Self {
        let text = "There is nothing for you at this address. Check the type and the id.";
        Self::new(StatusCode::NOT_FOUND, Issue::error(IssueKind::NotFound, "SEND_NOT_FOUND", text))
    }

    /// The caller's token does not allow this.
    pub fn forbidden() -> Self {
        let text =
            "Your access token does not allow this. Ask for a token with the scope of this resource type.";
        Self::new(StatusCode::FORBIDDEN, Issue::error(IssueKind::Forbidden, "SEND_SCOPE", text))
    }

    /// Something about the request itself, before its content matters.
    pub fn bad_request(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Issue::error(IssueKind::Value, code, text))
    }

    /// The caller calls more often than it may; `wait` until the next call.
    pub fn too_often(wait: Duration) -> Self {
        let text =
            "You call more often than was agreed. Nothing was done; `Retry-After` says how long to wait.";
        let issue = Issue::error(IssueKind::Throttled, "SEND_TOO_OFTEN", text);
        Self::new(StatusCode::TOO_MANY_REQUESTS, issue).retry_after(whole_seconds(wait))
    }

    /// Too much is being read at the moment.
    pub fn busy(wait: Duration) -> Self {
        let issues = InboundError::Store(StoreError::Busy).issues();
        let log = issues.iter().map(|issue| issue.code).collect();
        let refusal = Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            issues,
            log,
            headers: Vec::new(),
            in_reply: None,
        };
        refusal.retry_after(whole_seconds(wait))
    }

    /// The same refusal, with the codes that a partner's guide has for it.
    pub fn say_as_guide(&mut self, code_of: impl Fn(u16, &str) -> Option<(String, String)>) {
        for issue in &mut self.issues {
            issue.guides_code = code_of(self.status.as_u16(), issue.kind.code());
        }
    }

    /// The same refusal, as a reply to a message.
    #[must_use]
    pub fn in_reply(mut self, to: Option<InReply>) -> Self {
        self.in_reply = to.map(Box::new);
        self
    }

    /// The body: an OperationOutcome that names the request, or a reply with it (FHIR R4, messaging).
    pub fn body(&self, request_id: &str) -> Value {
        let outcome = operation_outcome(&self.issues, Some(request_id));
        let Some(reply) = &self.in_reply else {
            return outcome;
        };
        let may_work_later =
            self.status.is_server_error() || self.headers.iter().any(|it| it.0 == RETRY_AFTER);
        let response =
            if may_work_later { message::Response::TransientError } else { message::Response::FatalError };
        let said = Said { response, details: Some(&outcome), focus: None };
        for_version(reply.to.reply(reply.quotes, &reply.endpoint, &said), reply.version)
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn retry_after(self, seconds: u16) -> Self {
        self.with(RETRY_AFTER, HeaderValue::from(seconds))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        for (name, value) in &self.headers {
            response.headers_mut().append(name, value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<InboundError> for Refusal {
    fn from(error: InboundError) -> Self {
        let status = match &error {
            InboundError::NotJson(_) => StatusCode::BAD_REQUEST,
            InboundError::Gather(GatherFault::TooOften(_)) => StatusCode::TOO_MANY_REQUESTS,
            InboundError::Gather(GatherFault::Unavailable { .. } | GatherFault::Busy)
            | InboundError::Store(_)
            | InboundError::Lost
            | InboundError::Shut
            | InboundError::Profile(_)
            | InboundError::Dialect(_) => StatusCode::SERVICE_UNAVAILABLE,
            InboundError::Known | InboundError::State(_) | InboundError::CancelWay(_) => StatusCode::CONFLICT,
            InboundError::WrongDoor(_)
            | InboundError::Invalid(_)
            | InboundError::Conflict
            | InboundError::NotAReply(_)
            | InboundError::NotAbout
            | InboundError::AboutSeveral
            | InboundError::NothingToDo
            | InboundError::Gather(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let wait = match &error {
            InboundError::Shut | InboundError::Profile(_) | InboundError::Dialect(_) => {
                whole_seconds(TRY_AGAIN)
            }
            InboundError::Gather(GatherFault::TooOften(wait)) => whole_seconds(*wait),
            InboundError::Gather(GatherFault::Unavailable { wait, .. }) => {
                whole_seconds(wait.unwrap_or(TRY_AGAIN).clamp(TRY_AGAIN, LONGEST_WAIT))
            }
            _ => 5,
        };
        let codes: Vec<&str> = error.issues().iter().map(|issue| issue.code).collect();
        let log = format!("{error}: {}", codes.join(" "));
        let refusal = Self { status, issues: error.issues(), log, headers: Vec::new(), in_reply: None };
        let may_work_later =
            matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        if may_work_later { refusal.retry_after(wait) } else { refusal }
    }
}

impl From<InboxError> for Refusal {
    fn from(error: InboxError) -> Self {
        let text = "This cannot be answered now. Ask again later.";
        let issue = Issue::error(IssueKind::Transient, "CLINIC_UNAVAILABLE", text);
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, issue).retry_after(5);
        Self { log: error.to_string(), ..refusal }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        InboundError::Store(error).into()
    }
}

impl From<BearerRefusal> for Refusal {
    fn from(refused: BearerRefusal) -> Self {
        let text = "Send a valid access token as `Authorization: Bearer`. Tokens come from /oauth2/token.";
        let issue = Issue::error(IssueKind::Login, "SEND_TOKEN", text);
        let challenge = refused.www_authenticate();
        let refusal = Self::new(StatusCode::UNAUTHORIZED, issue).with(WWW_AUTHENTICATE, challenge);
        Self { log: refused.to_string(), ..refusal }
    }
}

/// Seconds for `Retry-After`, rounded up and at least one.
pub fn whole_seconds(wait: Duration) -> u16 {
    u16::try_from(wait.as_millis().div_ceil(1000).max(1)).unwrap_or(u16::MAX)
}

/// No route has this path.
pub async fn unknown_path() -> Refusal {
    let text = "There is no such address here. Partners use /fhir and /oauth2/token; see /fhir/metadata.";
    Refusal::new(StatusCode::NOT_FOUND, Issue::error(IssueKind::NotFound, "SEND_PATH_UNKNOWN", text))
}

/// The path is ours, the method is not. `Allow` is set by the router.
pub async fn method_not_allowed(method: Method) -> Refusal {
    let text = format!(
        "{} is not possible here; `Allow` says what is. Referrals are sent to POST /fhir, /fhir/ServiceRequest, \
         /fhir/Task or /fhir/$process-message.",
        if method.as_str().len() > 10 { "This method" } else { method.as_str() }
    );
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Issue::error(IssueKind::NotSupported, "SEND_METHOD", text))
}

/// A fault of ours. What it said stays out of the answer and out of the log: it could hold content.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    let text = "The gateway failed. It is not known whether this was recorded; send the same again.";
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Issue::error(IssueKind::Exception, "GW_FAULT", text))
        .into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Request;
    use axum::routing::get;
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_a_refusal_that_does_not_repeat_what_it_said() {
        let router: Router = Router::new()
            .route("/", get(async || -> StatusCode { panic!("Canarybird") }))
            .layer(CatchPanicLayer::custom(panicked));

        let mut response = router.oneshot(Request::new(Body::empty())).await.unwrap();

        let refusal = response.extensions_mut().remove::<Refusal>().unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!((refusal.status, refusal.issues[0].code), (StatusCode::INTERNAL_SERVER_ERROR, "GW_FAULT"));
        assert!(!format!("{refusal:?}").contains("Canarybird"));
    }
}
