//! The audit trail's links. Each record's link is a keyed digest over the record and the link before it, so
//! whoever can write the ledger but has not the gateway's key can neither change, remove, move nor add a
//! record unseen. The head is sealed apart, so that the end cannot be cut off either.

use std::collections::HashMap;
use std::fmt::Write;

use aws_lc_rs::{constant_time, digest, hmac};

use super::seal::{RootKey, Sealed};
use crate::model::audit::{AuditKind, Tampering, TrailHead, TrailReport};
use crate::model::ids::DeliveryId;

/// The columns of one record, as they are stored.
#[derive(Clone, Debug)]
pub(super) struct TrailRow {
    pub(super) number: u64,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) at_ms: i64,
    pub(super) delivery: Option<String>,
    pub(super) outcome: String,
    pub(super) rule: String,
    pub(super) sent_sha256: Option<String>,
    pub(super) content_sha256: Vec<u8>,
    pub(super) link: Vec<u8>,
}

/// Makes and checks links.
#[derive(Clone)]
pub(super) struct Links {
    key: hmac::Key,
}

impl Links {
    pub(super) fn under(root: &RootKey) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &root.derive(b"referral-gateway audit trail")) }
    }

    /// The link of a row behind another link; the first stands behind nothing.
    pub(super) fn link(&self, before: &[u8], row: &TrailRow) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.key);
        let (number, at_ms) = (row.number.to_be_bytes(), row.at_ms.to_be_bytes());
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        let (delivery, sent) = (text(&row.delivery), text(&row.sent_sha256));
        let parts: [&[u8]; 11] = [
            b"record",
            before,
            &number,
            row.id.as_bytes(),
            row.kind.as_bytes(),
            &at_ms,
            delivery.as_bytes(),
            row.outcome.as_bytes(),
            row.rule.as_bytes(),
            sent.as_bytes(),
            &row.content_sha256,
        ];
        update(&mut context, &parts);
        context.sign().as_ref().to_vec()
    }

    /// What only we can say of the trail's end.
    pub(super) fn head(&self, number: u64, link: &[u8]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.key);
        update(&mut context, &[b"head", &number.to_be_bytes(), link]);
        context.sign().as_ref().to_vec()
    }
}

/// Each part behind its length: two rows cannot read alike.
fn update(context: &mut hmac::Context, parts: &[&[u8]]) {
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
}

/// The digest of a protected part as it is stored. Its key is not in it, since that is wrapped anew when the
/// gateway's key changes; the cipher itself tells whether the key is the right one.
pub(super) fn content_digest(sealed: &Sealed) -> Vec<u8> {
    digest::digest(&digest::SHA256, &sealed.ciphertext).as_ref().to_vec()
}

/// What there is of a record's protected part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// It is what the record says, and opens.
    Holds,
    /// It is something else.
    Changed,
    /// It is not there.
    Gone,
}

/// What a protected part belongs to. Under another record's name it does not open.
pub(super) fn bound_to(id: &str) -> String {
    format!("audit|{id}")
}

/// A delivery that went out, with the digest of what was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) delivery: DeliveryId,
    pub(super) sha256: Option<String>,
}

/// Walks the trail from its beginning.
pub(super) struct Inspector {
    links: Links,
    last: (u64, Vec<u8>),
    compares_deliveries: bool,
    kept: Option<TrailHead>,
    kept_found: bool,
    allowed: HashMap<String, bool>,
    disclosed: HashMap<String, Vec<(String, bool)>>,
    tampering: Vec<Tampering>,
    /// Records whose protected part is not there, and up to which record a purge took them away.
    gone: Vec<u64>,
    purged_up_to: u64,
    delivered: u64,
}

impl Inspector {
    /// Begins. `kept`: a head that somebody noted down earlier.
    pub(super) fn new(links: Links, kept: Option<TrailHead>) -> Self {
        Self {
            links,
            last: (0, Vec::new()),
            compares_deliveries: true,
            kept_found: kept.as_ref().is_none_or(|it| it.number == 0),
            kept,
            allowed: HashMap::new(),
            disclosed: HashMap::new(),
            tampering: Vec::new(),
            gone: Vec::new(),
            purged_up_to: 0,
            delivered: 0,
        }
    }

    /// Begins behind a record that was found to be as the gateway wrote it. What went out is not compared, so
    /// it remembers next to nothing.
    pub(super) fn behind(links: Links, known: &TrailHead) -> Self {
        let last = (known.number, unhex(&known.link).unwrap_or_default());
        Self { last, compares_deliveries: false, ..Self::new(links, None) }
    }

    /// Whether it is to be told of the deliveries that went out.
    pub(super) const fn compares_deliveries(&self) -> bool {
        self.compares_deliveries
    }

    /// Up to which record it has looked.
    pub(super) const fn looked_up_to(&self) -> u64 {
        self.last.0
    }

    /// Looks at the next record.
    pub(super) fn record(&mut self, row: TrailRow, content: Content) {
        if row.number != self.last.0 + 1 {
            self.tampering.push(Tampering::Gap(row.number));
        }
        if !equal(&self.links.link(&self.last.1, &row), &row.link) {
            self.tampering.push(Tampering::Changed(row.number));
        }
        match content {
            Content::Holds => {}
            Content::Changed => self.tampering.push(Tampering::ContentChanged(row.number)),
            Content::Gone => self.gone.push(row.number),
        }
        if let Some(kept) = &self.kept {
            self.kept_found |= kept.number == row.number && kept.link == hex(&row.link);
        }
        self.last = (row.number, row.link.clone());
        self.remember(row);
    }

    /// A disclosure is allowed by the last decision before it about the same delivery.
    fn remember(&mut self, row: TrailRow) {
        if row.kind == AuditKind::Purge.word() {
            self.purged_up_to = self.purged_up_to.max(purged_up_to(&row.rule).unwrap_or_default());
        }
        let Some(delivery) = row.delivery.filter(|_| self.compares_deliveries) else {
            return;
        };
        match (AuditKind::from_word(&row.kind), row.sent_sha256) {
            (Some(AuditKind::Decision), _) => {
                self.allowed.insert(delivery, matches!(row.outcome.as_str(), "permit" | "redact"));
            }
            (Some(AuditKind::Disclosure), Some(sha256)) => {
                let allowed = self.allowed.get(&delivery).copied().unwrap_or_default();
                self.disclosed.entry(delivery).or_default().push((sha256, allowed));
            }
            _ => {}
        }
    }

    /// Compares a delivery that went out with the trail.
    pub(super) fn sent(&mut self, sent: &Sent) {
        self.delivered += 1;
        let records = self.disclosed.get(&sent.delivery.to_string()).into_iter().flatten();
        let mut same = records.filter(|(sha256, _)| Some(sha256) == sent.sha256.as_ref()).peekable();
        if same.peek().is_none() {
            self.tampering.push(Tampering::NoDisclosure(sent.delivery));
        } else if !same.any(|(_, allowed)| *allowed) {
            self.tampering.push(Tampering::NoDecision(sent.delivery));
        }
    }

    /// Ends with what the ledger says of the trail's end.
    pub(super) fn finish(mut self, sealed_head: Option<&[u8]>) -> TrailReport {
        let (number, link) = self.last;
        let head_holds = match sealed_head {
            Some(sealed) => equal(&self.links.head(number, &link), sealed),
            None => number == 0,
        };
        if !head_holds {
            self.tampering.push(Tampering::CutOff);
        }
        let taken = self.gone.iter().filter(|number| **number > self.purged_up_to);
        self.tampering.extend(taken.map(|number| Tampering::ContentChanged(*number)));
        if let Some(kept) = self.kept.filter(|_| !self.kept_found) {
            self.tampering.push(Tampering::HeadNotFound(kept.number));
        }
        TrailReport {
            head: TrailHead { number, link: hex(&link) },
            delivered: self.delivered,
            tampering: self.tampering,
        }
    }
}

/// How a purge record says up to which record the protected parts are gone.
pub(super) fn purge_rule(up_to: u64) -> String {
    format!("up-to-{up_to}")
}

fn purged_up_to(rule: &str) -> Option<u64> {
    rule.strip_prefix("up-to-")?.parse().ok()
}

fn equal(one: &[u8], other: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// The bytes of hexadecimal digits.
fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
