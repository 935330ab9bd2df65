//! What is waiting, why, since when, and what a person can do: the operator's first question.

use jiff::Timestamp;
use serde::Serialize;

use super::delivery::{CLINIC, DeliveryState, KIND_SUSPENDED};
use super::endpoint::{EndpointReport, Opening};
use super::figures::{LedgerFigures, OpenGroup};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Deliveries ever recorded.
    pub recorded: u64,
    /// Those of them that are in no state; must be 0.
    pub conservation_gap: i64,
    /// Those that came to their end: delivered, superseded or cancelled.
    pub ended: u64,
    /// Servers that are not asked as usual.
    pub servers: Vec<Server>,
    /// The others, what needs a person first.
    pub waiting: Vec<Waiting>,
}

/// A server that is not asked as usual, for which everything that is owed to it waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Server {
    /// `@clinic` or a partner's id.
    pub endpoint: String,
    /// Where it stands, such as `open` or `paused`.
    pub state: &'static str,
    /// Why, as a code of ours; an operator's own words where it is paused.
    pub why: Option<String>,
    /// Since when.
    pub since: Option<String>,
    /// When it is asked again; none: now, or when a person says so.
    pub next_attempt: Option<String>,
    /// What to do, as one sentence.
    pub advice: String,
}

impl Server {
    fn of(report: &EndpointReport, now: Timestamp) -> Self {
        let state = &report.state;
        let kinds = state.suspended_kinds().iter().map(|it| it.kind.as_str()).collect::<Vec<_>>().join(", ");
        let kinds = Some(format!("does not take {kinds}")).filter(|_| state.word(now) == "limited");
        let why = state.why().map(|it| it.code().to_owned()).or(kinds);
        Self {
            endpoint: report.endpoint.clone(),
            state: state.word(now),
            why: state.paused().map(|it| format!("{} (by {})", it.why, it.by)).or(why),
            since: state.since(now).map(|it| it.to_string()),
            next_attempt: state.until(now).map(|it| it.to_string()),
            advice: server_advice(report, now),
        }
    }
}

fn server_advice(report: &EndpointReport, now: Timestamp) -> String {
    let name = &report.endpoint;
    let settings = settings_of(name);
    match (report.state.word(now), report.state.why()) {
        ("paused", _) => format!("`endpoints resume {name}` lets attempts go on."),
        ("limited", _) => format!(
            "Its CapabilityStatement says otherwise: tell its operator. When that changes, or with \
             `endpoints resume {name}`, what is held of it goes."
        ),
        ("throttled", _) => "Wait: the server asked for time.".to_owned(),
        ("recovering", _) => "Wait: it answers again and is asked more from step to step.".to_owned(),
        (_, Some(Opening::Auth)) => {
            format!(
                "Our credentials are not accepted: correct the auth section in {settings}, run `check`, restart."
            )
        }
        (_, Some(Opening::Tls)) => {
            format!(
                "Its certificate cannot be trusted: tell its operator; we ask again by ourselves. If it is of an \
                 issuer of its own, name that by `ca_file` in {settings}, run `check`, restart."
            )
        }
        (_, Some(Opening::Configuration)) => {
            format!("What it offers does not fit: correct `base_url` in {settings}, run `check`, restart.")
        }
        (_, Some(Opening::Forbidden)) => {
            "It forbids what we send: ask its operator for the permission to write.".to_owned()
        }
        _ => format!(
            "It does not answer as it should: tell its operator; we ask again by ourselves, and \
             `endpoints resume {name}` asks now."
        ),
    }
}

fn settings_of(endpoint: &str) -> String {
    if endpoint == CLINIC { "gateway.toml".to_owned() } else { format!("partners/{endpoint}.toml") }
}

/// Deliveries that wait for the same reason at the same endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// `@clinic` or a partner's id.
    pub endpoint: String,
    /// Where they stand.
    pub state: &'static str,
    /// Why, as a code of ours; none while all is well.
    pub reason: Option<String>,
    /// How many.
    pub count: u64,
    /// When the oldest of them was recorded.
    pub oldest_since: String,
    /// When the first of them is due; none where no attempt will be made by itself.
    pub next_attempt: Option<String>,
    /// What to do, as one sentence that names the command.
    pub advice: String,
}

impl Status {
    /// The answer at a moment.
    pub fn of(figures: &LedgerFigures, servers: &[EndpointReport], now: Timestamp) -> Self {
        let is_end = |state| {
            matches!(state, DeliveryState::Delivered | DeliveryState::Superseded | DeliveryState::Cancelled)
        };
        let servers = servers.iter().filter(|it| it.state.word(now) != "ready");
        let ended = figures.by_state.iter().filter(|(state, _)| is_end(*state));
        let mut groups: Vec<&OpenGroup> = figures.open.iter().collect();
        groups.sort_by_key(|it| (urgency(it.state), it.oldest));
        Self {
            recorded: figures.recorded,
            conservation_gap: figures.conservation_gap(),
            ended: ended.map(|(_, count)| count).sum(),
            servers: servers.map(|it| Server::of(it, now)).collect(),
            waiting: groups.into_iter().map(Waiting::of).collect(),
        }
    }
}

impl Waiting {
    fn of(group: &OpenGroup) -> Self {
        Self {
            endpoint: group.endpoint.clone(),
            state: group.state.word(),
            reason: group.reason.clone(),
            count: group.count,
            oldest_since: group.oldest.to_string(),
            next_attempt: group.next_attempt.map(|it| it.to_string()),
            advice: advice(group),
        }
    }
}

/// What needs a person comes first, then what does not move as it should.
const fn urgency(state: DeliveryState) -> u8 {
    match state {
        DeliveryState::Quarantined => 0,
        DeliveryState::Dead => 1,
        DeliveryState::UnknownWait => 2,
        DeliveryState::RetryWait => 3,
        DeliveryState::Queued | DeliveryState::InFlight => 4,
        DeliveryState::Held => 5,
        _ => 6,
    }
}

fn advice(group: &OpenGroup) -> String {
    let list = list_command(group);
    match group.state {
        DeliveryState::Queued | DeliveryState::InFlight => {
            format!("Wait; if they do not move, `{list}` shows which they are.")
        }
        DeliveryState::RetryWait => waiting_for(group, &list),
        DeliveryState::UnknownWait => {
            format!("Wait: they may have arrived, and we look before we send again; `{list}` shows which.")
        }
        DeliveryState::Held if let Some(kind) = suspended_kind(group) => format!(
            "The server does not take `{kind}`: tell its operator. When its CapabilityStatement changes, or with \
             `endpoints resume {}`, they go; `{list}` shows which.",
            group.endpoint
        ),
        DeliveryState::Held => {
            format!("`{list}` shows which; `consent explain --delivery ID` says why consent keeps one back.")
        }
        DeliveryState::Dead => {
            format!("`{list}` shows which; mend the cause, then `deliveries replay`.")
        }
        DeliveryState::Quarantined => {
            format!(
                "`{list}` shows which; compare both sides with `deliveries show ID`: nothing moves by itself."
            )
        }
        DeliveryState::InInbox => format!("Wait for the partner to read them; `{list}` shows which."),
        DeliveryState::Delivered | DeliveryState::Superseded | DeliveryState::Cancelled => {
            "Nothing.".to_owned()
        }
    }
}

/// The kind of writing that the server does not take.
fn suspended_kind(group: &OpenGroup) -> Option<&str> {
    group.reason.as_deref()?.strip_prefix(KIND_SUSPENDED)
}

/// What an attempt that failed is waiting for.
fn waiting_for(group: &OpenGroup, list: &str) -> String {
    let server = if group.endpoint == CLINIC { "the clinic" } else { group.endpoint.as_str() };
    let settings = settings_of(&group.endpoint);
    match group.reason.as_deref() {
        Some("not-connected" | "timeout" | "connection-lost") => format!(
            "The server of {server} does not answer: call its operator; `{list}` shows which, and \
             `deliveries retry ID` tries one now."
        ),
        Some("no-token") => {
            format!(
                "No token for {server}: correct the auth section in {settings}, run `check`, restart; `{list}` shows which."
            )
        }
        Some("partner-not-configured") => {
            format!(
                "The settings of {server} are missing or wrong: run `check`, restart; `{list}` shows which."
            )
        }
        Some("dialect-broken") => {
            format!("The definition of a dialect is broken: run `check`, restart; `{list}` shows which.")
        }
        _ => format!("`{list}` shows which; `deliveries show ID` tells what {server} answered to one."),
    }
}

/// The command that lists a group's deliveries: deliveries to the clinic have a partner too, whose referral it is.
fn list_command(group: &OpenGroup) -> String {
    let state = group.state.word();
    match group.endpoint.as_str() {
        CLINIC => format!("deliveries list --state {state}"),
        partner => format!("deliveries list --state {state} --partner {partner}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::{AttemptEnd, EndpointState};

    fn group(endpoint: &str, state: DeliveryState, reason: Option<&str>) -> OpenGroup {
        OpenGroup {
            endpoint: endpoint.to_owned(),
            state,
            reason: reason.map(str::to_owned),
            count: 1,
            oldest: Timestamp::UNIX_EPOCH,
            next_attempt: None,
        }
    }

    #[test]
    fn what_needs_a_person_comes_first() {
        let open = DeliveryState::ALL.map(|state| group("lakeside", state, None)).to_vec();
        let figures = LedgerFigures {
            recorded: 11,
            replayed: 0,
            by_state: DeliveryState::ALL.map(|it| (it, 1)).to_vec(),
            open,
            lanes: Vec::new(),
        };

        let status = Status::of(&figures, &[], Timestamp::UNIX_EPOCH);

        let first: Vec<&str> = status.waiting.iter().take(4).map(|it| it.state).collect();
        assert_eq!(first, ["quarantined", "dead", "unknown-wait", "retry-wait"]);
        assert_eq!((status.recorded, status.ended, status.conservation_gap), (11, 3, 0));
    }

    #[test]
    fn every_state_that_waits_has_a_sentence_that_names_a_command() {
        let ends = [DeliveryState::Delivered, DeliveryState::Superseded, DeliveryState::Cancelled];
        for state in DeliveryState::ALL.into_iter().filter(|it| !ends.contains(it)) {
            let advice = advice(&group("lakeside", state, None));

            let command = format!("`deliveries list --state {} --partner lakeside`", state.word());
            assert!(advice.contains(&command) && advice.ends_with('.'), "{advice}");
        }
    }

    #[test]
    fn servers_that_are_asked_as_usual_are_left_out_and_the_others_say_what_mends_them() {
        let now = Timestamp::UNIX_EPOCH;
        let server = |endpoint: &str, change: &dyn Fn(&mut EndpointState)| {
            let mut state = EndpointState::default();
            change(&mut state);
            EndpointReport { endpoint: endpoint.to_owned(), state, waiting: 1, in_flight: 0 }
        };
        let servers = [
            server("lakeside", &|_| {}),
            server("hillside", &|it| it.pause("jo", "maintenance", now)),
            server("@clinic", &|it| {
                assert!(it.ended(&AttemptEnd::Barred(Opening::Auth), now, 0.5).is_some());
            }),
        ];

        let told = Status::of(&LedgerFigures::default(), &servers, now).servers;

        let states: Vec<(&str, &str)> = told.iter().map(|it| (it.endpoint.as_str(), it.state)).collect();
        assert_eq!(states, [("hillside", "paused"), ("@clinic", "open")]);
        assert_eq!(told[0].why.as_deref(), Some("maintenance (by jo)"));
        assert!(told[0].advice.contains("`endpoints resume hillside`"));
        assert_eq!((told[1].why.as_deref(), told[1].since.is_some()), (Some("auth"), true));
        assert!(told[1].advice.contains("gateway.toml"), "{}", told[1].advice);
    }

    #[test]
    fn the_advice_names_the_side_that_can_mend_it() {
        let told = |endpoint, reason| advice(&group(endpoint, DeliveryState::RetryWait, Some(reason)));

        assert!(told("@clinic", "not-connected").contains("the clinic does not answer"));
        assert!(told("lakeside", "no-token").contains("partners/lakeside.toml"));
        assert!(told("@clinic", "no-token").contains("gateway.toml"));
        assert!(told("lakeside", "partner-not-configured").contains("`check`"));
        assert!(told("lakeside", "status").contains("what lakeside answered"));
    }
}
