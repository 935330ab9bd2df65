//! Figures of several rounds, and how they are told.

use std::fmt;

/// The median of some rounds, with the least and the most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        let median = f64::midpoint(at(last / 2), at(values.len() / 2));
        Self { median, least: at(0), most: at(last) }
    }
}

impl fmt::Display for Spread {
    /// With two decimals where it is a ratio, without where it is a rate.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = if self.median < 20.0 { 2 } else { 0 };
        let Self { median, least, most } = self;
        write!(formatter, "{median:.decimals$} [{least:.decimals$}–{most:.decimals$}]")
    }
}

/// So many things in so much time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) items: u32,
    pub(crate) seconds: f64,
    /// Of all threads of this process.
    pub(crate) cpu_seconds: f64,
    /// How many changes were committed together, on average.
    pub(crate) together: f64,
}

impl Run {
    pub(crate) fn per_second(&self) -> f64 {
        f64::from(self.items) / self.seconds
    }

    pub(crate) fn microseconds(&self) -> f64 {
        self.seconds * 1e6 / f64::from(self.items)
    }

    pub(crate) fn cpu_microseconds(&self) -> f64 {
        self.cpu_seconds * 1e6 / f64::from(self.items)
    }
}

/// Rounds of the ledger and of the bare loop that came right after each.
#[derive(Default)]
pub(crate) struct Pairs(pub(crate) Vec<(Run, Run)>);

impl Pairs {
    pub(crate) fn together(&self) -> f64 {
        Spread::of(self.0.iter().map(|(ledger, _)| ledger.together)).median
    }

    /// How the ledger's rate compares to the bare loop's of the same round.
    pub(crate) fn ratio(&self) -> Spread {
        Spread::of(self.0.iter().map(|(ledger, bare)| ledger.per_second() / bare.per_second()))
    }
}

impl fmt::Display for Pairs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = |read: fn(&Run) -> f64| {
            let ledger = Spread::of(self.0.iter().map(|(ledger, _)| read(ledger)));
            (ledger, Spread::of(self.0.iter().map(|(_, bare)| read(bare))))
        };
        let (rate, bare_rate) = each(Run::per_second);
        let (cpu, bare_cpu) = each(Run::cpu_microseconds);
        write!(
            formatter,
            "{rate}/s, limit {bare_rate}/s, ratio {}; CPU {:.0} µs, limit {:.0} µs",
            self.ratio(),
            cpu.median,
            bare_cpu.median
        )
    }
}
