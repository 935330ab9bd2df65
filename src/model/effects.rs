//! How an effect at another server is made to happen once (reference: delivery B5).

/// What is agreed with one server about writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteRules {
    /// The way to write.
    pub effects: Effects,
    /// Whether we look afterwards that there is one and not two.
    pub verify_unique: VerifyUnique,
}

/// The ways to write so that a repeat is no second effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effects {
    /// Chosen by what the server says that it can do.
    #[default]
    Auto,
    /// Under an id that we choose.
    ClientId,
    /// Several resources in one transaction of conditional creates.
    Transaction,
    /// Each resource created unless it is there.
    ConditionalCreate,
    /// Each resource written to where a search finds it.
    ConditionalUpdate,
    /// Plainly; after an unknown outcome again, so that there may be two.
    AtLeastOnce,
    /// Plainly; after an unknown outcome never again, so that there may be none.
    AtMostOnce,
}

/// When we look for a second one of what must be one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerifyUnique {
    /// After something was sent again whose first outcome was unknown.
    #[default]
    AfterUnknown,
    /// After each first write.
    Always,
    /// Not at all.
    Never,
}

impl WriteRules {
    /// Whether to look after a write that succeeded. `again`: an earlier try may have succeeded too.
    pub const fn must_verify(&self, again: bool) -> bool {
        match self.verify_unique {
            VerifyUnique::Always => true,
            VerifyUnique::AfterUnknown => again,
            VerifyUnique::Never => false,
        }
    }
}
