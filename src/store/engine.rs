//! A database that the ledger can stand in.

use super::sql::{Session, SqlError};
use crate::model::work::StoreError;

/// Runs the ledger's changes and queries. A change may run several times, when others are in its way; what
/// it did before it failed is undone each time.
pub trait Engine: Send + Sync + 'static {
    /// Runs a change as one transaction. Once this has answered, the change exists after any crash. An error
    /// of [`StoreError::Unavailable`] says nothing about whether it happened.
    fn write<T: Send + 'static>(
        &self,
        change: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// Runs a query.
    fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// Runs several queries that all see the ledger as it is at one instant.
    fn snapshot<T: Send + 'static>(
        &self,
        query: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// Whether a commit whose answer got lost can be looked for at once.
    fn can_look_after_a_lost_commit(&self) -> bool;

    /// Makes a write-ahead log small that has grown, where the database leaves that to us and no reader is in the
    /// way.
    fn empty_write_ahead_log(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether changes are taken at all.
    fn is_writable(&self) -> bool;
}
