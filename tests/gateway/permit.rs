//! No byte towards a partner without a Permit: a program that tries does not compile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn nobody_outside_consent_can_make_a_permit() {
    let errors = compile(
        "use referral_gateway::consent::permit::Permit;
         use referral_gateway::model::{ids::PartnerId, update::{DecisionNote, ResourceVersion}};
         pub fn forge(resource: ResourceVersion, recipient: PartnerId, note: DecisionNote) -> Permit {
             Permit { resource, recipient, note, removals: vec![], obligations: vec![] }
         }",
    );

    assert!(errors.contains("error[E0451]"), "{errors}");
}

#[test]
fn the_maker_of_permits_cannot_be_called() {
    let errors = compile(
        "use referral_gateway::consent::permit::Permit;
         use referral_gateway::model::{ids::PartnerId, update::{DecisionNote, ResourceVersion}};
         pub fn forge(resource: ResourceVersion, recipient: PartnerId, note: DecisionNote) -> Permit {
             Permit::new(resource, recipient, note)
         }",
    );

    assert!(errors.contains("error[E0624]"), "{errors}");
}

#[test]
fn a_permit_is_neither_copied_nor_read_from_somewhere() {
    for attempt in [
        "pub fn copy(permit: &Permit) -> Permit { permit.clone() }",
        "pub fn make() -> Permit { Permit::default() }",
        "pub fn read(text: &str) -> Permit { text.parse().unwrap() }",
    ] {
        let errors = compile(&format!("use referral_gateway::consent::permit::Permit;\n{attempt}"));

        assert!(errors.contains("error[E0"), "{attempt}: {errors}");
    }
}

#[test]
fn nothing_is_reduced_towards_a_partner_without_a_permit() {
    let errors = compile(
        "use referral_gateway::outbound::{read::Content, redact::{Reduced, to_minimum}};
         pub fn reduce(content: Content) -> Option<Reduced> {
             to_minimum(content, referral_gateway::consent::redact::Mark::Silent)
         }",
    );

    assert!(errors.contains("error[E0061]"), "{errors}");
}

#[test]
fn what_a_partner_gets_cannot_be_made_by_hand() {
    let errors = compile(
        "use referral_gateway::outbound::translate::ForPartner;
         pub fn make() -> ForPartner {
             ForPartner { main: Default::default(), companions: Vec::new(), place: String::new(), told: None }
         }",
    );

    assert!(errors.contains("error[E0451]"), "{errors}");
}

#[test]
fn with_a_permit_the_same_program_compiles() {
    let errors = compile(
        "use referral_gateway::consent::{permit::Permit, redact::Mark};
         use referral_gateway::outbound::{read::Content, redact::{Reduced, to_minimum}};
         pub fn reduce(content: Content, permit: &Permit) -> Option<Reduced> {
             to_minimum(content, permit, Mark::Silent)
         }",
    );

    assert_eq!(errors, "");
}

/// Compiles a library against the gateway's and gives what the compiler has to say.
fn compile(source: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("attempt.rs");
    fs::write(&file, source).unwrap();
    let executable = std::env::current_exe().unwrap();
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler)
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--out-dir"])
        .arg(folder.path())
        .arg("-L")
        .arg(format!("dependency={}", executable.parent().unwrap().display()))
        .arg("--extern")
        .arg(format!("referral_gateway={}", linked_library(&executable).display()))
        .arg(&file)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), errors.is_empty(), "{errors}");
    errors
}

/// The library that this executable was linked with: the newest that is not younger. Other builds in the same
/// folder may have come since.
fn linked_library(executable: &Path) -> PathBuf {
    let built = |it: &Path| fs::metadata(it).and_then(|it| it.modified()).unwrap();
    let folder = fs::read_dir(executable.parent().unwrap()).unwrap();
    let libraries = folder.map(|it| it.unwrap().path()).filter(|it| {
        let name = it.file_name().unwrap().to_string_lossy();
        name.starts_with("libreferral_gateway-") && name.ends_with(".rlib")
    });
    let before = libraries.filter(|it| built(it) <= built(executable));
    before.max_by_key(|it| built(it)).expect("it was built")
}
