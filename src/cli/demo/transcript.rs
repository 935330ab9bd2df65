//! What the newcomer reads.

use crate::cli::say;

/// Numbers the steps of a story and prints them.
#[derive(Debug, Default)]
pub struct Transcript {
    steps: usize,
}

impl Transcript {
    /// A transcript that has no step yet.
    pub const fn new() -> Self {
        Self { steps: 0 }
    }

    /// A line outside the steps.
    pub fn line(&self, text: &str) {
        say(text);
    }

    /// The next step: what somebody does.
    pub fn step(&mut self, who: &str, what: &str) {
        self.steps += 1;
        say(&format!("{:>2}  {who:<10} {what}", self.steps));
    }

    /// What came of the step.
    pub fn then(&self, sign: &str, what: &str) {
        say(&format!("      {sign:<8} {what}"));
    }
}
