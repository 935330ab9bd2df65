//! The process is killed at each point of a reply's way to the clinic.

use serde_json::{Value, json};

use super::crash_points::Stage;
use super::world::PATIENCE;

/// A Communication of the partner's about its referral.
async fn send(stage: &Stage, about: &str) -> Option<u16> {
    let said = json!({
        "resourceType": "Communication",
        "identifier": [{ "system": "https://partner.example/messages", "value": "answer-1" }],
        "status": "completed",
        "basedOn": [{ "reference": about }],
    });
    let sent = stage.world.partners[0].client().post("Communication", &said).await;
    sent.ok().map(|it| it.status.as_u16())
}

/// The order of the only referral, as its placer names it.
async fn order(stage: &Stage) -> String {
    let found: Value = stage.world.partners[0].get("ServiceRequest").await.unwrap().body;
    format!("ServiceRequest/{}", found["entry"][0]["resource"]["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_survives_a_kill_at_every_point_and_stands_at_the_clinic_once() {
    for point in ["before-commit", "after-commit", "before-send", "before-outcome"] {
        let stage = Stage::set().await;
        let serving = stage.serve();
        stage.world.send_until_taken(0, 1).await;
        stage.referral_at_clinic().await;
        stage.world.wait_until_settled(PATIENCE).await;
        let about = order(&stage).await;
        stage.arm(point);

        let (told, log) = tokio::join!(send(&stage, &about), stage.kill_at(serving, point));
        let recorded = stage.world.count("SELECT COUNT(*) FROM reply");
        let serving = stage.serve();
        let again = send(&stage, &about).await;
        stage.world.wait_until_settled(PATIENCE).await;
        serving.terminate();

        assert_eq!(told.is_some(), point.starts_with("before-") && point != "before-commit", "{point}");
        assert_eq!(recorded, i64::from(point != "before-commit"), "{point}");
        assert_eq!((again, stage.world.count("SELECT COUNT(*) FROM reply")), (Some(201), 1), "{point}");
        assert_eq!(stage.world.clinic.server().all("Communication").len(), 1, "{point}");
        stage.recovers(&log).await;
    }
}
