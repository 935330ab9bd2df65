//! Messages: how one is named, and the reply to one (FHIR R4, messaging).

use aws_lc_rs::digest;
use serde_json::{Value, json};
use uuid::Builder;

use super::reference::is_id;
use super::{bundle, resource};

/// The longest address that is repeated in a reply.
const LONGEST_ADDRESS: usize = 2048;

/// Which id of a message its reply quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyTo {
    /// `MessageHeader.id` (FHIR R4, messaging).
    #[default]
    MessageHeader,
    /// `Bundle.id` (NHS Booking and Referral Standard).
    Bundle,
}

/// What became of a message (FHIR R4, value set response-code).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// It was done.
    Ok,
    /// It was not done; the same may be done later.
    TransientError,
    /// It will not be done as it stands.
    FatalError,
}

impl Response {
    fn of_code(code: &str) -> Option<Self> {
        [Self::Ok, Self::TransientError, Self::FatalError].into_iter().find(|it| it.code() == code)
    }

    /// FHIR's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::TransientError => "transient-error",
            Self::FatalError => "fatal-error",
        }
    }
}

/// What a reply needs of the message that it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    bundle: Option<String>,
    header: Option<String>,
    event: Value,
    source: Option<String>,
}

/// What the reply to a message of ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The id that it quotes; empty where it quotes none.
    pub quoted: String,
    /// What became of the message; none where it has a code that FHIR does not know.
    pub response: Option<Response>,
}

impl Reply {
    /// Reads a reply. None: it is no message that answers one. R5 quotes by an Identifier, all others by an id.
    pub fn of(body: &Value) -> Option<Self> {
        let response = bundle::header(body)?.get("response")?;
        let quoted = [&response["identifier"], &response["identifier"]["value"]];
        let quoted = quoted.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned();
        Some(Self { quoted, response: response["code"].as_str().and_then(Response::of_code) })
    }
}

/// A UUID that is made of these words: the same words give the same.
pub fn made_id(words: &[&str]) -> String {
    let digest = digest::digest(&digest::SHA256, words.join("\n").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// What a reply says.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// What became of the message.
    pub response: Response,
    /// An OperationOutcome.
    pub details: Option<&'a Value>,
    /// What was made, with its address.
    pub focus: Option<(&'a str, &'a Value)>,
}

impl Received {
    /// Reads the names of a message. None: it is no message, or has no id that a reply could quote.
    pub fn of(message: &Value) -> Option<Self> {
        let header = bundle::header(message)?;
        let id = |it: &Value| Some(resource::id(it).to_owned()).filter(|it| is_id(it));
        let source = header["source"]["endpoint"].as_str().filter(|it| it.len() <= LONGEST_ADDRESS);
        let received = Self {
            bundle: id(message),
            header: id(header),
            event: header["eventCoding"].clone(),
            source: source.map(str::to_owned),
        };
        (received.bundle.is_some() || received.header.is_some()).then_some(received)
    }

    /// The id by which an answer names it: the agreed one, or the other where it has that one only.
    pub fn quoted(&self, quotes: ReplyTo) -> Option<&str> {
        let (first, second) = match quotes {
            ReplyTo::MessageHeader => (&self.header, &self.bundle),
            ReplyTo::Bundle => (&self.bundle, &self.header),
        };
        first.as_deref().or(second.as_deref())
    }

    /// Where its sender is reached, by its own word. It is repeated and never called.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// The reply to it, from `endpoint`. The same words get the same reply, ids included: a receiver that is asked
    /// again must give its first answer (FHIR R4, messaging, reliable messaging).
    pub fn reply(&self, quotes: ReplyTo, endpoint: &str, said: &Said<'_>) -> Value {
        let focus = said.focus.map(|(address, _)| address);
        let id = |what: &str| self.made_id(&[what, said.response.code(), focus.unwrap_or_default()]);
        let (header_id, outcome_id) = (id("header"), id("outcome"));
        let mut header = json!({
            "resourceType": "MessageHeader",
            "id": header_id,
            "eventCoding": self.event,
            "source": { "name": "Referral Gateway", "endpoint": endpoint },
            "response": { "identifier": self.quoted(quotes), "code": said.response.code() },
        });
        if let Some(source) = &self.source {
            header["destination"] = json!([{ "endpoint": source }]);
        }
        let outcome_address = format!("urn:uuid:{outcome_id}");
        if said.details.is_some() {
            header["response"]["details"] = json!({ "reference": outcome_address });
        }
        if let Some(focus) = focus {
            header["focus"] = json!([{ "reference": focus }]);
        }
        let mut entries = vec![json!({ "fullUrl": format!("urn:uuid:{header_id}"), "resource": header })];
        let details = said.details.map(|it| (outcome_address.as_str(), it));
        for (address, resource) in said.focus.into_iter().chain(details) {
            entries.push(json!({ "fullUrl": address, "resource": resource }));
        }
        json!({ "resourceType": "Bundle", "id": id("bundle"), "type": "message", "entry": entries })
    }

    /// A UUID that is made of the names of the message and these words.
    fn made_id(&self, words: &[&str]) -> String {
        let names = [&self.bundle, &self.header].map(|it| it.as_deref().unwrap_or_default());
        made_id(&names.iter().chain(words).copied().collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bundle: &str, header: &str) -> Value {
        json!({ "resourceType": "Bundle", "id": bundle, "type": "message", "entry": [{ "resource": {
            "resourceType": "MessageHeader",
            "id": header,
            "eventCoding": { "system": "urn:event", "code": "new" },
            "source": { "endpoint": "https://ehr.lakeside.example/fhir" },
        } }] })
    }

    #[test]
    fn a_reply_quotes_the_id_that_was_agreed_on_or_the_one_that_there_is() {
        let said = Said { response: Response::Ok, details: None, focus: None };
        let quoted = |message: &Value, quotes| {
            Received::of(message).unwrap().reply(quotes, "https://us.example", &said)["entry"][0]["resource"]
                ["response"]["identifier"]
                .clone()
        };

        assert_eq!(quoted(&message("b", "h"), ReplyTo::MessageHeader), "h");
        assert_eq!(quoted(&message("b", "h"), ReplyTo::Bundle), "b");
        assert_eq!(quoted(&message("b", "not an id"), ReplyTo::MessageHeader), "b");
        assert_eq!(Received::of(&message("", "")), None);
        assert_eq!(Received::of(&json!({ "resourceType": "Bundle", "type": "message" })), None);
    }

    #[test]
    fn a_reply_tells_what_it_answers_and_how_in_the_form_of_each_version() {
        let said = |response: Value| {
            let header = json!({ "resourceType": "MessageHeader", "response": response });
            Reply::of(
                &json!({ "resourceType": "Bundle", "type": "message", "entry": [{ "resource": header }] }),
            )
        };
        let reply = |quoted: &str, response| Some(Reply { quoted: quoted.to_owned(), response });

        assert_eq!(said(json!({ "identifier": "h", "code": "ok" })), reply("h", Some(Response::Ok)));
        let r5 = json!({ "identifier": { "value": "h" }, "code": "fatal-error" });
        assert_eq!(said(r5), reply("h", Some(Response::FatalError)));
        assert_eq!(said(json!({ "code": "perhaps" })), reply("", None));
        assert_eq!(Reply::of(&message("b", "h")), None, "it answers nothing");
        assert_eq!(Reply::of(&json!({ "resourceType": "OperationOutcome" })), None);
    }

    #[test]
    fn the_same_answer_to_the_same_message_is_the_same_reply_and_another_has_ids_of_its_own() {
        let reply = |message: &Value, response| {
            let said = Said { response, details: None, focus: None };
            Received::of(message).unwrap().reply(ReplyTo::MessageHeader, "https://us.example", &said)
        };
        let first = reply(&message("b", "h"), Response::Ok);

        assert_eq!(reply(&message("b", "h"), Response::Ok), first);
        assert_ne!(reply(&message("b", "h"), Response::FatalError)["id"], first["id"]);
        assert_ne!(reply(&message("b", "h2"), Response::Ok)["id"], first["id"]);
        assert_eq!(
            first["entry"][0]["resource"]["destination"][0]["endpoint"],
            "https://ehr.lakeside.example/fhir"
        );
    }
}
