//! Messages at which a server fails each time while it takes others: poison. How often in a row is kept with the
//! delivery; when a server last took something is not, so after a restart it must take one first.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;

use crate::model::delivery::{Delivery, Owed};
use crate::model::ids::PartnerId;

/// So many times in a row.
const FAILURES: u32 = 5;

/// When servers last took something; none is the clinic.
#[derive(Debug, Default)]
pub struct Suspects(Mutex<BTreeMap<Option<PartnerId>, Timestamp>>);

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
            Owed::Forward | Owed::Reply(..) => None,
            Owed::Deliver(_) => Some(delivery.partner.clone()),
        };
        let mut taken = self.0.lock().expect("no holder of this lock panics");
        match outcome {
            Outcome::Taken => {
                taken.insert(server, now);
                false
            }
            Outcome::ServerError => {
                let since = delivery.server_errors_since.unwrap_or(now);
                let in_a_row = delivery.server_errors.saturating_add(1) >= FAILURES;
                in_a_row && taken.get(&server).is_some_and(|taken| *taken >= since)
            }
            Outcome::Other => false,
        }
    }
}
