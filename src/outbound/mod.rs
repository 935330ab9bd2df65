//! CLINIC → PARTNER. [`Outbound::notice`] looks at the clinic and owes what concerns a referral;
//! [`Outbound::deliver`] is one attempt to bring it to the partner. Consent is asked inside every attempt,
//! and whatever reduces, translates or sends must show the [`Permit`].

pub mod kinds;

pub mod watch;

pub mod relate;

pub mod record;

pub mod consent_faults;

pub mod read;

pub mod permit;

mod surroundings;

mod message;

mod prepare;

pub mod preview;

mod proof;

pub mod consent_check;

pub mod redact;

pub mod translate;

pub mod send;

mod effect;

pub mod inbox;

mod digest;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::consent::disclosure::ClinicRules;
use crate::consent::permit::{Decision, Permit};
use crate::consent::redact::Mark;
use crate::consent::trace::Trace;
use crate::fhir::client::FhirClient;
use crate::fhir::client::failure::Failure;
use crate::model::clock::Clock;
use crate::model::delivery::{Cause, Delivery};
use crate::model::ids::PartnerId;
use crate::model::looks::LookObserver;
use crate::model::partner::{BusinessIdentifier, OutboundMode, Partner, Partners};
use crate::model::update::{DecisionNote, ResourceVersion, Update};
use crate::model::work::Settlement;
use crate::store::Store;
use crate::translation::dialects::Dialects;
use crate::translation::to_partner::Form;
use permit::Asked;
use prepare::Prepared;
use proof::Attempt;

/// What the road needs, and nothing else.
#[derive(Clone)]
pub struct Outbound {
    /// The ledger.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The clinic's FHIR server.
    pub clinic: FhirClient,
    /// Every partner.
    pub partners: Arc<Partners>,
    /// The FHIR servers of those partners that have one.
    pub servers: Arc<BTreeMap<PartnerId, FhirClient>>,
    /// How the clinic wants it.
    pub house: Arc<House>,
    /// Which feeds the clinic's server does not offer.
    pub refused_feeds: Arc<watch::RefusedFeeds>,
    /// Told of looks for what an earlier attempt may have left.
    pub looks: Arc<dyn LookObserver>,
    /// Which Consents were looked at for faults.
    pub looked_at: Arc<consent_faults::LookedAt>,
}

/// What the clinic decided about updates that go out.
#[derive(Clone, Debug)]
pub struct House {
    /// Our public address, without a slash at its end.
    pub public_url: String,
    /// The guides that partners follow, and the clinic's codes in theirs.
    pub dialects: Dialects,
    /// The clinic's name.
    pub clinic_name: String,
    /// The clinic's business identifier.
    pub clinic: BusinessIdentifier,
    /// What the clinic decided about disclosures.
    pub consent: Arc<ClinicRules>,
    /// Whether a partner is told that something was taken out.
    pub mark: Mark,
    /// When a held update is decided again without a notice.
    pub decide_again: Duration,
    /// How far each look at the clinic reaches behind the last one.
    pub overlap: Duration,
}

impl Outbound {
    /// Looks at the clinic once. Returns how many updates are newly owed; or the first error, after every
    /// feed was tried.
    pub async fn notice(&self) -> Result<usize, watch::WatchError> {
        let mut owed = 0;
        let mut failed = None;
        for feed in watch::FEEDS {
            match self.look_at(feed).await {
                Ok(new) => owed += new,
                // One type that the clinic's server does not give must not keep the others from us.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(owed), Err)
    }

    /// One attempt: read that version, ask consent, reduce, translate, send.
    pub async fn deliver(&self, delivery: &Delivery, update: &Update) -> Result<Settlement, Failure> {
        let partner = self.partner(&delivery.partner)?;
        if !partner.outbound.share.contains(&update.share) {
            return Ok(Settlement::Dead(Cause { code: "not-shared", http_status: None }));
        }
        let Some(content) = self.read(update).await.map_err(|failure| at_the_source(&failure))? else {
            return Ok(Settlement::Superseded);
        };
        let content = self.with_task(content, &partner.outbound).await;
        let content = content.map_err(|failure| at_the_source(&failure))?;
        let Asked { decision, trace, depends_on } =
            self.permit(&partner, &content).await.map_err(|failure| at_the_source(&failure))?;
        let attempt = Attempt { delivery, partner: &partner, content: &content };
        match decision {
            Decision::Permit(permit) => self.bring(&attempt, permit, (trace, depends_on)).await,
            Decision::Hold(refusal) | Decision::Deny(refusal) => {
                self.hold(&attempt, refusal.note, (trace, depends_on)).await
            }
        }
    }

    /// The decision is on record in any case, and before the first byte with what goes out.
    async fn bring(
        &self,
        attempt: &Attempt<'_>,
        permit: Permit,
        (trace, depends_on): (Trace, Vec<ResourceVersion>),
    ) -> Result<Settlement, Failure> {
        let decided = self.decided(attempt, permit.note(), &trace)?;
        let form = match attempt.partner.outbound.mode {
            OutboundMode::Inbox => {
                self.keep(vec![decided]).await?;
                return Ok(Settlement::InInbox(permit.note().clone()));
            }
            OutboundMode::Rest(_) => Form::Pushed,
            OutboundMode::Message(_) => Form::Message,
        };
        let message = match self.prepare(attempt, &permit, form).await {
            Ok(Prepared::Ready(message)) => message,
            Ok(Prepared::RestNotValid) => {
                let note =
                    DecisionNote { outcome: "hold", rule: "reduced-not-valid", ..permit.note().clone() };
                return self.hold(attempt, note, (trace, depends_on)).await;
            }
            Ok(Prepared::NotUnderstood) => {
                self.keep(vec![decided]).await?;
                return Ok(Settlement::Dead(Cause { code: "not-understood", http_status: None }));
            }
            Ok(Prepared::NotValid) => {
                self.keep(vec![decided]).await?;
                return Ok(Settlement::Dead(Cause { code: "not-valid", http_status: None }));
            }
            Err(failure) => {
                self.keep(vec![decided]).await?;
                return quarantined_where_unreadable(failure);
            }
        };
        let way = match self.way(attempt.delivery, &message).await {
            Ok(way) => way,
            Err(failure) => {
                self.keep(vec![decided]).await?;
                return Err(failure);
            }
        };
        let disclosed = self.disclosed(attempt, &permit, &message.sha256())?;
        self.keep(vec![decided, disclosed]).await?;
        let removed = permit.removals().to_vec();
        let settlement = self.send(attempt.delivery, message, permit, way).await?;
        Ok(self.look_again(attempt, &removed, settlement).await)
    }

    /// Asked again when something changes, when a period begins or ends, and on a timer.
    async fn hold(
        &self,
        attempt: &Attempt<'_>,
        decision: DecisionNote,
        (trace, depends_on): (Trace, Vec<ResourceVersion>),
    ) -> Result<Settlement, Failure> {
        let trace = Trace { outcome: decision.outcome.into(), rule: decision.rule.into(), ..trace };
        self.keep(vec![self.decided(attempt, &decision, &trace)?]).await?;
        let now = self.clock.now();
        let timer = now.saturating_add(self.house.decide_again).unwrap_or(now);
        let ask_again = trace.next_boundary.filter(|it| *it > now).map_or(timer, |it| it.min(timer));
        Ok(Settlement::Held { decision, ask_again, depends_on })
    }

    fn partner(&self, id: &PartnerId) -> Result<Arc<Partner>, Failure> {
        self.partners.get(id).cloned().ok_or(Failure::NotSent("partner-not-configured"))
    }
}

/// A damaged or purged row ends as one that a person must look at, and keeps nobody else.
fn quarantined_where_unreadable(failure: Failure) -> Result<Settlement, Failure> {
    if failure == translate::PAYLOAD_UNREADABLE || failure == translate::PAYLOAD_PURGED {
        return Ok(Settlement::Quarantined(Cause { code: failure.code(), http_status: None }));
    }
    Err(failure)
}

/// What the clinic's server refuses or fails at is no verdict of the partner's, and nothing against the
/// partner's server: the update waits for the clinic.
fn at_the_source(failure: &Failure) -> Failure {
    let code = if failure.is_lasting() { "clinic-refused" } else { failure.code() };
    Failure::AtSource { code, status: failure.status() }
}
