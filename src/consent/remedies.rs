//! What would release a disclosure that is kept, denied or reduced.

use serde::{Deserialize, Serialize};

/// Changes that would release it if they were all made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {}
