//! Client assertions that were used.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::params;

use super::SqliteStore;
use crate::model::client::SpentAssertions;
use crate::model::work::StoreError;

/// Longer than any assertion is accepted: what expired so long before this one need not be remembered.
const LONGEST_LIFE_MS: i64 = 3_600_000;

#[async_trait]
impl SpentAssertions for SqliteStore {
    async fn spend(&self, client_id: &str, jti: &str, expires: Timestamp) -> Result<bool, StoreError> {
        let (client_id, jti) = (client_id.to_owned(), jti.to_owned());
        let expired_ms = expires.as_millisecond() - LONGEST_LIFE_MS;
        self.write(move |connection| {
            connection.execute("DELETE FROM spent_assertion WHERE expires_ms < ?1", params![expired_ms])?;
            let added = connection.execute(
                "INSERT OR IGNORE INTO spent_assertion (client_id, jti, expires_ms) VALUES (?1, ?2, ?3)",
                params![client_id, jti, expires.as_millisecond()],
            )?;
            Ok(added == 1)
        })
        .await
    }
}
