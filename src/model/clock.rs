//! Where the time comes from.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Tells the time. Injected, so that tests and the demo can set it.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A difference between the machine's clock and its monotonic one that is more than correction.
const JUMP: SignedDuration = SignedDuration::from_secs(5);

/// So long a new time of the machine must hold before it is believed.
const HOLDS: Duration = Duration::from_mins(10);

/// What the machine's two clocks show at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The wall clock, which an operator or a time server may set.
    pub wall: Timestamp,
    /// The monotonic clock, from wherever it began.
    pub passed: Duration,
}

/// The machine's clock without its jumps (reference: delivery F33). Within 5 s it is followed, never backwards. A
/// jump is told once; the time goes on as if there had been none, and the new one is adopted only after it has
/// held for 10 minutes, even if it is an earlier one. A machine that was suspended looks like a jump.
pub struct SteadyClock {
    read: Box<dyn Fn() -> Reading + Send + Sync>,
    jumped: Box<dyn Fn() + Send + Sync>,
    steady: Mutex<Steady>,
}

impl SteadyClock {
    /// Begins at the machine's present time. `jumped` is told of each jump, to count it.
    pub fn start(jumped: impl Fn() + Send + Sync + 'static) -> Self {
        let began = Instant::now();
        Self::reading(move || Reading { wall: SystemClock.now(), passed: began.elapsed() }, jumped)
    }

    /// A clock of these readings.
    pub fn reading(
        read: impl Fn() -> Reading + Send + Sync + 'static,
        jumped: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let steady = Mutex::new(Steady::at(read()));
        Self { read: Box::new(read), jumped: Box::new(jumped), steady }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let mut steady = self.steady.lock().expect("no holder of this lock panics");
        let (now, jump) = steady.next((self.read)());
        if let Some(by) = jump {
            tracing::warn!(jumped_s = by.as_secs(), "the machine's clock jumped");
            (self.jumped)();
        }
        now
    }
}

/// What a [`SteadyClock`] goes by.
struct Steady {
    /// The last reading that was believed.
    base: Reading,
    /// The last time that was told.
    told: Timestamp,
    jump: Option<Jump>,
}

/// The wall clock is this far off, since then.
struct Jump {
    by: SignedDuration,
    since: Duration,
}

impl Steady {
    const fn at(reading: Reading) -> Self {
        Self { base: reading, told: reading.wall, jump: None }
    }

    /// The time, and the jump that was just noticed.
    fn next(&mut self, reading: Reading) -> (Timestamp, Option<SignedDuration>) {
        let went = reading.passed.saturating_sub(self.base.passed);
        let steady = self.base.wall.saturating_add(went).unwrap_or(Timestamp::MAX);
        let by = reading.wall.duration_since(steady);
        if by.abs() <= JUMP {
            (self.base, self.jump) = (reading, None);
            return (self.tell(reading.wall), None);
        }
        let known = self.jump.as_ref().filter(|it| (by - it.by).abs() <= JUMP);
        match known.map(|it| reading.passed.saturating_sub(it.since)) {
            Some(held) if held >= HOLDS => {
                *self = Self::at(reading);
                (reading.wall, None)
            }
            Some(_) => (self.tell(steady), None),
            None => {
                self.jump = Some(Jump { by, since: reading.passed });
                (self.tell(steady), Some(by))
            }
        }
    }

    fn tell(&mut self, time: Timestamp) -> Timestamp {
        self.told = self.told.max(time);
        self.told
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct TestClock(Mutex<Timestamp>);

impl TestClock {
    /// A clock that shows `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves the clock forward.
    ///
    /// # Panics
    /// When the new time is beyond what a timestamp can hold.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().expect("no holder of this lock panics");
        *now = now.checked_add(by).expect("a test stays within the range of timestamps");
    }

    /// Sets the clock, forward or back, as an operator or a time server may.
    ///
    /// # Panics
    /// When a holder of its lock has panicked.
    pub fn set(&self, to: Timestamp) {
        *self.0.lock().expect("no holder of this lock panics") = to;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// The machine's two clocks, in seconds, and a clock that reads them.
    struct Machine {
        clocks: Arc<Mutex<(i64, u64)>>,
        jumps: Arc<AtomicU32>,
        clock: SteadyClock,
    }

    impl Machine {
        fn start() -> Self {
            let clocks = Arc::new(Mutex::new((1000, 0)));
            let jumps = Arc::new(AtomicU32::new(0));
            let (read, count) = (Arc::clone(&clocks), Arc::clone(&jumps));
            let clock = SteadyClock::reading(
                move || {
                    let (wall, passed) = *read.lock().unwrap();
                    let wall = Timestamp::from_second(wall).unwrap();
                    Reading { wall, passed: Duration::from_secs(passed) }
                },
                move || {
                    count.fetch_add(1, Ordering::Relaxed);
                },
            );
            Self { clocks, jumps, clock }
        }

        /// So much time passes, and somebody sets the wall clock besides.
        fn after(&self, seconds: u32, set_by: i64) -> i64 {
            let mut clocks = self.clocks.lock().unwrap();
            *clocks = (clocks.0 + i64::from(seconds) + set_by, clocks.1 + u64::from(seconds));
            drop(clocks);
            self.clock.now().as_second()
        }

        fn jumps(&self) -> u32 {
            self.jumps.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn small_corrections_are_followed_and_never_backwards() {
        let machine = Machine::start();

        assert_eq!(machine.after(10, 0), 1010);
        assert_eq!(machine.after(10, 5), 1025);
        assert_eq!(machine.after(1, -4), 1025);
        assert_eq!(machine.after(10, 0), 1032);
        assert_eq!(machine.jumps(), 0);
    }

    #[test]
    fn corrections_may_add_up() {
        let machine = Machine::start();

        for _ in 0..100 {
            machine.after(60, 3);
        }

        assert_eq!((machine.after(0, 0), machine.jumps()), (1000 + 6300, 0));
    }

    #[test]
    fn the_time_goes_on_through_a_jump_and_back_and_both_ways_it_is_told_once() {
        for by in [6, 3600, 315_360_000, -6, -3600] {
            let machine = Machine::start();

            assert_eq!(machine.after(10, by), 1010);
            assert_eq!(machine.after(590, 0), 1600);
            assert_eq!(machine.after(1, 0), 1601);
            assert_eq!(machine.jumps(), 1, "{by}");
            assert_eq!(machine.after(1, -by), 1602);
            assert_eq!(machine.after(3600, 0), 5202);
            assert_eq!(machine.jumps(), 1, "{by}");
        }
    }

    #[test]
    fn a_new_time_that_holds_for_ten_minutes_is_adopted() {
        for by in [3600, -3600, -900] {
            let machine = Machine::start();

            assert_eq!(machine.after(10, by), 1010);
            assert_eq!(machine.after(599, 0), 1609);
            assert_eq!(machine.after(1, 0), 1610 + by);
            assert_eq!(machine.after(10, 0), 1620 + by);
            assert_eq!(machine.jumps(), 1);
        }
    }

    #[test]
    fn a_clock_that_jumps_again_begins_its_ten_minutes_anew() {
        let machine = Machine::start();

        assert_eq!(machine.after(0, 3600), 1000);
        assert_eq!(machine.after(300, 3600), 1300);
        assert_eq!(machine.after(599, 0), 1899);
        assert_eq!(machine.after(1, 0), 1900 + 7200);
        assert_eq!(machine.jumps(), 2);
    }
}
