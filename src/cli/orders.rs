//! Orders to a running gateway, through its operator's door.

use std::process::ExitCode;

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::settings::SettingsFolder;
use super::{fail, say};
use crate::fhir::client::http_client;
use crate::fhir::json;
use crate::model::delivery::DeliveryState;

/// Who orders something, and why: it stands in the ledger.
#[derive(Args, Debug)]
pub struct Order {
    /// Who you are; your user name by default.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
    pub by: String,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub why: String,
}

impl Order {
    /// As the gateway reads it.
    pub fn as_json(&self) -> Value {
        json!({ "by": self.by, "why": self.why })
    }
}

/// How to list what the gateway answers.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    settings: SettingsFolder,
    /// Write one JSON object a line.
    #[arg(long)]
    json: bool,
}

impl List {
    /// Asks at `/admin/` and this name, and says each of what is answered under it.
    pub async fn run(self, name: &str, line: impl Fn(&Value) -> String) -> Result<ExitCode, ExitCode> {
        let answer = ask(&self.settings, Method::GET, &format!("/admin/{name}"), None).await?;
        for it in answer[name].as_array().into_iter().flatten() {
            say(&if self.json { it.to_string() } else { line(it) });
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Asks the gateway of these settings. The answer, or the exit code after its refusal was shown.
pub async fn ask(
    settings: &SettingsFolder,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, ExitCode> {
    let listen = settings.config()?.server.operator_listen;
    let mut request = http_client().request(method, format!("http://{listen}{path}"));
    if let Some(body) = body {
        request = request.header(http::header::CONTENT_TYPE, "application/json").body(body.to_string());
    }
    let Ok(response) = request.send().await else {
        return Err(fail(&format!("no gateway answers at {listen}; only one that runs takes orders")));
    };
    let status = response.status();
    let body = response.bytes().await.unwrap_or_default();
    let answer = json::parse(&body).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(answer);
    }
    let reason = answer["error"].as_str().map(str::to_owned);
    Err(fail(&reason.unwrap_or_else(|| format!("the gateway at {listen} does not take this: {status}"))))
}

/// Orders something, and says what will come of it.
pub async fn order(
    settings: &SettingsFolder,
    path: &str,
    body: Option<&Value>,
    outcome: &str,
) -> Result<ExitCode, ExitCode> {
    ask(settings, Method::POST, path, body).await?;
    say(outcome);
    Ok(ExitCode::SUCCESS)
}

/// A state of deliveries, as operators type it.
pub(super) fn state(word: &str) -> Result<DeliveryState, String> {
    let found = DeliveryState::ALL.into_iter().find(|state| state.word() == word);
    found.ok_or_else(|| {
        let words: Vec<&str> = DeliveryState::ALL.iter().map(|state| state.word()).collect();
        format!("use one of {}", words.join(", "))
    })
}
