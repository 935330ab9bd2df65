//! Does one thing to the ledger and to the model, and compares.

use std::collections::BTreeMap;
use std::time::Duration;

use referral_gateway::model::delivery::{CLINIC, Delivery, DeliveryState, Owed};
use referral_gateway::model::ids::{DeliveryId, ReferralId};
use referral_gateway::model::referral::{Acceptance, NewReferral};
use referral_gateway::model::replay::{NewReplay, ReplayFilter};
use referral_gateway::model::retention::Retention;
use referral_gateway::model::update::DecisionNote;
use referral_gateway::model::work::{Effect, Lease, Settled, Settlement};
use referral_gateway::store::{Collected, DeliveryFilter, Noticed, NoticedConsent, Store};

use super::super::{
    Arc, Backend, cause, decision, delivered, ended, limits, new_referral, noticed, record, update, version,
};
use super::model::{Entry, KnownReferral, LEASE, Model, Order};
use super::steps::{Ending, Step, What};

const PARTNERS: [&str; 2] = ["lakeside", "northside"];
const SERVERS: [&str; 3] = [CLINIC, "lakeside", "northside"];
const KEPT: Duration = Duration::from_hours(24 * 30);

pub struct Play<'a> {
    backend: &'a dyn Backend,
    store: Option<Arc<dyn Store>>,
    model: Model,
    /// Every lease that was ever given, with its delivery: old ones are tried too.
    leases: Vec<(Lease, usize)>,
}

fn time(milliseconds: i64) -> jiff::Timestamp {
    super::super::at(0).checked_add(jiff::SignedDuration::from_millis(milliseconds)).unwrap()
}

impl<'a> Play<'a> {
    pub async fn begin(backend: &'a dyn Backend) -> Self {
        let store = Some(backend.open().await);
        Self { backend, store, model: Model::default(), leases: Vec::new() }
    }

    pub async fn all(mut self, steps: &[Step]) {
        for step in steps {
            self.model.now += step.after;
            self.one(step.what).await;
            self.compare().await;
        }
        self.compare_bodies().await;
    }

    fn store(&self) -> &dyn Store {
        self.store.as_deref().unwrap()
    }

    fn now(&self) -> jiff::Timestamp {
        time(self.model.now)
    }

    async fn one(&mut self, what: What) {
        match what {
            What::Accept { partner, number, content } => {
                self.accept(PARTNERS[partner], number, content).await;
            }
            What::Claim { in_all } => self.claim(in_all).await,
            What::Settle { lease, ending, wait } => self.settle(lease, ending, wait).await,
            What::Owe { referral, task, version } => self.owe(referral, task, version).await,
            What::Consent { referral, newer } => self.consent(referral, newer).await,
            What::Group { newer } => self.group(newer).await,
            What::Collect { entry } => self.collect(entry).await,
            What::Retry { entry } => self.retry(entry).await,
            What::Cancel { entry } => self.cancel(entry).await,
            What::Replay { states } => self.replay(states).await,
            What::ReplaySome => self.replay_some().await,
            What::StopReplay => self.stop_replay().await,
            What::Pause { server } => self.pause(SERVERS[server]).await,
            What::Resume { server } => self.resume(SERVERS[server]).await,
            What::Restart => self.restart().await,
            What::Purge => self.purge().await,
        }
    }

    async fn accept(&mut self, partner: &'static str, number: u8, content: u8) {
        let now = self.now();
        let key = format!("order-{number}");
        let new = NewReferral {
            id: ReferralId::new(now),
            received: now,
            ..new_referral(partner, &[&key], &format!("{number}-{content}"))
        };
        let id = new.id;
        let known = self.model.referrals.iter().find(|it| it.partner == partner && it.number == number);
        let expected = match known {
            None => Acceptance::Recorded(id),
            Some(known) if known.content == content => Acceptance::Repeated(known.id),
            Some(_) => Acceptance::Conflict,
        };
        assert_eq!(self.store().accept(new).await.unwrap(), expected);
        if expected == Acceptance::Recorded(id) {
            let now = self.model.now;
            self.model.referrals.push(KnownReferral {
                id,
                partner,
                number,
                content,
                at_clinic: false,
                updated: now,
                has_body: true,
                consent: 1,
            });
            let delivery = self.new_delivery().await;
            self.model.owe(delivery, self.model.referrals.len() - 1, None);
        }
    }

    /// The one delivery that the model does not know yet.
    async fn new_delivery(&self) -> DeliveryId {
        let known: Vec<DeliveryId> = self.model.entries.iter().map(|it| it.id).collect();
        let listed = self.listed().await;
        let new: Vec<DeliveryId> = listed.into_keys().filter(|it| !known.contains(it)).collect();
        assert_eq!(new.len(), 1, "one thing more is owed");
        new[0]
    }

    async fn listed(&self) -> BTreeMap<DeliveryId, Delivery> {
        let filter = DeliveryFilter { limit: 10_000, ..DeliveryFilter::default() };
        let all = self.store().deliveries(filter).await.unwrap();
        all.into_iter().map(|it| (it.id, it)).collect()
    }

    async fn claim(&mut self, in_all: usize) {
        for lane in self.model.leased(|until| until <= self.model.now) {
            self.model.cut_off(lane, self.model.now);
        }
        let heads = self.model.heads();
        let due: Vec<usize> =
            heads.iter().copied().filter(|it| self.model.entries[*it].due <= self.model.now).collect();
        let mut enough = true;
        for (name, server) in &mut self.model.servers {
            server.spare = (server.spare + (self.model.now - server.spare_at) / 1000).min(60);
            server.spare_at = self.model.now;
            let wanted = due.iter().filter(|it| self.model.entries[**it].endpoint == *name).count();
            enough &= server.spare >= i64::try_from(wanted).unwrap();
        }

        let lease = Duration::from_millis(LEASE.unsigned_abs());
        let claimed = self.store().claim(self.now(), lease, limits(in_all, 1000)).await.unwrap();

        let count = claimed.leases.len();
        let most = in_all.min(due.len());
        assert!(count <= most && (count == most || !enough), "{count} of {most} were taken");
        for lease in claimed.leases {
            let head = due.iter().find(|it| self.model.entries[**it].id == lease.delivery.id);
            self.taken(*head.expect("only the head of a lane is taken, and only when it is due"), lease);
        }
        let next = heads.iter().map(|it| self.model.entries[*it].due).filter(|it| *it > self.model.now).min();
        if let Some(next) = next.filter(|_| in_all > count) {
            assert!(claimed.ask_again.is_some_and(|it| it <= time(next)), "something is due later");
        }
    }

    fn taken(&mut self, entry: usize, lease: Lease) {
        let lane = self.model.lanes.get_mut(&self.model.lane_of(entry)).unwrap();
        assert!(lane.leased_until.is_none(), "a lane is leased to one");
        assert!(lease.token > lane.token, "tokens grow");
        (lane.token, lane.leased_until) = (lease.token, Some(self.model.now + LEASE));
        let it = &mut self.model.entries[entry];
        assert_eq!(
            (lease.delivery.attempts, lease.delivery.effect_unknown),
            (it.attempts, it.effect_unknown)
        );
        it.state = DeliveryState::InFlight;
        self.model.servers.get_mut(it.endpoint).unwrap().spare -= 1;
        self.leases.push((lease, entry));
    }

    async fn settle(&mut self, which: usize, ending: Ending, wait: i64) {
        // Mostly one of the newest: old ones are fenced.
        let Some(which) = which.checked_rem(self.leases.len().min(6)) else { return };
        let (lease, entry) = self.leases[self.leases.len() - 1 - which].clone();
        let (now, lane) = (self.model.now, self.model.lane_of(entry));
        let settlement = self.settlement(entry, ending, wait);
        let ours = self.model.lanes[&lane].token == lease.token;
        let counts = ours && self.model.lanes[&lane].leased_until.is_some();

        let settled = self.store().settle(&lease, ended(settlement.clone()), self.now()).await.unwrap();

        assert_eq!(settled, if counts { Settled::Recorded(None) } else { Settled::Fenced });
        if counts {
            self.model.lanes.get_mut(&lane).unwrap().leased_until = None;
            let group = self.model.group;
            write(&mut self.model.entries[entry], &settlement, now, wait, group);
            if matches!(settlement, Settlement::Forwarded(_)) {
                let referral = &mut self.model.referrals[lane.1];
                (referral.at_clinic, referral.updated) = (true, now);
            }
        }
    }

    fn settlement(&self, entry: usize, ending: Ending, wait: i64) -> Settlement {
        let it = &self.model.entries[entry];
        let forward = it.resource.is_none();
        let at = time(self.model.now + wait);
        let again = |counted, effect| Settlement::Retry {
            cause: cause(),
            at,
            counted,
            placed: None,
            told_at: None,
            effect,
        };
        match ending {
            Ending::Again { counted } => again(counted, Effect::None),
            Ending::Unknown { counted } => again(counted, Effect::Unknown),
            Ending::Dead => Settlement::Dead(cause()),
            Ending::Quarantined => Settlement::Quarantined(cause()),
            _ if forward => Settlement::Forwarded(record(it.referral)),
            Ending::Done => delivered(),
            Ending::InInbox => Settlement::InInbox(decision("permit")),
            Ending::Superseded => Settlement::Superseded,
            Ending::Held { knows } => {
                let consent = self.model.referrals[it.referral].consent - u32::from(!knows);
                let consents = vec![consent_version(it.referral, consent)];
                Settlement::Held {
                    decision: DecisionNote { outcome: "hold", rule: "a-rule", consents },
                    ask_again: at,
                    depends_on: vec![version("Group", "1", &self.model.group.to_string())],
                }
            }
        }
    }

    async fn owe(&mut self, referral: usize, task: u8, task_version: u32) {
        let Some(referral) = referral.checked_rem(self.model.referrals.len()) else { return };
        let resource = (task, task_version + 2);
        let known =
            self.model.entries.iter().any(|it| it.referral == referral && it.resource == Some(resource));
        // Another number than the Task that our own write made has.
        let id = format!("{referral}-{task}");
        let it = update(self.model.referrals[referral].id, version("Task", &id, &resource.1.to_string()));

        let new = self.store().record(noticed(vec![it]), self.now()).await.unwrap();

        assert_eq!(new, usize::from(!known));
        if !known {
            let delivery = self.new_delivery().await;
            self.model.owe(delivery, referral, Some(resource));
        }
    }

    async fn consent(&mut self, referral: usize, newer: bool) {
        let Some(at) = referral.checked_rem(self.model.referrals.len()) else { return };
        let now = self.model.now;
        let referral = &mut self.model.referrals[at];
        referral.consent += u32::from(newer);
        let (consent, at_clinic) = (referral.consent, referral.at_clinic);
        let consents =
            vec![NoticedConsent { patient: format!("Patient/{at}"), version: consent_version(at, consent) }];
        let look = Noticed { consents, ..noticed(Vec::new()) };
        self.store().record(look, self.now()).await.unwrap();
        let held = self.model.entries.iter_mut().filter(|it| it.state == DeliveryState::Held);
        for it in held.filter(|it| at_clinic && it.referral == at && it.consent != consent) {
            it.due = now;
        }
    }

    async fn group(&mut self, newer: bool) {
        self.model.group += u32::from(newer);
        let (now, group) = (self.model.now, self.model.group);
        let changed = vec![version("Group", "1", &group.to_string())];
        self.store().record(Noticed { changed, ..noticed(Vec::new()) }, self.now()).await.unwrap();
        let held = self.model.entries.iter_mut().filter(|it| it.state == DeliveryState::Held);
        for it in held.filter(|it| it.group.is_some_and(|it| it != group)) {
            it.due = now;
        }
    }

    async fn collect(&mut self, entry: usize) {
        let waiting: Vec<usize> = (0..self.model.entries.len())
            .filter(|it| self.model.entries[*it].state == DeliveryState::InInbox)
            .collect();
        let Some(entry) = entry.checked_rem(waiting.len()).map(|it| waiting[it]) else { return };
        let collected = Collected {
            delivery: self.model.entries[entry].id,
            decision: decision("permit"),
            sent_sha256: "00".to_owned(),
            told: None,
            records: Vec::new(),
        };
        self.store().collected(collected, self.now()).await.unwrap();
        let it = &mut self.model.entries[entry];
        (it.state, it.done) = (DeliveryState::Delivered, Some(self.model.now));
    }

    async fn retry(&mut self, entry: usize) {
        let Some(entry) = entry.checked_rem(self.model.entries.len()) else { return };
        let id = self.model.entries[entry].id;
        assert_eq!(self.store().retry(id, self.now()).await.unwrap(), self.model.retry(entry));
    }

    async fn cancel(&mut self, entry: usize) {
        let Some(entry) = entry.checked_rem(self.model.entries.len()) else { return };
        let id = self.model.entries[entry].id;
        let cancelled = self.store().cancel(id, "amina", "not wanted", self.now()).await.unwrap();
        assert_eq!(cancelled, self.model.cancel(entry));
    }

    async fn replay(&mut self, states: usize) {
        if self.model.orders.iter().any(|it| it.running) {
            return;
        }
        let wanted = [
            vec![DeliveryState::Dead],
            vec![DeliveryState::Dead, DeliveryState::Quarantined],
            vec![DeliveryState::Held],
            vec![DeliveryState::RetryWait, DeliveryState::UnknownWait],
        ][states]
            .clone();
        let filter = ReplayFilter { states: wanted.clone(), ..ReplayFilter::default() };
        let order =
            NewReplay { filter, per_minute: 60_000, by: "amina".to_owned(), why: "it is back".to_owned() };
        self.store().begin_replay(order, self.now()).await.unwrap();
        let now = self.model.now;
        self.model.orders.push(Order {
            wanted,
            asked: now,
            next: now,
            up_to: String::new(),
            running: true,
            replayed: 0,
            passed_over: 0,
        });
    }

    async fn replay_some(&mut self) {
        assert_eq!(self.store().replay_some(self.now()).await.unwrap(), self.model.replay_some());
        let replays = self.store().replays().await.unwrap();
        let mut told: Vec<_> = replays.iter().map(|it| (it.replayed, it.passed_over)).collect();
        let mut expected: Vec<_> = self.model.orders.iter().map(|it| (it.replayed, it.passed_over)).collect();
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected);
    }

    async fn stop_replay(&mut self) {
        let running = self.store().replays().await.unwrap().into_iter().find(|it| it.state == "running");
        let expected = self.model.orders.iter_mut().find(|it| it.running);
        assert_eq!(running.is_some(), expected.is_some());
        if let (Some(running), Some(expected)) = (running, expected) {
            expected.running = false;
            assert!(self.store().stop_replay(running.id).await.unwrap());
        }
    }

    async fn pause(&mut self, server: &'static str) {
        if let Some(known) = self.model.servers.get_mut(server) {
            known.paused = true;
            self.store().pause(server, "amina", "they move house", self.now()).await.unwrap();
        }
    }

    async fn resume(&mut self, server: &'static str) {
        if let Some(known) = self.model.servers.get_mut(server) {
            known.paused = false;
            self.store().resume(server, "amina", self.now()).await.unwrap();
        }
    }

    /// As a crash leaves it, and as the next start finds it.
    async fn restart(&mut self) {
        drop(self.store.take());
        self.store = Some(self.backend.open().await);
        let look_at = self.model.now + 30_000;
        let leased = self.model.leased(|_| true);
        assert_eq!(self.store().recover(time(look_at)).await.unwrap(), leased.len());
        for lane in leased {
            self.model.cut_off(lane, look_at);
        }
        self.compare_bodies().await;
    }

    async fn purge(&mut self) {
        let kept = Retention { payloads: KEPT, attempts: KEPT, trail: KEPT };
        while !self.store().purge(kept, self.now()).await.unwrap().is_nothing() {}
        self.model.purge(i64::try_from(KEPT.as_millis()).unwrap());
        self.compare_bodies().await;
    }

    async fn compare(&self) {
        let listed = self.listed().await;
        assert_eq!(listed.len(), self.model.entries.len(), "nothing is lost, nothing is there twice");
        for expected in &self.model.entries {
            let found = &listed[&expected.id];
            assert_eq!(
                (found.state, found.attempts, found.effect_unknown, found.created),
                (expected.state, expected.attempts, expected.effect_unknown, time(expected.created)),
                "{}",
                expected.id
            );
            assert_eq!(found.referral, self.model.referrals[expected.referral].id);
            assert_eq!(found.endpoint(), expected.endpoint);
            assert_eq!(found.task == Owed::Forward, expected.resource.is_none());
            if expected.state.is_tried_again() {
                assert_eq!(found.due, time(expected.due), "{}", expected.id);
            }
        }
        let figures = self.store().figures().await.unwrap();
        assert_eq!(figures.conservation_gap(), 0);
        assert_eq!(figures.recorded, self.model.entries.len() as u64);
    }

    async fn compare_bodies(&self) {
        for referral in &self.model.referrals {
            let body = self.store().body(referral.id).await.unwrap();
            assert_eq!(body.is_some(), referral.has_body, "{}", referral.id);
            let expected = format!("{}-{}", referral.number, referral.content).into_bytes();
            assert!(body.is_none_or(|it| *it.reveal() == expected));
            assert!(self.store().referral(referral.id).await.unwrap().is_some());
        }
    }
}

fn consent_version(referral: usize, version: u32) -> String {
    format!("Consent/{referral}/_history/{version}")
}

fn write(it: &mut Entry, settlement: &Settlement, now: i64, wait: i64, group: u32) {
    it.state = settlement.state();
    it.group = None;
    let waits = it.state.is_tried_again() || it.state == DeliveryState::InInbox;
    it.done = (!waits).then_some(now);
    if it.state.is_tried_again() {
        it.due = now + wait;
    }
    match settlement {
        Settlement::Retry { counted, effect, .. } => {
            it.attempts += u32::from(*counted);
            it.effect_unknown |= *effect == Effect::Unknown;
        }
        Settlement::Held { decision, .. } => {
            it.group = Some(group);
            let version = decision.consents[0].rsplit('/').next().unwrap();
            it.consent = version.parse().unwrap();
        }
        _ => {}
    }
}
