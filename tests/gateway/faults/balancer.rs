//! The one address of several gateways: each connection goes to one that answers, each in its turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running balancer. Dropping it takes no more connections.
pub struct Balancer {
    accepting: JoinHandle<()>,
}

impl Balancer {
    /// Listens on one port for gateways on these.
    pub async fn start(port: u16, gateways: Vec<u16>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let (gateways, turn) = (Arc::new(gateways), Arc::new(AtomicUsize::new(0)));
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(client, Arc::clone(&gateways), turn.fetch_add(1, Ordering::Relaxed)));
            }
        });
        Self { accepting }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut client: TcpStream, gateways: Arc<Vec<u16>>, first: usize) {
    for place in 0..gateways.len() {
        let port = gateways[(first + place) % gateways.len()];
        if let Ok(mut gateway) = TcpStream::connect(("127.0.0.1", port)).await {
            // A gateway that is killed ends the connection, and its client is told by that.
            let _ = copy_bidirectional(&mut client, &mut gateway).await;
            return;
        }
    }
}
