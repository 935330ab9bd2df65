//! The work that is owed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::engine::Engine;
use super::super::seal::Sealer;
use super::super::sql::{Session, SqlError, bind};
use super::super::{ClaimLimits, Claimed, WorkQueue};
use super::{Ledger, claim, hasten, lanes, settle};
use crate::model::ids::DeliveryId;
use crate::model::sensitive::Sensitive;
use crate::model::work::{Ended, Lease, Settled, StoreError};

#[async_trait]
impl<E: Engine> WorkQueue for Ledger<E> {
    async fn claim(
        &self,
        now: Timestamp,
        lease: Duration,
        limits: ClaimLimits,
    ) -> Result<Claimed, StoreError> {
        let (owner, sealer) = (self.instance.clone(), Arc::clone(&self.sealer));
        self.write(move |session| {
            let until = now.saturating_add(lease).unwrap_or(now);
            let taking = claim::Taking { owner: &owner, now, until, limits: &limits };
            let mut claimed = claim::claim(session, &taking)?;
            for lease in claimed.leases.iter_mut().filter(|it| it.delivery.effect_unknown) {
                lease.delivery.told_at = told_at(session, &sealer, lease.delivery.id)?;
            }
            Ok(claimed)
        })
        .await
    }

    async fn settle(&self, lease: &Lease, ended: Ended, now: Timestamp) -> Result<Settled, StoreError> {
        let lease = lease.clone();
        let address = ended.settlement.told_at();
        let told_at = address.map(|it| self.sealer.seal_note(it.reveal(), &bound_to(lease.delivery.id)));
        self.write(move |session| settle::settle(session, &lease, &ended, told_at.as_deref(), now)).await
    }

    async fn hasten(&self, endpoint: &str, now: Timestamp, look_at: Timestamp) -> Result<u64, StoreError> {
        let mut hastened = 0;
        // Lanes that are due earlier wait no longer than a look would.
        let mut after = (look_at.as_millisecond(), String::new());
        loop {
            let (endpoint, from) = (endpoint.to_owned(), after.clone());
            let (count, last) =
                self.write(move |session| hasten::some(session, &endpoint, &from, (now, look_at))).await?;
            hastened += count;
            match last {
                Some(last) => after = last,
                None => return Ok(hastened),
            }
        }
    }

    async fn recover(&self, look_at: Timestamp) -> Result<usize, StoreError> {
        let owner = self.instance.clone();
        self.write(move |session| {
            let held = session.all(
                &format!(
                    "SELECT lane_id FROM lane WHERE lease_until_ms IS NOT NULL AND lease_owner = ?1{}",
                    session.dialect().locking()
                ),
                bind![&owner],
                |row| row.get::<String>(0),
            )?;
            for lane in &held {
                claim::cut_off(session, lane, look_at, "interrupted")?;
            }
            Ok(held.len())
        })
        .await
    }

    async fn retry(&self, id: DeliveryId, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |session| retry(session, &id.to_string(), now.as_millisecond())).await
    }
}

/// Where its server tells what became of a delivery. One that cannot be opened is as good as none: then it is
/// looked for.
fn told_at(
    session: &dyn Session,
    sealer: &Sealer,
    id: DeliveryId,
) -> Result<Option<Sensitive<String>>, SqlError> {
    let stored = session.first(
        "SELECT told_at FROM delivery WHERE delivery_id = ?1",
        bind![&id.to_string()],
        |row| row.get::<Option<Vec<u8>>>(0),
    )?;
    Ok(stored.flatten().and_then(|it| sealer.open_note(&it, &bound_to(id))).map(Sensitive::new))
}

fn bound_to(id: DeliveryId) -> String {
    format!("told-at|{id}")
}

/// Makes a dead, quarantined, held or waiting delivery due, unless a newer version of the same resource is out already.
pub(super) fn retry(session: &dyn Session, id: &str, now_ms: i64) -> Result<bool, SqlError> {
    let Some(lane) = lanes::of_delivery(session, id)? else {
        return Ok(false);
    };
    let changed = session.change(
        "UPDATE delivery SET state = CASE state WHEN 6 THEN CASE effect_unknown WHEN 1 THEN 3 ELSE 2 END
                                               WHEN 7 THEN 3 ELSE state END,
           effect_unknown = CASE state WHEN 7 THEN 1 ELSE effect_unknown END, due_ms = ?2, since_ms = ?2, done_ms = NULL
         WHERE delivery_id = ?1 AND state IN (2, 3, 4, 6, 7) AND NOT (state IN (6, 7) AND EXISTS
           (SELECT 1 FROM delivery e WHERE e.referral_id = delivery.referral_id
              AND e.resource_type = delivery.resource_type AND e.resource_id = delivery.resource_id
              AND e.seq > delivery.seq AND (e.state IN (1, 2, 3, 5, 9) OR e.effect_unknown = 1)))",
        bind![id, now_ms],
    )?;
    session.announce_work();
    lanes::refresh(session, &lane)?;
    Ok(changed == 1)
}
