//! Bytes on a connection: for what no HTTP client would send.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use referral_gateway::fhir::json;
use referral_gateway::sandbox::gateway_client::Reply;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::TestGateway;

/// Longer than every limit of the gateway, so that a test ends where the gateway hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came back until the connection was closed.
pub struct WireReply {
    pub text: String,
}

impl TestGateway {
    /// Opens a connection to the public door.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.public).await.unwrap()
    }

    /// Writes these bytes and reads until the gateway closes the connection.
    pub async fn exchange(&self, bytes: impl AsRef<[u8]>) -> WireReply {
        let mut stream = self.connect().await;
        // The gateway may have refused before it has read everything.
        let _ = stream.write_all(bytes.as_ref()).await;
        WireReply::read(stream).await
    }

    /// The same, and says after the last byte that no more will come.
    pub async fn exchange_and_hang_up(&self, bytes: impl AsRef<[u8]>) -> WireReply {
        let mut stream = self.connect().await;
        let _ = stream.write_all(bytes.as_ref()).await;
        let _ = stream.shutdown().await;
        WireReply::read(stream).await
    }
}

impl WireReply {
    /// Reads until the gateway closes the connection.
    pub async fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
        // A reset after the answer is an end as well.
        let _ended = read.expect("the gateway closes the connection");
        Self { text: String::from_utf8(bytes).unwrap() }
    }

    /// The first answer, as a client would see it.
    pub fn first(&self) -> Reply {
        let (head, rest) = self.text.split_once("\r\n\r\n").expect("an answer has a head");
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let length = headers.get("content-length").and_then(|it| it.to_str().unwrap().parse().ok());
        let body = &rest[..length.unwrap_or_default()];
        Reply {
            status: StatusCode::from_bytes(status.as_bytes()).unwrap(),
            headers,
            body: json::parse(body.as_bytes()).unwrap_or_default(),
        }
    }
}
