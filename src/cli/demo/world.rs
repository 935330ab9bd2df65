//! The demo's world: a clinic, a partner, and the gateway between them.

use std::fs;
use std::path::PathBuf;

use crate::app::{Gateway, Sockets};
use crate::config;
use crate::config::environment::ProcessEnvironment;
use crate::config::problem::Problem;
use crate::fhir::client::http_client;
use crate::model::sensitive::Sensitive;
use crate::sandbox::clinic::SimulatedClinic;
use crate::sandbox::fhir_server::{FhirServer, FhirServerOptions};
use crate::sandbox::gateway_client::{GatewayAccess, GatewayClient};
use crate::sandbox::partner::SimulatedPartner;
use tokio::net::TcpListener;

/// The client secret of the demo's partner.
pub const SECRET: &str = "demo-secret";
const HOOK_TOKEN: &str = "demo-hook";

/// Everything that runs in a demo.
pub struct World {
    /// The gateway.
    pub gateway: Gateway,
    /// The clinic.
    pub clinic: SimulatedClinic,
    /// The partner.
    pub partner: SimulatedPartner,
    public_url: String,
    folder: PathBuf,
}

impl World {
    /// Starts all three on free ports of this machine, with settings and ledger in a temporary folder.
    pub async fn start() -> Result<Self, String> {
        let server = async || FhirServer::start(FhirServerOptions::default()).await;
        let (clinic, partner) = match (server().await, server().await) {
            (Ok(clinic), Ok(partner)) => (clinic, partner),
            (Err(error), _) | (_, Err(error)) => return Err(error.to_string()),
        };
        let public = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let operator = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let sockets = Sockets { public, operator };
        let folder = std::env::temp_dir().join(format!("referral-gateway-demo-{}", std::process::id()));
        let public_url =
            write_settings(&folder, &sockets, &clinic, &partner).map_err(|error| error.to_string())?;
        let gateway = start_gateway(&folder, sockets).await?;
        let client = GatewayClient::new(GatewayAccess {
            public_url: public_url.clone(),
            client_id: "lakeside".to_owned(),
            client_secret: Sensitive::new(SECRET.to_owned()),
            scope: "system/*.cruds".to_owned(),
        });
        let (clinic, partner) = (SimulatedClinic::new(clinic), SimulatedPartner::new(partner, client));
        Ok(Self { gateway, clinic, partner, public_url, folder })
    }

    /// Where everything is.
    pub fn addresses(&self) -> String {
        format!(
            "export GATEWAY={}\nexport CLINIC={}\nexport LAKESIDE={}\nexport DEMO={}\n",
            self.public_url,
            self.clinic.server().base_url(),
            self.partner.server().base_url(),
            self.folder.display(),
        )
    }

    /// The clinic's server tells the gateway that something changed.
    pub async fn clinic_calls(&self) -> Result<(), String> {
        let address = format!("{}/hooks/clinic", self.public_url);
        let answer = http_client().post(address).bearer_auth(HOOK_TOKEN).send().await;
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("the hook answered {}", answer.status())),
            Err(_) => Err("the hook did not answer".to_owned()),
        }
    }

    /// Stops everything and removes the folder.
    pub async fn stop(self) {
        self.gateway.stop().await;
        self.clinic.server().stop().await;
        self.partner.server().stop().await;
        // A temporary folder that stays does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

async fn start_gateway(folder: &std::path::Path, sockets: Sockets) -> Result<Gateway, String> {
    let loaded = config::load(folder, &ProcessEnvironment);
    let problems: Vec<String> = loaded.problems.iter().map(Problem::to_text).collect();
    let config = loaded.config.filter(|_| problems.is_empty()).ok_or_else(|| problems.join("\n"))?;
    let mut gateway = Gateway::start(config, sockets, None).await.map_err(|error| error.to_string())?;
    gateway.run_in_background();
    Ok(gateway)
}

fn write_settings(
    folder: &std::path::Path,
    sockets: &Sockets,
    clinic: &FhirServer,
    partner: &FhirServer,
) -> std::io::Result<String> {
    fs::create_dir_all(folder.join("partners"))?;
    let (listen, operator) = (sockets.public.local_addr()?, sockets.operator.local_addr()?);
    let public_url = format!("http://{listen}");
    let data = folder.display();
    let gateway = format!(
        r#"[server]
listen = "{listen}"
public_url = "{public_url}"
operator_listen = "{operator}"
allow_private_networks = true

[limits]
free_disk_bytes = 0
free_disk_percent = 0
ballast_bytes = 0

[store]
url = "sqlite:{data}/gateway.db"
encryption_key_file = "{data}/gateway.key"

[clinic]
base_url = "{clinic}"
name = "Harbour Clinic"
hook_token = "{HOOK_TOKEN}"
poll_interval_s = 1

[consent.default]
preset = "opt-in-hold"

[delivery]
quiet_period_s = 1
first_retry_s = 1
"#,
        clinic = clinic.base_url(),
    );
    let lakeside = format!(
        r#"id = "lakeside"
name = "Lakeside Family Medicine"
kind = "primary-care"
organization = {{ system = "http://hl7.org/fhir/sid/us-npi", value = "1234567893" }}

[inbound]
client_id = "lakeside"
client_secret = "{SECRET}"

[outbound]
mode = "rest"
base_url = "{partner}"
share = ["referral-status", "scheduling", "communication", "visit-summary", "results", "care-plan"]
"#,
        partner = partner.base_url(),
    );
    fs::write(folder.join("gateway.toml"), gateway)?;
    fs::write(folder.join("partners/lakeside.toml"), lakeside)?;
    Ok(public_url)
}
