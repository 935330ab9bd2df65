//! An update as a message: another form of what a Permit allowed to go, and no other road.

use serde_json::{Value, json};

use super::Outbound;
use super::send::Way;
use super::translate::ForPartner;
use crate::fhir::bundle;
use crate::fhir::client::failure::Failure;
use crate::fhir::client::message::Outgoing;
use crate::fhir::message::{ReplyTo, made_id};
use crate::fhir::resource::{self, resource_type};
use crate::model::delivery::Delivery;
use crate::model::referral_state::ReferralState;
use crate::translation::dialects::DuplicateAnswer;
use crate::translation::message::{MessageContent, MessageFrame, message, task_address};
use crate::translation::to_partner::PartnerTerms;

/// The partner's guide has no messages; `check` says so.
pub(super) const NO_MESSAGES: Failure = Failure::NotSent("no-messages");

/// Whether it is a message, and not a resource by itself.
pub(super) fn is_message(resource: &Value) -> bool {
    bundle::header(resource).is_some()
}

/// The address of something in a message, made of its name.
pub(super) fn address_in_message(name: &str) -> String {
    format!("urn:uuid:{}", made_id(&[name]))
}

impl Outbound {
    /// Puts an update and what travels along into a message. `effect` names it: the same effect has the same ids, and
    /// another version of the resource is another effect.
    pub(super) fn in_message(
        &self,
        update: ForPartner,
        (task, state): (Option<Value>, Option<ReferralState>),
        terms: &PartnerTerms<'_>,
        effect: &str,
    ) -> Result<ForPartner, Failure> {
        let partner = self.partner(&terms.referral.partner)?;
        let server = self.servers.get(&partner.id).ok_or(Failure::NotSent("partner-not-configured"))?;
        let rules = &*terms.dialect.rules;
        let frame = MessageFrame {
            rules,
            message: rules.message.as_ref().ok_or(NO_MESSAGES)?,
            referral: terms.referral.id,
            placer: terms.placer,
            effect,
            public_url: terms.public_url,
            sender: (&self.house.clinic, &self.house.clinic_name),
            receiver: (&partner.organization, &partner.name),
            destination: &format!("{}/$process-message", server.base()),
        };
        let ForPartner { main, companions, place, told } = update;
        let hosted = |mut task: Value| {
            task["id"] = json!(terms.referral.id.to_string());
            (task_address(terms.public_url, terms.referral.id), task)
        };
        let update = match resource_type(&main) {
            "Task" => hosted(main),
            _ => (address_in_message(&place), main),
        };
        let content = MessageContent { update, companions, task: task.map(hosted), state };
        Ok(ForPartner { main: message(&frame, content), companions: Vec::new(), place, told })
    }

    /// Sends it once. After an unknown outcome that is done again: it has the same ids, so its receiver takes it once
    /// (FHIR R4, messaging, reliable messaging).
    pub(super) async fn send_message(
        &self,
        delivery: &Delivery,
        message: &ForPartner,
        way: &Way<'_>,
    ) -> Result<(), Failure> {
        let partner = self.partner(&delivery.partner)?;
        let dialect = self.house.dialects.of(partner.dialect).map_err(|_| NO_MESSAGES)?;
        let header = bundle::header(&message.main).ok_or(NO_MESSAGES)?;
        let quoted = match dialect.rules.answers_quote().unwrap_or_default() {
            ReplyTo::MessageHeader => header,
            ReplyTo::Bundle => &message.main,
        };
        let outgoing = Outgoing {
            bundle: &message.main,
            quoted: resource::id(quoted),
            request_id: &made_id(&[&delivery.id.to_string(), "request"]),
            correlation_id: &made_id(&[&delivery.referral.to_string(), "conversation"]),
            conflict_is_repeat: dialect.rules.duplicates.answer == DuplicateAnswer::Conflict,
        };
        way.server().process_message(&outgoing).await
    }
}
