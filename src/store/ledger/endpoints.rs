//! What is known of each server. It is read and changed in the transaction of the work that it is about, so
//! several gateways together keep to one server's limits.

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::Endpoints;
use super::super::engine::Engine;
use super::super::sql::{Session, SqlError, bind};
use super::{Ledger, events, rows};
use crate::model::delivery::KIND_SUSPENDED;
use crate::model::endpoint::{EndpointReport, EndpointState};
use crate::model::ids::EventId;
use crate::model::work::StoreError;

#[async_trait]
impl<E: Engine> Endpoints for Ledger<E> {
    async fn endpoints(&self) -> Result<Vec<EndpointReport>, StoreError> {
        self.read(|session| {
            session.all(
                "SELECT e.endpoint, e.state,
                   (SELECT COUNT(*) FROM lane l WHERE l.endpoint = e.endpoint AND l.due_ms IS NOT NULL),
                   (SELECT COUNT(*) FROM lane l WHERE l.endpoint = e.endpoint AND l.lease_until_ms IS NOT NULL)
                 FROM endpoint e ORDER BY e.endpoint",
                bind![],
                |row| {
                    let endpoint: String = row.get(0)?;
                    Ok(EndpointReport {
                        state: read(&endpoint, &row.get::<String>(1)?),
                        endpoint,
                        waiting: row.get(2)?,
                        in_flight: row.get(3)?,
                    })
                },
            )
        })
        .await
    }

    async fn pause(&self, endpoint: &str, by: &str, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let (endpoint, by, why) = (endpoint.to_owned(), by.to_owned(), why.to_owned());
        self.write(move |session| {
            change(session, &endpoint, |state| state.pause(&by, &why, now))?;
            note(session, "paused", &by, &endpoint, now)
        })
        .await
    }

    async fn resume(&self, endpoint: &str, by: &str, now: Timestamp) -> Result<(), StoreError> {
        let (endpoint, by) = (endpoint.to_owned(), by.to_owned());
        self.write(move |session| {
            session.announce_work();
            change(session, &endpoint, |state| state.resume(now))?;
            release(session, &endpoint, now)?;
            note(session, "resumed", &by, &endpoint, now)
        })
        .await
    }

    async fn offered(&self, endpoint: &str, offer: &str, now: Timestamp) -> Result<bool, StoreError> {
        let (endpoint, offer) = (endpoint.to_owned(), offer.to_owned());
        self.write(move |session| {
            let lifted = change(session, &endpoint, |state| state.offers(&offer))?;
            if lifted {
                session.announce_work();
                release(session, &endpoint, now)?;
            }
            Ok(lifted)
        })
        .await
    }
}

/// What is held because of its kind is due: whoever takes it sees whether the kind is still suspended. The lanes
/// first, as everywhere.
fn release(session: &dyn Session, endpoint: &str, now: Timestamp) -> Result<(), SqlError> {
    let kinds = format!("{KIND_SUSPENDED}%");
    let values = bind![endpoint, now.as_millisecond(), &kinds];
    session.change(
        "UPDATE lane SET due_ms = CASE WHEN due_ms < ?2 THEN due_ms ELSE ?2 END WHERE lane_id IN
           (SELECT d.lane_id FROM delivery d WHERE d.state = 4 AND d.endpoint = ?1 AND d.reason LIKE ?3)",
        values,
    )?;
    session.change(
        "UPDATE delivery SET due_ms = ?2, since_ms = ?2 WHERE state = 4 AND endpoint = ?1 AND reason LIKE ?3",
        values,
    )?;
    Ok(())
}

fn note(session: &dyn Session, what: &str, by: &str, endpoint: &str, now: Timestamp) -> Result<(), SqlError> {
    let event = events::Event {
        id: EventId::new(now),
        at: now,
        what,
        actor: by,
        referral: None,
        delivery: None,
        detail: endpoint,
    };
    events::record(session, &event)
}

/// Changes what is known of a server. Nobody else can meanwhile.
pub(super) fn change<T>(
    session: &dyn Session,
    endpoint: &str,
    change: impl FnOnce(&mut EndpointState) -> T,
) -> Result<T, SqlError> {
    let mut state = locked(session, endpoint)?;
    let before = state.clone();
    let answer = change(&mut state);
    if state != before {
        write(session, endpoint, &state)?;
    }
    Ok(answer)
}

/// What is known of a server, until the transaction ends.
pub(super) fn locked(session: &dyn Session, endpoint: &str) -> Result<EndpointState, SqlError> {
    let stored = session.first(
        &format!("SELECT state FROM endpoint WHERE endpoint = ?1{}", session.dialect().locking()),
        bind![endpoint],
        |row| row.get::<String>(0),
    )?;
    Ok(read(endpoint, &stored.unwrap_or_default()))
}

pub(super) fn write(session: &dyn Session, endpoint: &str, state: &EndpointState) -> Result<(), SqlError> {
    let text = serde_json::to_string(state).map_err(|_| SqlError::Unexpected)?;
    session.change(
        "INSERT INTO endpoint (endpoint, state) VALUES (?1, ?2)
         ON CONFLICT (endpoint) DO UPDATE SET state = excluded.state",
        bind![endpoint, &text],
    )?;
    Ok(())
}

/// A state that cannot be read is as good as none: the server is asked, and shows how it is.
fn read(endpoint: &str, stored: &str) -> EndpointState {
    if stored.is_empty() {
        return EndpointState::default();
    }
    serde_json::from_str(stored).unwrap_or_else(|_| {
        tracing::error!(%endpoint, "what was known of a server cannot be read; it is asked anew");
        EndpointState::default()
    })
}

/// The earliest instant at which a lane of a server is due, if any waits.
pub(super) fn due(session: &dyn Session, endpoint: &str) -> Result<Option<Timestamp>, SqlError> {
    let mut due = None;
    for tried in [false, true] {
        let first: Option<Option<i64>> = session.first(
            "SELECT MIN(due_ms) FROM lane
             WHERE endpoint = ?1 AND tried = ?2 AND lease_until_ms IS NULL AND due_ms IS NOT NULL",
            bind![endpoint, tried],
            |row| row.get(0),
        )?;
        let first = first.flatten().map(rows::timestamp);
        due = due.into_iter().chain(first).min();
    }
    Ok(due)
}
