//! What looks for our own effects bring, after an outcome that was unknown.

/// Is told of each look for an effect of ours.
pub trait LookObserver: Send + Sync {
    /// At this server (`@clinic` or a partner's id) stood so many: `none`, `one` or `several`.
    fn looked(&self, endpoint: &str, found: &'static str);
}

/// Nobody counts.
impl LookObserver for () {
    fn looked(&self, _: &str, _: &'static str) {}
}
