//! Three-valued truth.

use serde::{Deserialize, Serialize};

/// What cannot be told is neither true nor false (Kleene's logic; consent S1). In ascending order, so that
/// AND is the minimum and OR the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Truth {
    /// Certainly not.
    #[serde(rename = "F")]
    False,
    /// It cannot be told.
    #[serde(rename = "U")]
    Unknown,
    /// Certainly.
    #[serde(rename = "T")]
    True,
}

impl Truth {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// Any of these; of none, false.
    pub fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        truths.into_iter().max().unwrap_or(Self::False)
    }

    /// All of these; of none, true.
    pub fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        truths.into_iter().min().unwrap_or(Self::True)
    }
}

impl From<bool> for Truth {
    fn from(certain: bool) -> Self {
        if certain { Self::True } else { Self::False }
    }
}
