//! The least that a server can do that records what it is sent before it answers: it reads the body, and one thread
//! writes the rows of all that wait with one commit. It is reached through the gateway's own listener.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;
use referral_gateway::server::listen::{Door, serve};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};

use super::bare::Bare;
use super::over_http::listener;

const MOST_WAITING: usize = 1024;
const MOST_TOGETHER: usize = 256;

type Waiting = SyncSender<oneshot::Sender<()>>;

/// A server on a port of its own, until it is dropped.
pub(crate) struct BareServer {
    pub(crate) address: String,
    stop: watch::Sender<bool>,
    _folder: TempDir,
}

impl BareServer {
    pub(crate) async fn start(folder: TempDir, page_bytes: u32, stored_bytes: usize) -> Self {
        let bare = Bare::new(folder.path(), page_bytes, stored_bytes).of_submissions();
        let (waiting, written) = sync_channel(MOST_WAITING);
        std::thread::spawn(move || write_until_closed(&bare, &written));
        let router = Router::new().route("/fhir", post(accept)).with_state(waiting);
        let listener = listener().await;
        let address = listener.local_addr().expect("it is bound").to_string();
        let (stop, stopped) = watch::channel(false);
        let door = Door { listener, tls: None, router, connections: MOST_WAITING };
        tokio::spawn(serve(door, stopped, Duration::from_secs(1)));
        Self { address, stop, _folder: folder }
    }
}

impl Drop for BareServer {
    fn drop(&mut self) {
        // A listener that has ended by itself need not be told.
        let _ = self.stop.send(true);
    }
}

async fn accept(State(waiting): State<Waiting>, _body: Bytes) -> StatusCode {
    let (tell, told) = oneshot::channel();
    if waiting.try_send(tell).is_err() || told.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::CREATED
}

fn write_until_closed(bare: &Bare, waiting: &Receiver<oneshot::Sender<()>>) {
    while let Ok(first) = waiting.recv() {
        let together: Vec<_> = std::iter::once(first).chain(waiting.try_iter().take(MOST_TOGETHER)).collect();
        bare.accept_together(u32::try_from(together.len()).unwrap_or(u32::MAX));
        for tell in together {
            // A sender that has gone away is no mistake.
            let _ = tell.send(());
        }
    }
}
