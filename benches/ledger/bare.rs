//! The least that it can cost in SQLite: one loop writes the same rows into the same tables and indexes, with
//! the same pragmas. It checks nothing, packs and seals nothing and answers nobody.

use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use jiff::Timestamp;
use referral_gateway::model::ids::{DeliveryId, EventId, ReferralId};
use rusqlite::{Connection, params};

use super::bodies;
use super::conditions::Watch;
use super::figures::Run;
use super::gateway::now;

/// The ledger's tables.
pub(crate) const TABLES: &str = concat!(
    include_str!("../../src/store/migrations/0003_ledger.sql"),
    include_str!("../../src/store/migrations/0004_outcomes.sql")
);

/// What AES-256-GCM and its nonce add to what they seal.
pub(crate) const SEAL_BYTES: usize = 28;

/// A file of its own.
pub(crate) struct Bare {
    connection: Connection,
    row: BareReferral,
}

/// The parts of a referral's rows that are not made anew for each.
pub(crate) struct BareReferral {
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) wrapped_key: [u8; 33 + SEAL_BYTES],
    /// By which scopes it is known again.
    scopes: &'static [i64],
}

impl BareReferral {
    /// A row whose ciphertext is as long as the ledger's. PostgreSQL packs what it can; what is sealed it cannot.
    pub(crate) fn of(stored_bytes: usize) -> Self {
        Self { ciphertext: bodies::random(stored_bytes), wrapped_key: [7; 33 + SEAL_BYTES], scopes: &[3] }
    }
}

/// 32 bytes like those of a keyed digest.
pub(crate) fn digest() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

impl Bare {
    /// Pages as large as those of the ledger that it is compared to.
    pub(crate) fn new(folder: &Path, page_bytes: u32, stored_bytes: usize) -> Self {
        let connection = Connection::open(folder.join("bare.db")).expect("a new file can be made");
        connection.set_prepared_statement_cache_capacity(64);
        let pragmas = format!(
            "PRAGMA page_size = {page_bytes}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; {TABLES}"
        );
        connection.execute_batch(&pragmas).expect("the tables can be made");
        Self { connection, row: BareReferral::of(stored_bytes) }
    }

    /// What comes over HTTP has an idempotency key besides the number of its order.
    pub(crate) fn of_submissions(self) -> Self {
        Self { row: BareReferral { scopes: &[1, 3], ..self.row }, ..self }
    }

    pub(crate) fn accept_for(&self, lasts: Duration, together: u32) -> Run {
        let mut accepted = 0;
        let watch = Watch::start();
        let end = Instant::now() + lasts;
        while Instant::now() < end {
            self.accept_together(together);
            accepted += together;
        }
        watch.stop(accepted, f64::from(together))
    }

    pub(crate) fn fill(&self, count: u32) {
        for _ in 0..count.div_ceil(256) {
            self.accept_together(256);
        }
    }

    pub(crate) fn accept_together(&self, count: u32) {
        self.transaction(|bare| {
            for _ in 0..count {
                bare.insert().expect("a new row can be written");
            }
        });
    }

    fn transaction(&self, change: impl FnOnce(&Self)) {
        self.connection.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
        change(self);
        self.connection.execute_batch("COMMIT").expect("the disk can be written to");
    }

    fn insert(&self) -> rusqlite::Result<()> {
        let at = now();
        let id = ReferralId::new(at).to_string();
        let lane = format!("@clinic/{id}");
        let ms = at.as_millisecond();
        let (sealed, partner) = (&self.row, "lakeside");
        let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<()> {
            self.connection.prepare_cached(sql)?.execute(values).map(drop)
        };
        run(
            "INSERT INTO payload VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                id,
                "0123456789abcdef",
                sealed.wrapped_key,
                sealed.ciphertext,
                sealed.ciphertext.len(),
                ms
            ],
        )?;
        run(
            "INSERT INTO referral (referral_id, partner_id, payload_id, content_mac, received_ms, updated_ms)
             VALUES (?1, ?2, ?1, ?3, ?4, ?4)",
            params![id, partner, digest(), ms],
        )?;
        for scope in self.row.scopes {
            run("INSERT INTO submission_key VALUES (?1, ?2, ?3, ?4)", params![partner, scope, digest(), id])?;
        }
        for _ in 0..2 {
            run("INSERT INTO referral_identifier VALUES (?1, ?2, ?3)", params![partner, digest(), id])?;
        }
        run(
            "INSERT INTO lane (lane_id, endpoint, next_seq, due_ms) VALUES (?1, '@clinic', 2, ?2)",
            params![lane, ms],
        )?;
        run(
            "INSERT INTO delivery (delivery_id, lane_id, seq, endpoint, referral_id, partner_id, created_ms,
               since_ms, due_ms) VALUES (?1, ?2, 1, '@clinic', ?3, ?4, ?5, ?5, ?5)",
            params![DeliveryId::new(at).to_string(), lane, id, partner, ms],
        )?;
        run(
            "INSERT INTO event VALUES (?1, ?2, 'accepted', ?3, ?4, NULL, '')",
            params![EventId::new(at).to_string(), ms, partner, id],
        )
    }

    /// Takes `at_once` and finishes them, so many together, until the time is over or nothing is left.
    pub(crate) fn work_for(&self, lasts: Duration, at_once: usize, together: usize) -> Run {
        let mut done = 0;
        let watch = Watch::start();
        let end = Instant::now() + lasts;
        while Instant::now() < end {
            let taken = self.claim(at_once);
            if taken.is_empty() {
                break;
            }
            for some in taken.chunks(together) {
                self.transaction(|bare| bare.finish(some).expect("rows can be changed"));
            }
            done += u32::try_from(taken.len()).unwrap_or(u32::MAX);
        }
        watch.stop(done, f64::from(u32::try_from(together).unwrap_or(u32::MAX)))
    }

    fn claim(&self, at_once: usize) -> Vec<(String, String)> {
        let mut taken = Vec::new();
        self.transaction(|bare| taken = bare.take(at_once, now()).expect("rows can be changed"));
        taken
    }

    fn take(&self, at_once: usize, at: Timestamp) -> rusqlite::Result<Vec<(String, String)>> {
        let connection = &self.connection;
        let mut due = connection.prepare_cached(
            "SELECT d.delivery_id, l.lane_id FROM lane l JOIN delivery d ON d.lane_id = l.lane_id AND d.seq = 1
             WHERE l.endpoint = '@clinic' AND l.tried = 0 AND l.lease_until_ms IS NULL AND l.due_ms <= ?1
             ORDER BY l.due_ms LIMIT ?2",
        )?;
        let ms = at.as_millisecond();
        let found = due.query_map(params![ms, at_once], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let found: Vec<(String, String)> = found.collect::<rusqlite::Result<_>>()?;
        for (delivery, lane) in &found {
            connection
                .prepare_cached(
                    "UPDATE lane SET lease_token = lease_token + 1, lease_until_ms = ?2, lease_owner = 'only'
                     WHERE lane_id = ?1",
                )?
                .execute(params![lane, ms + 300_000])?;
            connection
                .prepare_cached("UPDATE delivery SET state = 1 WHERE delivery_id = ?1")?
                .execute([delivery])?;
            connection
                .prepare_cached("INSERT INTO attempt (delivery_id, number, started_ms) VALUES (?1, 1, ?2)")?
                .execute(params![delivery, ms])?;
        }
        self.write_endpoint()?;
        Ok(found)
    }

    fn finish(&self, taken: &[(String, String)]) -> rusqlite::Result<()> {
        let (connection, ms) = (&self.connection, now().as_millisecond());
        for (delivery, lane) in taken {
            connection
                .prepare_cached(
                    "UPDATE lane SET lease_until_ms = NULL, lease_owner = NULL, due_ms = NULL WHERE lane_id = ?1",
                )?
                .execute([lane])?;
            connection
                .prepare_cached(
                    "UPDATE delivery SET state = 5, remote_reference = 'Task/8', remote_etag = 'W/\"1\"',
                       sent_sha256 = ?2, done_ms = ?3 WHERE delivery_id = ?1",
                )?
                .execute(params![delivery, "0".repeat(64), ms])?;
            connection
                .prepare_cached(
                    "UPDATE attempt SET ended_ms = ?2, outcome = 'delivered', decision = 'permit a-rule',
                       consents = 'Consent/3/_history/1' WHERE delivery_id = ?1 AND number = 1",
                )?
                .execute(params![delivery, ms])?;
        }
        self.write_endpoint()
    }

    /// Once for all that are committed together; the ledger does it for each.
    fn write_endpoint(&self) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO endpoint VALUES ('@clinic', ?1)")?
            .execute(["x".repeat(400)])
            .map(drop)
    }
}
