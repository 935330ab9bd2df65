//! The listening socket and its connections. By hand rather than with `axum::serve`, which cannot close a
//! connection without an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::state::{Dropped, State};

/// How long a stop waits for answers under way. Answers that hang on purpose never come.
const GRACE: Duration = Duration::from_millis(200);

const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// A running accept loop. Dropping it ends the loop and cuts its connections.
pub(super) struct Listening {
    stop: watch::Sender<bool>,
    accept_loop: JoinHandle<()>,
}

impl Listening {
    pub(super) fn start(listener: TcpListener, state: Arc<State>) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { stop, accept_loop: tokio::spawn(accept(listener, state, stopped)) }
    }

    /// Takes no new connection, lets answers under way end, then cuts what is left.
    pub(super) async fn stop(mut self) {
        self.stop.send_replace(true);
        // A panic of the loop has been reported already; there is nothing left to stop.
        let _ended = (&mut self.accept_loop).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.accept_loop.abort();
    }
}

/// Opens a socket on this machine only. The port 0 means any free one.
pub(super) async fn bind(port: u16) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn accept(listener: TcpListener, state: Arc<State>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let for_connections = stopped.clone();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|it| *it) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&state), for_connections.clone()));
                }
            }
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    // Whatever is still open after the grace is cut when the set is dropped.
    let _in_time = tokio::time::timeout(GRACE, all_ended).await;
}

async fn serve(stream: TcpStream, state: Arc<State>, mut stopped: watch::Receiver<bool>) {
    let service = service_fn(move |request| respond(Arc::clone(&state), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // How a connection ends is the client's affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|it| *it) => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

/// An error makes hyper close the connection without an answer; that is what [`Dropped`] is for.
async fn respond(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), BODY_LIMIT).await.map_err(|_| Dropped)?;
    state.respond(head, body).await
}
