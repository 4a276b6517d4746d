//! Cores: who runs where, and how busy it was.

use std::fs;
use std::io;
use std::time::Instant;

use rustix::thread::{CpuSet, sched_setaffinity};

/// The core of the server under test.
pub(crate) const SERVER: usize = 0;
/// The core of the generator and the backend.
pub(crate) const GENERATOR: usize = 1;

/// Binds the calling thread, and what it starts from now on, to `core`.
pub(crate) fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// The busy time of a core since some fixed moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    core: usize,
    busy: u64,
    at: Instant,
}

impl Meter {
    /// Starts measuring `core`.
    pub(crate) fn start(core: usize) -> Self {
        Self { core, busy: busy_ticks(core), at: Instant::now() }
    }

    /// The share of its time that the core was busy since the start, 0 to 1. `/proc/stat` counts in hundredths of a second.
    pub(crate) fn share(&self) -> f64 {
        let ticks = busy_ticks(self.core).saturating_sub(self.busy);
        let seconds = self.at.elapsed().as_secs_f64();
        (f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) / 100.0 / seconds).min(1.0)
    }
}

/// User, nice, system, irq, softirq and steal time of a core, in ticks (proc(5)).
fn busy_ticks(core: usize) -> u64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let name = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_default();
    let fields: Vec<u64> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    [0, 1, 2, 5, 6, 7].iter().filter_map(|index| fields.get(*index)).sum()
}
