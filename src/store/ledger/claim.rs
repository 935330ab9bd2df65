//! Taking work.

use jiff::{SignedDuration, Timestamp};

use super::super::sql::{Session, SqlError, bind};
use super::super::{ClaimLimits, Claimed};
use super::housekeeping::AT_ONCE;
use super::{endpoints, lanes, rows};
use crate::model::delivery::Delivery;
use crate::model::endpoint::EndpointState;
use crate::model::work::Lease;

/// When what a server does not take is looked at again, if nothing lifts that before.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(6);

/// Who takes how much until when.
pub(super) struct Taking<'a> {
    pub(super) owner: &'a str,
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
    pub(super) limits: &'a ClaimLimits,
}

/// Leases lanes with due work, endpoint by endpoint: a server that is slow or dead takes work from nobody else.
pub(super) fn claim(session: &dyn Session, taking: &Taking<'_>) -> Result<Claimed, SqlError> {
    let leases_lost = give_up_expired(session, taking.now)?;
    let endpoints = session
        .all("SELECT endpoint FROM endpoint ORDER BY endpoint", bind![], |row| row.get::<String>(0))?;
    let mut claimed = Claimed { leases: Vec::new(), ask_again: None, leases_lost };
    for endpoint in endpoints {
        let free = taking.limits.in_all.saturating_sub(claimed.leases.len());
        let (leases, ask_again) = take_from(session, &endpoint, free, taking)?;
        claimed.leases.extend(leases);
        claimed.ask_again = claimed.ask_again.into_iter().chain(ask_again).min();
    }
    Ok(claimed)
}

/// Work whose lease ran out may have taken effect; whoever takes it next looks first.
fn give_up_expired(session: &dyn Session, now: Timestamp) -> Result<usize, SqlError> {
    let expired = session.all(
        &format!(
            "SELECT lane_id FROM lane WHERE lease_until_ms IS NOT NULL AND lease_until_ms <= ?1{}",
            session.dialect().locking_what_is_free()
        ),
        bind![now.as_millisecond()],
        |row| row.get::<String>(0),
    )?;
    expired.iter().try_for_each(|lane| cut_off(session, lane, now, "lease-ran-out"))?;
    Ok(expired.len())
}

/// Ends the lease of a lane whose work was cut off.
pub(super) fn cut_off(
    session: &dyn Session,
    lane: &str,
    look_at: Timestamp,
    reason: &str,
) -> Result<(), SqlError> {
    session.change(
        "UPDATE delivery SET state = 3, effect_unknown = 1, due_ms = ?2, reason = ?3
         WHERE lane_id = ?1 AND state = 1",
        bind![lane, look_at.as_millisecond(), reason],
    )?;
    lanes::let_go(session, lane)
}

fn take_from(
    session: &dyn Session,
    endpoint: &str,
    free: usize,
    taking: &Taking<'_>,
) -> Result<(Vec<Lease>, Option<Timestamp>), SqlError> {
    let due = endpoints::due(session, endpoint)?;
    if due.is_none_or(|due| due > taking.now) || free == 0 {
        return Ok((Vec::new(), due.filter(|due| *due > taking.now)));
    }
    let mut state = endpoints::locked(session, endpoint)?;
    let in_flight = in_flight(session, endpoint)?;
    let limits = taking.limits.of(endpoint);
    let allowance = state.allowance(taking.now, limits, in_flight);
    let room = free.min(allowance.in_all as usize);
    let server = (endpoint, &state);
    let (again, more) = take_lanes(session, server, true, room.min(allowance.retries as usize), taking)?;
    let (first, more_new) = take_lanes(session, server, false, room - again.len(), taking)?;
    if !again.is_empty() || !first.is_empty() {
        state.began(number(&first), number(&again), taking.now, limits);
        endpoints::write(session, endpoint, &state)?;
    }
    let due = endpoints::due(session, endpoint)?;
    let ask_again = due.map_or(Some(None), |due| (due > taking.now).then_some(Some(due)));
    let ask_again = ask_again.unwrap_or_else(|| {
        if more || more_new {
            return Some(taking.now);
        }
        state.allowance(taking.now, limits, in_flight + number(&first) + number(&again)).ask_again
    });
    Ok((again.into_iter().chain(first).collect(), ask_again))
}

fn number(leases: &[Lease]) -> u32 {
    u32::try_from(leases.len()).unwrap_or(u32::MAX)
}

fn in_flight(session: &dyn Session, endpoint: &str) -> Result<u32, SqlError> {
    let count = session.first(
        "SELECT COUNT(*) FROM lane WHERE endpoint = ?1 AND lease_until_ms IS NOT NULL",
        bind![endpoint],
        |row| row.get(0),
    )?;
    Ok(count.unwrap_or_default())
}

/// Lanes in which something is only put aside make room for others. True: so many were looked at that the rest is
/// for the next transaction.
fn take_lanes(
    session: &dyn Session,
    (endpoint, state): (&str, &EndpointState),
    tried: bool,
    most: usize,
    taking: &Taking<'_>,
) -> Result<(Vec<Lease>, bool), SqlError> {
    let (mut leases, mut looked_at) = (Vec::new(), 0);
    while leases.len() < most {
        if looked_at >= most + AT_ONCE {
            return Ok((leases, true));
        }
        let lanes = due_lanes(session, endpoint, tried, most - leases.len(), taking.now)?;
        if lanes.is_empty() {
            break;
        }
        looked_at += lanes.len();
        for lane in lanes {
            leases.extend(take_lane(session, &lane, state, taking)?);
        }
    }
    Ok((leases, false))
}

/// The first lanes that are due, of those whose next delivery was tried before or not.
fn due_lanes(
    session: &dyn Session,
    endpoint: &str,
    tried: bool,
    most: usize,
    now: Timestamp,
) -> Result<Vec<String>, SqlError> {
    session.all(
        &format!(
            "SELECT lane_id FROM lane WHERE endpoint = ?1 AND tried = ?2 AND lease_until_ms IS NULL
               AND due_ms <= ?3 ORDER BY due_ms LIMIT ?4{}",
            session.dialect().locking_what_is_free()
        ),
        bind![endpoint, tried, now.as_millisecond(), most],
        |row| row.get(0),
    )
}

/// None: nothing in the lane is due after all; it is due later now.
fn take_lane(
    session: &dyn Session,
    lane: &str,
    state: &EndpointState,
    taking: &Taking<'_>,
) -> Result<Option<Lease>, SqlError> {
    let Some(delivery) = next_in(session, lane, taking.now)? else {
        lanes::refresh(session, lane)?;
        return Ok(None);
    };
    // Where it may have taken effect, the look comes first.
    if !delivery.effect_unknown && !state.takes(&delivery.kind()) {
        put_aside(session, &delivery, taking.now)?;
        lanes::refresh(session, lane)?;
        return Ok(None);
    }
    let token = session.first(
        "UPDATE lane SET lease_token = lease_token + 1, lease_until_ms = ?2, lease_owner = ?3
         WHERE lane_id = ?1 RETURNING lease_token",
        bind![lane, taking.until.as_millisecond(), taking.owner],
        |row| row.get(0),
    )?;
    begin_attempt(session, &delivery, taking.now)?;
    let token = token.ok_or(SqlError::Unexpected)?;
    Ok(Some(Lease { delivery, token, until: taking.until }))
}

/// Holds what its server does not take, until it does; like what consent holds it does not age, and blocks nobody.
/// It is looked at again in a while, so that nothing is forgotten whatever becomes of the server's state.
fn put_aside(session: &dyn Session, delivery: &Delivery, now: Timestamp) -> Result<(), SqlError> {
    let look_at = now.saturating_add(LOOK_AGAIN).unwrap_or(now);
    session.change(
        "UPDATE delivery SET state = 4, due_ms = ?2, since_ms = ?3, reason = ?4 WHERE delivery_id = ?1",
        bind![
            &delivery.id.to_string(),
            look_at.as_millisecond(),
            now.as_millisecond(),
            &delivery.suspended_reason()
        ],
    )?;
    Ok(())
}

/// The delivery of a lane that is next and due. One that cannot be read is put aside for people, alone.
fn next_in(session: &dyn Session, lane: &str, now: Timestamp) -> Result<Option<Delivery>, SqlError> {
    let found = session.rows(
        &format!(
            "SELECT {} FROM delivery d WHERE d.lane_id = ?1 AND d.state IN (0, 2, 3, 4) AND d.due_ms <= ?2
               AND {} ORDER BY d.due_ms, d.seq LIMIT 1",
            rows::DELIVERY_COLUMNS,
            lanes::IS_NEXT
        ),
        bind![lane, now.as_millisecond()],
    )?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    match rows::delivery(row) {
        Err(SqlError::Damaged { id, .. }) => {
            tracing::error!(delivery.id = %id, "a stored delivery cannot be read and is put aside");
            session.change(
                "UPDATE delivery SET state = 7, done_ms = ?2, reason = 'row-unreadable' WHERE delivery_id = ?1",
                bind![&id, now.as_millisecond()],
            )?;
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// The attempt is on record before the first byte leaves, so a crash leaves a trace of it.
fn begin_attempt(session: &dyn Session, delivery: &Delivery, now: Timestamp) -> Result<(), SqlError> {
    let id = delivery.id.to_string();
    session.change("UPDATE delivery SET state = 1 WHERE delivery_id = ?1", bind![&id])?;
    session.change(
        "INSERT INTO attempt (delivery_id, number, started_ms)
         SELECT ?1, 1 + COALESCE(MAX(number), 0), ?2 FROM attempt WHERE delivery_id = ?1",
        bind![&id, now.as_millisecond()],
    )?;
    Ok(())
}
