//! Consents that can only hold, told to the operator when they come in: once for each version, though every
//! look at the clinic shows the newest Consent again.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::Value;

use super::Outbound;
use crate::consent::lint::{Home, only_holds};
use crate::consent::standing::status::Status;
use crate::consent::version_of;

/// More than a look at the clinic can bring again.
const MOST: usize = 10_000;

/// Versions of Consents that were looked at. A restart forgets them: what still stands is told again then.
#[derive(Debug, Default)]
pub struct LookedAt(Mutex<BTreeSet<String>>);

impl LookedAt {
    /// Whether a version is new here. When there are too many, all are forgotten: one is rather told twice
    /// than never.
    fn is_new(&self, version: &str) -> bool {
        let mut versions = self.0.lock().expect("no holder of this lock panics");
        if versions.contains(version) {
            return false;
        }
        if versions.len() >= MOST {
            versions.clear();
        }
        versions.insert(version.to_owned())
    }
}

impl Outbound {
    /// Looks at each version once. One that is not active holds nothing.
    pub(super) fn tell_faults(&self, consents: &[Value]) {
        let heeded = consents.iter().filter(|it| Status::of(it) != Status::NotActive);
        for consent in heeded {
            let version = version_of(consent);
            // Where the server keeps no versions, the time of the last change tells one from another.
            let changed = consent["meta"]["lastUpdated"].as_str().unwrap_or_default();
            if !self.looked_at.is_new(&format!("{version} {changed}")) {
                continue;
            }
            for finding in only_holds(consent, Home::Server, &self.house.consent.time_zone) {
                tracing::warn!(
                    consent = %version,
                    rule = finding.rule,
                    element = %finding.element,
                    fix = %finding.fix,
                    "a consent can only hold what it may speak of"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_new_once_and_the_set_stays_small() {
        let looked_at = LookedAt::default();

        assert!(looked_at.is_new("Consent/1/_history/1"));
        assert!(!looked_at.is_new("Consent/1/_history/1"));
        for number in 0..2 * MOST {
            assert!(looked_at.is_new(&format!("Consent/2/_history/{number}")));
        }
        assert!(looked_at.0.lock().unwrap().len() <= MOST);
    }
}
