//! What keeps a request from being sent, over real sockets.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use url::Url;

use super::failure::{Class, Failure};
use super::token::{TokenError, TokenSource};
use super::{FhirClient, UnusableIssuers, http_client, http_client_trusting};

/// Of a key that protects nothing: good for 127.0.0.1, of nobody known.
const UNKNOWN: &[u8] = include_bytes!("unknown.pem");
/// The same for another name.
const ELSEWHERE: &[u8] = include_bytes!("elsewhere.pem");
/// The same for 127.0.0.1, over since 2020.
const EXPIRED: &[u8] = include_bytes!("expired.pem");
const KEY: &[u8] = include_bytes!("server_key.pem");

struct NoToken;

#[async_trait]
impl TokenSource for NoToken {
    async fn authorization(&self) -> Result<Option<HeaderValue>, TokenError> {
        Ok(None)
    }

    async fn forget(&self) {}
}

async fn read(http: reqwest::Client, base: &str) -> Failure {
    let base = Url::parse(base).unwrap();
    let client = FhirClient::new(http, &base, Arc::new(NoToken), Duration::from_secs(5));
    client.read("Task/1").await.unwrap_err()
}

/// A client that trusts this certificate, whatever it says.
fn trusting(certificate: &[u8]) -> reqwest::Client {
    http_client_trusting(str::from_utf8(certificate).unwrap()).unwrap()
}

/// The address of a server that shows this certificate to one caller.
async fn server_with(certificate: &[u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // The caller breaks it off.
        let _ = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await;
    });
    format!("https://{address}")
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_is_told_from_a_server_that_is_away() {
    let cases = [
        (server_with(UNKNOWN).await, http_client()),
        (server_with(ELSEWHERE).await, trusting(ELSEWHERE)),
        (server_with(EXPIRED).await, trusting(EXPIRED)),
    ];
    for (base, http) in cases {
        let failure = read(http, &base).await;

        assert_eq!(failure, Failure::Certificate);
        assert_eq!((failure.code(), failure.class()), ("certificate", Class::Certificate));
    }
}

#[test]
fn issuers_that_are_no_certificates_are_refused() {
    let rubbish = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

    assert_eq!(http_client_trusting(rubbish).unwrap_err(), UnusableIssuers);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_not_reached_and_no_matter_of_certificates() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });

    assert_eq!(read(http_client(), &base).await, Failure::NotReached("tls-handshake"));
}

#[tokio::test]
async fn a_name_that_nobody_knows_or_a_port_that_nobody_listens_at_is_not_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);

    for base in [silent.as_str(), "http://nobody.invalid"] {
        let failure = read(http_client(), base).await;

        assert_eq!(failure, Failure::NotReached("not-connected"));
        assert!(!failure.may_have_happened());
    }
}
