//! Recording how an attempt ended.

use jiff::Timestamp;

use super::super::sql::{Session, SqlError, bind};
use super::dependencies::keep_dependencies;
use super::updates::{decision_text, link};
use super::{endpoints, lanes};
use crate::model::delivery::{Cause, DeliveryState, RemoteResource};
use crate::model::endpoint::AttemptEnd;
use crate::model::ids::ReferralId;
use crate::model::referral::ClinicRecord;
use crate::model::referral_state::ReferralState;
use crate::model::update::DecisionNote;
use crate::model::work::{Effect, Ended, Lease, Settled, Settlement};

/// Records a settlement, unless somebody else holds the lane by now.
pub(super) fn settle(
    session: &dyn Session,
    lease: &Lease,
    ended: &Ended,
    told_at: Option<&[u8]>,
    now: Timestamp,
) -> Result<Settled, SqlError> {
    let settlement = &ended.settlement;
    let Some(lane) = still_ours(session, lease)? else {
        return Ok(Settled::Fenced);
    };
    let (was_left_alone, change) = endpoints::change(session, lanes::endpoint_of(&lane), |it| {
        (it.is_left_alone(), it.ended(&ended.end, now, ended.random))
    })?;
    let mut finding = Finding::of(settlement, now);
    // A probe that fails says something of the server again, and nothing of the message.
    finding.failed &= !was_left_alone;
    finding.write_delivery(session, lease, now)?;
    write_told_at(session, lease, told_at)?;
    count_server_errors(session, lease, ended, now)?;
    finding.write_attempt(session, lease, now)?;
    let dependencies = match settlement {
        Settlement::Held { depends_on, .. } => depends_on.as_slice(),
        _ => &[],
    };
    keep_dependencies(session, lease.delivery.id, dependencies)?;
    if let Settlement::Forwarded(record) = settlement {
        write_clinic_record(session, lease.delivery.referral, record, now)?;
    }
    lanes::let_go(session, &lane)?;
    Ok(Settled::Recorded(change))
}

/// Where the server tells what became of it, sealed; it is forgotten once something else is known.
fn write_told_at(session: &dyn Session, lease: &Lease, told_at: Option<&[u8]>) -> Result<(), SqlError> {
    if told_at.is_some() || lease.delivery.told_at.is_some() {
        session.change(
            "UPDATE delivery SET told_at = ?2 WHERE delivery_id = ?1",
            bind![&lease.delivery.id.to_string(), told_at],
        )?;
    }
    Ok(())
}

/// How often in a row its own server answered 500 to it: kept over restarts.
fn count_server_errors(
    session: &dyn Session,
    lease: &Lease,
    ended: &Ended,
    now: Timestamp,
) -> Result<(), SqlError> {
    let delivery = &lease.delivery;
    let (times, since) = match &ended.settlement {
        Settlement::Retry { cause, .. }
            if ended.end == AttemptEnd::Failed && cause.http_status == Some(500) =>
        {
            (delivery.server_errors.saturating_add(1), Some(delivery.server_errors_since.unwrap_or(now)))
        }
        _ => (0, None),
    };
    if (times, since) != (delivery.server_errors, delivery.server_errors_since) {
        session.change(
            "UPDATE delivery SET server_errors = ?2, server_errors_since_ms = ?3 WHERE delivery_id = ?1",
            bind![&delivery.id.to_string(), times, since.map(Timestamp::as_millisecond)],
        )?;
    }
    Ok(())
}

/// The lane of a lease, until the transaction ends; none: it is not ours any more.
fn still_ours(session: &dyn Session, lease: &Lease) -> Result<Option<String>, SqlError> {
    session.first(
        &format!(
            "SELECT lane_id FROM lane WHERE lease_token = ?1 AND lease_until_ms IS NOT NULL
               AND lane_id = (SELECT lane_id FROM delivery WHERE delivery_id = ?2){}",
            session.dialect().locking()
        ),
        bind![lease.token, &lease.delivery.id.to_string()],
        |row| row.get(0),
    )
}

/// A settlement as columns.
struct Finding<'a> {
    state: DeliveryState,
    due: Option<Timestamp>,
    failed: bool,
    effect_unknown: bool,
    cause: Option<&'a Cause>,
    decision: Option<&'a DecisionNote>,
    remote: Option<&'a RemoteResource>,
    placed: Option<&'a str>,
    sent_sha256: Option<&'a str>,
    told: Option<&'static str>,
    remark: Option<&'a str>,
}

impl<'a> Finding<'a> {
    fn of(settlement: &'a Settlement, now: Timestamp) -> Self {
        match settlement {
            Settlement::Forwarded(_) => Self::plain(DeliveryState::Delivered),
            Settlement::Written { at_clinic, remark } => Self {
                placed: at_clinic.as_deref(),
                remark: *remark,
                ..Self::plain(DeliveryState::Delivered)
            },
            Settlement::Delivered { remote, sent_sha256, decision, remark, told } => Self {
                told: told.map(ReferralState::word),
                remark: *remark,
                decision: Some(decision),
                remote: remote.as_ref(),
                sent_sha256: Some(sent_sha256),
                ..Self::plain(DeliveryState::Delivered)
            },
            Settlement::InInbox(decision) => {
                Self { decision: Some(decision), ..Self::plain(DeliveryState::InInbox) }
            }
            Settlement::Held { decision, ask_again, .. } => {
                Self { decision: Some(decision), due: Some(*ask_again), ..Self::plain(DeliveryState::Held) }
            }
            Settlement::Retry { cause, at, counted, placed, effect, .. } => {
                let placed = placed.as_deref();
                Self { failed: *counted, placed, ..Self::retry(cause, *at, *effect) }
            }
            Settlement::Dead(cause) => Self { cause: Some(cause), ..Self::plain(DeliveryState::Dead) },
            Settlement::Quarantined(cause) => {
                Self { cause: Some(cause), ..Self::plain(DeliveryState::Quarantined) }
            }
            Settlement::Superseded => Self { due: Some(now), ..Self::plain(DeliveryState::Superseded) },
        }
    }

    const fn plain(state: DeliveryState) -> Self {
        Self {
            state,
            due: None,
            failed: false,
            effect_unknown: false,
            cause: None,
            decision: None,
            remote: None,
            placed: None,
            sent_sha256: None,
            told: None,
            remark: None,
        }
    }

    fn retry(cause: &'a Cause, at: Timestamp, effect: Effect) -> Self {
        let unknown = effect == Effect::Unknown;
        let state = if unknown { DeliveryState::UnknownWait } else { DeliveryState::RetryWait };
        Self { due: Some(at), effect_unknown: unknown, cause: Some(cause), ..Self::plain(state) }
    }

    fn reason(&self) -> Option<&str> {
        self.cause.map(|cause| cause.code).or(self.remark).or_else(|| {
            self.decision.filter(|_| self.state == DeliveryState::Held).map(|decision| decision.rule)
        })
    }

    /// What consent holds does not age: its deadline counts from the last hold.
    /// Once unknown, an effect stays unknown until it is found or the delivery ends.
    fn write_delivery(&self, session: &dyn Session, lease: &Lease, now: Timestamp) -> Result<(), SqlError> {
        let waits = matches!(
            self.state,
            DeliveryState::RetryWait
                | DeliveryState::UnknownWait
                | DeliveryState::Held
                | DeliveryState::InInbox
        );
        session.change(
            "UPDATE delivery SET state = ?2, due_ms = COALESCE(?3, due_ms),
               since_ms = COALESCE(?11, since_ms), attempts = attempts + ?4,
               effect_unknown = CASE WHEN effect_unknown = 1 THEN 1 ELSE ?5 END, reason = ?6,
               remote_reference = COALESCE(?7, remote_reference), remote_etag = ?8,
               sent_sha256 = ?9, done_ms = ?10, told = ?12
             WHERE delivery_id = ?1",
            bind![
                &lease.delivery.id.to_string(),
                self.state as i64,
                self.due.map(Timestamp::as_millisecond),
                self.failed,
                self.effect_unknown,
                self.reason(),
                self.remote.map(|it| it.reference.as_str()).or(self.placed),
                self.remote.and_then(|it| it.etag.as_deref()),
                self.sent_sha256,
                (!waits).then(|| now.as_millisecond()),
                (self.state == DeliveryState::Held).then(|| now.as_millisecond()),
                self.told,
            ],
        )?;
        Ok(())
    }

    fn write_attempt(&self, session: &dyn Session, lease: &Lease, now: Timestamp) -> Result<(), SqlError> {
        let decided = self.decision.map(decision_text);
        let consents = self.decision.map(|decision| decision.consents.join(" "));
        session.change(
            "UPDATE attempt SET ended_ms = ?2, outcome = ?3, http_status = ?4, decision = ?5, consents = ?6
             WHERE delivery_id = ?1 AND number = (SELECT MAX(number) FROM attempt WHERE delivery_id = ?1)",
            bind![
                &lease.delivery.id.to_string(),
                now.as_millisecond(),
                self.cause.map_or_else(|| self.state.word(), |cause| cause.code),
                self.cause.and_then(|cause| cause.http_status),
                decided.as_deref(),
                consents.as_deref(),
            ],
        )?;
        Ok(())
    }
}

/// What the clinic made of a referral. From here on its resources are known as the referral's, so every
/// feed is read again from the moment of the write: an answer of the clinic may be older than this record.
fn write_clinic_record(
    session: &dyn Session,
    referral: ReferralId,
    record: &ClinicRecord,
    now: Timestamp,
) -> Result<(), SqlError> {
    let id = referral.to_string();
    for (position, written) in record.written.iter().enumerate() {
        session.change(
            "INSERT INTO clinic_resource (referral_id, position, entry, reference, version)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (referral_id, position) DO UPDATE SET entry = ?3, reference = ?4, version = ?5",
            bind![&id, position, written.entry, &written.resource.reference(), &written.resource.version],
        )?;
    }
    let work = [record.first("ServiceRequest"), record.coordination_task()];
    for resource in work.into_iter().flatten() {
        link(session, &resource.reference(), referral)?;
    }
    let at_ms = record.at.map(Timestamp::as_millisecond);
    session.change(
        "UPDATE referral SET at_clinic = 1, clinic_at_ms = ?2, updated_ms = ?3 WHERE referral_id = ?1",
        bind![&id, at_ms, now.as_millisecond()],
    )?;
    session.change(
        "UPDATE feed_cursor SET read_up_to_ms = ?1 WHERE read_up_to_ms > ?1",
        bind![at_ms.unwrap_or_else(|| now.as_millisecond() - 3_600_000)],
    )?;
    Ok(())
}
