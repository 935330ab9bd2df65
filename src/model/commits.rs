//! What an embedded ledger tells of its commits while it works.

use std::time::Duration;

/// Is told of each commit of an embedded ledger.
pub trait CommitObserver: Send + Sync {
    /// So many changes were committed together; the commit itself took so long.
    fn committed(&self, changes: usize, took: Duration);
}

/// Nobody looks.
impl CommitObserver for () {
    fn committed(&self, _: usize, _: Duration) {}
}
