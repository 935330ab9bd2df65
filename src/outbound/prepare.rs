//! From the clinic's resource to the partner's: reduced, translated, and looked at once more.

use super::proof::Attempt;
use super::translate::ForPartner;
use super::{Outbound, redact};
use crate::consent::permit::Permit;
use crate::fhir::client::failure::Failure;
use crate::translation::to_partner::Form;
use crate::validation::check_resource;

/// What became of an update on its way to the partner's form.
pub(super) enum Prepared {
    /// It can go.
    Ready(ForPartner),
    /// It has a modifier extension, which could turn its meaning round.
    NotUnderstood,
    /// What was taken out was needed: the rest is no valid resource.
    NotValid,
}

impl Outbound {
    /// Prepares an update. What something was taken out of is validated again (consent S8).
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
        let is_valid = permit.removals().is_empty() || message.is_valid();
        Ok(if is_valid { Prepared::Ready(message) } else { Prepared::NotValid })
    }
}

impl ForPartner {
    fn is_valid(&self) -> bool {
        let all = self.companions.iter().map(|(_, it)| it).chain([&self.main]);
        all.into_iter().all(|it| check_resource(it, "").is_empty())
    }
}
