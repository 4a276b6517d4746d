//! What clients did, over all cells: each cell counts for itself, and begins at 0.

use std::collections::BTreeMap;

use bounty_page::contest::{self, Count};
use status::Status;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Effort {
    /// Of cells that have ended, as far as they were heard.
    before: Sums,
    /// Of the cell that runs.
    now: Sums,
    uptime_ms: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Sums {
    connections: u64,
    handshakes: BTreeMap<&'static str, u64>,
    failures: BTreeMap<&'static str, u64>,
    bytes_in: u64,
    bytes_out: u64,
}

impl Effort {
    /// Takes what the running cell says of itself. One that runs for less time than the last one said is another.
    pub(super) fn take(&mut self, status: &Status) {
        if status.uptime_ms < self.uptime_ms {
            let ended = core::mem::take(&mut self.now);
            self.before.add(&ended);
        }
        self.uptime_ms = status.uptime_ms;
        self.now = Sums::of(status);
    }

    /// All of it.
    pub(super) fn told(&self) -> contest::Effort {
        let mut sums = self.before.clone();
        sums.add(&self.now);
        let counts = |counts: BTreeMap<&'static str, u64>| counts.into_iter().map(|(name, count)| Count::new(name, count)).collect();
        contest::Effort {
            connections: sums.connections,
            handshakes: counts(sums.handshakes),
            failures: counts(sums.failures),
            bytes_in: sums.bytes_in,
            bytes_out: sums.bytes_out,
        }
    }
}

impl Sums {
    fn of(status: &Status) -> Self {
        let mut sums = Self {
            connections: status.connections.accepted,
            bytes_in: status.front.rx_bytes,
            bytes_out: status.front.tx_bytes,
            ..Self::default()
        };
        for (kind, count) in &status.handshakes {
            add(&mut sums.handshakes, if kind.version == 0x0303 { "TLS 1.2" } else { "TLS 1.3" }, *count);
        }
        for (failure, count) in &status.failures {
            add(&mut sums.failures, failure.kind.name(), *count);
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        self.connections = self.connections.saturating_add(other.connections);
        self.bytes_in = self.bytes_in.saturating_add(other.bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(other.bytes_out);
        other.handshakes.iter().for_each(|(name, count)| add(&mut self.handshakes, name, *count));
        other.failures.iter().for_each(|(name, count)| add(&mut self.failures, name, *count));
    }
}

fn add(counts: &mut BTreeMap<&'static str, u64>, name: &'static str, count: u64) {
    let sum = counts.entry(name).or_default();
    *sum = sum.saturating_add(count);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(uptime_ms: u64, accepted: u64) -> Status {
        let connections = status::Connections { accepted, ..status::Connections::default() };
        Status { uptime_ms, connections, ..Status::default() }
    }

    #[test]
    fn what_ended_cells_have_seen_is_not_forgotten() {
        let mut effort = Effort::default();
        for (uptime, accepted, in_all) in [(10, 5, 5), (20, 7, 7), (3, 1, 8), (9, 4, 11), (1, 0, 11)] {
            effort.take(&status(uptime, accepted));
            assert_eq!(effort.told().connections, in_all, "at {uptime}");
        }
    }
}
