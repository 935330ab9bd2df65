//! What is on record, read from the file itself and not through the code under test.

use super::TestGateway;

impl TestGateway {
    /// How many rows a table of the ledger has.
    pub fn rows(&self, table: &str) -> i64 {
        self.count(&format!("SELECT COUNT(*) FROM {table}"))
    }

    /// Nothing of a refused message is anywhere: not in the ledger, not at the clinic.
    pub fn assert_nothing_recorded(&self) {
        for table in ["payload", "referral", "submission_key", "delivery"] {
            assert_eq!(self.rows(table), 0, "rows in {table}");
        }
        for resource_type in ["Patient", "ServiceRequest", "Task", "Provenance"] {
            assert!(self.clinic().server().all(resource_type).is_empty(), "{resource_type} at the clinic");
        }
    }

    pub(super) fn leftovers(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM delivery WHERE state IN (0, 1)")
    }

    /// Deliveries that were recorded, by the numbers that their lanes gave out, and are in no state.
    pub(super) fn conservation_gap(&self) -> i64 {
        self.count(
            "SELECT (SELECT COALESCE(SUM(next_seq - 1), 0) FROM lane)
                  - (SELECT COUNT(*) FROM delivery WHERE state BETWEEN 0 AND 9)",
        )
    }

    fn count(&self, query: &str) -> i64 {
        let ledger = rusqlite::Connection::open(self.ledger()).unwrap();
        ledger.query_row(query, [], |row| row.get(0)).unwrap()
    }
}
