//! The ledger's own root key. It is sealed under the gateway's key, so that the gateway's key can change
//! while what is derived from the root key, such as the index, stays.

use std::collections::BTreeMap;

use super::super::engine::Engine;
use super::super::seal::{GatewayKey, KeyError, KeyRing, RootKey};
use super::super::sql::{Session, SqlError, bind};
use super::UnlockError;
use crate::model::work::StoreError;

/// The root key of a ledger; a new ledger gets one.
pub(super) async fn root<E: Engine>(engine: &E, keys: &KeyRing) -> Result<RootKey, UnlockError> {
    let stored = engine.read(|session| all(session)).await?;
    if stored.is_empty() {
        return keep(engine, &RootKey::make(), &keys.current).await;
    }
    let fitting = keys.all().find_map(|key| Some((key, stored.get(&name_under(key))?)));
    let (key, stored) = fitting.ok_or(KeyError::DoesNotFit)?;
    Ok(RootKey::open(stored, key).ok_or(KeyError::DoesNotFit)?)
}

fn all(session: &dyn Session) -> Result<BTreeMap<String, Vec<u8>>, SqlError> {
    let stored = session.all("SELECT name, value FROM meta WHERE name LIKE 'root/%'", bind![], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(stored.into_iter().collect())
}

/// Keeps the root key under the gateway's present key. If another gateway was first, its root key counts.
async fn keep<E: Engine>(engine: &E, root: &RootKey, key: &GatewayKey) -> Result<RootKey, UnlockError> {
    let (name, sealed) = (name_under(key), root.sealed(key));
    let stored = engine
        .write(move |session| {
            session.change(
                "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
                bind![&name, &sealed],
            )?;
            all(session)
        })
        .await?;
    let stored = stored.get(&name_under(key)).ok_or(KeyError::DoesNotFit)?;
    Ok(RootKey::open(stored, key).ok_or(KeyError::DoesNotFit)?)
}

/// Once nothing is sealed under the former keys, they do not open the ledger any more.
pub(super) async fn forget_former<E: Engine>(engine: &E, keys: &KeyRing) -> Result<(), StoreError> {
    let present = name_under(&keys.current);
    let names: Vec<String> = keys.former.iter().map(name_under).filter(|name| *name != present).collect();
    engine
        .write(move |session| {
            for name in &names {
                session.change(
                    "DELETE FROM meta WHERE name = ?1 AND NOT EXISTS
                       (SELECT 1 FROM payload WHERE key_id = ?2 AND wrapped_key IS NOT NULL)
                     AND NOT EXISTS (SELECT 1 FROM audit WHERE key_id = ?2 AND wrapped_key IS NOT NULL)",
                    bind![name, name.trim_start_matches("root/")],
                )?;
            }
            Ok(())
        })
        .await
}

/// Seals the root key under the present key too.
pub(super) async fn adopt_present<E: Engine>(
    engine: &E,
    keys: &KeyRing,
    root: &RootKey,
) -> Result<(), UnlockError> {
    keep(engine, root, &keys.current).await.map(drop)
}

fn name_under(key: &GatewayKey) -> String {
    format!("root/{}", key.id())
}
