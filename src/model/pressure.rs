//! When the gateway should take no more for now.

use std::time::Duration;

/// What stands and waits, measured at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Deliveries that wait for an attempt or run.
    pub undelivered: u64,
    /// Age of the oldest of them.
    pub oldest_undelivered: Duration,
    /// How long all but one of a hundred referrals took to be recorded lately.
    pub record_wait: Duration,
    /// The size of the write-ahead log, in bytes.
    pub wal_bytes: u64,
    /// Free space where the ledger stands, in bytes; none: it cannot be told.
    pub free_disk_bytes: Option<u64>,
    /// The size of that file system, in bytes.
    pub disk_bytes: u64,
}

/// From where on no more is taken (reference: delivery B9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PressureLimits {
    /// The most deliveries that may wait or run.
    pub undelivered: u64,
    /// The greatest age of the oldest of them, where more than `old_depth` wait.
    pub oldest_undelivered: Duration,
    /// So many may be old: a partner that is down for a week with a few updates shuts nobody out.
    pub old_depth: u64,
    /// The longest that recording may take.
    pub record_wait: Duration,
    /// The largest write-ahead log, in bytes.
    pub wal_bytes: u64,
    /// The least free space, in bytes.
    pub free_disk_bytes: u64,
    /// The least free space, in parts of a hundred of the file system. The larger of the two counts.
    pub free_disk_percent: u64,
}

/// Why no more is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// Too much waits.
    Undelivered,
    /// Much waits, and for long.
    OldestUndelivered,
    /// Recording takes too long.
    SlowLedger,
    /// The write-ahead log does not shrink.
    WriteAheadLog,
    /// The disk is nearly full.
    Disk,
}

impl Shut {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::Undelivered, Self::OldestUndelivered, Self::SlowLedger, Self::WriteAheadLog, Self::Disk];

    /// The word that operators read.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Undelivered => "undelivered",
            Self::OldestUndelivered => "oldest-undelivered",
            Self::SlowLedger => "slow-ledger",
            Self::WriteAheadLog => "write-ahead-log",
            Self::Disk => "disk",
        }
    }
}

impl PressureLimits {
    /// Every limit that is passed.
    pub fn passed_by(&self, now: &Pressure) -> Vec<Shut> {
        let is_old = now.oldest_undelivered > self.oldest_undelivered && now.undelivered > self.old_depth;
        let checks = [
            (now.undelivered > self.undelivered, Shut::Undelivered),
            (is_old, Shut::OldestUndelivered),
            (now.record_wait > self.record_wait, Shut::SlowLedger),
            (now.wal_bytes > self.wal_bytes, Shut::WriteAheadLog),
            (now.free_disk_bytes.is_some_and(|free| free < self.least_free(now.disk_bytes)), Shut::Disk),
        ];
        checks.into_iter().filter_map(|(passed, why)| passed.then_some(why)).collect()
    }

    /// The least free space on a file system of this size, in bytes.
    pub fn least_free(&self, disk_bytes: u64) -> u64 {
        self.free_disk_bytes.max((disk_bytes / 100).saturating_mul(self.free_disk_percent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PressureLimits = PressureLimits {
        undelivered: 100,
        oldest_undelivered: Duration::from_hours(1),
        old_depth: 10,
        record_wait: Duration::from_secs(2),
        wal_bytes: 1000,
        free_disk_bytes: 50,
        free_disk_percent: 5,
    };

    fn passed(now: Pressure) -> Vec<Shut> {
        LIMITS.passed_by(&Pressure { free_disk_bytes: now.free_disk_bytes.or(Some(1000)), ..now })
    }

    #[test]
    fn a_limit_that_is_reached_is_not_passed() {
        let full = Pressure {
            undelivered: 100,
            oldest_undelivered: Duration::from_hours(1),
            record_wait: Duration::from_secs(2),
            wal_bytes: 1000,
            free_disk_bytes: Some(50),
            disk_bytes: 1000,
        };

        assert_eq!(LIMITS.passed_by(&full), []);
    }

    #[test]
    fn each_limit_shuts_the_door_alone() {
        assert_eq!(passed(Pressure { undelivered: 101, ..Pressure::default() }), [Shut::Undelivered]);
        let wait = Duration::from_millis(2001);
        assert_eq!(passed(Pressure { record_wait: wait, ..Pressure::default() }), [Shut::SlowLedger]);
        assert_eq!(passed(Pressure { wal_bytes: 1001, ..Pressure::default() }), [Shut::WriteAheadLog]);
        assert_eq!(passed(Pressure { free_disk_bytes: Some(49), ..Pressure::default() }), [Shut::Disk]);
    }

    #[test]
    fn what_is_old_shuts_the_door_only_where_much_waits() {
        let old = Pressure { oldest_undelivered: Duration::from_hours(2), ..Pressure::default() };

        assert_eq!(passed(Pressure { undelivered: 10, ..old }), []);
        assert_eq!(passed(Pressure { undelivered: 11, ..old }), [Shut::OldestUndelivered]);
    }

    #[test]
    fn of_bytes_and_percent_the_larger_counts() {
        assert_eq!(LIMITS.least_free(500), 50);
        assert_eq!(LIMITS.least_free(100_000), 5000);
    }

    #[test]
    fn a_disk_that_cannot_be_measured_shuts_nobody_out() {
        assert_eq!(LIMITS.passed_by(&Pressure::default()), []);
    }
}
