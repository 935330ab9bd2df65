//! Accepting connections, with limits that keep a slow or greedy caller from holding others up, and an end
//! that lets running requests finish.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// One door: a socket, its TLS, and what is behind it.
pub struct Door {
    /// Where callers connect.
    pub listener: TcpListener,
    /// TLS; none: plain HTTP.
    pub tls: Option<TlsAcceptor>,
    /// What answers.
    pub router: Router,
    /// The most connections at a time; further ones wait to be accepted.
    pub connections: usize,
}

/// Where a connection comes from: the caller, or what stands in front of us.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Serves until `stop` says true; then running requests may take `grace` to finish.
pub async fn serve(door: Door, mut stop: watch::Receiver<bool>, grace: Duration) {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(door.connections));
    while !*stop.borrow() {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            break; // The semaphore is never closed.
        };
        tokio::select! {
            accepted = door.listener.accept() => match accepted {
                Ok((stream, address)) => {
                    let caller = Caller { stream, peer: Peer(address.ip()), slot };
                    tokio::spawn(connection(caller, door.tls.clone(), door.router.clone(), graceful.watcher()));
                }
                Err(error) => {
                    tracing::warn!(kind = ?error.kind(), "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            _ = stop.changed() => {}
        }
    }
    drop(door);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were cut off at the end of the grace period");
    }
}

struct Caller {
    stream: TcpStream,
    peer: Peer,
    slot: OwnedSemaphorePermit,
}

async fn connection(caller: Caller, tls: Option<TlsAcceptor>, router: Router, watcher: Watcher) {
    let Caller { stream, peer, slot } = caller;
    // Answers are small; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => speak(stream, peer, router, watcher).await,
        Some(acceptor) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => speak(stream, peer, router, watcher).await,
            Ok(Err(error)) => tracing::debug!(kind = ?error.kind(), "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        },
    }
    drop(slot);
}

async fn speak<S>(stream: S, peer: Peer, router: Router, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.map(Body::new)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(64);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection.into_owned()).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
