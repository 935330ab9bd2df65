//! What a ledger must show, as plainly as it can be said: vectors, and no SQL. Times are milliseconds since the
//! beginning of the test.

use std::collections::BTreeMap;

use referral_gateway::model::delivery::{CLINIC, DeliveryState};
use referral_gateway::model::ids::{DeliveryId, ReferralId};

use DeliveryState::{
    Cancelled, Dead, Delivered, Held, InFlight, InInbox, Quarantined, Queued, RetryWait, Superseded,
    UnknownWait,
};

pub const LEASE: i64 = 60_000;

/// A referral and by what it is known.
pub struct KnownReferral {
    pub id: ReferralId,
    pub partner: &'static str,
    pub number: u8,
    pub content: u8,
    pub at_clinic: bool,
    pub updated: i64,
    pub has_body: bool,
    /// The newest version of the patient's Consent.
    pub consent: u32,
}

/// A delivery; its place among those of its lane is that in the vector.
pub struct Entry {
    pub id: DeliveryId,
    pub referral: usize,
    pub endpoint: &'static str,
    /// The Task's number and version; none: the referral itself.
    pub resource: Option<(u8, u32)>,
    pub state: DeliveryState,
    pub attempts: u32,
    pub effect_unknown: bool,
    pub created: i64,
    pub due: i64,
    pub done: Option<i64>,
    /// The version of the Consent that the last hold read.
    pub consent: u32,
    /// The version of the Group that the last hold read.
    pub group: Option<u32>,
}

pub type Lane = (&'static str, usize);

#[derive(Clone, Default)]
pub struct LaneState {
    pub token: i64,
    pub leased_until: Option<i64>,
}

pub struct Server {
    pub paused: bool,
    /// Retries that may begin at least.
    pub spare: i64,
    pub spare_at: i64,
}

pub struct Order {
    pub wanted: Vec<DeliveryState>,
    pub asked: i64,
    pub next: i64,
    pub up_to: String,
    pub running: bool,
    pub replayed: u64,
    pub passed_over: u64,
}

#[derive(Default)]
pub struct Model {
    pub now: i64,
    pub referrals: Vec<KnownReferral>,
    pub entries: Vec<Entry>,
    pub lanes: BTreeMap<Lane, LaneState>,
    pub servers: BTreeMap<&'static str, Server>,
    pub orders: Vec<Order>,
    pub group: u32,
}

impl Model {
    pub fn lane_of(&self, entry: usize) -> Lane {
        (self.entries[entry].endpoint, self.entries[entry].referral)
    }

    /// Something new is owed.
    pub fn owe(&mut self, id: DeliveryId, referral: usize, resource: Option<(u8, u32)>) {
        let endpoint = if resource.is_some() { self.referrals[referral].partner } else { CLINIC };
        for older in &mut self.entries {
            let same = older.referral == referral
                && older.resource.zip(resource).is_some_and(|(it, new)| it.0 == new.0);
            let untried =
                matches!(older.state, Queued | InInbox) || (older.state == Held && !older.effect_unknown);
            if same && untried {
                (older.state, older.done) = (Superseded, Some(self.now));
            }
        }
        let now = self.now;
        self.servers.entry(endpoint).or_insert(Server { paused: false, spare: 60, spare_at: now });
        self.lanes.entry((endpoint, referral)).or_default();
        self.entries.push(Entry {
            id,
            referral,
            endpoint,
            resource,
            state: Queued,
            attempts: 0,
            effect_unknown: false,
            created: now,
            due: now,
            done: None,
            consent: 0,
            group: None,
        });
    }

    /// Work that was cut off may have taken effect.
    pub fn cut_off(&mut self, lane: Lane, look_at: i64) {
        self.lanes.get_mut(&lane).unwrap().leased_until = None;
        for entry in &mut self.entries {
            if (entry.endpoint, entry.referral) == lane && entry.state == InFlight {
                (entry.state, entry.effect_unknown, entry.due) = (UnknownWait, true, look_at);
            }
        }
    }

    pub fn leased(&self, until: impl Fn(i64) -> bool) -> Vec<Lane> {
        let leased = self.lanes.iter().filter(|(_, it)| it.leased_until.is_some_and(&until));
        leased.map(|(lane, _)| *lane).collect()
    }

    fn is_next(&self, at: usize) -> bool {
        let entry = &self.entries[at];
        let mut before = self.entries[..at]
            .iter()
            .filter(|it| (it.endpoint, it.referral) == (entry.endpoint, entry.referral));
        before.all(|it| {
            let in_the_way = entry.state != Held && it.state.is_pending();
            let may_be_out = it.state == Held
                && it.effect_unknown
                && it.resource.zip(entry.resource).is_some_and(|(a, b)| a.0 == b.0);
            !in_the_way && !may_be_out
        })
    }

    /// In each lane that may be asked the first that waits and is not behind another one.
    pub fn heads(&self) -> Vec<usize> {
        let free = self.lanes.iter().filter(|((endpoint, _), lane)| {
            lane.leased_until.is_none() && self.servers.get(endpoint).is_some_and(|it| !it.paused)
        });
        let first = |lane: Lane| {
            (0..self.entries.len())
                .filter(|it| self.lane_of(*it) == lane)
                .filter(|it| self.entries[*it].state.is_tried_again() && self.is_next(*it))
                .min_by_key(|it| (self.entries[*it].due, *it))
        };
        free.filter_map(|(lane, _)| first(*lane)).collect()
    }

    /// An operator wants it now.
    pub fn retry(&mut self, at: usize) -> bool {
        let it = &self.entries[at];
        let newer_is_out = self.entries[at + 1..].iter().any(|newer| {
            newer.referral == it.referral
                && newer.resource.zip(it.resource).is_some_and(|(a, b)| a.0 == b.0)
                && (matches!(newer.state, InFlight | RetryWait | UnknownWait | Delivered | InInbox)
                    || newer.effect_unknown)
        });
        let possible = match it.state {
            RetryWait | UnknownWait | Held => true,
            Dead | Quarantined => !newer_is_out,
            _ => false,
        };
        if possible {
            let now = self.now;
            let it = &mut self.entries[at];
            it.effect_unknown |= it.state == Quarantined;
            if matches!(it.state, Dead | Quarantined) {
                it.state = if it.effect_unknown { UnknownWait } else { RetryWait };
            }
            (it.due, it.done) = (now, None);
        }
        possible
    }

    pub fn cancel(&mut self, at: usize) -> bool {
        let it = &mut self.entries[at];
        let possible = !matches!(it.state, InFlight | Delivered | Superseded | Cancelled);
        if possible {
            (it.state, it.done) = (Cancelled, Some(self.now));
        }
        possible
    }

    /// One step of the replay that runs. False: none may go on.
    pub fn replay_some(&mut self) -> bool {
        let now = self.now;
        let Some(order) = self.orders.iter().position(|it| it.running && it.next <= now) else {
            return false;
        };
        let (wanted, asked) = (self.orders[order].wanted.clone(), self.orders[order].asked);
        let up_to = self.orders[order].up_to.clone();
        let mut meant: Vec<(String, usize)> = (0..self.entries.len())
            .filter(|it| wanted.contains(&self.entries[*it].state) && self.entries[*it].created <= asked)
            .map(|it| (self.entries[it].id.to_string(), it))
            .filter(|(id, _)| *id > up_to)
            .collect();
        meant.sort();
        meant.truncate(100);
        for (_, entry) in &meant {
            let done = self.retry(*entry);
            self.orders[order].replayed += u64::from(done);
            self.orders[order].passed_over += u64::from(!done);
        }
        let order = &mut self.orders[order];
        match meant.last() {
            None => order.running = false,
            Some((last, _)) => (order.up_to, order.next) = (last.clone(), now + 100),
        }
        true
    }

    /// Bodies of referrals for which nothing was owed for so long are destroyed.
    pub fn purge(&mut self, kept: i64) {
        let before = self.now - kept;
        for (at, referral) in self.referrals.iter_mut().enumerate() {
            let mut owed = self.entries.iter().filter(|it| it.referral == at);
            let done = owed.all(|it| {
                matches!(it.state, Delivered | Superseded | Cancelled)
                    && it.done.is_some_and(|it| it < before)
            });
            referral.has_body &= !(done && referral.updated < before);
        }
    }
}
