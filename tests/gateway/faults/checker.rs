//! Reads what senders were told, what stands at the fake servers, and the ledger, and says which invariants
//! hold. The numbers are those of the design: I1 nothing answered is lost, I2 one order per referral,
//! I3 one effect per update and nothing forgotten, I4 in order, I6 only to the right partner, I9 the ledger is
//! whole, I11 a repeat gets the same answer. I7, no patient in the log, is asked of each log.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use referral_gateway::sandbox::fhir_server::FhirServer;
use serde_json::Value;

use super::ledger::{Ledger, Row};
use super::world::{PARTNERS, World};
use crate::process::{lines, run};
use crate::support::Canaries;

/// What was found, and what is wrong.
#[derive(Debug, Default)]
pub struct Findings {
    pub referrals: usize,
    pub deliveries: usize,
    /// Owed still, and known to be.
    pub pending: usize,
    /// Answered or owed, and not there.
    pub lost: BTreeSet<String>,
    /// There more than once.
    pub doubled: BTreeSet<String>,
    /// Not in the order of their lane, or the last is not what stands there.
    pub out_of_order: BTreeSet<String>,
    /// Everything else.
    pub wrong: BTreeSet<String>,
}

impl Findings {
    /// Nothing is wrong.
    pub fn assert_none(&self) {
        let all = [&self.lost, &self.doubled, &self.out_of_order, &self.wrong];
        assert!(all.iter().all(|it| it.is_empty()), "{self:#?}");
    }
}

/// A row of the ledger's deliveries.
struct Owed {
    id: String,
    referral: String,
    partner: String,
    lane: String,
    seq: i64,
    /// Type and id at the clinic; none: the referral itself.
    resource: Option<String>,
    state: i64,
    remote: Option<String>,
    /// Consent held it at least once: it blocked nobody then, so others may have overtaken it.
    was_held: bool,
}

/// Queued, in flight, waiting for the next attempt or for a look, held.
const PENDING: std::ops::RangeInclusive<i64> = 0..=4;
const DELIVERED: i64 = 5;
const SUPERSEDED: i64 = 8;

/// Checks a world whose gateway has come to rest and was stopped.
pub async fn check(world: &World) -> Findings {
    let mut findings = Findings::default();
    let ledger = world.ledger();
    let referrals = referrals(ledger);
    let owed = owed(ledger);
    (findings.referrals, findings.deliveries) = (referrals.len(), owed.len());
    what_was_told(world, &referrals, &mut findings);
    orders_at_the_clinic(world, &referrals, &mut findings);
    for (place, partner) in world.partners.iter().enumerate() {
        effects(partner.server(), PARTNERS[place], &owed, &mut findings);
    }
    for delivery in owed.iter().filter(|it| it.state != DELIVERED && it.state != SUPERSEDED) {
        if PENDING.contains(&delivery.state) {
            findings.pending += 1;
        } else {
            findings.lost.insert(format!("{} ended in state {}", delivery.id, delivery.state));
        }
    }
    the_rows(ledger, &mut findings);
    the_trail(world, &mut findings).await;
    findings
}

/// I7: no word of a patient of the first three hundred referrals is in a log.
pub fn assert_no_patient_in(log: &str, world: &World) {
    let mut canaries = Canaries::default();
    for told in world.told().iter().take(300) {
        canaries.watch_for(&world.referral(told.partner, told.seed));
    }
    canaries.assert_none_in(log);
}

/// I1 and I11.
fn what_was_told(world: &World, referrals: &BTreeMap<String, String>, findings: &mut Findings) {
    let mut ids: BTreeMap<(usize, u64), BTreeSet<String>> = BTreeMap::new();
    let mut firsts: BTreeMap<(usize, u64), usize> = BTreeMap::new();
    for told in world.told() {
        let key = (told.partner, told.seed);
        let known = ids.entry(key).or_default();
        known.extend(told.referral.clone());
        if told.referral.is_some() && !told.repeated {
            *firsts.entry(key).or_default() += 1;
        }
        if told.status.is_some_and(|it| it != 503 && it != 429 && !(200..300).contains(&it)) {
            findings.wrong.insert(format!("{key:?} was answered {:?}", told.status));
        }
    }
    let attempted = ids.len();
    for (key, ids) in ids {
        if ids.len() > 1 || firsts.get(&key).is_some_and(|it| *it > 1) {
            findings.doubled.insert(format!("{key:?} was answered with {ids:?}"));
        }
        for id in ids {
            match referrals.get(&id) {
                None => drop(findings.lost.insert(format!("{id} was answered and is not in the ledger"))),
                Some(partner) if partner != PARTNERS[key.0] => {
                    findings.wrong.insert(format!("{id} is not {partner}'s"));
                }
                Some(_) => {}
            }
        }
    }
    if referrals.len() > attempted {
        findings.doubled.insert(format!("{attempted} were sent, {} are recorded", referrals.len()));
    }
}

/// I2.
fn orders_at_the_clinic(world: &World, referrals: &BTreeMap<String, String>, findings: &mut Findings) {
    for resource_type in ["ServiceRequest", "Task"] {
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for resource in world.clinic.server().all(resource_type) {
            for name in names(&resource).filter(|it| it.starts_with("ref-")) {
                let referral = name.rsplit_once('-').map_or("", |(referral, _)| referral);
                *found.entry(referral.to_owned()).or_default() += 1;
            }
        }
        for id in referrals.keys() {
            match found.remove(id) {
                Some(1) => {}
                None => drop(findings.lost.insert(format!("{id} has no {resource_type} at the clinic"))),
                Some(n) => drop(findings.doubled.insert(format!("{id} has {n} {resource_type}s"))),
            }
        }
        findings.wrong.extend(found.into_keys().map(|it| format!("{it} is nobody's at the clinic")));
    }
}

/// I3, I4 and I6: what stands at one partner's server, version by version.
fn effects(server: &FhirServer, partner: &str, owed: &[Owed], findings: &mut Findings) {
    let by_id: HashMap<&str, &Owed> = owed.iter().map(|it| (it.id.as_str(), it)).collect();
    let mut written: Vec<(Value, &Owed)> = Vec::new();
    for resource_type in ["Task", "Appointment", "Communication", "DiagnosticReport"] {
        for version in server.history(resource_type) {
            let Some(delivery) = names(&version).find_map(|it| by_id.get(it.as_str()).copied()) else {
                findings.wrong.insert(format!("a {resource_type} at {partner} is nobody's"));
                continue;
            };
            written.push((version, delivery));
        }
    }
    written.sort_by_key(|(version, _)| version["meta"]["lastUpdated"].as_str().unwrap().to_owned());
    let mut last: HashMap<&str, i64> = HashMap::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, delivery) in &written {
        *seen.entry(&delivery.id).or_default() += 1;
        if delivery.partner != partner {
            findings.wrong.insert(format!("{} of {} is at {partner}", delivery.id, delivery.partner));
        }
        if delivery.was_held {
            continue;
        }
        let before = last.insert(&delivery.lane, delivery.seq).unwrap_or_default();
        if before > delivery.seq {
            findings.out_of_order.insert(format!("{} came after number {before}", delivery.id));
        }
    }
    findings.doubled.extend(seen.iter().filter(|it| *it.1 > 1).map(|it| format!("{} × {}", it.0, it.1)));
    let mut ends: HashMap<(&str, &str), &Owed> = HashMap::new();
    for delivery in owed.iter().filter(|it| it.partner == partner && it.state == DELIVERED) {
        let Some(resource) = &delivery.resource else { continue };
        if !seen.contains_key(delivery.id.as_str()) {
            findings.lost.insert(format!("{} is delivered and not at {partner}", delivery.id));
        }
        let end = ends.entry((&delivery.referral, resource)).or_insert(delivery);
        if end.seq < delivery.seq {
            *end = delivery;
        }
    }
    for end in ends.into_values() {
        // The receiver of a message does not say where it keeps what came.
        let sent = end.resource.as_deref().and_then(|it| it.split_once('/')).unwrap_or_default();
        let there = match end.remote.as_deref().and_then(|it| it.split_once('/')) {
            Some((resource_type, id)) => server.read(resource_type, id).into_iter().collect(),
            None => server.all(sent.0),
        };
        if !there.iter().any(|it| names(it).any(|name| name == end.id)) {
            findings.out_of_order.insert(format!("{} is not what stands at {partner} in the end", end.id));
        }
    }
}

/// I9. PostgreSQL holds its foreign keys itself.
fn the_rows(ledger: &Ledger, findings: &mut Findings) {
    if matches!(ledger, Ledger::Sqlite(_)) {
        let integrity = ledger.rows("PRAGMA integrity_check");
        if integrity != [[Some("ok".to_owned())]] {
            findings.wrong.insert(format!("integrity_check: {integrity:?}"));
        }
        if !ledger.rows("PRAGMA foreign_key_check").is_empty() {
            findings.wrong.insert("a foreign key leads nowhere".to_owned());
        }
    }
    for (what, query) in ORPHANS {
        let count = ledger.number(query);
        if count > 0 {
            findings.wrong.insert(format!("{count} {what}"));
        }
    }
}

/// Rows that nothing leads to, and rows that lack what must be beside them.
const ORPHANS: [(&str, &str); 2] = [
    (
        "payloads without a referral",
        "SELECT COUNT(*) FROM payload WHERE payload_id NOT IN
           (SELECT payload_id FROM referral UNION ALL SELECT reply_id FROM reply)",
    ),
    (
        "referrals that nobody owes to the clinic",
        "SELECT COUNT(*) FROM referral WHERE referral_id NOT IN
           (SELECT referral_id FROM delivery WHERE resource_type IS NULL)",
    ),
];

/// I9 for the audit trail: its links hold, and every delivery that went out is in it.
async fn the_trail(world: &World, findings: &mut Findings) {
    let folder = world.folder().to_str().unwrap();
    let report = lines(&run(&["audit", "verify", "--json", "--config", folder]).await).remove(0);
    if report["whole"] != true {
        findings.wrong.insert(format!("the audit trail: {report}"));
    }
}

fn referrals(ledger: &Ledger) -> BTreeMap<String, String> {
    let rows = ledger.rows("SELECT referral_id, partner_id FROM referral");
    rows.into_iter().map(|mut row| (take(&mut row, 0), take(&mut row, 1))).collect()
}

fn owed(ledger: &Ledger) -> Vec<Owed> {
    let query =
        "SELECT delivery_id, referral_id, partner_id, lane_id, seq, resource_type || '/' || resource_id,
                   state, remote_reference,
                   (SELECT COUNT(*) FROM attempt a WHERE a.delivery_id = d.delivery_id AND a.outcome = 'held')
                 FROM delivery d";
    let owed = |mut row: Row| Owed {
        id: take(&mut row, 0),
        referral: take(&mut row, 1),
        partner: take(&mut row, 2),
        lane: take(&mut row, 3),
        seq: take(&mut row, 4).parse().unwrap(),
        resource: row[5].take(),
        state: take(&mut row, 6).parse().unwrap(),
        remote: row[7].take(),
        was_held: take(&mut row, 8) != "0",
    };
    ledger.rows(query).into_iter().map(owed).collect()
}

fn take(row: &mut Row, column: usize) -> String {
    row[column].take().unwrap()
}

/// The values of a resource's identifiers; `identifier` is a list on most types and an object on a few.
fn names(resource: &Value) -> impl Iterator<Item = String> {
    let identifier = &resource["identifier"];
    let list = identifier.as_array().cloned().unwrap_or_else(|| vec![identifier.clone()]);
    list.into_iter().filter_map(|it| it["value"].as_str().map(str::to_owned))
}
