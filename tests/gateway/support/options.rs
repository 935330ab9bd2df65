//! Which settings a test gateway has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use super::SECRET;

/// What differs between test gateways.
#[derive(Clone, Debug)]
pub struct Options {
    /// The partners' ids.
    pub partners: Vec<&'static str>,
    /// `rest` or `inbox`.
    pub mode: &'static str,
    /// The clinic's default where no Consent speaks.
    pub preset: &'static str,
    /// Further lines for gateway.toml.
    pub gateway_lines: &'static str,
    /// What stands in `[limits]`. By default nothing depends on this machine's disk, and the clock stands still,
    /// so that no caller gets a new share.
    pub limits: &'static str,
    /// Further lines for the section `[clinic]`.
    pub clinic_lines: &'static str,
    /// Further lines for the section `[outbound]` of each partner's file.
    pub partner_lines: &'static str,
    /// Further lines at the head of one partner's file.
    pub partner_heads: BTreeMap<&'static str, &'static str>,
    /// Definitions in the clinic's folder of profiles: file and content.
    pub profiles: Vec<(&'static str, String)>,
    /// The keys of updates that may go back.
    pub share: &'static [&'static str],
    /// The public keys by which partners prove who they are; none: they have a client secret.
    pub jwks: Option<String>,
    /// By how many seconds the clock of the gateway's machine is wrong; none: it reads the test's clock itself.
    pub wrong_by: Option<Arc<AtomicI64>>,
}

const LIMITS: &str = "burst = 1000000
token_burst = 1000000
free_disk_bytes = 0
free_disk_percent = 0
ballast_bytes = 0";

/// Where everybody is.
pub(super) struct Addresses<'a> {
    pub(super) public: &'a str,
    pub(super) operator: &'a str,
    pub(super) clinic: &'a str,
    pub(super) partners: &'a BTreeMap<&'static str, String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            partners: vec!["lakeside"],
            mode: "rest",
            preset: "opt-in-hold",
            gateway_lines: "",
            limits: LIMITS,
            clinic_lines: "",
            partner_lines: "",
            partner_heads: BTreeMap::new(),
            profiles: Vec::new(),
            share: &[
                "referral-status",
                "scheduling",
                "communication",
                "visit-summary",
                "results",
                "care-plan",
            ],
            jwks: None,
            wrong_by: None,
        }
    }
}

impl Options {
    pub(super) fn write(&self, folder: &Path, addresses: &Addresses<'_>) {
        let Addresses { public, operator, clinic, partners } = addresses;
        let data = folder.display();
        let gateway = format!(
            r#"[server]
listen = "{public}"
public_url = "http://{public}"
operator_listen = "{operator}"
allow_private_networks = true
max_body_bytes = 1048576
body_timeout_s = 2
shutdown_grace_s = 2
send_grace_s = 2

[limits]
{limits}

[store]
url = "sqlite:{data}/gateway.db"
encryption_key_file = "{data}/gateway.key"

[clinic]
base_url = "{clinic}"
name = "Harbour Clinic"
hook_token = "hook-token"
timeout_s = 2
{clinic_lines}

[consent.default]
preset = "{preset}"

{lines}
{profiles}
"#,
            profiles = self.write_profiles(folder),
            preset = self.preset,
            limits = self.limits,
            clinic_lines = self.clinic_lines,
            lines = self.gateway_lines,
        );
        fs::create_dir_all(folder.join("partners")).unwrap();
        fs::write(folder.join("gateway.toml"), gateway).unwrap();
        if let Some(jwks) = &self.jwks {
            fs::write(folder.join("jwks.json"), jwks).unwrap();
        }
        for (id, base) in *partners {
            fs::write(folder.join(format!("partners/{id}.toml")), self.partner(folder, id, base)).unwrap();
        }
    }

    /// The section `[profiles]`, where there are any.
    fn write_profiles(&self, folder: &Path) -> String {
        let directory = folder.join("profiles");
        for (file, content) in &self.profiles {
            let file = directory.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        if self.profiles.is_empty() {
            return String::new();
        }
        format!("[profiles]\ndirectory = \"{}\"", directory.display())
    }

    fn partner(&self, folder: &Path, id: &str, base: &str) -> String {
        let proof = match &self.jwks {
            Some(_) => format!("jwks_file = \"{}\"", folder.join("jwks.json").display()),
            None => format!("client_secret = {SECRET:?}"),
        };
        format!(
            r#"id = "{id}"
name = "Family Medicine at {id}"
organization = {{ system = "http://hl7.org/fhir/sid/us-npi", value = "1234567893" }}
{head}

[inbound]
client_id = "{id}"
{proof}

[outbound]
mode = "{mode}"
base_url = "{base}"
share = {share:?}
timeout_s = 2
{lines}
"#,
            head = self.partner_heads.get(id).copied().unwrap_or_default(),
            lines = self.partner_lines,
            mode = self.mode,
            share = self.share,
        )
    }
}
