//! The trail of decisions and disclosures.

use jiff::Timestamp;
use referral_gateway::model::audit::{AuditFilter, AuditKind, NewAuditRecord, Tampering, TrailHead};
use referral_gateway::model::ids::{AuditId, DeliveryId};
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::store::Noticed;

use super::{
    Arc, Store, at, at_clinic, backends, claim, delivered, held_on, ledgers, noticed, settle, update, version,
};

fn record(kind: AuditKind, delivery: Option<DeliveryId>, outcome: &str) -> NewAuditRecord {
    NewAuditRecord {
        id: AuditId::new(at(0)),
        kind,
        at: at(0),
        delivery,
        outcome: outcome.to_owned(),
        rule: "provision-permit".to_owned(),
        sent_sha256: (kind == AuditKind::Disclosure).then(|| "00".to_owned()),
        content: Sensitive::new(b"{\"event\":{}}".to_vec()),
    }
}

/// One update of a referral, delivered; with these records kept before.
async fn delivered_after(store: &Arc<dyn Store>, kept: &[(AuditKind, &str)]) -> DeliveryId {
    let referral = at_clinic(store, "lakeside", 1).await;
    store.record(noticed(vec![update(referral, version("Task", "1", "2"))]), at(10)).await.unwrap();
    let lease = claim(store, at(11)).await.remove(0);
    let id = lease.delivery.id;
    let records = kept.iter().map(|(kind, outcome)| record(*kind, Some(id), outcome)).collect();
    store.append(records).await.unwrap();
    settle(store, &lease, delivered(), at(12)).await;
    id
}

async fn tampering(store: &Arc<dyn Store>) -> Vec<Tampering> {
    store.inspect_trail(None).await.unwrap().tampering
}

#[tokio::test]
async fn records_read_back_newest_first_and_survive_a_restart() {
    for backend in backends().await {
        let store = backend.open().await;
        let one = record(AuditKind::ConsentCheck, None, "hold");
        let two = record(AuditKind::Decision, None, "deny");
        store.append(vec![one.clone()]).await.unwrap();
        store.append(vec![two.clone()]).await.unwrap();
        drop(store);

        let store = backend.open().await;
        let found = store.audit_records(AuditFilter { limit: 10, ..AuditFilter::default() }).await.unwrap();

        let ids: Vec<AuditId> = found.iter().map(|it| it.record.id).collect();
        assert_eq!(ids, [two.id, one.id]);
        assert_eq!(found[1].record.content.reveal(), one.content.reveal());
        assert_eq!((found[0].number, found[1].number), (2, 1));
        assert_eq!(store.trail_head().await.unwrap().number, 2);
        assert_eq!(tampering(&store).await, []);
    }
}

#[tokio::test]
async fn a_delivery_with_its_decision_and_its_disclosure_is_in_order() {
    for (store, _backend) in ledgers().await {
        delivered_after(&store, &[(AuditKind::Decision, "permit"), (AuditKind::Disclosure, "permit")]).await;

        let report = store.inspect_trail(None).await.unwrap();

        assert_eq!((report.tampering, report.delivered), (Vec::new(), 1));
    }
}

#[tokio::test]
async fn a_delivery_without_a_disclosure_on_record_is_told() {
    for (store, _backend) in ledgers().await {
        let id = delivered_after(&store, &[(AuditKind::Decision, "permit")]).await;

        assert_eq!(tampering(&store).await, [Tampering::NoDisclosure(id)]);
    }
}

#[tokio::test]
async fn a_disclosure_that_no_decision_before_it_allowed_is_told() {
    for (store, _backend) in ledgers().await {
        let kept = [
            (AuditKind::Decision, "permit"),
            (AuditKind::Decision, "hold"),
            (AuditKind::Disclosure, "permit"),
            (AuditKind::Decision, "permit"),
        ];
        let id = delivered_after(&store, &kept).await;

        assert_eq!(tampering(&store).await, [Tampering::NoDecision(id)]);
    }
}

#[tokio::test]
async fn a_head_that_was_noted_down_must_still_be_there() {
    for (store, _backend) in ledgers().await {
        store.append(vec![record(AuditKind::Decision, None, "hold")]).await.unwrap();
        let kept = store.trail_head().await.unwrap();
        store.append(vec![record(AuditKind::Decision, None, "hold")]).await.unwrap();

        let same = store.inspect_trail(Some(kept.clone())).await.unwrap();
        let mut other = kept;
        other.link = "ab".repeat(32);
        let changed = store.inspect_trail(Some(other)).await.unwrap();

        assert_eq!(same.tampering, []);
        assert_eq!(changed.tampering, [Tampering::HeadNotFound(1)]);
    }
}

#[tokio::test]
async fn a_held_update_is_due_when_another_version_of_what_it_depends_on_is_noticed() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        store.record(noticed(vec![update(referral, version("Task", "1", "2"))]), at(10)).await.unwrap();
        let lease = claim(&store, at(11)).await.remove(0);
        let read = vec![version("Group", "5", "1"), version("CareTeam", "6", "")];
        settle(&store, &lease, held_on(read), at(12)).await;

        notice(&store, ("Group", "5", "1"), at(13)).await;
        assert!(claim(&store, at(14)).await.is_empty(), "that version was read");
        notice(&store, ("Group", "4", "9"), at(15)).await;
        assert!(claim(&store, at(16)).await.is_empty(), "another group");
        notice(&store, ("CareTeam", "6", "1"), at(17)).await;
        let again = claim(&store, at(18)).await.remove(0);
        settle(&store, &again, held_on(vec![version("Group", "5", "1")]), at(19)).await;
        notice(&store, ("Group", "5", "2"), at(20)).await;

        assert_eq!(claim(&store, at(21)).await.len(), 1);
    }
}

async fn notice(store: &Arc<dyn Store>, (kind, id, of): (&str, &str, &str), now: Timestamp) {
    let changed = vec![version(kind, id, of)];
    store.record(Noticed { changed, ..Noticed::nothing("Group", now) }, now).await.unwrap();
}

#[tokio::test]
async fn what_is_new_in_the_trail_is_looked_at_alone() {
    for (store, _backend) in ledgers().await {
        let some =
            || vec![record(AuditKind::Decision, None, "deny"), record(AuditKind::Decision, None, "hold")];
        store.append(some()).await.unwrap();
        let known = store.trail_head().await.unwrap();
        let nothing_new = store.inspect_behind(known.clone()).await.unwrap();
        store.append(some()).await.unwrap();

        let whole = store.inspect_behind(known.clone()).await.unwrap();
        let strange = TrailHead { link: "00".repeat(32), ..known.clone() };
        let other = store.inspect_behind(strange).await.unwrap();

        assert_eq!((nothing_new.head, nothing_new.tampering), (known, vec![]));
        assert_eq!((whole.head.number, whole.tampering), (4, vec![]));
        assert_eq!(other.tampering, [Tampering::Changed(3)]);
    }
}
