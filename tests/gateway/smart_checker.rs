//! The SMART Backend Services checker against the real program. It stays outside of this repository: where it is not
//! there, nor a Python that can run it, these tests say so and are skipped.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU16, Ordering};
use std::{env, fs};

use tempfile::TempDir;

use crate::process::{Serving, free_port, program};

#[test]
fn the_checker_finds_no_fault_with_an_rsa_key_by_value() {
    Checked::run(Key::Rsa, Keys::ByValue).assert_clean();
}

#[test]
fn the_checker_finds_no_fault_with_an_ec_key_by_value() {
    Checked::run(Key::Ec, Keys::ByValue).assert_clean();
}

#[test]
fn the_checker_finds_no_fault_with_an_rsa_key_by_url() {
    Checked::run(Key::Rsa, Keys::ByUrl).assert_clean();
}

#[test]
fn the_checker_finds_no_fault_with_an_ec_key_by_url() {
    Checked::run(Key::Ec, Keys::ByUrl).assert_clean();
}

#[derive(Clone, Copy)]
enum Key {
    Rsa,
    Ec,
}

#[derive(Clone, Copy, PartialEq)]
enum Keys {
    ByValue,
    ByUrl,
}

/// What the checker printed; none: it could not run here.
struct Checked(Option<String>);

impl Checked {
    fn run(key: Key, keys: Keys) -> Self {
        let Some(tools) = Tools::find() else {
            let reason = "skipped: the SMART checker, or a Python with `cryptography`, is not here";
            let _ = writeln!(io::stderr(), "{reason}");
            return Self(None);
        };
        let folder = TempDir::new().unwrap();
        let file = tools.new_key(folder.path(), key);
        let [public, operator, jwks] = [(); 3].map(|()| own_port());
        let mut scope = vec!["--scope", "system/ServiceRequest.rs", "--bad-scope", "system/Patient.cruds"];
        scope.extend(["--v1-scope", "system/ServiceRequest.read"]);
        scope.extend(["--resource", "ServiceRequest?_count=1", "--other-resource", "Patient?_count=1"]);
        let proof = if keys == Keys::ByUrl {
            format!("jwks_url = \"http://127.0.0.1:{jwks}/jwks.json\"")
        } else {
            let document = tools.checker(&["--key", &file, "--jwks-only"]).stdout;
            fs::write(folder.path().join("jwks.json"), document).unwrap();
            format!("jwks_file = \"{}\"", folder.path().join("jwks.json").display())
        };
        write_settings(folder.path(), [public, operator], &proof);
        let serving = Serving::start(folder.path());
        let (base, jwks) = (format!("http://127.0.0.1:{public}/fhir"), jwks.to_string());
        let mut arguments = vec!["--base", &base, "--client-id", "lakeside", "--key", &file];
        arguments.extend(scope);
        if keys == Keys::ByUrl {
            arguments.extend(["--jwks-port", &jwks]);
        }
        let printed = String::from_utf8(tools.checker(&arguments).stdout).unwrap();
        serving.terminate();
        Self(Some(printed))
    }

    fn assert_clean(&self) {
        let Some(printed) = &self.0 else { return };
        let failed: Vec<&str> = printed.lines().filter(|it| it.starts_with("FAIL")).collect();
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        let passed = printed.lines().filter(|it| it.starts_with("PASS")).count();
        assert!(passed > 90, "it checked little:\n{printed}");
    }
}

/// The checker and a Python that can run it.
struct Tools {
    python: PathBuf,
    checker: PathBuf,
}

impl Tools {
    /// `SMART_CHECKER` and `SMART_PYTHON` name them; whoever names them wants this to run.
    fn find() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let named = |variable: &str, beside: &str| {
            let path = env::var_os(variable).map_or_else(|| root.join(beside), PathBuf::from);
            let there = path.is_file();
            assert!(there || env::var_os(variable).is_none(), "{variable} names {}", path.display());
            there.then_some(path)
        };
        let checker = named("SMART_CHECKER", "../shared/checkers/smartcheck.py")?;
        let python = named("SMART_PYTHON", "target/ci-tools/python/bin/python")?;
        Some(Self { python, checker })
    }

    fn checker(&self, arguments: &[&str]) -> Output {
        let output = Command::new(&self.python).arg(&self.checker).args(arguments).output().unwrap();
        assert!(output.status.code() != Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn new_key(&self, folder: &Path, key: Key) -> String {
        let file = folder.join("key.pem").display().to_string();
        let make = match key {
            Key::Rsa => "rsa.generate_private_key(65537, 2048)",
            Key::Ec => "ec.generate_private_key(ec.SECP384R1())",
        };
        let script = format!(
            "from cryptography.hazmat.primitives import serialization as s\n\
             from cryptography.hazmat.primitives.asymmetric import ec, rsa\n\
             pem = {make}.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())\n\
             open({file:?}, 'wb').write(pem)\n"
        );
        assert!(Command::new(&self.python).args(["-c", &script]).status().unwrap().success());
        file
    }
}

/// A port that no other test takes meanwhile.
fn own_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(12_000);
    free_port(NEXT.fetch_add(97, Ordering::Relaxed))
}

/// Settings with ports of this test and these keys.
fn write_settings(folder: &Path, [public, operator]: [u16; 2], proof: &str) {
    let data = folder.display();
    let gateway = format!(
        "[server]\nlisten = \"127.0.0.1:{public}\"\npublic_url = \"http://127.0.0.1:{public}\"\n\
         operator_listen = \"127.0.0.1:{operator}\"\nallow_private_networks = true\n\
         [store]\nurl = \"sqlite:{data}/gateway.db\"\nencryption_key_file = \"{data}/gateway.key\"\n"
    );
    fs::create_dir(folder.join("partners")).unwrap();
    fs::write(folder.join("gateway.toml"), gateway).unwrap();
    let partner = format!(
        "id = \"lakeside\"\nname = \"Lakeside\"\n\
         organization = {{ system = \"http://hl7.org/fhir/sid/us-npi\", value = \"1234567893\" }}\n\
         [inbound]\nclient_id = \"lakeside\"\n{proof}\n\
         [outbound]\nmode = \"inbox\"\nshare = [\"referral-status\"]\n"
    );
    fs::write(folder.join("partners/lakeside.toml"), partner).unwrap();
    let checked = program().args(["check", "--config"]).arg(folder).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
