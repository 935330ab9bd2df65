//! The ledger under load, as the gateway uses it.

use std::path::Path;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use referral_gateway::model::commits::CommitObserver;
use referral_gateway::model::delivery::RemoteResource;
use referral_gateway::model::endpoint::{AttemptEnd, EndpointLimits};
use referral_gateway::model::ids::{PartnerId, ReferralId};
use referral_gateway::model::referral::{Acceptance, KeyScope, NewReferral, SubmissionKey};
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::model::update::DecisionNote;
use referral_gateway::model::work::{Ended, Lease, Settled, Settlement};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use referral_gateway::store::seal::{GatewayKey, KeyRing};
use referral_gateway::store::sqlite::SqliteStore;
use referral_gateway::store::{ClaimLimits, Store};
use tokio::task::JoinSet;

use super::bare::SEAL_BYTES;
use super::conditions::Watch;
use super::figures::Run;

/// So many attempts run at the same time.
pub(crate) const AT_ONCE: usize = 64;

pub(crate) const LEASE: Duration = Duration::from_mins(5);

pub(crate) const LIMITS: ClaimLimits =
    ClaimLimits { in_all: AT_ONCE, endpoint: EndpointLimits { at_once: 1000, per_second: 0 }, own: None };

/// The time, counted from an instant of the past, so that ids sort as in a gateway.
pub(crate) fn now() -> Timestamp {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let first = Timestamp::from_second(1_773_154_800).expect("a year that jiff knows");
    first.saturating_add(BEGAN.elapsed()).expect("a duration of some minutes")
}

pub(crate) fn keys() -> KeyRing {
    KeyRing::of(GatewayKey::new([7; 32]))
}

pub(crate) async fn open(folder: &Path) -> Arc<SqliteStore> {
    open_counted(folder, &Arc::default()).await
}

/// The same, and counts its commits.
pub(crate) async fn open_counted(folder: &Path, commits: &Arc<Commits>) -> Arc<SqliteStore> {
    let commits = Arc::clone(commits);
    let store = SqliteStore::open_observed(&folder.join("gateway.db"), &keys(), commits).await;
    Arc::new(store.expect("a new ledger can be made"))
}

/// How many commits a ledger made. With the number of changes this tells how many were committed together.
#[derive(Debug, Default)]
pub(crate) struct Commits(AtomicU64);

impl Commits {
    pub(crate) fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn since(&self, before: u64) -> f64 {
        f64::from(u32::try_from(self.so_far() - before).unwrap_or(u32::MAX))
    }
}

impl CommitObserver for Commits {
    fn committed(&self, _: usize, _: Duration) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A number that no referral has had.
pub(crate) fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// One order with one number.
pub(crate) fn referral(body: &Arc<Vec<u8>>) -> NewReferral {
    let number = format!("order-{}", next_number());
    let full = format!("https://lakeside.example/orders|{number}");
    let key = SubmissionKey { scope: KeyScope::Identifier, value: Sensitive::new(full.clone()) };
    let received = now();
    NewReferral {
        id: ReferralId::new(received),
        partner: PartnerId::new("lakeside"),
        keys: vec![key],
        found_by: vec![Sensitive::new(full), Sensitive::new(number)],
        body: Sensitive::new(body.as_ref().clone()),
        canonical: Sensitive::new(body.as_ref().clone()),
        received,
    }
}

/// A body of so many bytes: a referral's resources, and from 8 KiB on half of it an attachment, which packs badly
/// as scans do.
pub(crate) fn body(bytes: usize) -> Arc<Vec<u8>> {
    let attached = if bytes < 8192 { 0 } else { bytes / 2 };
    let mut scan = vec![0; attached * 3 / 4];
    rand::fill(&mut scan).expect("the operating system gives random bytes");
    let mut body = STANDARD.encode(scan).into_bytes();
    let mut seed = 0;
    while body.len() < bytes {
        seed += 1;
        body.extend(people::referral(seed, &ReferralOptions::default()).to_string().bytes());
    }
    body.truncate(bytes);
    Arc::new(body)
}

/// How long the ciphertext of a body of so many bytes is.
pub(crate) fn sealed_bytes(bytes: usize) -> usize {
    sealed_length(&body(bytes))
}

/// How long the ciphertext of this body is.
pub(crate) fn sealed_length(body: &[u8]) -> usize {
    let packed = zstd::bulk::compress(body, 1).expect("there is memory");
    packed.len().min(body.len()) + SEAL_BYTES
}

/// So many senders, each of which sends the next when the last was answered.
pub(crate) async fn accept_for<S: Store + 'static>(
    store: &Arc<S>,
    senders: usize,
    bytes: usize,
    lasts: Duration,
) -> Run {
    let body = body(bytes);
    let watch = Watch::start();
    let end = Instant::now() + lasts;
    let mut tasks = JoinSet::new();
    for _ in 0..senders {
        let (store, body) = (Arc::clone(store), Arc::clone(&body));
        tasks.spawn(async move {
            let (mut accepted, mut next) = (0_u32, referral(&body));
            while Instant::now() < end {
                // What a sender sends was made before: that is not the ledger's work.
                let (_, made) = tokio::join!(accept(&*store, next), async { referral(&body) });
                next = made;
                accepted += 1;
            }
            accepted
        });
    }
    let accepted = tasks.join_all().await.into_iter().sum();
    watch.stop(accepted, 1.0)
}

async fn accept<S: Store + ?Sized>(store: &S, referral: NewReferral) -> ReferralId {
    match store.accept(referral).await {
        Ok(Acceptance::Recorded(id)) => id,
        other => panic!("a new referral was answered {other:?}"),
    }
}

/// Records so many referrals, quickly.
pub(crate) async fn fill<S: Store + 'static>(store: &Arc<S>, count: usize) -> Vec<ReferralId> {
    const SENDERS: usize = 256;
    let body = body(1024);
    let mut tasks = JoinSet::new();
    for sender in 0..SENDERS {
        let (store, body) = (Arc::clone(store), Arc::clone(&body));
        let mine = count / SENDERS + usize::from(sender < count % SENDERS);
        tasks.spawn(async move {
            let mut ids = Vec::with_capacity(mine);
            for _ in 0..mine {
                ids.push(accept(&*store, referral(&body)).await);
            }
            ids
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// Takes what is due and settles each as a task of its own. Returns how many.
pub(crate) async fn work_once<S: Store + 'static>(store: &Arc<S>, ended: impl Fn(&Lease) -> Ended) -> u32 {
    let claimed = store.claim(now(), LEASE, LIMITS).await.expect("work can be taken");
    let mut tasks = JoinSet::new();
    for lease in claimed.leases {
        let (store, ended) = (Arc::clone(store), ended(&lease));
        tasks.spawn(async move { store.settle(&lease, ended, now()).await });
    }
    let mut settled = 0;
    for answer in tasks.join_all().await {
        assert!(matches!(answer, Ok(Settled::Recorded(_))), "{answer:?}");
        settled += 1;
    }
    settled
}

/// Takes and settles until the time is over or nothing is due. Also returns how often it took.
pub(crate) async fn work_for<S: Store + 'static>(store: &Arc<S>, lasts: Duration) -> (Run, u32) {
    let (mut done, mut claims) = (0, 0);
    let watch = Watch::start();
    let end = Instant::now() + lasts;
    while Instant::now() < end {
        let settled = work_once(store, delivered).await;
        if settled == 0 {
            break;
        }
        (done, claims) = (done + settled, claims + 1);
    }
    (watch.stop(done, 1.0), claims)
}

/// The partner's server has it.
pub(crate) fn delivered(_: &Lease) -> Ended {
    let settlement = Settlement::Delivered {
        told: None,
        remote: Some(RemoteResource { reference: "Task/8".to_owned(), etag: Some("W/\"1\"".to_owned()) }),
        sent_sha256: "0".repeat(64),
        decision: DecisionNote {
            outcome: "permit",
            rule: "a-rule",
            consents: vec!["Consent/3/_history/1".to_owned()],
        },
        remark: None,
    };
    Ended { settlement, end: AttemptEnd::Answered, random: 0.5 }
}
