//! Operators' orders about deliveries. A replay is a row that says how far it is, so it goes on after a crash
//! where it was, and each of its steps is one transaction.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::super::Replays;
use super::super::engine::Engine;
use super::super::sql::{Bound, Row, Session, SqlError, bind};
use super::events::{self, Event};
use super::work_queue::retry;
use super::{Ledger, lanes, rows};
use crate::model::delivery::DeliveryState;
use crate::model::ids::{DeliveryId, EventId, ReplayId};
use crate::model::replay::{NewReplay, Replay, ReplayFilter, ReplayGroup};
use crate::model::work::StoreError;

/// So many deliveries at most in one step.
const MOST_AT_ONCE: u32 = 100;

#[async_trait]
impl<E: Engine> Replays for Ledger<E> {
    async fn preview_replay(&self, filter: ReplayFilter) -> Result<Vec<ReplayGroup>, StoreError> {
        self.read(move |session| {
            let matching = Matching::of(&filter);
            session.all(
                &format!(
                    "SELECT d.endpoint, d.state, d.reason, COUNT(*) FROM delivery d WHERE {}
                     GROUP BY d.endpoint, d.state, d.reason ORDER BY 1, 2, 3",
                    matching.conditions
                ),
                &matching.values(),
                |row| {
                    let state = DeliveryState::from_number(row.get(1)?).ok_or(SqlError::Unexpected)?;
                    Ok(ReplayGroup { endpoint: row.get(0)?, state, reason: row.get(2)?, count: row.get(3)? })
                },
            )
        })
        .await
    }

    async fn begin_replay(&self, new: NewReplay, now: Timestamp) -> Result<ReplayId, StoreError> {
        let id = ReplayId::new(now);
        self.write(move |session| {
            let filter = serde_json::to_string(&new.filter).map_err(|_| SqlError::Unexpected)?;
            session.announce_work();
            session.change(
                "INSERT INTO replay (replay_id, asked_ms, asked_by, why, filter, per_minute, state, up_to, next_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'running', '', ?2)",
                bind![
                    &id.to_string(),
                    now.as_millisecond(),
                    &new.by,
                    &new.why,
                    &filter,
                    i64::from(new.per_minute.max(1))
                ],
            )?;
            Ok(id)
        })
        .await
    }

    async fn replays(&self) -> Result<Vec<Replay>, StoreError> {
        self.read(|session| {
            session.all(&format!("SELECT {COLUMNS} FROM replay ORDER BY replay_id DESC"), bind![], replay)
        })
        .await
    }

    async fn stop_replay(&self, id: ReplayId) -> Result<bool, StoreError> {
        self.write(move |session| {
            let stopped = session.change(
                "UPDATE replay SET state = 'stopped' WHERE replay_id = ?1 AND state = 'running'",
                bind![&id.to_string()],
            )?;
            Ok(stopped == 1)
        })
        .await
    }

    async fn replay_some(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |session| step(session, now)).await
    }

    async fn cancel(&self, id: DeliveryId, by: &str, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        let (id, by, why) = (id.to_string(), by.to_owned(), why.to_owned());
        self.write(move |session| cancel(session, &id, (&by, &why), now)).await
    }
}

const COLUMNS: &str =
    "replay_id, asked_ms, asked_by, why, filter, per_minute, state, replayed, passed_over, up_to";

fn replay(row: &Row) -> Result<Replay, SqlError> {
    let filter: String = row.get(4)?;
    Ok(Replay {
        id: row.parsed(0)?,
        asked: rows::time(row, 1)?,
        ordered: NewReplay {
            filter: serde_json::from_str(&filter).map_err(|_| SqlError::Unexpected)?,
            per_minute: row.get(5)?,
            by: row.get(2)?,
            why: row.get(3)?,
        },
        state: row.get(6)?,
        replayed: row.get(7)?,
        passed_over: row.get(8)?,
    })
}

fn step(session: &dyn Session, now: Timestamp) -> Result<bool, SqlError> {
    let due = session.first(
        &format!(
            "SELECT {COLUMNS} FROM replay WHERE state = 'running' AND next_ms <= ?1
             ORDER BY next_ms LIMIT 1{}",
            session.dialect().locking_what_is_free()
        ),
        bind![now.as_millisecond()],
        |row| Ok((replay(row)?, row.get::<String>(9)?)),
    )?;
    let Some((replay, up_to)) = due else {
        return Ok(false);
    };
    let per_minute = replay.ordered.per_minute.max(1);
    let at_once = (per_minute / 60).clamp(1, MOST_AT_ONCE);
    let ids = next(session, &replay, &up_to, at_once)?;
    let mut replayed = 0_i64;
    for id in &ids {
        if retry(session, id, now.as_millisecond())? {
            replayed += 1;
            note(session, "replayed", id, (&replay.ordered.by, &replay.id.to_string()), now)?;
        }
    }
    let Some(last) = ids.last() else {
        let done = "UPDATE replay SET state = 'done' WHERE replay_id = ?1";
        session.change(done, bind![&replay.id.to_string()])?;
        return Ok(true);
    };
    let wait = SignedDuration::from_millis(60_000 * i64::from(at_once) / i64::from(per_minute));
    let next = now.saturating_add(wait).unwrap_or(now);
    session.change(
        "UPDATE replay SET up_to = ?2, next_ms = ?3, replayed = replayed + ?4, passed_over = passed_over + ?5
         WHERE replay_id = ?1",
        bind![
            &replay.id.to_string(),
            last,
            next.as_millisecond(),
            replayed,
            i64::try_from(ids.len()).unwrap_or(i64::MAX) - replayed
        ],
    )?;
    Ok(true)
}

/// The next deliveries of a replay. What dies again meanwhile stands before them and is not taken twice; what
/// was recorded after the order is not meant.
fn next(session: &dyn Session, replay: &Replay, up_to: &str, at_once: u32) -> Result<Vec<String>, SqlError> {
    let filter = &replay.ordered.filter;
    let until = filter.until.map_or(replay.asked, |until| until.min(replay.asked));
    let until = until.saturating_add(SignedDuration::from_millis(1)).unwrap_or(until);
    let matching = Matching::of(&ReplayFilter { until: Some(until), ..filter.clone() });
    let mut values = matching.values();
    values.extend([Bound::from(up_to), Bound::from(i64::from(at_once))]);
    let count = values.len();
    session.all(
        &format!(
            "SELECT d.delivery_id FROM delivery d WHERE {} AND d.delivery_id > ?{}
             ORDER BY d.delivery_id LIMIT ?{count}",
            matching.conditions,
            count - 1
        ),
        &values,
        |row| row.get(0),
    )
}

/// A filter as SQL.
struct Matching {
    conditions: String,
    texts: Vec<String>,
    instants: Vec<i64>,
}

impl Matching {
    fn of(filter: &ReplayFilter) -> Self {
        let states: Vec<String> = filter.wanted().iter().map(|state| (*state as i64).to_string()).collect();
        let mut conditions = vec![if states.is_empty() {
            "1 = 0".to_owned()
        } else {
            format!("d.state IN ({})", states.join(", "))
        }];
        let texts = [
            ("delivery_id", filter.delivery.map(|it| it.to_string())),
            ("endpoint", filter.endpoint.clone()),
            ("partner_id", filter.partner.as_ref().map(ToString::to_string)),
            ("reason", filter.reason.clone()),
        ];
        let mut bound = Vec::new();
        for (column, value) in texts {
            if let Some(value) = value {
                bound.push(value);
                conditions.push(format!("d.{column} = ?{}", bound.len()));
            }
        }
        let mut instants = Vec::new();
        for (comparison, value) in [(">=", filter.from), ("<", filter.until)] {
            if let Some(value) = value {
                instants.push(value.as_millisecond());
                conditions.push(format!("d.created_ms {comparison} ?{}", bound.len() + instants.len()));
            }
        }
        Self { conditions: conditions.join(" AND "), texts: bound, instants }
    }

    fn values(&self) -> Vec<Bound<'_>> {
        self.texts.iter().map(Bound::from).chain(self.instants.iter().map(|it| Bound::from(*it))).collect()
    }
}

fn cancel(
    session: &dyn Session,
    id: &str,
    (by, why): (&str, &str),
    now: Timestamp,
) -> Result<bool, SqlError> {
    let Some(lane) = lanes::of_delivery(session, id)? else {
        return Ok(false);
    };
    let cancelled = session.change(
        "UPDATE delivery SET state = 10, done_ms = ?2, reason = 'cancelled'
         WHERE delivery_id = ?1 AND state IN (0, 2, 3, 4, 6, 7, 9)",
        bind![id, now.as_millisecond()],
    )?;
    lanes::refresh(session, &lane)?;
    if cancelled == 1 {
        note(session, "cancelled", id, (by, why), now)?;
    }
    Ok(cancelled == 1)
}

fn note(
    session: &dyn Session,
    what: &str,
    delivery: &str,
    (actor, detail): (&str, &str),
    now: Timestamp,
) -> Result<(), SqlError> {
    let event = Event {
        id: EventId::new(now),
        at: now,
        what,
        actor,
        referral: None,
        delivery: Some(delivery),
        detail,
    };
    events::record(session, &event)
}
