//! Whom the patient's Consents speak of: the organisations, roles, groups and teams that they name, as the
//! clinic's server knows them. What cannot be read stays unknown, and the unknown holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::Outbound;
use crate::consent::disclosure::{ClinicRules, Party, Receiver};
use crate::fhir::{reference, resource};
use crate::model::partner::BusinessIdentifier;
use crate::translation::effect::token;
use crate::translation::to_partner::at_clinic;

/// Consents that name more than this many parties are not understood to their end, and hold.
const MOST_PARTIES: usize = 64;

/// What a Consent may refer to and a decision may need to know.
const PARTIES: [&str; 5] = ["Organization", "Practitioner", "PractitionerRole", "Group", "CareTeam"];

/// Everything around a decision but the data and the Consents.
pub(super) struct Surroundings {
    pub(super) receiver: Receiver,
    pub(super) directory: Vec<Value>,
    /// What is named and could not be read.
    pub(super) unread: Vec<String>,
    pub(super) rules: Arc<ClinicRules>,
}

impl Outbound {
    /// Reads what these Consents name. Consents that name nobody need nothing read.
    pub(super) async fn surroundings(
        &self,
        recipient: &BusinessIdentifier,
        consents: &[Value],
    ) -> Surroundings {
        let named = self.parties_of(consents);
        let mut receiver = Receiver::organization(party(recipient));
        let mut rules = Arc::clone(&self.house.consent);
        let mut directory = Vec::new();
        let mut unread = Vec::new();
        if !named.is_empty() {
            let own = self.organization(&self.house.clinic, &mut directory).await;
            rules = Arc::new(ClinicRules { custodian: own, ..(*self.house.consent).clone() });
            receiver = Receiver::organization(self.organization(recipient, &mut directory).await);
            unread = self.read_parties(named, &mut directory).await;
        }
        Surroundings { receiver, directory, unread, rules }
    }

    /// An organisation with its name on the clinic's server, if there is exactly one.
    async fn organization(&self, known: &BusinessIdentifier, directory: &mut Vec<Value>) -> Party {
        let mut organization = party(known);
        let identifier = token(&known.system, &known.value);
        let found = self.clinic.search("Organization", &[("identifier", identifier.as_str())]).await;
        if let Ok([only]) = found.as_deref() {
            organization.reference = Some(format!("Organization/{}", resource::id(only)));
            directory.push(only.clone());
        }
        organization
    }

    /// Reads parties, and what they in turn belong to. Returns those that it could not read.
    async fn read_parties(&self, named: BTreeSet<String>, directory: &mut Vec<Value>) -> Vec<String> {
        let mut unread = Vec::new();
        let mut seen: BTreeSet<String> = directory.iter().map(resource::name_of).collect();
        let mut waiting: Vec<String> = self.parties_of(directory).into_iter().chain(named).collect();
        while let Some(reference) = waiting.pop() {
            if seen.len() >= MOST_PARTIES || !seen.insert(reference.clone()) {
                continue;
            }
            match self.clinic.read(&reference).await {
                Ok(found) => {
                    waiting.extend(self.parties_of(std::slice::from_ref(&found)));
                    directory.push(found);
                }
                Err(_) => unread.push(reference),
            }
        }
        unread
    }

    fn parties_of(&self, resources: &[Value]) -> BTreeSet<String> {
        let mut named = BTreeSet::new();
        for resource in resources {
            reference::for_each(resource, "", &mut |_, it| {
                let text = it["reference"].as_str().unwrap_or_default();
                named.extend(at_clinic(text, self.clinic.base()).filter(|it| is_party(it)));
            });
        }
        named
    }
}

fn is_party(reference: &str) -> bool {
    reference.split('/').next().is_some_and(|resource_type| PARTIES.contains(&resource_type))
}

fn party(identifier: &BusinessIdentifier) -> Party {
    Party::identified(identifier.system.clone(), identifier.value.clone())
}
