//! What goes on record about decisions and disclosures, and cannot be changed there unseen.

use jiff::Timestamp;

use super::ids::{AuditId, DeliveryId};
use super::sensitive::Sensitive;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditKind {
    /// Consent was asked about a disclosure.
    Decision,
    /// Something is about to be sent or shown: on record before its first byte.
    Disclosure,
    /// What was sent a moment ago might not be sent now.
    LateRevocation,
    /// Whether it might still be sent could not be told after it was sent.
    NotLookedAgain,
    /// Somebody asked what consent would say; nothing was disclosed.
    ConsentCheck,
    /// Protected parts of earlier records were destroyed, because their time to be kept is over.
    Purge,
}

impl AuditKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Decision,
        Self::Disclosure,
        Self::LateRevocation,
        Self::NotLookedAgain,
        Self::ConsentCheck,
        Self::Purge,
    ];

    /// The word that is stored, shown and typed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Disclosure => "disclosure",
            Self::LateRevocation => "late-revocation",
            Self::NotLookedAgain => "not-looked-again",
            Self::ConsentCheck => "consent-check",
            Self::Purge => "purge",
        }
    }

    /// The kind of a stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// A record to be kept. Everything but `content` is codes and ids of ours.
#[derive(Clone, Debug)]
pub struct NewAuditRecord {
    /// Its name.
    pub id: AuditId,
    /// What it is about.
    pub kind: AuditKind,
    /// When it happened.
    pub at: Timestamp,
    /// The delivery that it belongs to, if it belongs to one.
    pub delivery: Option<DeliveryId>,
    /// `permit`, `redact`, `hold` or `deny`.
    pub outcome: String,
    /// The rule that decided.
    pub rule: String,
    /// For a disclosure: the SHA-256 of what goes out.
    pub sent_sha256: Option<String>,
    /// The protected part, JSON: the AuditEvent, the trace, the Provenance. Sealed where it is stored.
    pub content: Sensitive<Vec<u8>>,
}

/// A record as it was kept.
#[derive(Clone, Debug)]
pub struct AuditRecord {
    /// Its place in the trail, from 1, without gaps.
    pub number: u64,
    /// What was recorded.
    pub record: NewAuditRecord,
}

/// Which records to read.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only of this kind.
    pub kind: Option<AuditKind>,
    /// Only this delivery's.
    pub delivery: Option<DeliveryId>,
    /// Only this one.
    pub number: Option<u64>,
    /// At most so many, newest first.
    pub limit: usize,
}

/// Up to where the trail goes. Who keeps one elsewhere can prove later that nothing behind it was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailHead {
    /// The number of the last record; 0: there is none.
    pub number: u64,
    /// Its link, as lower-case hexadecimal digits.
    pub link: String,
}

/// Something about the trail that is not as the gateway wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tampering {
    /// Records are missing before this number.
    Gap(u64),
    /// This record or one before it was changed, or it stands in another's place.
    Changed(u64),
    /// The protected part of this record is not what was written.
    ContentChanged(u64),
    /// Records were removed from the end.
    CutOff,
    /// The record that a kept head names is not in the trail as it was.
    HeadNotFound(u64),
    /// This delivery went out, and no record says that and what exactly.
    NoDisclosure(DeliveryId),
    /// This delivery went out without a decision on record that allowed it.
    NoDecision(DeliveryId),
}

/// What a look at the whole trail found.
#[derive(Clone, Debug)]
pub struct TrailReport {
    /// Up to where it goes.
    pub head: TrailHead,
    /// How many deliveries went out and were compared with it.
    pub delivered: u64,
    /// Everything that is not as it should be; empty: nothing was changed or removed.
    pub tampering: Vec<Tampering>,
}
