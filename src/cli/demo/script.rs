//! The story: in, accepted, scheduled, a visit summary out, a psychotherapy note withheld, done.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::transcript::Transcript;
use super::world::{SECRET, World};
use crate::fhir::coding;
use crate::model::delivery::{Delivery, DeliveryState, Owed};
use crate::sandbox::clinic::ClinicReferral;
use crate::sandbox::people::{self, ReferralOptions};
use crate::store::DeliveryFilter;

const PATIENCE: Duration = Duration::from_secs(10);

/// Plays the story in a world and writes it down.
pub struct Script<'w> {
    world: &'w World,
    seed: u64,
    transcript: Transcript,
}

impl<'w> Script<'w> {
    /// A story that has not begun.
    pub const fn new(world: &'w World, seed: u64, transcript: Transcript) -> Self {
        Self { world, seed, transcript }
    }

    /// Plays it to the end. An error says what did not happen.
    pub async fn play(&mut self) -> Result<(), String> {
        self.transcript.line(INTRODUCTION);
        let placer = self.send_referral().await?;
        let referral = self.reach_clinic().await?;
        self.accept(&referral).await?;
        self.schedule(&referral).await?;
        self.summarise(&referral).await?;
        self.withhold(&referral).await?;
        self.complete(&referral).await?;
        self.transcript.line(&next_commands(&placer));
        Ok(())
    }

    async fn send_referral(&mut self) -> Result<String, String> {
        let bundle = people::referral(self.seed, &ReferralOptions::default());
        let entries = bundle["entry"].as_array().map_or(0, Vec::len);
        let (_, placer) = order_identifier(&bundle).ok_or("the referral has no identifier")?;
        self.transcript
            .step("Lakeside", &format!("sends referral {placer}: one transaction of {entries} resources."));
        let reply = self.world.partner.send_bundle(&bundle).await.map_err(|error| error.to_string())?;
        if reply.status != 200 {
            return Err(format!("the gateway answered {} to the referral", reply.status));
        }
        self.transcript
            .then("answer", "200 after it was recorded; a Task says where the referral stands: requested.");
        let again = self.world.partner.send_bundle(&bundle).await.map_err(|error| error.to_string())?;
        if again.status != 200 || !again.headers.contains_key("idempotency-replayed") {
            return Err("the same referral, sent twice, was not told as a repeat".to_owned());
        }
        self.transcript
            .then("again", "the same sent once more gets the same answer; there is still one referral.");
        Ok(placer)
    }

    async fn reach_clinic(&mut self) -> Result<ClinicReferral, String> {
        let found = self.world.clinic.wait_for_referral(1, PATIENCE).await;
        let referral = found.ok_or("the referral did not reach the clinic")?;
        self.transcript.step("gateway", "writes it to the clinic's FHIR server as one transaction.");
        self.transcript.then(
            "clinic",
            &format!(
                "has {}, a filler order based on Lakeside's own, and {}.",
                referral.service_request, referral.task
            ),
        );
        Ok(referral)
    }

    async fn accept(&mut self, referral: &ClinicReferral) -> Result<(), String> {
        self.transcript.step("clinic", "accepts the referral.");
        self.world.clinic.accept(referral);
        self.arrives("Task", |it| it["status"] == "accepted").await?;
        self.released("Task", "Task: accepted").await
    }

    async fn schedule(&mut self, referral: &ClinicReferral) -> Result<(), String> {
        self.transcript.step("clinic", "books a visit.");
        self.world.clinic.schedule(referral);
        self.arrives("Appointment", |it| it["status"] == "booked").await?;
        self.arrives("Task", |it| it["businessStatus"]["text"].is_string()).await?;
        self.released("Appointment", "Appointment: booked").await
    }

    async fn summarise(&mut self, referral: &ClinicReferral) -> Result<(), String> {
        self.transcript.step("clinic", "writes the visit summary.");
        self.world.clinic.record_visit(referral);
        self.world.clinic.write_visit_summary(referral);
        let summary = self.arrives("Composition", |it| it["status"] == "final").await?;
        let sections = summary["section"].as_array().map_or(0, Vec::len);
        self.released("Composition", &format!("Composition: {sections} sections")).await
    }

    async fn withhold(&mut self, referral: &ClinicReferral) -> Result<(), String> {
        self.transcript.step("clinic", "writes a psychotherapy note about the same visit.");
        self.world.clinic.write_psychotherapy_note(referral);
        self.world.clinic_calls().await?;
        let held = self.delivery("DocumentReference", DeliveryState::Held).await?;
        let (decision, consents) = self.decision(&held).await?;
        self.transcript.then("consent", &format!("{decision}; {consents} speaks of no such note."));
        let sent = self
            .world
            .partner
            .server()
            .requests()
            .iter()
            .any(|it| it.path_and_query.contains("DocumentReference"));
        if sent {
            return Err("a withheld note was sent".to_owned());
        }
        self.transcript
            .then("WITHHELD", "0 bytes of it left. It waits, and would go by itself if consent came.");
        Ok(())
    }

    async fn complete(&mut self, referral: &ClinicReferral) -> Result<(), String> {
        self.transcript.step("clinic", "completes the referral.");
        self.world.clinic.complete(referral);
        self.arrives("Task", |it| it["status"] == "completed").await?;
        self.released("Task", "Task: completed. The loop is closed").await
    }

    /// Waits until the partner's server holds what the clinic wrote.
    async fn arrives(&self, resource_type: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value, String> {
        self.world.clinic_calls().await?;
        let arrived = self
            .world
            .partner
            .server()
            .wait_for(
                |resources| resources.all(resource_type).into_iter().find(|it| wanted(it)).cloned(),
                PATIENCE,
            )
            .await;
        arrived.ok_or_else(|| format!("no such {resource_type} reached Lakeside"))
    }

    /// Writes down the decision that let the newest update of a type go.
    async fn released(&self, resource_type: &str, what: &str) -> Result<(), String> {
        let delivery = self.delivery(resource_type, DeliveryState::Delivered).await?;
        let (decision, consents) = self.decision(&delivery).await?;
        self.transcript.then("consent", &format!("{decision}; asked just before sending, of {consents}."));
        self.transcript.then("Lakeside", &format!("has {what}."));
        Ok(())
    }

    /// The newest delivery of a type, once nothing of that type is on its way and it is in this state.
    async fn delivery(&self, resource_type: &str, state: DeliveryState) -> Result<Delivery, String> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let filter = DeliveryFilter { limit: 100, ..DeliveryFilter::default() };
            let all =
                self.world.gateway.parts().store.deliveries(filter).await.map_err(|it| it.to_string())?;
            let newest = all.into_iter().find(|it| is_of(it, resource_type));
            if let Some(found) = newest.filter(|it| it.state == state) {
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("no {resource_type} became {}", state.word()))
    }

    async fn decision(&self, delivery: &Delivery) -> Result<(String, String), String> {
        let attempts = self.world.gateway.parts().store.attempts(delivery.id).await;
        let last = attempts.map_err(|it| it.to_string())?.pop().ok_or("there is no attempt")?;
        let decision = last.decision.ok_or("there is no decision")?;
        let consents: Vec<String> =
            last.consents.iter().map(|it| it.replace("/_history/", " version ")).collect();
        Ok((decision, consents.join(", ")))
    }
}

fn is_of(delivery: &Delivery, resource_type: &str) -> bool {
    matches!(&delivery.task, Owed::Deliver(update) if update.resource.resource_type == resource_type)
}

fn order_identifier(bundle: &Value) -> Option<(String, String)> {
    let order = people::resources_of(bundle, "ServiceRequest").into_iter().next()?;
    let (system, value) = coding::identifiers(order).next()?;
    Some((system.to_owned(), value.to_owned()))
}

const INTRODUCTION: &str = "\
Referral Gateway: one referral, there and back.

  Lakeside (a referring EHR)  --referral-->  gateway  --filler order-->  Harbour Clinic
                              <--updates---  consent  <--what it does--

Clinic and partner are simulated, the patient is invented; gateway, HTTP and ledger are real.
";

fn next_commands(placer: &str) -> String {
    format!(
        r#"
Try, in another terminal (paste the `export` lines from above first):
  TOKEN=$(curl -s -u lakeside:{SECRET} -d grant_type=client_credentials "$GATEWAY/oauth2/token" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s -H "Authorization: Bearer $TOKEN" "$GATEWAY/fhir/Task?identifier={placer}"
  curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/fhir+json" -d '{{}}' "$GATEWAY/fhir"
  curl -s "$LAKESIDE/Task"

Next:
  referral-gateway deliveries list --config "$DEMO"                 what went where ({placer} and its updates)
  referral-gateway deliveries list --config "$DEMO" --state held    what consent keeps back, and why
  referral-gateway check --config "$DEMO"                           settings: two files are enough
"#
    )
}
