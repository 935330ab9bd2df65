//! `consent explain`: why was this sent, or not? Of a delivery, the decision as it was made is told from the
//! audit trail, with or without a running gateway. Of a resource, the gateway is asked what consent would say.

use std::process::ExitCode;

use clap::{ArgGroup, Args};
use serde_json::json as object;

use super::settings::SettingsFolder;
use super::{fail, say};
use crate::consent::explain::explain;
use crate::consent::trace::Trace;
use crate::fhir::client::http_client;
use crate::fhir::json;
use crate::model::audit::{AuditFilter, AuditKind, AuditRecord};
use crate::model::delivery::{Delivery, Owed};
use crate::model::ids::DeliveryId;
use crate::store::Store;

/// Which decision.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("question").required(true).args(["delivery", "partner"])))]
pub struct Explain {
    /// The last decision about this delivery, as it was made.
    #[arg(long, value_name = "dlv-…", conflicts_with_all = ["partner", "resource", "at"])]
    delivery: Option<DeliveryId>,
    /// What consent would say if this partner were to get a resource. The gateway must be running.
    #[arg(long, value_name = "ID", requires = "resource")]
    partner: Option<String>,
    /// The resource at the clinic, such as DiagnosticReport/5.
    #[arg(long, value_name = "REF", requires = "partner")]
    resource: Option<String>,
    /// As if it were this instant, such as 2026-03-10T15:00:00Z; by the Consents of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    settings: SettingsFolder,
    /// Write one JSON object: the whole trace.
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Exit code 0: it was told.
    pub async fn run(self) -> ExitCode {
        let ended = match self.delivery {
            Some(delivery) => self.of_delivery(delivery).await,
            None => self.of_resource().await,
        };
        // Either way an exit code; an early one has told its reason.
        ended.unwrap_or_else(|code| code)
    }

    async fn of_delivery(&self, id: DeliveryId) -> Result<ExitCode, ExitCode> {
        let store = self.settings.ledger().await?;
        let (delivery, record, trace) =
            last_decision(store.as_ref(), id).await.map_err(|reason| fail(&reason))?;
        say(&if self.json {
            let decided = record.record.at.to_string();
            object!({ "delivery": id.to_string(), "decided": decided, "trace": trace }).to_string()
        } else {
            format!("{}\n{}", heading(&delivery, &record), explain(&trace))
        });
        Ok(ExitCode::SUCCESS)
    }

    async fn of_resource(&self) -> Result<ExitCode, ExitCode> {
        let config = self.settings.config()?;
        let address = format!("http://{}/admin/consent/explain", config.server.operator_listen);
        let question = object!({ "partner": self.partner, "resource": self.resource, "at": self.at });
        let request = http_client().post(address).header("content-type", "application/json");
        let Ok(response) = request.body(question.to_string()).send().await else {
            return Err(fail(&format!("no gateway answers at {}", config.server.operator_listen)));
        };
        let body = response.bytes().await.unwrap_or_default();
        let answer = json::parse(&body).unwrap_or_default();
        match answer["explanation"].as_str() {
            Some(_) if self.json => say(&answer["trace"].to_string()),
            Some(explanation) => say(explanation),
            None => return Err(fail(answer["error"].as_str().unwrap_or("the gateway gave no answer"))),
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn last_decision(store: &dyn Store, id: DeliveryId) -> Result<(Delivery, AuditRecord, Trace), String> {
    let delivery = store.delivery(id).await.map_err(|error| error.to_string())?;
    let delivery = delivery.ok_or_else(|| format!("there is no delivery {id}"))?;
    let filter = AuditFilter {
        kind: Some(AuditKind::Decision),
        delivery: Some(id),
        limit: 1,
        ..AuditFilter::default()
    };
    let found = store.audit_records(filter).await.map_err(|error| error.to_string())?;
    let record = found.into_iter().next().ok_or_else(|| format!("nothing was decided about {id} yet"))?;
    let content =
        json::parse(record.record.content.reveal()).map_err(|error| format!("the record {error}"))?;
    let trace = serde_json::from_value(content["trace"].clone());
    let trace =
        trace.map_err(|_| "the record was written by a gateway that explains otherwise".to_owned())?;
    Ok((delivery, record, trace))
}

fn heading(delivery: &Delivery, record: &AuditRecord) -> String {
    let what = match &delivery.task {
        Owed::Forward => "The referral".to_owned(),
        Owed::Reply(id, _) => format!("The reply {id}"),
        Owed::Deliver(update) => update.resource.to_string(),
    };
    format!(
        "{what} of {} for {} is {}. Last decided at {}.",
        delivery.referral,
        delivery.partner,
        delivery.state.word(),
        record.record.at
    )
}
