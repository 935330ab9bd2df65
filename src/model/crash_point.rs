//! Places where a test stops the process, to kill it there (reference: delivery B6). A release build has
//! nothing of it: it looks at no variable and stops nowhere.

#[cfg(debug_assertions)]
mod armed {
    use std::io::Write as _;
    use std::path::Path;

    /// Names a folder. A point stops the process when a file of its name is in there.
    const FOLDER: &str = "REFERRAL_GATEWAY_CRASH_POINTS";

    /// Stops this thread for good and says so on stderr, if a test asks for it.
    pub fn crash_point(name: &str) {
        let asked = std::env::var_os(FOLDER).is_some_and(|it| Path::new(&it).join(name).exists());
        if !asked {
            return;
        }
        // Whoever asked reads stderr; if nobody does, stopping is still what was asked.
        let _ = writeln!(std::io::stderr(), "crash point {name}");
        loop {
            std::thread::park();
        }
    }
}

#[cfg(debug_assertions)]
pub use armed::crash_point;

/// Does nothing.
#[cfg(not(debug_assertions))]
pub const fn crash_point(_name: &str) {}
