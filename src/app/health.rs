//! Whether the parts work, and whether more is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::pressure::Shut;
use crate::server::admission::Admission;
use crate::server::operator::Health;
use crate::store::Store;

/// Looks at the parts when it is asked.
pub(super) struct PartsHealth {
    pub(super) store: Arc<dyn Store>,
    pub(super) clinic_answers: Arc<AtomicBool>,
    pub(super) admission: Arc<Admission>,
    pub(super) stopping: Arc<AtomicBool>,
}

impl Health for PartsHealth {
    fn not_ready(&self) -> Vec<&'static str> {
        let ledger = (!self.store.is_writable()).then_some("ledger");
        let stopping = self.stopping.load(Ordering::Acquire).then_some("stopping");
        ledger.into_iter().chain(stopping).collect()
    }

    fn degraded(&self) -> Vec<&'static str> {
        let clinic = (!self.clinic_answers.load(Ordering::Acquire)).then_some("clinic");
        clinic.into_iter().collect()
    }

    fn shut(&self) -> Vec<&'static str> {
        self.admission.shut().into_iter().map(Shut::word).collect()
    }
}
