//! The HTTP edge: doors, extractors, refusals. No road is here, only the way to one.

pub mod admission;
pub mod clinic_api;
pub mod consent_check;
pub mod extract;
pub mod listen;
pub mod metadata;
pub mod oauth;
pub mod operator;
pub mod partner_api;
pub mod partner_reads;
pub mod partner_replies;
pub mod query;
pub mod rate;
pub mod refusal;
pub mod request_log;
pub mod resource_body;
pub mod routes;
pub mod tls;
pub mod validate;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::Notify;
use tower_http::catch_panic::CatchPanicLayer;

use self::admission::Admission;
use crate::auth::keys::published::OwnKeys;
use crate::auth::verify::{AccessTokens, Addresses, TokenService};
use crate::inbound::Inbound;
use crate::model::clock::Clock;
use crate::model::partner::Partners;
use crate::model::sensitive::Sensitive;
use crate::outbound::Outbound;
use crate::telemetry::metrics::Metrics;

/// What the doors need.
#[derive(Clone)]
pub struct Doors {
    /// The road in.
    pub inbound: Inbound,
    /// The road out, for what partners read from us.
    pub outbound: Outbound,
    /// Every partner.
    pub partners: Arc<Partners>,
    /// Checks access tokens.
    pub access_tokens: Arc<AccessTokens>,
    /// Gives access tokens.
    pub token_service: Arc<TokenService>,
    /// Our own keys, for everybody to read.
    pub own_keys: Arc<OwnKeys>,
    /// Our public addresses.
    pub addresses: Arc<Addresses>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who may come in now.
    pub admission: Arc<Admission>,
    /// How much and how slowly a caller may send.
    pub limits: Limits,
    /// Told when there is new work.
    pub work: Arc<Notify>,
    /// Told when the clinic says that something changed.
    pub clinic_changed: Arc<Notify>,
    /// What the clinic's server shows at `/hooks/clinic`; none: that door is shut.
    pub hook_token: Option<Sensitive<String>>,
    /// Counts referrals and refusals.
    pub metrics: Arc<Metrics>,
}

/// How much and how slowly a caller may send.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub max_body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
}

/// The public doors: every route, and what holds for all of them.
pub fn router(doors: Doors) -> Router {
    routes::router()
        .fallback(refusal::unknown_path)
        .method_not_allowed_fallback(refusal::method_not_allowed)
        .layer(CatchPanicLayer::custom(refusal::panicked))
        .layer(axum::middleware::from_fn_with_state(doors.clone(), request_log::log_request))
        .with_state(doors)
}
