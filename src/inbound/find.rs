//! What an earlier attempt left at the clinic.

use serde_json::Value;

use super::Inbound;
use crate::fhir::client::failure::Failure;
use crate::fhir::client::found::Found;
use crate::fhir::reference::type_and_id;
use crate::fhir::resource;
use crate::model::delivery::CLINIC;
use crate::model::referral::{ClinicRecord, Referral, Written};
use crate::model::update::ResourceVersion;
use crate::translation::effect::{EffectNames, effect_system, token};
use crate::translation::submission::Submission;

impl Inbound {
    /// What an earlier attempt made. A transaction is all or nothing, so the order stands for all of it; what
    /// was written one after the other (not `together`) may have been broken off, and is then taken up again.
    pub(super) async fn find_at_clinic(
        &self,
        referral: &Referral,
        message: &Value,
        together: bool,
    ) -> Result<Found<ClinicRecord>, Failure> {
        let found = self.search(referral, message, together).await?;
        self.looks.looked(CLINIC, found.word());
        Ok(found)
    }

    async fn search(
        &self,
        referral: &Referral,
        message: &Value,
        together: bool,
    ) -> Result<Found<ClinicRecord>, Failure> {
        let submission = Submission::of(message);
        let names = EffectNames::new(&self.house.public_url, referral.id);
        let number = |resource_type| submission.first(resource_type).map(|(number, _)| number);
        let Some(order_number) = number("ServiceRequest") else {
            return Ok(Found::Nothing); // A valid submission has one.
        };
        let order = match self.find("ServiceRequest", &names.name(&order_number.to_string())).await? {
            Found::One(order) => order,
            Found::Nothing => return Ok(Found::Nothing),
            Found::Several => return Ok(Found::Several),
        };
        let task = match self.find("Task", &names.name("task")).await? {
            Found::One(task) => task,
            Found::Nothing if !together => return Ok(Found::Nothing),
            Found::Nothing => {
                return Err(Failure::Unusable { what: "order-without-task", may_have_happened: true });
            }
            Found::Several => return Ok(Found::Several),
        };
        let written = [
            order["subject"]["reference"].as_str().map(|it| found(it, submission.patient())),
            Some(found(&format!("ServiceRequest/{}", resource::id(&order)), Some(order_number))),
            Some(found(&format!("Task/{}", resource::id(&task)), number("Task"))),
        ];
        let at = resource::last_updated(&order);
        Ok(Found::One(ClinicRecord { written: written.into_iter().flatten().collect(), at }))
    }

    async fn find(&self, resource_type: &str, name: &str) -> Result<Found<Value>, Failure> {
        self.clinic.find(resource_type, &token(&effect_system(&self.house.public_url), name)).await
    }
}

/// A resource that was there already: whatever its version, it may hold what the clinic did since.
pub(super) fn found(reference: &str, entry: Option<usize>) -> Written {
    let (resource_type, id) = type_and_id(reference).unwrap_or_default();
    let resource = ResourceVersion {
        resource_type: resource_type.to_owned(),
        id: id.to_owned(),
        version: String::new(),
    };
    Written { entry, resource }
}
