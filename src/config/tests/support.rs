//! A folder of settings to load.

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;

use crate::config::problem::Problem;
use crate::config::settings::Config;
use crate::config::{Loaded, load};

/// A partner without mistakes.
pub(super) const PARTNER: &str = r#"id = "oak"
name = "Oak Family"
organization = { system = "urn:oid:1.2.3", value = "7" }
[inbound]
client_id = "oak"
client_secret = "s3cret-in"
[outbound]
mode = "rest"
base_url = "https://oak.example/fhir/"
share = ["results"]
"#;

/// Settings in a temporary folder.
pub(super) struct Folder {
    pub(super) directory: TempDir,
    pub(super) environment: BTreeMap<String, String>,
}

impl Folder {
    /// A folder with this `gateway.toml` and no partner.
    pub(super) fn with_gateway(text: &str) -> Self {
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join("partners")).unwrap();
        let folder = Self { directory, environment: BTreeMap::new() };
        folder.and_file("gateway.toml", text)
    }

    /// A folder with defaults and one partner, `oak`.
    pub(super) fn with_partner(text: &str) -> Self {
        Self::with_gateway("").and_file("partners/oak.toml", text)
    }

    pub(super) fn and_file(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    pub(super) fn and_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Where a file of the folder is.
    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn load(&self) -> Loaded {
        load(self.directory.path(), &self.environment)
    }

    /// Loads settings that must have no mistake.
    pub(super) fn config(&self) -> Config {
        let loaded = self.load();
        assert_eq!(summary(&loaded.problems), "");
        loaded.config.unwrap()
    }

    /// Loads settings and tells the mistakes, one a line: `line:column CODE key`.
    pub(super) fn mistakes(&self) -> String {
        summary(&self.load().problems)
    }
}

/// The mistakes, one a line: `line:column CODE key`.
pub(super) fn summary(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| {
        let place = problem.place.as_ref().map_or("-".to_owned(), |it| format!("{}:{}", it.line, it.column));
        let code = problem.code.as_str().trim_start_matches("GW_CFG_");
        format!("{place} {code} {}", problem.key).trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}
