//! Where choices come from: a seed, or whatever a fuzzer brings.

/// Chooses by a stream of numbers.
pub(crate) struct Choice<'a>(pub(crate) Box<dyn FnMut() -> u64 + 'a>);

impl Choice<'_> {
    /// The same seed chooses the same. SplitMix64: small, and good enough to choose mistakes.
    pub(crate) fn seeded(mut state: u64) -> Self {
        Self(Box::new(move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }))
    }

    /// One of this many, from 0. Of none: 0.
    pub(crate) fn of(&mut self, many: usize) -> usize {
        let many = u64::try_from(many.max(1)).unwrap_or(u64::MAX);
        usize::try_from((self.0)() % many).unwrap_or_default()
    }

    /// One of these.
    pub(crate) fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.of(of.len())]
    }
}
