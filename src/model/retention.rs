//! How long what is finished is kept (reference: delivery B11).

use std::time::Duration;

/// How long what is finished is kept. What is not finished, or waits for a person, is kept in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The bodies of referrals, from the end of the last thing that we owed for them.
    pub payloads: Duration,
    /// The attempts of deliveries.
    pub attempts: Duration,
    /// The protected parts of the audit trail. Its rows and links stay for ever.
    pub trail: Duration,
}

/// What one round of purging destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Bodies of referrals.
    pub payloads: u64,
    /// Attempts.
    pub attempts: u64,
    /// Protected parts of the trail.
    pub trail: u64,
}

impl Purged {
    /// Whether there was nothing left to destroy.
    pub const fn is_nothing(&self) -> bool {
        self.payloads == 0 && self.attempts == 0 && self.trail == 0
    }
}
