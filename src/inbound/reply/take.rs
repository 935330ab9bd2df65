//! Worker step: take a reply to the clinic, once.

use serde_json::{Value, json};

use super::super::forward::{not_valid, part, types, unreadable};
use super::super::{Inbound, open, receipt};
use super::message;
use crate::fhir::bundle;
use crate::fhir::client::failure::Failure;
use crate::fhir::client::found::Found;
use crate::fhir::client::in_order::Part;
use crate::fhir::message_index::MessageIndex;
use crate::fhir::resource;
use crate::model::delivery::{Cause, Delivery};
use crate::model::effects::Effects;
use crate::model::ids::ReplyId;
use crate::model::partner::Partner;
use crate::model::referral::Referral;
use crate::model::referral_state::ReferralState;
use crate::model::reply::{Reply, ReplyKind};
use crate::model::work::{Settlement, StoreError};
use crate::translation::coordination::Parties;
use crate::translation::dialects::{CancelWay, DialectRules, DialectTerms, state_of};
use crate::translation::effect::{EffectNames, agreed_way};
use crate::translation::reply::{Change, ReplyParties, TaskChange, abort_task, reply_to_clinic};
use crate::translation::submission::Submission;
use crate::translation::to_clinic::ForClinic;
use crate::validation::check_resource;

/// A reply with all that it needs, read from the ledger.
struct Recorded {
    reply: Reply,
    referral: Referral,
    /// What was sent, as R4.
    body: Value,
    /// The referral as it was sent, as R4.
    message: Value,
}

impl Inbound {
    /// Takes one reply to the clinic. Everything that it writes is looked for first where an earlier attempt may have
    /// written it (reference: delivery B5).
    pub async fn take_reply(&self, delivery: &Delivery, id: ReplyId) -> Result<Settlement, Failure> {
        let partner =
            self.partners.get(&delivery.partner).ok_or(Failure::NotSent("partner-not-configured"))?;
        let recorded = match self.recorded_reply(delivery, id, partner).await? {
            Ok(recorded) => recorded,
            Err(settlement) => return Ok(settlement),
        };
        if recorded.referral.clinic.is_none() {
            return Ok(dead("referral-not-at-clinic"));
        }
        let terms =
            self.house.dialects.of(partner.dialect).map_err(|_| Failure::NotSent("dialect-broken"))?;
        let submission = Submission::of(&recorded.message);
        let updates =
            self.updates_of(delivery.referral).await.map_err(|_| Failure::NotSent("ledger-unavailable"))?;
        let places = self.places(&recorded.referral, &submission, &updates);
        let names = EffectNames::of_reply(&self.house.public_url, id);
        let parties = Parties {
            received: recorded.reply.received,
            ..receipt::parties(&self.house, partner, &recorded.referral)
        };
        let with = ReplyParties { places: &places, names: &names, parties: &parties, maps: &terms.to_clinic };
        let mut settled = Settlement::Written { at_clinic: None, remark: None };
        let index = MessageIndex::of(&recorded.body);
        let additions: Vec<_> =
            index.entries().iter().filter(|it| message::is_addition(it.resource)).collect();
        if !additions.is_empty() {
            settled = self.write(delivery, &reply_to_clinic(&additions, &index, &with)).await?;
        }
        if matches!(settled, Settlement::Written { .. }) && recorded.is_about_the_task() {
            settled = self.change_task(delivery, &recorded, (terms, &with)).await?;
        }
        if matches!(settled, Settlement::Written { .. }) {
            tracing::info!(referral.id = %delivery.referral, reply.id = %id, "reply written to the clinic");
        }
        Ok(settled)
    }

    async fn recorded_reply(
        &self,
        delivery: &Delivery,
        id: ReplyId,
        partner: &Partner,
    ) -> Result<Result<Recorded, Settlement>, Failure> {
        let away = |_| Failure::NotSent("ledger-unavailable");
        let body = self.store.reply_body(id).await;
        let message = self.store.body(delivery.referral).await;
        let (body, message) = match (body, message) {
            (Ok(Some(body)), Ok(Some(message))) => (body, message),
            (Err(error @ StoreError::Unreadable { .. }), _)
            | (_, Err(error @ StoreError::Unreadable { .. })) => {
                return Ok(Err(unreadable(delivery, &error)));
            }
            (Err(error), _) | (_, Err(error)) => return Err(away(error)),
            _ => return Ok(Err(quarantined("payload-purged"))),
        };
        let reply = self.store.reply(id).await.map_err(away)?;
        let referral = self.store.referral(delivery.referral).await.map_err(away)?;
        let version = partner.fhir_version;
        let (body, message) = (open::again(body.reveal(), version), open::again(message.reveal(), version));
        match (reply, referral, body, message) {
            (Some(reply), Some(referral), Ok(body), Ok(message)) => {
                Ok(Ok(Recorded { reply, referral, body: body.into_r4(), message: message.into_r4() }))
            }
            _ => Ok(Err(quarantined("payload-unreadable"))),
        }
    }

    /// Stops the referral, or asks the clinic to; or hands on what the placer brought with its Task.
    async fn change_task(
        &self,
        delivery: &Delivery,
        recorded: &Recorded,
        (terms, with): (&DialectTerms, &ReplyParties<'_>),
    ) -> Result<Settlement, Failure> {
        let rules = &terms.rules;
        let Some(name) = recorded.referral.clinic.as_ref().and_then(|it| it.coordination_task()) else {
            return Ok(dead("referral-not-at-clinic"));
        };
        let there = self.clinic.read(&name.reference()).await?;
        let stands = state_of(&there, &terms.states);
        let sent = recorded.task();
        let stops = recorded.stops(rules);
        if stops && stands.is_some_and(ReferralState::is_end) {
            // Over before the wish came, of which the partner is told; or as it wished, by an earlier attempt.
            let remark = (stands != Some(ReferralState::Cancelled)).then_some("too-late");
            return Ok(Settlement::Written { at_clinic: Some(name.reference()), remark });
        }
        let has_begun = !stands.is_some_and(ReferralState::is_before_start);
        let agreed = if has_begun { rules.cancel.after_start } else { rules.cancel.before_start };
        let at_once = match (recorded.reply.kind, agreed) {
            (ReplyKind::AbortTask, _) | (_, CancelWay::AbortTask | CancelWay::Request) => false,
            (_, CancelWay::Status) => true,
            (_, CancelWay::Message) => !has_begun,
        };
        let nothing = json!({});
        let change = sent.filter(|_| recorded.reply.kind != ReplyKind::AbortTask).unwrap_or(&nothing);
        let now = self.clock.now().to_string();
        let changed = TaskChange::of(change, rules).apply(&there, with.places, stops && at_once, &now);
        if let Change::To(changed) = changed {
            // What is wrong in the clinic's own Task is not the placer's doing.
            if check_resource(&changed, "").len() > check_resource(&there, "").len() {
                return Ok(not_valid(delivery));
            }
            self.replace(&there, &changed).await?;
        }
        if stops && !at_once {
            let Some(abort) = abort_task(sent, with) else {
                return Ok(dead("referral-not-at-clinic"));
            };
            return self.write(delivery, &abort).await;
        }
        Ok(Settlement::Written { at_clinic: Some(name.reference()), remark: None })
    }

    async fn replace(&self, there: &Value, changed: &Value) -> Result<(), Failure> {
        let version = resource::version(there);
        let etag = (!version.is_empty()).then(|| format!("W/\"{version}\""));
        self.clinic.update(&resource::name_of(there), changed, etag.as_deref()).await.map(|_| ())
    }

    /// Writes what was made for the clinic, so that it stands there once.
    async fn write(&self, delivery: &Delivery, made: &ForClinic) -> Result<Settlement, Failure> {
        if !bundle::entries(&made.bundle).all(|it| check_resource(&it["resource"], "").is_empty()) {
            return Ok(not_valid(delivery));
        }
        let rules = self.house.writes;
        let method = self.clinic.way(agreed_way(rules.effects), &types(made)).await?;
        if let Some(told_at) = &delivery.told_at {
            self.clinic.wait_for_outcome(told_at.reveal()).await?;
        }
        let parts: Vec<Part> =
            bundle::entries(&made.bundle).zip(&made.ids).map(|(entry, id)| part(entry, id.clone())).collect();
        if delivery.effect_unknown
            && rules.effects == Effects::AtMostOnce
            && let Some(first) = parts.first()
            && matches!(self.clinic.look_for(method, &first.new).await?, Found::Nothing)
        {
            return Ok(quarantined("outcome-unknown"));
        }
        match self.clinic.write_in_order(method, &parts).await? {
            Found::One(placed) => {
                let at_clinic = placed.first().map(|it| it.reference.clone());
                Ok(Settlement::Written { at_clinic, remark: None })
            }
            Found::Several | Found::Nothing => Ok(quarantined("several-matches")),
        }
    }
}

impl Recorded {
    /// The Task that was sent, alone or in a message.
    fn task(&self) -> Option<&Value> {
        match self.reply.kind {
            ReplyKind::TaskChange | ReplyKind::AbortTask => Some(&self.body),
            ReplyKind::Message => message::task(&self.body),
            _ => None,
        }
    }

    fn is_about_the_task(&self) -> bool {
        matches!(self.reply.kind, ReplyKind::TaskChange | ReplyKind::AbortTask | ReplyKind::Message)
    }

    fn stops(&self, rules: &DialectRules) -> bool {
        match self.reply.kind {
            ReplyKind::AbortTask => true,
            ReplyKind::Message => message::stop(&self.body, rules).is_some(),
            ReplyKind::TaskChange => TaskChange::of(&self.body, rules).stops(),
            _ => false,
        }
    }
}

const fn dead(code: &'static str) -> Settlement {
    Settlement::Dead(Cause { code, http_status: None })
}

const fn quarantined(code: &'static str) -> Settlement {
    Settlement::Quarantined(Cause { code, http_status: None })
}
