//! A gateway in one line, a simulated clinic and simulated partners over real HTTP, a clock that stands
//! still, and a log that is searched for patients when the test ends.

mod call;
mod ledger;
mod log;
mod messages;
mod options;
mod postgres;
mod refusal;
mod wire;

pub use call::Call;
pub use log::Canaries;
pub use messages::{answered_task, elsewhere, part, part_mut};
pub use options::Options;
pub use postgres::PostgresServer;
pub use refusal::{assert_refused, issues_of};
pub use wire::WireReply;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use referral_gateway::app::{Gateway, Sockets};
use referral_gateway::config;
use referral_gateway::model::clock::{Clock, Reading, SteadyClock, TestClock};
use referral_gateway::model::delivery::{Delivery, DeliveryState};
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::sandbox::clinic::{ClinicReferral, SimulatedClinic};
use referral_gateway::sandbox::fhir_server::{FhirServer, FhirServerOptions, Times};
use referral_gateway::sandbox::gateway_client::{GatewayAccess, GatewayClient, Reply};
use referral_gateway::sandbox::partner::SimulatedPartner;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use referral_gateway::store::DeliveryFilter;
use serde_json::Value;
use tokio::net::TcpListener;

use self::log::CapturedLog;
use self::options::Addresses;

/// The client secret of every test partner. It must not reach the log.
pub const SECRET: &str = "canary-secret-of-a-partner";

/// A running gateway between a simulated clinic and simulated partners. Its loops do not run: a test calls
/// [`TestGateway::settle`], so nothing sleeps.
pub struct TestGateway {
    gateway: Option<Gateway>,
    clinic: SimulatedClinic,
    partners: BTreeMap<&'static str, SimulatedPartner>,
    clock: Arc<TestClock>,
    gateway_clock: Arc<dyn Clock>,
    folder: tempfile::TempDir,
    public: String,
    operator: String,
    log: CapturedLog,
    leftovers_expected: bool,
}

impl TestGateway {
    /// With the settings of [`Options::default`].
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// With these settings.
    pub async fn with(options: Options) -> Self {
        let log = CapturedLog::start();
        let clock = Arc::new(TestClock::at("2026-03-10T15:00:00Z".parse().unwrap()));
        let gateway_clock = gateway_clock(&clock, options.wrong_by.as_ref());
        let clinic = fhir_server(&clock).await;
        let sockets = bind(["127.0.0.1:0", "127.0.0.1:0"]).await;
        let (public, operator) = (address(&sockets.public), address(&sockets.operator));
        let folder = tempfile::tempdir().unwrap();
        let mut partners = BTreeMap::new();
        let mut bases = BTreeMap::new();
        for id in options.partners.iter().copied() {
            let server = fhir_server(&clock).await;
            bases.insert(id, server.base_url().to_owned());
            partners.insert(id, SimulatedPartner::new(server, GatewayClient::new(access(&public, id))));
        }
        let addresses =
            Addresses { public: &public, operator: &operator, clinic: clinic.base_url(), partners: &bases };
        options.write(folder.path(), &addresses);
        let gateway = start_gateway(folder.path(), sockets, &gateway_clock).await;
        Self {
            gateway: Some(gateway),
            clinic: SimulatedClinic::new(clinic),
            partners,
            clock,
            gateway_clock,
            folder,
            public,
            operator,
            log,
            leftovers_expected: false,
        }
    }

    /// The simulated clinic.
    pub fn clinic(&self) -> &SimulatedClinic {
        &self.clinic
    }

    /// A simulated partner: `lakeside` unless the options name others.
    pub fn partner(&self, id: &str) -> &SimulatedPartner {
        &self.partners[id]
    }

    /// The partner `lakeside`.
    pub fn lakeside(&self) -> &SimulatedPartner {
        self.partner("lakeside")
    }

    /// The clock of gateway, clinic and partners.
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// The gateway's public address, without a slash at its end.
    pub fn public_url(&self) -> String {
        format!("http://{}", self.public)
    }

    /// The operator's address, without a slash at its end.
    pub fn operator_url(&self) -> String {
        format!("http://{}", self.operator)
    }

    /// The folder with gateway.toml, partners/ and the ledger.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ledger's file.
    pub fn ledger(&self) -> PathBuf {
        self.folder.path().join("gateway.db")
    }

    /// The running gateway.
    pub fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().expect("it is running")
    }

    /// From here on no word that identifies a patient of this message may be logged.
    pub fn watch_for(&mut self, message: &Value) {
        self.log.watch_for(message);
    }

    /// No word that identifies a patient of any message so far is in this text.
    pub fn assert_no_patient_in(&self, text: &str) {
        self.log.assert_no_canary_in(text);
    }

    /// Starts the loops that watch the clinic and work. For the few tests that are about them.
    pub fn run_in_background(&mut self) {
        self.gateway.as_mut().expect("it is running").run_in_background();
    }

    /// What was logged so far.
    pub fn log_text(&self) -> String {
        self.log.text()
    }

    /// Sends the synthetic referral of a seed as lakeside and has it written to the clinic.
    pub async fn referral(&mut self, seed: u64) -> ClinicReferral {
        let bundle = people::referral(seed, &ReferralOptions::default());
        let known = self.clinic.referrals().len();
        let reply = self.send_bundle("lakeside", &bundle).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        self.settle().await;
        self.clinic.referrals().into_iter().nth(known).expect("the referral reached the clinic")
    }

    /// Sends a Bundle as a partner. Its patient becomes a canary: no word of it may reach the log.
    pub async fn send_bundle(&mut self, partner: &str, bundle: &Value) -> Reply {
        self.log.watch_for(bundle);
        self.partners[partner].send_bundle(bundle).await.unwrap()
    }

    /// Sends a ServiceRequest as a partner; its patient becomes a canary.
    pub async fn send_service_request(&mut self, partner: &str, request: &Value) -> Reply {
        self.log.watch_for(request);
        self.partners[partner].send_service_request(request).await.unwrap()
    }

    /// Sends a Task as lakeside; the patient in it, if any, becomes a canary.
    pub async fn send_task(&mut self, task: &Value) -> Reply {
        self.log.watch_for(task);
        self.lakeside().send_task(task).await.unwrap()
    }

    /// Sends a message as lakeside; its patient becomes a canary.
    pub async fn send_message(&mut self, message: &Value) -> Reply {
        self.log.watch_for(message);
        self.lakeside().send_message(message).await.unwrap()
    }

    /// Puts a referral on lakeside's own server and gives the Task that asks for it; its patient becomes a canary.
    pub fn keep_at_lakeside(&mut self, referral: &Value) -> Value {
        self.log.watch_for(referral);
        self.lakeside().keep(referral)
    }

    /// Looks at the clinic and works off what is due, until nothing new comes of it.
    pub async fn settle(&self) {
        loop {
            let owed = self.gateway().notice().await.unwrap();
            let attempts = self.gateway().run_work().await.unwrap();
            if attempts == 0 && owed == 0 {
                return;
            }
        }
    }

    /// Works off what is due without a look at the clinic, which may be down.
    pub async fn work(&self) {
        self.gateway().run_work().await.unwrap();
    }

    /// Lets time pass, then settles.
    pub async fn after(&self, time: Duration) {
        self.clock.advance(time);
        self.settle().await;
    }

    /// Deliveries in this state, newest first.
    pub async fn deliveries(&self, state: DeliveryState) -> Vec<Delivery> {
        let filter = DeliveryFilter { states: vec![state], limit: 1000, ..DeliveryFilter::default() };
        self.gateway().parts().store.deliveries(filter).await.unwrap()
    }

    /// Stops the gateway and starts it again on the same ledger and addresses.
    pub async fn restart(&mut self) {
        self.stop().await;
        let sockets = bind([self.public.as_str(), self.operator.as_str()]).await;
        self.gateway = Some(start_gateway(self.folder.path(), sockets, &self.gateway_clock).await);
    }

    /// Stops the gateway; the ledger can then be opened by others.
    pub async fn stop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await;
        }
    }

    /// The values of the gateway's metrics, by name with labels as they are written.
    pub async fn metrics(&self) -> BTreeMap<String, f64> {
        let (status, text) = self.operator_calls("GET", "/metrics").text().await;
        assert_eq!(status, 200, "{text}");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let split = samples.map(|line| line.rsplit_once(' ').unwrap());
        split.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
    }

    /// This test ends with work that is still owed, on purpose.
    pub fn expect_leftovers(&mut self) {
        self.leftovers_expected = true;
    }

    /// This test causes a line at ERROR that contains `words`, on purpose.
    pub fn expect_error_line(&mut self, words: &str) {
        self.log.expect_error(words);
    }
}

impl Drop for TestGateway {
    /// What every test promises: no delivery lost, no work forgotten, no unexpected ERROR, no patient and no
    /// secret in the log.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.log.assert_clean(&[SECRET]);
        assert_eq!(self.conservation_gap(), 0, "what was recorded is not what stands in the ledger");
        assert!(self.leftovers_expected || self.leftovers() == 0, "work was left that is due");
    }
}

async fn start_gateway(folder: &Path, sockets: Sockets, clock: &Arc<dyn Clock>) -> Gateway {
    let loaded = config::load(folder, &BTreeMap::new());
    let problems: Vec<String> = loaded.problems.iter().map(config::problem::Problem::to_text).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    Gateway::start(loaded.config.unwrap(), sockets, Some(Arc::clone(clock))).await.unwrap()
}

/// The test's clock, or the steady clock of a machine whose wall clock is wrong by so many seconds.
fn gateway_clock(clock: &Arc<TestClock>, wrong_by: Option<&Arc<AtomicI64>>) -> Arc<dyn Clock> {
    let clock = Arc::clone(clock);
    let Some(wrong_by) = wrong_by.cloned() else { return clock };
    let began = clock.now();
    let read = move || {
        let (now, by) = (clock.now(), wrong_by.load(Ordering::Relaxed));
        let wall = now.checked_add(SignedDuration::from_secs(by)).unwrap();
        Reading { wall, passed: now.duration_since(began).unsigned_abs() }
    };
    Arc::new(SteadyClock::reading(read, || ()))
}

async fn fhir_server(clock: &Arc<TestClock>) -> FhirServer {
    let options = FhirServerOptions {
        clock: Arc::clone(clock) as _,
        times: Times::Distinct,
        ..FhirServerOptions::default()
    };
    FhirServer::start(options).await.unwrap()
}

async fn bind([public, operator]: [&str; 2]) -> Sockets {
    Sockets {
        public: TcpListener::bind(public).await.unwrap(),
        operator: TcpListener::bind(operator).await.unwrap(),
    }
}

fn address(listener: &TcpListener) -> String {
    listener.local_addr().unwrap().to_string()
}

fn access(public: &str, id: &str) -> GatewayAccess {
    GatewayAccess {
        public_url: format!("http://{public}"),
        client_id: id.to_owned(),
        client_secret: Sensitive::new(SECRET.to_owned()),
        scope: "system/*.cruds".to_owned(),
    }
}
