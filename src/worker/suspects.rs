//! Messages at which a server fails each time while it takes others: poison. Kept in memory only; after a
//! restart it takes as many failures again.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;

use crate::model::delivery::{Delivery, Owed};
use crate::model::ids::{DeliveryId, PartnerId};

/// So many times in a row.
const FAILURES: u32 = 5;

/// What the worker remembers of servers that answered 500.
#[derive(Debug, Default)]
pub struct Suspects(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// When a server last took something; none is the clinic.
    taken: BTreeMap<Option<PartnerId>, Timestamp>,
    /// How often in a row a message was answered 500, and since when.
    failed: BTreeMap<DeliveryId, (u32, Timestamp)>,
}

/// How an attempt ended, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server took it.
    Taken,
    /// The server answered 500.
    ServerError,
    /// Anything else.
    Other,
}

impl Suspects {
    /// Notes an end, and says whether the message is poison.
    pub(super) fn note(&self, delivery: &Delivery, outcome: Outcome, now: Timestamp) -> bool {
        let server = match delivery.task {
            Owed::Forward => None,
            Owed::Deliver(_) => Some(delivery.partner.clone()),
        };
        let mut known = self.0.lock().expect("no holder of this lock panics");
        if outcome != Outcome::ServerError {
            known.failed.remove(&delivery.id);
            if outcome == Outcome::Taken {
                known.taken.insert(server, now);
            }
            return false;
        }
        let (times, since) = known.failed.get(&delivery.id).copied().unwrap_or((0, now));
        let (times, taken) = (times + 1, known.taken.get(&server).copied());
        let poison = times >= FAILURES && taken.is_some_and(|taken| taken >= since);
        if poison {
            known.failed.remove(&delivery.id);
        } else {
            known.failed.insert(delivery.id, (times, since));
        }
        poison
    }
}
