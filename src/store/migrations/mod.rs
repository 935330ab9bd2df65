//! The ledger's layouts, for both databases.

/// The first layout that this program reads; the two before it were of versions that were never released.
const FIRST: i64 = 3;

/// The migrations, in order.
const MIGRATIONS: [&str; 3] =
    [include_str!("0003_ledger.sql"), include_str!("0004_outcomes.sql"), include_str!("0005_replies.sql")];

/// Another version of the gateway made the ledger.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LayoutError {
    /// A newer one.
    #[error(
        "the ledger was made by a newer gateway (its layout is {found}, this one knows {known}): start that one"
    )]
    Newer {
        /// The ledger's layout.
        found: i64,
        /// The newest layout that we know.
        known: i64,
    },
    /// One that was never released.
    #[error(
        "the ledger was made by an unreleased gateway (its layout is {0}), which this one cannot read: start \
         with a new ledger"
    )]
    Unreleased(i64),
}

/// How many migrations ran in a ledger whose layout has this number; 0 is a new ledger.
pub(super) fn done(found: i64) -> Result<usize, LayoutError> {
    let known = FIRST - 1 + i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    match found {
        0 => Ok(0),
        _ if found > known => Err(LayoutError::Newer { found, known }),
        _ => {
            let done = usize::try_from(found - FIRST + 1).ok().filter(|done| *done > 0);
            done.ok_or(LayoutError::Unreleased(found))
        }
    }
}

/// The migrations that are still to run, each with the number of the layout that it makes.
pub(super) fn after(done: usize) -> impl Iterator<Item = (i64, &'static str)> {
    (FIRST..).zip(MIGRATIONS).skip(done)
}
