//! Servers whose certificate cannot be trusted, and then can (reference: delivery F30).

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::proxy::origin;
use crate::support::TestGateway;

/// Whoever gives out certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    Expired,
    Name,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// TLS with a certificate for this machine that is wrong in one way.
    fn tls(&self, wrong: Wrong) -> TlsAcceptor {
        let name = if wrong == Wrong::Name { "elsewhere.example" } else { "127.0.0.1" };
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if wrong == Wrong::Expired {
            parameters.not_before = date_time_ymd(2020, 1, 1);
            parameters.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let private_key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let chain = vec![certificate.der().clone()];
        TlsAcceptor::from(Arc::new(
            config.with_no_client_auth().with_single_cert(chain, private_key).unwrap(),
        ))
    }
}

/// Ends TLS before a server, with a certificate that can be exchanged.
struct TlsFront {
    address: SocketAddr,
    tls: Arc<Mutex<TlsAcceptor>>,
    accepting: JoinHandle<()>,
}

impl TlsFront {
    async fn before(base_url: &str, tls: TlsAcceptor) -> Self {
        let server = origin(base_url).trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = Arc::new(Mutex::new(tls));
        let present = Arc::clone(&tls);
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let tls = present.lock().unwrap().clone();
                tokio::spawn(carry(client, tls, server.clone()));
            }
        });
        Self { address, tls, accepting }
    }

    fn origin(&self) -> String {
        format!("https://{}", self.address)
    }

    /// From the next connection on.
    fn exchange(&self, tls: TlsAcceptor) {
        *self.tls.lock().unwrap() = tls;
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A client that does not like the certificate goes away within the handshake.
async fn carry(client: TcpStream, tls: TlsAcceptor, server: String) {
    let Ok(mut client) = tls.accept(client).await else { return };
    let mut server = TcpStream::connect(server).await.unwrap();
    // Either side may hang up at any time.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// From now on the gateway reaches the server of this settings file through the front, and trusts this issuer
/// there.
async fn reach_through(
    gateway: &mut TestGateway,
    file: &str,
    base_url: &str,
    front: &TlsFront,
    trusted: &str,
) {
    let (file, issuers) = (gateway.folder().join(file), gateway.folder().join("issuers.pem"));
    fs::write(&issuers, trusted).unwrap();
    let settings = fs::read_to_string(&file).unwrap();
    let known = format!("base_url = \"{base_url}\"");
    assert!(settings.contains(&known), "{settings}");
    let behind = base_url.replace(origin(base_url), &front.origin());
    let now = format!("base_url = \"{behind}\"\nca_file = \"{}\"", issuers.display());
    fs::write(&file, settings.replace(&known, &now)).unwrap();
    gateway.restart().await;
}

/// The server is left alone because of its certificate, and what is owed to it has used no attempt.
async fn assert_waits(gateway: &TestGateway, endpoint: &str, wrong: &str) {
    let mut waiting = gateway.deliveries(DeliveryState::RetryWait).await;
    waiting.extend(gateway.deliveries(DeliveryState::Queued).await);
    let burned: Vec<u32> = waiting.iter().map(|it| it.attempts).collect();
    assert!(!burned.is_empty() && burned.iter().all(|it| *it == 0), "{wrong}: {burned:?}");
    let status = gateway.operator_calls("GET", "/admin/status").send().await.body;
    let servers = status["servers"].as_array().unwrap();
    let server = servers.iter().find(|it| it["endpoint"] == endpoint).unwrap_or_else(|| panic!("{status}"));
    assert_eq!(server["why"], "tls", "{wrong}: {server}");
    assert!(server["advice"].as_str().unwrap().contains("ca_file"), "{server}");
}

/// Expired, for another name, of an issuer that is not trusted; each with the certificate that mends it.
fn untrusted(trusted: &Authority) -> [(&'static str, TlsAcceptor); 3] {
    [
        ("expired", trusted.tls(Wrong::Expired)),
        ("wrong name", trusted.tls(Wrong::Name)),
        ("unknown issuer", Authority::new().tls(Wrong::Nothing)),
    ]
}

/// Longer than any wait between two probes.
const LONG: Duration = Duration::from_mins(20);

#[tokio::test]
async fn a_partner_whose_certificate_cannot_be_trusted_gets_each_update_once_when_it_can() {
    let trusted = Authority::new();
    for (wrong, certificate) in untrusted(&trusted) {
        let mut gateway = TestGateway::start().await;
        let base_url = gateway.lakeside().server().base_url().to_owned();
        let front = TlsFront::before(&base_url, certificate).await;
        reach_through(&mut gateway, "partners/lakeside.toml", &base_url, &front, &trusted.pem).await;
        let (first, second) = (gateway.referral(1).await, gateway.referral(2).await);

        gateway.clinic().accept(&first);
        gateway.clinic().accept(&second);
        gateway.settle().await;
        assert_waits(&gateway, "lakeside", wrong).await;
        for _ in 0..3 {
            gateway.after(LONG).await;
        }
        assert_waits(&gateway, "lakeside", wrong).await;
        assert!(gateway.lakeside().server().requests().is_empty(), "{wrong}: no byte went there");

        front.exchange(trusted.tls(Wrong::Nothing));
        for _ in 0..3 {
            gateway.after(LONG).await;
        }

        let tasks = gateway.lakeside().server().all("Task");
        assert_eq!(tasks.iter().filter(|it| it["status"] == "accepted").count(), 2, "{wrong}");
        assert_eq!(gateway.lakeside().server().history("Task").len(), 2, "{wrong}: each once");
        assert_eq!(gateway.log_text().matches("a server works again").count(), 1, "{wrong}");
    }
}

#[tokio::test]
async fn a_clinic_whose_certificate_cannot_be_trusted_gets_each_referral_once_when_it_can() {
    let trusted = Authority::new();
    for (wrong, certificate) in untrusted(&trusted) {
        let mut gateway = TestGateway::start().await;
        let base_url = gateway.clinic().server().base_url().to_owned();
        let front = TlsFront::before(&base_url, certificate).await;
        reach_through(&mut gateway, "gateway.toml", &base_url, &front, &trusted.pem).await;

        let sent = gateway.send_bundle("lakeside", &people::referral(1, &ReferralOptions::default())).await;
        gateway.work().await;
        assert_eq!(sent.status, 200, "{wrong}");
        assert_waits(&gateway, "@clinic", wrong).await;
        assert!(gateway.clinic().server().requests().is_empty(), "{wrong}: no byte went there");

        front.exchange(trusted.tls(Wrong::Nothing));
        gateway.after(LONG).await;

        assert_eq!(gateway.clinic().referrals().len(), 1, "{wrong}");
        assert_eq!(gateway.clinic().server().history("ServiceRequest").len(), 1, "{wrong}: once");
    }
}
