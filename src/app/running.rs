//! Tasks that run until they are told to end.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Tasks that end together.
pub(super) struct Running {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// What a task that was told to end may take longer than it allows itself.
const MARGIN: Duration = Duration::from_secs(1);

impl Running {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { stop: watch::Sender::new(false), tasks: Vec::new() }
    }

    /// Starts one. It is told to end when what it is given says true.
    pub(super) fn start<F>(&mut self, task: impl FnOnce(watch::Receiver<bool>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.push(tokio::spawn(task(self.stop.subscribe())));
    }

    /// Tells them to end, and cuts off those that take longer than `within` and a little.
    pub(super) async fn end(self, within: Duration) {
        // Nobody listens any more when every task has ended by itself.
        let _ = self.stop.send(true);
        let end = Instant::now() + within + MARGIN;
        for mut task in self.tasks {
            match tokio::time::timeout_at(end, &mut task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(panicked = error.is_panic(), "a part of the gateway was cut off");
                }
                Err(_) => {
                    task.abort();
                    tracing::warn!("a part of the gateway was cut off at the end of the grace period");
                }
            }
        }
    }
}
