//! From the clinic's resource to the partner's: reduced, translated, and looked at once more.

use super::message::is_message;
use super::proof::Attempt;
use super::translate::ForPartner;
use super::{Outbound, redact};
use crate::consent::permit::Permit;
use crate::fhir::client::failure::Failure;
use crate::fhir::outcome::Issue;
use crate::fhir::resource::resource_type;
use crate::model::fhir_version::FhirVersion;
use crate::translation::to_partner::Form;
use crate::validation::{check_outgoing, check_resource};

/// What became of an update on its way to the partner's form.
pub(super) enum Prepared {
    /// It can go.
    Ready(ForPartner),
    /// It has a modifier extension, which could turn its meaning round.
    NotUnderstood,
    /// What was taken out was needed: the rest is no valid resource.
    RestNotValid,
    /// The clinic's resource is not valid, and nothing was taken out of it.
    NotValid,
}

impl Outbound {
    /// Prepares an update. Nothing leaves that is not valid FHIR R4: least of all what something was taken out of
    /// (consent S8).
    pub(super) async fn prepare(
        &self,
        attempt: &Attempt<'_>,
        permit: &Permit,
        form: Form,
    ) -> Result<Prepared, Failure> {
        let Some(reduced) = redact::to_minimum(attempt.content.clone(), permit, self.house.mark) else {
            return Ok(Prepared::NotUnderstood);
        };
        let message = self.translate(reduced, permit, form, &attempt.delivery.id.to_string()).await?;
        let issues = message.issues();
        if issues.is_empty() {
            // What a partner reads from us is put into its version at the door, with what it stands in.
            let version = match form {
                Form::Pushed | Form::Message => attempt.partner.fhir_version,
                Form::Hosted => FhirVersion::R4,
            };
            return Ok(Prepared::Ready(message.in_version(version, attempt.delivery.id.made())));
        }
        if !permit.removals().is_empty() {
            return Ok(Prepared::RestNotValid);
        }
        let issues = in_words(&issues);
        tracing::warn!(delivery.id = %attempt.delivery.id, issues, "an update is not valid FHIR and is not sent");
        Ok(Prepared::NotValid)
    }
}

/// The code and place of each issue. Neither holds a value.
fn in_words(issues: &[Issue]) -> String {
    let each = issues.iter().map(|it| format!("{} {}", it.code, it.expression.join(" ")));
    each.collect::<Vec<_>>().join(", ")
}

impl ForPartner {
    fn issues(&self) -> Vec<Issue> {
        if is_message(&self.main) {
            return check_outgoing(&self.main);
        }
        let all = std::iter::once(&self.main).chain(self.companions.iter().map(|(_, it)| it));
        all.flat_map(|it| check_resource(it, resource_type(it))).collect()
    }
}
