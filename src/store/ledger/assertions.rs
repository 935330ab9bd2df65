//! Client assertions that were used.

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::engine::Engine;
use super::super::sql::bind;
use super::Ledger;
use crate::model::client::SpentAssertions;
use crate::model::work::StoreError;

/// Longer than any assertion is accepted: what expired so long before this one need not be remembered.
const LONGEST_LIFE_MS: i64 = 3_600_000;

#[async_trait]
impl<E: Engine> SpentAssertions for Ledger<E> {
    async fn spend(&self, client_id: &str, jti: &str, expires: Timestamp) -> Result<bool, StoreError> {
        let (client_id, jti) = (client_id.to_owned(), jti.to_owned());
        let expires_ms = expires.as_millisecond();
        self.write(move |session| {
            session.change(
                "DELETE FROM spent_assertion WHERE expires_ms < ?1",
                bind![expires_ms - LONGEST_LIFE_MS],
            )?;
            let added = session.change(
                "INSERT INTO spent_assertion (client_id, jti, expires_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT (client_id, jti) DO NOTHING",
                bind![&client_id, &jti, expires_ms],
            )?;
            Ok(added == 1)
        })
        .await
    }

    async fn is_spent(&self, client_id: &str, jti: &str) -> Result<bool, StoreError> {
        let (client_id, jti) = (client_id.to_owned(), jti.to_owned());
        self.read(move |session| {
            let found = session.rows(
                "SELECT 1 FROM spent_assertion WHERE client_id = ?1 AND jti = ?2",
                bind![&client_id, &jti],
            )?;
            Ok(!found.is_empty())
        })
        .await
    }
}
