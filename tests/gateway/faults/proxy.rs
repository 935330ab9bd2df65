//! A TCP proxy that harms what passes through it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The direction of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Towards {
    Server,
    Client,
}

/// What happens to bytes in one direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Harm {
    /// Each piece waits so long.
    pub latency: Duration,
    /// Bytes go one by one, each after so long.
    pub trickle: Option<Duration>,
    /// After so many bytes, counted from the order on over all connections, this happens, once.
    pub after: Option<(usize, End)>,
    /// A piece with these bytes in it does not pass, and this happens, once.
    pub at: Option<(&'static [u8], End)>,
    /// These bytes never arrive; others of the same length do.
    pub spoil: Option<Spoil>,
}

/// Bytes, and as many others that go in their place.
pub type Spoil = (&'static [u8], &'static [u8]);

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Both sides are closed.
    Close,
    /// The client is told that the connection was reset.
    Reset,
    /// No more comes in this direction, and that is said; the other direction goes on.
    HalfClose,
    /// No more comes in this direction, and nothing is said.
    Silence,
}

#[derive(Default)]
struct Orders {
    harm: [Harm; 2],
    passed: [usize; 2],
}

struct Shared {
    orders: Mutex<Orders>,
    ends: watch::Sender<usize>,
}

/// A running proxy. Dropping it takes no more connections.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before this server, given as `http://host:port/…`; harmless until it is told otherwise.
    pub async fn before(base_url: &str) -> Self {
        Self::before_address(origin(base_url).trim_start_matches("http://")).await
    }

    /// A proxy before this server, given as `host:port`.
    pub async fn before_address(server: &str) -> Self {
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { orders: Mutex::default(), ends: watch::Sender::new(0) });
        let accepting = tokio::spawn(accept(listener, server, Arc::clone(&shared)));
        Self { address, shared, accepting }
    }

    /// The origin of the proxy: `http://host:port`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of the proxy: `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on this happens to bytes in this direction, on open connections too.
    pub fn harm(&self, towards: Towards, harm: Harm) {
        let mut orders = self.shared.orders.lock().unwrap();
        orders.harm[towards as usize] = harm;
        orders.passed[towards as usize] = 0;
    }

    /// How many ordered ends have come.
    pub fn ends(&self) -> usize {
        *self.shared.ends.borrow()
    }

    /// Waits until an ordered end has come.
    pub async fn wait_for_an_end(&self, patience: Duration) {
        let mut ends = self.shared.ends.subscribe();
        let come = tokio::time::timeout(patience, ends.wait_for(|it| *it > 0)).await;
        assert!(come.is_ok(), "no connection came to its ordered end");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// `http://host:port` of an address.
pub fn origin(base_url: &str) -> &str {
    base_url.split("/fhir").next().unwrap()
}

async fn accept(listener: TcpListener, server: String, shared: Arc<Shared>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (server, shared) = (server.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            // A server that is down looks down through the proxy too.
            let Ok(server) = TcpStream::connect(server).await else { return };
            carry(client, server, &shared).await;
        });
    }
}

/// Both directions end together, but for a half-close and a silence.
async fn carry(client: TcpStream, server: TcpStream, shared: &Shared) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let end = tokio::select! {
        end = pump(&mut from_client, &mut to_server, Towards::Server, shared) => end,
        end = pump(&mut from_server, &mut to_client, Towards::Client, shared) => end,
    };
    if end == Some(End::Reset) {
        to_client.as_ref().set_zero_linger().unwrap();
        drop(to_client.reunite(from_client));
    }
}

/// Carries bytes until the sender ends or it is ordered to end.
async fn pump(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    towards: Towards,
    shared: &Shared,
) -> Option<End> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let most = if harm_of(shared, towards).trickle.is_some() { 1 } else { buffer.len() };
        let read = from.read(&mut buffer[..most]).await.ok().filter(|it| *it > 0)?;
        let harm = harm_of(shared, towards);
        tokio::time::sleep(harm.latency + harm.trickle.unwrap_or_default()).await;
        if let Some(spoil) = harm.spoil {
            replace(&mut buffer[..read], spoil);
        }
        let (allowed, end) = pass(shared, towards, &buffer[..read]);
        to.write_all(&buffer[..allowed]).await.ok()?;
        match end {
            None => {}
            Some(End::HalfClose) => {
                to.shutdown().await.ok()?;
                std::future::pending::<()>().await;
            }
            Some(End::Silence) => std::future::pending::<()>().await,
            Some(end) => return Some(end),
        }
    }
}

fn replace(piece: &mut [u8], (bytes, others): Spoil) {
    for place in 0..piece.len().saturating_sub(bytes.len() - 1) {
        if piece[place..].starts_with(bytes) {
            piece[place..place + bytes.len()].copy_from_slice(others);
        }
    }
}

fn harm_of(shared: &Shared, towards: Towards) -> Harm {
    shared.orders.lock().unwrap().harm[towards as usize]
}

/// How many of these bytes may pass, and whether the ordered end has come. It comes once.
fn pass(shared: &Shared, towards: Towards, piece: &[u8]) -> (usize, Option<End>) {
    let mut orders = shared.orders.lock().unwrap();
    let place = towards as usize;
    let passed = orders.passed[place];
    orders.passed[place] += piece.len();
    let harm = &mut orders.harm[place];
    let found = harm.at.filter(|(words, _)| piece.windows(words.len()).any(|it| it == *words));
    let reached = harm.after.filter(|(limit, _)| passed + piece.len() >= *limit);
    let (allowed, end) = match (found, reached) {
        (Some((_, end)), _) => (0, end),
        (None, Some((limit, end))) => (limit.saturating_sub(passed), end),
        (None, None) => return (piece.len(), None),
    };
    (harm.at, harm.after) = (None, None);
    shared.ends.send_modify(|it| *it += 1);
    (allowed, Some(end))
}
