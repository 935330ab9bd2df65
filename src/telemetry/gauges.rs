//! What is measured when somebody asks: a registry made anew each time, so that no value outlives its cause.

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::model::delivery::DeliveryState;
use crate::model::endpoint::EndpointReport;
use crate::model::figures::LedgerFigures;

/// What every metric's name begins with.
pub const PREFIX: &str = "refgw";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct GroupLabels {
    endpoint: String,
    state: &'static str,
    reason: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndpointLabels {
    endpoint: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ServerLabels {
    endpoint: String,
    state: &'static str,
}

/// Gauges of the ledger's figures and of where each server stands; none: the ledger could not be read, and only
/// that is told.
pub fn of_ledger(ledger: Option<(&LedgerFigures, &[EndpointReport])>, now: Timestamp) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let readable = gauge(&mut registry, "ledger_readable", "1: the figures below could be read");
    readable.set(i64::from(ledger.is_some()));
    if let Some((figures, servers)) = ledger {
        tell_servers(&mut registry, servers, now);
        count_all(&mut registry, figures);
        count_open(&mut registry, figures);
        tell_ages(&mut registry, figures, now);
    }
    registry
}

fn count_all(registry: &mut Registry, figures: &LedgerFigures) {
    gauge(registry, "recorded", "Deliveries ever recorded, by the sequence numbers given out")
        .set(whole(figures.recorded));
    gauge(registry, "conservation_gap", "Deliveries recorded that are in no state; must be 0")
        .set(figures.conservation_gap());
    let replayed: Counter = Counter::default();
    replayed.inc_by(figures.replayed);
    let told = "Deliveries that replays made due again, ever";
    registry.register("replayed", told, replayed);
    let states = Family::<StateLabels, Gauge>::default();
    for state in DeliveryState::ALL {
        let count = figures.by_state.iter().filter(|(it, _)| *it == state).map(|(_, count)| count).sum();
        states.get_or_create(&StateLabels { state: state.word() }).set(whole(count));
    }
    registry.register("deliveries", "Deliveries, by state", states);
}

fn count_open(registry: &mut Registry, figures: &LedgerFigures) {
    let groups = Family::<GroupLabels, Gauge>::default();
    for group in &figures.open {
        let labels = GroupLabels {
            endpoint: group.endpoint.clone(),
            state: group.state.word(),
            reason: group.reason.clone().unwrap_or_default(),
        };
        groups.get_or_create(&labels).inc_by(whole(group.count));
    }
    registry.register(
        "open_deliveries",
        "Deliveries not at their end, by endpoint, state and reason",
        groups,
    );
    let lanes = Family::<EndpointLabels, Gauge>::default();
    for (endpoint, count) in &figures.lanes {
        lanes.get_or_create(&EndpointLabels { endpoint: endpoint.clone() }).set(whole(*count));
    }
    registry.register("lanes", "Lanes in which something waits or runs, by endpoint", lanes);
}

fn tell_servers(registry: &mut Registry, servers: &[EndpointReport], now: Timestamp) {
    let states = Family::<ServerLabels, Gauge>::default();
    for server in servers {
        let labels = ServerLabels { endpoint: server.endpoint.clone(), state: server.state.word(now) };
        states.get_or_create(&labels).set(1);
    }
    registry.register("endpoint_state", "1: this server stands there, such as ready or open", states);
}

fn tell_ages(registry: &mut Registry, figures: &LedgerFigures, now: Timestamp) {
    let ages = Family::<EndpointLabels, Gauge>::default();
    for group in figures.pending() {
        let age = now.duration_since(group.oldest).as_secs().max(0);
        let gauge = ages.get_or_create_owned(&EndpointLabels { endpoint: group.endpoint.clone() });
        gauge.set(age.max(gauge.get()));
    }
    registry.register(
        "oldest_undelivered_seconds",
        "Age of the oldest delivery that waits for an attempt or runs, by endpoint",
        ages,
    );
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

/// A count as a gauge holds it.
pub(super) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
