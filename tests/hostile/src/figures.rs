//! What a box takes at one time: its memory, its processors, its flows, and how often it had to be started again.

use core::time::Duration;
use std::fs;

use e2e::Outcome;
use e2e::eye::Eye;
use e2e::memory::proportional_set;

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// Allocated in the guest's heap, in bytes.
    pub(crate) heap: u64,
    /// Resident memory of all processes, in bytes.
    pub(crate) resident: u64,
    /// Processor time of all processes so far.
    pub(crate) cpu: Duration,
    /// Flows of the front link.
    pub(crate) flows: u64,
    /// Clients' connections.
    pub(crate) connections: u64,
    /// Cells that were replaced.
    pub(crate) restarts: u64,
}

impl Figures {
    /// As the box tells them, and the kernel.
    pub(crate) fn of(eye: &Eye<'_>, processes: &[u32]) -> Outcome<Self> {
        let (_, text) = eye.get("/metrics")?;
        let sum = |name: &str, label: &str| -> u64 {
            let series = text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
            series.filter(|line| line.contains(label)).filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
        };
        Ok(Self {
            heap: sum("bountybox_heap_used_bytes", ""),
            resident: processes.iter().map(|pid| proportional_set(*pid)).sum(),
            cpu: cpu(processes),
            flows: sum("bountybox_flows", "link=\"front\""),
            connections: sum("bountybox_connections", ""),
            restarts: sum("bountybox_cell_restarts_total", ""),
        })
    }
}

/// Processor time of all threads of these processes, `schedstat` of proc(5).
pub(crate) fn cpu(processes: &[u32]) -> Duration {
    let threads = processes.iter().filter_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).ok()).flatten().flatten();
    let spent = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    Duration::from_nanos(spent.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum())
}
