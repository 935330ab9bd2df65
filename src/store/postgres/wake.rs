//! Telling other gateways that there is work. A hint only: whoever does not hear it finds the work when it
//! looks the next time. PostgreSQL takes a lock of its own for each notice at commit, so notices are sent apart
//! from the changes and at most some in a second (reference: delivery B2).

use std::sync::{Arc, Weak};
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::Notify;

const CHANNEL: &str = "referral_gateway_work";

/// Notices of this time are told once.
const TOGETHER: Duration = Duration::from_millis(20);

/// How long we wait before we listen again after the connection was lost.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// Tells and hears of work.
#[derive(Clone)]
pub(super) struct Announcer {
    added: Arc<Notify>,
}

impl Announcer {
    pub(super) fn start(pool: PgPool) -> Self {
        let added = Arc::new(Notify::new());
        let waiting = Arc::downgrade(&added);
        tokio::spawn(async move {
            while let Some(added) = waiting.upgrade() {
                let told = tokio::time::timeout(LISTEN_AGAIN, added.notified()).await;
                drop(added);
                if told.is_ok() {
                    tokio::time::sleep(TOGETHER).await;
                    // It is a hint; the database that does not take it now has other troubles.
                    let _ = pool.execute("NOTIFY referral_gateway_work").await;
                }
            }
        });
        Self { added }
    }

    pub(super) fn announce(&self) {
        self.added.notify_one();
    }

    /// Passes on what other gateways tell, until `work` is no longer in use.
    pub(super) fn listen(pool: PgPool, work: Weak<Notify>) {
        tokio::spawn(async move {
            while work.strong_count() > 0 && !pool.is_closed() {
                if let Ok(mut listener) = PgListener::connect_with(&pool).await
                    && listener.listen(CHANNEL).await.is_ok()
                {
                    while let Ok(Some(_)) = listener.try_recv().await {
                        let Some(work) = work.upgrade() else {
                            return;
                        };
                        work.notify_one();
                    }
                }
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        });
    }
}
