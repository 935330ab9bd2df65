//! When each of our keys is published, and when it signs. Pure: it is told the time.
//!
//! A new key is published first and signs later, when everybody has read it; the one before stays published until nothing
//! that it signed is on its way any more (smart.md row 6.2).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::partner::SigningAlgorithm;

/// Our keys, those of before and the next ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// Oldest first.
    pub keys: Vec<Entry>,
}

/// One of our keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its `kid`; its file is named after it.
    pub key_id: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// Since when it is published.
    pub published: Timestamp,
    /// From when on it signs.
    pub signs: Timestamp,
    /// From when on it is no longer published; none: until another takes its place.
    pub ends: Option<Timestamp>,
}

/// How to change over to a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The new one signs after this time, and the old one stays published as long again.
    After(Duration),
    /// At once, because somebody else may have the old one: it is no longer published.
    AtOnce,
}

/// A key is already on its way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the next key {key_id} is published already and signs from {signs} on; --at-once changes over now")]
pub struct Waiting {
    /// Its `kid`.
    pub key_id: String,
    /// From when on it signs.
    pub signs: Timestamp,
}

impl Entry {
    /// True: others may find it now.
    pub fn is_published(&self, now: Timestamp) -> bool {
        self.ends.is_none_or(|end| now < end)
    }
}

impl Ring {
    /// The key that signs now.
    pub fn signing(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&Entry> {
        let ready = |it: &&Entry| it.algorithm == algorithm && it.signs <= now && it.is_published(now);
        self.keys.iter().filter(ready).max_by_key(|it| it.signs)
    }

    /// Takes in a new key. The first of its algorithm signs at once, since there is none that could.
    pub fn rotate(
        &mut self,
        key_id: String,
        algorithm: SigningAlgorithm,
        change: Change,
        now: Timestamp,
    ) -> Result<&Entry, Waiting> {
        let present = self.signing(algorithm, now).is_some();
        let waiting = self.keys.iter().find(|it| it.algorithm == algorithm && now < it.signs);
        let (signs, old_ends) = match (change, waiting) {
            (Change::After(_), Some(it)) => {
                return Err(Waiting { key_id: it.key_id.clone(), signs: it.signs });
            }
            (Change::After(overlap), None) if present => {
                let signs = later(now, overlap);
                (signs, later(signs, overlap))
            }
            (Change::After(_), None) | (Change::AtOnce, _) => (now, now),
        };
        for old in self.keys.iter_mut().filter(|it| it.algorithm == algorithm && it.is_published(now)) {
            old.ends = Some(old.ends.map_or(old_ends, |end| end.min(old_ends)));
        }
        self.keys.push(Entry { key_id, algorithm, published: now, signs, ends: None });
        Ok(&self.keys[self.keys.len() - 1])
    }

    /// Takes out the keys that are no longer published.
    pub fn take_ended(&mut self, now: Timestamp) -> Vec<Entry> {
        let (kept, ended) = self.keys.drain(..).partition(|it| it.is_published(now));
        self.keys = kept;
        ended
    }
}

/// A time that cannot be told is as far as can be.
fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);
    const RS: SigningAlgorithm = SigningAlgorithm::Rs384;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + number * 86_400).unwrap()
    }

    fn ring(changes: &[(&str, i64)]) -> Ring {
        let mut ring = Ring::default();
        for (key_id, at) in changes {
            ring.rotate((*key_id).to_owned(), RS, Change::After(DAY), day(*at)).unwrap();
        }
        ring
    }

    fn signing(ring: &Ring, at: i64) -> Option<&str> {
        ring.signing(RS, day(at)).map(|it| it.key_id.as_str())
    }

    fn published(ring: &Ring, at: i64) -> Vec<&str> {
        ring.keys.iter().filter(|it| it.is_published(day(at))).map(|it| it.key_id.as_str()).collect()
    }

    #[test]
    fn a_new_key_is_published_first_signs_later_and_the_old_one_goes_last() {
        let ring = ring(&[("one", 0), ("two", 10)]);

        assert_eq!((signing(&ring, 0), published(&ring, 9)), (Some("one"), vec!["one", "two"]));
        assert_eq!((signing(&ring, 10), published(&ring, 10)), (Some("one"), vec!["one", "two"]));
        assert_eq!((signing(&ring, 11), published(&ring, 11)), (Some("two"), vec!["one", "two"]));
        assert_eq!((signing(&ring, 12), published(&ring, 12)), (Some("two"), vec!["two"]));
    }

    #[test]
    fn a_second_change_waits_for_the_first() {
        let mut ring = ring(&[("one", 0), ("two", 10)]);

        let refused = ring.rotate("three".to_owned(), RS, Change::After(DAY), day(10)).unwrap_err();
        assert_eq!((refused.key_id.as_str(), refused.signs), ("two", day(11)));
        ring.rotate("three".to_owned(), RS, Change::After(DAY), day(11)).unwrap();
        assert_eq!(published(&ring, 11), ["one", "two", "three"]);
        assert_eq!(published(&ring, 13), ["three"]);
    }

    #[test]
    fn at_once_the_old_keys_are_out_and_the_new_one_signs() {
        let mut ring = ring(&[("one", 0), ("two", 10)]);

        ring.rotate("three".to_owned(), RS, Change::AtOnce, day(10)).unwrap();

        assert_eq!((signing(&ring, 10), published(&ring, 10)), (Some("three"), vec!["three"]));
        assert_eq!(signing(&ring, 30), Some("three"));
    }

    #[test]
    fn each_algorithm_has_its_own_row() {
        let mut ring = ring(&[("one", 0)]);
        ring.rotate("ec".to_owned(), SigningAlgorithm::Es384, Change::AtOnce, day(1)).unwrap();

        assert_eq!(signing(&ring, 1), Some("one"));
        assert_eq!(ring.signing(SigningAlgorithm::Es384, day(1)).unwrap().key_id, "ec");
        assert_eq!(ring.signing(SigningAlgorithm::Es256, day(1)), None);
    }

    #[test]
    fn what_is_no_longer_published_can_be_taken_out() {
        let mut ring = ring(&[("one", 0), ("two", 10)]);

        assert_eq!(ring.take_ended(day(11)), []);
        let ended = ring.take_ended(day(12));

        assert_eq!((ended.len(), ended[0].key_id.as_str(), ring.keys.len()), (1, "one", 1));
    }
}
