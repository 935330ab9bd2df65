//! An update as a message: a Bundle with a MessageHeader in front (FHIR R4, messaging), in the form of a guide.

use serde_json::{Value, json};

use super::coordination::organization;
use super::dialects::{ContentLink, DialectRules, MessageRules, MessageTerms, PartyType};
use super::placer::Placer;
use super::receipt::referral_identifier;
use crate::fhir::coding;
use crate::fhir::message::made_id;
use crate::fhir::resource::{push_item, resource_type};
use crate::model::ids::ReferralId;
use crate::model::partner::BusinessIdentifier;
use crate::model::referral_state::ReferralState;

/// Says that a code is needed and not known (HL7 v3, NullFlavor).
const NULL_FLAVOR: &str = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor";

/// Who writes to whom about which referral, and under which names.
#[derive(Clone, Copy, Debug)]
pub struct MessageFrame<'a> {
    /// The guide that the receiver follows.
    pub rules: &'a DialectRules,
    /// What its messages look like.
    pub message: &'a MessageRules,
    /// The referral.
    pub referral: ReferralId,
    /// What the receiver calls the things that it sent.
    pub placer: &'a Placer,
    /// The name of this effect: the same name gives the same ids.
    pub effect: &'a str,
    /// Our public address.
    pub public_url: &'a str,
    /// The clinic, and its name.
    pub sender: (&'a BusinessIdentifier, &'a str),
    /// The partner's organisation, and its name.
    pub receiver: (&'a BusinessIdentifier, &'a str),
    /// Where the receiver takes messages.
    pub destination: &'a str,
}

/// What a message brings, in the receiver's terms. Each resource has its address in the message.
#[derive(Clone, Debug)]
pub struct MessageContent {
    /// The update.
    pub update: (String, Value),
    /// What travels along with it.
    pub companions: Vec<(String, Value)>,
    /// The referral's Task, where the update is another resource and the Task may go.
    pub task: Option<(String, Value)>,
    /// Where the referral stands by its Task.
    pub state: Option<ReferralState>,
}

/// The address of the referral's Task: where we host it.
pub fn task_address(public_url: &str, referral: ReferralId) -> String {
    format!("{public_url}/fhir/Task/{referral}")
}

/// The message. The same content under the same name of the effect is the same message, letter by letter: it has no
/// time of its own.
pub fn message(frame: &MessageFrame<'_>, content: MessageContent) -> Value {
    let occasion = frame.occasion(&content);
    let made = frame.made(&occasion);
    let focus = frame.focus(&content, &made);
    let mut content = content;
    frame.link_content(&mut content);
    let parties = [frame.sender, frame.receiver].map(|it| frame.party(it));
    let mut header = frame.header(&occasion, &parties);
    header["focus"] = json!(frame.with_content(focus, &content));
    let header_id = header["id"].as_str().unwrap_or_default();
    let first = (format!("urn:uuid:{header_id}"), header);
    let MessageContent { update, companions, task, .. } = content;
    let content = task.into_iter().chain([update]).chain(companions).chain(made).chain(parties);
    let entries: Vec<Value> = [first].into_iter().chain(content).map(entry).collect();
    let id = made_id(&[frame.effect, "bundle"]);
    let mut bundle = json!({ "resourceType": "Bundle", "id": id, "type": "message" });
    bundle["entry"] = Value::Array(entries);
    bundle
}

fn entry((address, resource): (String, Value)) -> Value {
    let mut entry = json!({ "fullUrl": address });
    // `json!` would write a whole resource anew to put it in.
    entry["resource"] = resource;
    entry
}

/// What happened, in the words of the guide's messages.
struct Occasion<'a> {
    event: &'a str,
    reason: Option<&'a str>,
    request_status: &'a str,
    encounter_status: Option<&'a str>,
}

impl<'a> MessageFrame<'a> {
    /// An event of its own, such as that of a booking, needs the resource that it is about: without it, the message says
    /// that there is something new.
    fn occasion(&self, content: &MessageContent) -> Occasion<'a> {
        let is_appointment = resource_type(&content.update.1) == "Appointment";
        let state = if is_appointment { state_of_booking(&content.update.1) } else { content.state };
        let terms: Option<&'a MessageTerms> = state.and_then(|it| self.rules.message_of(it));
        match terms.filter(|it| is_appointment || it.event == self.message.reply_event) {
            Some(terms) => Occasion {
                event: &terms.event,
                reason: Some(&terms.reason),
                request_status: &terms.request_status,
                encounter_status: terms.encounter_status.as_deref().filter(|_| !is_appointment),
            },
            None => Occasion {
                event: &self.message.reply_event,
                reason: self.message.update_reason.as_deref(),
                request_status: "active",
                encounter_status: None,
            },
        }
    }

    /// What a guide wants in a message besides: nothing but what the receiver sent itself, and where the referral stands
    /// by the Task, once more.
    fn made(&self, occasion: &Occasion<'_>) -> Vec<(String, Value)> {
        let wants = |it: &str| self.message.focus.iter().any(|wanted| wanted == it);
        let mut made = Vec::new();
        let patient = self.address("patient");
        if let (Some(status), true) = (occasion.encounter_status, wants("Encounter")) {
            let mut encounter = json!({
                "resourceType": "Encounter",
                "identifier": [referral_identifier(self.public_url, self.referral)],
                "status": status,
                "class": { "system": NULL_FLAVOR, "code": "UNK" },
                "subject": { "reference": patient },
            });
            if wants("ServiceRequest") {
                encounter["basedOn"] = json!([{ "reference": self.address("order") }]);
            }
            made.push((self.address("encounter"), encounter));
        }
        if wants("ServiceRequest") {
            made.push((self.address("order"), self.order(occasion, &patient)));
        }
        if !made.is_empty() {
            let named = self.placer.parts.iter().find(|it| it.resource_type == "Patient");
            let mut resource = json!({ "resourceType": "Patient" });
            if let Some(identifier) = named.and_then(|it| it.identifier.as_ref()) {
                resource["identifier"] = json!([identifier]);
            }
            made.push((patient, resource));
        }
        made
    }

    /// The receiver's own order, by its identifiers. It is never changed at the receiver by this: what the status says is
    /// the guide's way of telling where the referral stands.
    fn order(&self, occasion: &Occasion<'_>, patient: &str) -> Value {
        let mut order = json!({
            "resourceType": "ServiceRequest",
            "status": occasion.request_status,
            "intent": "order",
            "subject": { "reference": patient },
        });
        if !self.placer.service_request.is_empty() {
            order["identifier"] = json!(self.placer.service_request);
        }
        if let Some(category) = &self.placer.order_category {
            order["category"] = category.clone();
        }
        order
    }

    /// The first that the guide allows in focus. The referral's Task is named by its identifier where it cannot go.
    fn focus(&self, content: &MessageContent, made: &[(String, Value)]) -> Option<Value> {
        let there = [&content.update].into_iter().chain(&content.task).chain(made);
        let mut there = there.map(|(address, it)| (address, resource_type(it)));
        let allowed = |it: &str| self.message.focus.iter().any(|allowed| allowed == it);
        if let Some((address, resource_type)) = there.find(|(_, it)| allowed(it)) {
            return Some(json!({ "reference": address, "type": resource_type }));
        }
        let identifier = referral_identifier(self.public_url, self.referral);
        allowed("Task").then(|| json!({ "type": "Task", "identifier": identifier }))
    }

    /// Names in the Task what comes with it, where the guide wants it there.
    fn link_content(&self, content: &mut MessageContent) {
        if self.message.content_link != ContentLink::TaskOutput {
            return;
        }
        let (address, resource) = &content.update;
        let kind = resource_type(resource).to_owned();
        if let Some((_, task)) = &mut content.task {
            let value = json!({ "reference": address, "type": kind });
            push_item(task, "output", json!({ "type": { "text": kind }, "valueReference": value }));
        }
    }

    fn with_content(&self, focus: Option<Value>, content: &MessageContent) -> Vec<Value> {
        let (address, resource) = &content.update;
        let mut all: Vec<Value> = focus.into_iter().collect();
        let named = all.iter().any(|it| it["reference"] == address.as_str());
        if self.message.content_link == ContentLink::Focus && !named {
            all.push(json!({ "reference": address, "type": resource_type(resource) }));
        }
        all
    }

    fn header(&self, occasion: &Occasion<'_>, [sender, receiver]: &[(String, Value); 2]) -> Value {
        let named = |it: &(String, Value)| json!({ "reference": it.0, "type": resource_type(&it.1) });
        let rules = self.message;
        let mut header = json!({
            "resourceType": "MessageHeader",
            "id": made_id(&[self.effect, "header"]),
            "eventCoding": { "system": rules.event_system, "code": occasion.event },
            "destination": [{
                "name": self.receiver.1,
                "endpoint": self.placer.message_source().unwrap_or(self.destination),
                "receiver": named(receiver),
            }],
            "sender": named(sender),
            "source": {
                "name": "Referral Gateway",
                "endpoint": format!("{}/fhir/$process-message", self.public_url),
            },
        });
        if let (Some(system), Some(reason)) = (&rules.reason_system, occasion.reason) {
            header["reason"] = coding::concept(system, reason);
        }
        if let Some(definition) =
            rules.reply_definition.as_ref().filter(|_| occasion.event == rules.reply_event)
        {
            header["definition"] = json!(definition);
        }
        if let Some(answered) = self.rules.answers_quote().and_then(|it| self.placer.message_id(it)) {
            header["response"] = json!({ "identifier": answered, "code": "ok" });
        }
        header
    }

    fn party(&self, (identifier, name): (&BusinessIdentifier, &str)) -> (String, Value) {
        let address = format!("urn:uuid:{}", made_id(&[&identifier.system, &identifier.value, "party"]));
        let resource = match self.message.parties {
            PartyType::Organization => json!({
                "resourceType": "Organization",
                "identifier": [{ "system": identifier.system, "value": identifier.value }],
                "name": name,
            }),
            PartyType::PractitionerRole => json!({
                "resourceType": "PractitionerRole",
                "organization": organization(identifier, name),
            }),
        };
        (address, resource)
    }

    /// The same in every message of one referral.
    fn address(&self, what: &str) -> String {
        format!("urn:uuid:{}", made_id(&[&self.referral.to_string(), what]))
    }
}

/// Where a booking stands, as far as messages about bookings tell it apart.
fn state_of_booking(appointment: &Value) -> Option<ReferralState> {
    Some(match appointment["status"].as_str()? {
        "cancelled" | "noshow" | "entered-in-error" => ReferralState::AppointmentCancelled,
        _ => ReferralState::Scheduled,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translation::submission::Submission;

    fn rules(dialect: &str) -> DialectRules {
        let file = format!("{}/profiles/dialects/{dialect}/dialect.toml", env!("CARGO_MANIFEST_DIR"));
        DialectRules::parse(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    /// The message that brings an update while the referral stands there.
    fn bars(update: Value, state: ReferralState) -> Value {
        let rules = rules("bars");
        let order =
            json!({ "resourceType": "ServiceRequest", "identifier": [{ "system": "urn:o", "value": "1" }] });
        let organization = BusinessIdentifier { system: "urn:org".to_owned(), value: "1".to_owned() };
        let frame = MessageFrame {
            message: rules.message.as_ref().unwrap(),
            rules: &rules,
            referral: "ref-0197a4c2-0000-7000-8000-000000000001".parse().unwrap(),
            placer: &Placer::of(&Submission::of(&order)),
            effect: "dlv-1",
            public_url: "https://us.example",
            sender: (&organization, "Clinic"),
            receiver: (&organization, "Partner"),
            destination: "https://them.example/$process-message",
        };
        let update = ("urn:uuid:00000000-0000-4000-8000-000000000001".to_owned(), update);
        message(&frame, MessageContent { update, companions: Vec::new(), task: None, state: Some(state) })
    }

    /// Event, reason, status of the order, type in focus, status of the Encounter.
    fn said(message: &Value) -> [String; 5] {
        let resources = || message["entry"].as_array().unwrap().iter().map(|it| &it["resource"]);
        let status = |wanted: &str| {
            let found = resources().find(|it| it["resourceType"] == wanted);
            found.and_then(|it| it["status"].as_str()).unwrap_or("-").to_owned()
        };
        let header = &message["entry"][0]["resource"];
        let text = |it: &Value| it.as_str().unwrap_or("-").to_owned();
        [
            text(&header["eventCoding"]["code"]),
            text(&header["reason"]["coding"][0]["code"]),
            status("ServiceRequest"),
            text(&header["focus"][0]["type"]),
            status("Encounter"),
        ]
    }

    #[test]
    fn bars_tells_a_state_by_event_reason_order_and_encounter() {
        let task = || json!({ "resourceType": "Task", "status": "accepted" });
        let response = "servicerequest-response";

        for (state, expected) in [
            (ReferralState::Accepted, [response, "new", "active", "Encounter", "in-progress"]),
            (ReferralState::Completed, [response, "update", "active", "Encounter", "finished"]),
            (ReferralState::Declined, [response, "new", "active", "Encounter", "cancelled"]),
            (ReferralState::Cancelled, [response, "update", "revoked", "ServiceRequest", "-"]),
            // A booking is told by its Appointment; the Task says that there is something new.
            (ReferralState::Scheduled, [response, "update", "active", "ServiceRequest", "-"]),
        ] {
            assert_eq!(said(&bars(task(), state)), expected, "{state}");
        }
    }

    #[test]
    fn bars_has_an_event_of_its_own_for_bookings() {
        let booking = |status: &str| json!({ "resourceType": "Appointment", "status": status });
        let told = |status: &str| said(&bars(booking(status), ReferralState::Scheduled));

        assert_eq!(told("booked"), ["booking-response", "new", "active", "Appointment", "-"]);
        assert_eq!(told("cancelled"), ["booking-response", "update", "active", "Appointment", "-"]);
    }

    #[test]
    fn the_same_effect_is_the_same_message() {
        let task = || json!({ "resourceType": "Task", "status": "accepted" });

        assert_eq!(bars(task(), ReferralState::Accepted), bars(task(), ReferralState::Accepted));
    }
}
