//! Numbers that look random and are the same again for the same seed.

use std::time::Duration;

/// xorshift64 (Marsaglia 2003).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Zero is no seed of this generator; one takes its place.
    pub fn from_seed(seed: u64) -> Self {
        let mut random = Self(seed.max(1));
        // Small seeds look alike in their first numbers.
        for _ in 0..8 {
            random.next();
        }
        random
    }

    /// The seed of a test: that of the variable, so that a failing run can be played again, or this one.
    pub fn seed_from(variable: &str, otherwise: u64) -> u64 {
        number_from(variable, otherwise)
    }

    /// An independent generator, for another task.
    pub fn branch(&mut self) -> Self {
        Self::from_seed(self.next())
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Whether something with this chance happens.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// A time below `bound` milliseconds.
    pub fn millis(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// The number in an environment variable.
pub fn number_from(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is no number")),
        Err(_) => otherwise,
    }
}
