//! The log of one test, and what may not be in it.

use std::io;
use std::sync::{Arc, Mutex};

use referral_gateway::telemetry::{self, Format};
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::EnvFilter;

/// Everything that is logged on the thread of a test, which is where all its tasks run.
pub struct CapturedLog {
    lines: Arc<Mutex<Vec<u8>>>,
    canaries: Canaries,
    expected_errors: Vec<String>,
    _guard: DefaultGuard,
}

impl CapturedLog {
    pub fn start() -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let writer = move || Sink(Arc::clone(&sink));
        let filter = EnvFilter::new("warn,referral_gateway=trace");
        let subscriber = telemetry::subscriber(Format::Json, filter, writer);
        let guard = tracing::subscriber::set_default(subscriber);
        Self { lines, canaries: Canaries::default(), expected_errors: Vec::new(), _guard: guard }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.lines.lock().unwrap().clone()).unwrap()
    }

    pub fn expect_error(&mut self, words: &str) {
        self.expected_errors.push(words.to_owned());
    }

    /// From here on no word that identifies a patient of this message may be logged.
    pub fn watch_for(&mut self, message: &Value) {
        self.canaries.watch_for(message);
    }

    /// No word of a watched message is in this text.
    pub fn assert_no_canary_in(&self, text: &str) {
        self.canaries.assert_none_in(text);
    }

    pub fn assert_clean(&self, secrets: &[&str]) {
        let text = self.text();
        self.canaries.assert_none_in(&text);
        for secret in secrets {
            assert!(!tells(&text, secret), "`{secret}` is in the log:\n{text}");
        }
        for line in text.lines().filter(|line| line.contains("\"level\":\"ERROR\"")) {
            let expected = self.expected_errors.iter().any(|words| line.contains(words));
            assert!(expected, "an unexpected error was logged: {line}");
        }
    }
}

/// Words that identify patients and may be nowhere but in the payload and on the wire.
#[derive(Default)]
pub struct Canaries(Vec<String>);

impl Canaries {
    /// From here on no word that identifies a patient of this message may be logged.
    pub fn watch_for(&mut self, message: &Value) {
        match message {
            Value::Object(map) => {
                if message["resourceType"] == "Patient" {
                    for element in ["name", "identifier", "telecom", "address", "birthDate"] {
                        texts(&message[element], &mut self.0);
                    }
                }
                for element in ["payload", "note", "div", "data"] {
                    texts(&message[element], &mut self.0);
                }
                map.values().for_each(|child| self.watch_for(child));
            }
            Value::Array(list) => list.iter().for_each(|child| self.watch_for(child)),
            _ => {}
        }
    }

    /// No word of a watched message is in this text.
    pub fn assert_none_in(&self, text: &str) {
        for canary in &self.0 {
            assert!(!tells(text, canary), "`{canary}` is in the log or an answer:\n{text}");
        }
    }
}

/// Whether a text holds a canary. One that is all digits, such as a postal code, also stands by chance inside
/// an id or a time; it counts where it stands alone.
fn tells(text: &str, canary: &str) -> bool {
    let by_chance = canary.bytes().all(|it| it.is_ascii_hexdigit());
    let part_of_word = |it: Option<char>| it.is_some_and(char::is_alphanumeric);
    text.match_indices(canary).any(|(at, _)| {
        let before = part_of_word(text[..at].chars().next_back());
        let after = part_of_word(text[at + canary.len()..].chars().next());
        !(by_chance && (before || after))
    })
}

/// Texts long enough to be telling; systems and codes are not.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        // The postal code of synthetic people is in every other timestamp.
        Value::String(text) if text == "00000" => {}
        Value::String(text) if text.len() >= 5 && !text.contains("://") => found.push(text.clone()),
        Value::Object(map) => {
            let telling =
                map.iter().filter(|(key, _)| !matches!(key.as_str(), "system" | "type" | "use" | "url"));
            telling.for_each(|(_, child)| texts(child, found));
        }
        Value::Array(list) => list.iter().for_each(|child| texts(child, found)),
        _ => {}
    }
}

struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
