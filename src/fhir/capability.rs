//! What a server says that it can do (FHIR R4, CapabilityStatement).

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A way to write so that a repeat is no second effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// An update under an id that the client chooses (FHIR R4, http, update as create).
    ClientId,
    /// One transaction of conditional creates.
    Transaction,
    /// A create with `If-None-Exist`.
    ConditionalCreate,
    /// An update of what a search finds.
    ConditionalUpdate,
    /// A create without a condition: a repeat is a second effect.
    Plain,
}

/// Why there is no way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoWay {
    /// The server does not keep resources of a type.
    UnknownType,
    /// It offers none of the ways.
    NoneOffered,
}

/// What matters here of a CapabilityStatement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    transaction: bool,
    types: BTreeMap<String, Writes>,
}

/// How resources of one type can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Writes {
    client_id: bool,
    conditional_create: bool,
    conditional_update: bool,
}

/// A digest of what a server offers, which changes when that does; not by its date or its name.
pub fn digest_of_offer(statement: &Value) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, statement["rest"].to_string().as_bytes()))
}

impl Capabilities {
    /// Reads a CapabilityStatement. What it does not say is not offered.
    pub fn read(statement: &Value) -> Self {
        let rest = statement["rest"].as_array().into_iter().flatten().find(|it| it["mode"] == "server");
        let rest = rest.unwrap_or(&Value::Null);
        let is_transaction = |it: &Value| it["code"] == "transaction";
        let types = rest["resource"].as_array().into_iter().flatten().filter_map(|it| {
            let says = |name: &str| it[name].as_bool().unwrap_or_default();
            let writes = Writes {
                client_id: says("updateCreate"),
                conditional_create: says("conditionalCreate"),
                conditional_update: says("conditionalUpdate"),
            };
            Some((it["type"].as_str()?.to_owned(), writes))
        });
        Self {
            transaction: rest["interaction"].as_array().into_iter().flatten().any(is_transaction),
            types: types.collect(),
        }
    }

    /// The best way to write resources of these types together. One resource goes best under an id of ours,
    /// since that needs no search; several go best in a transaction, since all of them or none are then there.
    pub fn way(&self, types: &[&str]) -> Result<Method, NoWay> {
        let writes: Option<Vec<Writes>> = types.iter().map(|it| self.types.get(*it).copied()).collect();
        let writes = writes.ok_or(NoWay::UnknownType)?;
        let conditional_create = writes.iter().all(|it| it.conditional_create);
        if types.len() > 1 && self.transaction && conditional_create {
            Ok(Method::Transaction)
        } else if writes.iter().all(|it| it.client_id) {
            Ok(Method::ClientId)
        } else if conditional_create {
            Ok(Method::ConditionalCreate)
        } else if writes.iter().all(|it| it.conditional_update) {
            Ok(Method::ConditionalUpdate)
        } else {
            Err(NoWay::NoneOffered)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn server(transaction: bool, task: &Value, patient: &Value) -> Capabilities {
        let mut resources = [task.clone(), patient.clone()];
        resources[0]["type"] = json!("Task");
        resources[1]["type"] = json!("Patient");
        let interactions = if transaction { json!([{ "code": "transaction" }]) } else { json!([]) };
        Capabilities::read(&json!({ "resourceType": "CapabilityStatement", "rest": [
            { "mode": "client", "interaction": [{ "code": "transaction" }] },
            { "mode": "server", "interaction": interactions, "resource": resources },
        ]}))
    }

    #[test]
    fn the_highest_rung_that_every_type_offers_is_taken() {
        let all = json!({ "updateCreate": true, "conditionalCreate": true, "conditionalUpdate": true });
        let create = json!({ "conditionalCreate": true });
        let update = json!({ "conditionalUpdate": true });
        let nothing = json!({});
        let one = |capabilities: &Capabilities| capabilities.way(&["Task"]);
        let both = |capabilities: &Capabilities| capabilities.way(&["Task", "Patient"]);

        assert_eq!(one(&server(true, &all, &nothing)), Ok(Method::ClientId));
        assert_eq!(both(&server(true, &all, &all)), Ok(Method::Transaction));
        assert_eq!(both(&server(false, &all, &all)), Ok(Method::ClientId));
        assert_eq!(one(&server(true, &create, &nothing)), Ok(Method::ConditionalCreate));
        assert_eq!(both(&server(false, &all, &create)), Ok(Method::ConditionalCreate));
        assert_eq!(both(&server(true, &all, &update)), Ok(Method::ConditionalUpdate));
        assert_eq!(both(&server(true, &create, &update)), Err(NoWay::NoneOffered));
        assert_eq!(one(&server(true, &nothing, &all)), Err(NoWay::NoneOffered));
    }

    #[test]
    fn the_digest_of_an_offer_changes_with_the_offer_and_not_with_its_date() {
        let statement = |date: &str, offered: bool| json!({ "date": date, "rest": [{ "mode": "server", "resource": [{ "updateCreate": offered }] }] });
        let digest = digest_of_offer(&statement("2026-01-01", true));

        assert_eq!(digest_of_offer(&statement("2026-01-02", true)), digest);
        assert_ne!(digest_of_offer(&statement("2026-01-01", false)), digest);
    }

    #[test]
    fn a_type_that_is_not_named_is_not_kept() {
        let all = json!({ "updateCreate": true });

        assert_eq!(server(true, &all, &all).way(&["Task", "Provenance"]), Err(NoWay::UnknownType));
        assert_eq!(Capabilities::read(&json!({})).way(&["Task"]), Err(NoWay::UnknownType));
    }
}
