//! What the documents say is so: every code and every log field is in its list, every link leads somewhere,
//! and every command that a reader may paste works.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Blocks of `sh` that are not run here, and why not.
const NOT_RUN: [(&str, &str); 4] = [
    ("cargo test --locked", "it runs this very test"),
    ("cargo run -- demo", "it stays up; DemoWorld starts it, and the other blocks use its addresses"),
    ("cargo run -- serve --config config", "it stays up; .ci/run starts it, asks it and stops it"),
    ("referral-gateway serve --config harbour", "it stays up, and its clinic is invented"),
];

/// What the commands of a document must print somewhere, so that they not only end well.
const PRINTED: [(&str, &str); 8] = [
    ("README.md", "The loop is closed"),
    ("README.md", "SEND_RESOURCE_TYPE_UNEXPECTED"),
    ("README.md", "\"transaction-response\""),
    ("README.md", "sensitivity-not-named"),
    ("docs/how-to/back-up-and-restore.md", "ledger/gateway.db is whole, and the key fits"),
    ("docs/how-to/watch-the-gateway.md", "deliveries recorded"),
    ("docs/how-to/say-more-about-a-referral.md", "Sent on Monday."),
    ("docs/how-to/find-out-why-an-update-was-not-sent.md", "is due now"),
];

#[test]
fn every_code_that_a_caller_can_receive_is_in_the_list_of_errors() {
    let mut in_source = BTreeSet::new();
    for (_, text) in sources() {
        for literal in text.split('"').filter(|it| is_code(it)) {
            in_source.insert(literal.to_owned());
        }
    }

    let listed = rows(&read("docs/ERRORS.md")).into_iter().filter(|it| is_code(it)).collect();

    assert_same("docs/ERRORS.md", &in_source, &listed);
}

#[test]
fn every_log_field_and_message_is_in_the_list_of_log_lines() {
    let (mut fields, mut messages) = (BTreeSet::new(), BTreeSet::new());
    for (file, text) in sources() {
        let attributes = ["#[instrument", "#[tracing::instrument"].iter().any(|it| text.contains(it));
        assert!(!attributes, "{}: this test does not read #[instrument]", file.display());
        for (name, arguments) in tracing_calls(&file, &text) {
            for argument in arguments {
                match argument.strip_prefix('"') {
                    Some(message) if !name.ends_with("span") => {
                        messages.insert(message.trim_end_matches('"').to_owned());
                    }
                    Some(_) => {}
                    None => drop(fields.insert(field_name(&file, &argument))),
                }
            }
        }
        for recorded in text.split(".record(\"").skip(1) {
            fields.insert(recorded.split('"').next().unwrap().to_owned());
        }
    }

    let document = read("docs/LOGGING.md");
    let (listed_fields, rest) = document.split_once("\n## Messages").unwrap();
    let (listed_messages, _) = rest.split_once("\n## Reading").unwrap();
    assert_same("docs/LOGGING.md, fields", &fields, &rows(listed_fields));
    assert_same("docs/LOGGING.md, messages", &messages, &rows(listed_messages));
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    for document in documents() {
        let text = read(&document);
        for link in text.split("](").skip(1).map(|it| it.split(')').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            if !file.is_empty() && !file.contains("://") {
                let target = root().join(&document).parent().unwrap().join(file);
                assert!(target.exists(), "{document}: nothing is at {link}");
            }
        }
    }
}

#[test]
fn every_command_that_is_shown_works_as_written() {
    let world = DemoWorld::start();
    let mut not_run: BTreeSet<&str> = NOT_RUN.iter().map(|(block, _)| *block).collect();
    for document in documents() {
        let blocks = shell_blocks(&read(&document));
        let (left_out, run): (Vec<String>, Vec<String>) =
            blocks.into_iter().partition(|it| NOT_RUN.iter().any(|(block, _)| block == it));
        for block in &left_out {
            not_run.remove(block.as_str());
        }

        let printed = world.run(&document, &run);

        for (_, expected) in PRINTED.iter().filter(|(of, _)| *of == document) {
            assert!(printed.contains(expected), "{document} does not print `{expected}`:\n{printed}");
        }
    }
    assert!(not_run.is_empty(), "no document shows these any more: {not_run:?}");
}

/// A running `demo`, with the variables that it tells a reader to export.
struct DemoWorld {
    demo: Child,
    variables: Vec<(String, String)>,
}

impl DemoWorld {
    fn start() -> Self {
        let mut demo = Command::new(env!("CARGO_BIN_EXE_referral-gateway"))
            .arg("demo")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(demo.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        loop {
            let Some(line) = lines.next() else { panic!("the demo ended:\n{}", said.join("\n")) };
            if line.starts_with("The gateway stays up") {
                break;
            }
            said.push(line);
        }
        // Somebody must go on reading, or the demo would wait for it.
        std::thread::spawn(move || lines.for_each(drop));
        let exports = said.iter().filter_map(|it| it.strip_prefix("export ")?.split_once('='));
        let variables = exports.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { demo, variables }
    }

    /// Runs the blocks of one document in one shell, as a reader would, in a copy of what they need.
    fn run(&self, document: &str, blocks: &[String]) -> String {
        let folder = tempfile::tempdir().unwrap();
        for name in ["config", "fixtures"] {
            copy(&root().join(name), &folder.path().join(name));
        }
        let binary = Path::new(env!("CARGO_BIN_EXE_referral-gateway"));
        let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
        let script = format!(
            "set -euo pipefail; trap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\n{}",
            blocks.join("\n").replace("cargo run -- ", "referral-gateway ")
        );
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(&folder)
            .env("PATH", path)
            .envs(self.variables.clone())
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{document}: a command fails\n{printed}\n{told}");
        printed
    }
}

impl Drop for DemoWorld {
    fn drop(&mut self) {
        // An interrupt, as a reader would send it: the demo then takes its folder away.
        let pid = self.demo.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.demo.wait();
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// Every document, by its path from the root.
fn documents() -> Vec<String> {
    let all = files(&root().join("docs")).into_iter().chain([root().join("README.md")]);
    let markdown = all.filter(|it| it.extension().is_some_and(|end| end == "md"));
    markdown.map(|it| it.strip_prefix(root()).unwrap().display().to_string()).collect()
}

/// Every source file without its tests.
fn sources() -> Vec<(PathBuf, String)> {
    let is_test =
        |it: &Path| it.components().any(|part| part.as_os_str() == "tests") || it.ends_with("tests.rs");
    let code =
        files(&root().join("src")).into_iter().filter(|it| it.extension().is_some_and(|end| end == "rs"));
    code.filter(|it| !is_test(it.strip_prefix(root()).unwrap()))
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
            (file, text[..end].to_owned())
        })
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

fn is_code(text: &str) -> bool {
    let rest = ["SEND_", "GW_", "CLINIC_"].iter().find_map(|prefix| text.strip_prefix(prefix));
    rest.is_some_and(|it| !it.is_empty() && it.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
}

/// What stands in backquotes in the first cell of each row.
fn rows(markdown: &str) -> BTreeSet<String> {
    let cells = markdown.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    cells.map(|(name, _)| name.to_owned()).collect()
}

fn assert_same(document: &str, in_source: &BTreeSet<String>, listed: &BTreeSet<String>) {
    let missing: Vec<_> = in_source.difference(listed).collect();
    let gone: Vec<_> = listed.difference(in_source).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "{document}: without a row {missing:?}, no longer there {gone:?}"
    );
}

fn shell_blocks(markdown: &str) -> Vec<String> {
    let blocks = markdown.split("\n```sh\n").skip(1);
    blocks.map(|it| it.split("\n```").next().unwrap().to_owned()).collect()
}

/// The calls of tracing's macros, each with its arguments. They are written as `tracing::name!`, and this
/// fails on another way of writing, so that nothing is overlooked.
fn tracing_calls(file: &Path, text: &str) -> Vec<(String, Vec<String>)> {
    let mut calls = Vec::new();
    for level in ["trace", "debug", "info", "warn", "error", "event", "span"] {
        for name in [level.to_owned(), format!("{level}_span")] {
            for (at, _) in text.match_indices(&format!("{name}!(")) {
                let before = &text[..at];
                if before.ends_with(|it: char| it.is_alphanumeric() || it == '_') {
                    continue; // The end of a longer name.
                }
                assert!(before.ends_with("tracing::"), "{}: write tracing::{name}!", file.display());
                calls.push((name.clone(), arguments(&text[at + name.len() + 2..])));
            }
        }
    }
    calls
}

/// Splits at the commas that stand neither in brackets nor in a text, up to the closing bracket.
fn arguments(text: &str) -> Vec<String> {
    let (mut found, mut current) = (Vec::new(), String::new());
    let (mut depth, mut in_text, mut escaped) = (0, false, false);
    for it in text.chars() {
        match it {
            _ if in_text => in_text = it != '"' || escaped,
            '"' => in_text = true,
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        escaped = in_text && it == '\\' && !escaped;
        current.push(it);
    }
    found.push(current);
    found.iter().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

/// `%error` → `error`, `http.status = 5` → `http.status`, `took_ms` → `took_ms`.
fn field_name(file: &Path, argument: &str) -> String {
    let (name, _) = argument.split_once(" = ").unwrap_or((argument, ""));
    let name = name.trim_start_matches(['%', '?']);
    let is_name = name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || "_.".contains(it));
    assert!(is_name && !name.is_empty(), "{}: no field name in `{argument}`", file.display());
    name.to_owned()
}
