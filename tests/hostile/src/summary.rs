//! What the run gave: one table at its end, or JSON.

use core::fmt::Write as _;
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::judge::Record;

/// How a trial ended.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// `machine/suite`, or `teeth`.
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    /// What was recorded of an attack on the box.
    pub(crate) record: Option<Record>,
}

/// See [`Entry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed(String),
    Skipped(String),
}

static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// Notes how a trial ended.
pub(crate) fn note(entry: Entry) {
    ENTRIES.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
}

/// Everything that was noted.
pub(crate) fn entries() -> Vec<Entry> {
    ENTRIES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// One row of the table.
#[derive(Default)]
struct Sum<'e> {
    passed: usize,
    failed: usize,
    skipped: usize,
    reasons: Vec<&'e str>,
    asked: usize,
    unanswered: usize,
    p99: Duration,
    cpu: Duration,
    growth: u64,
    restarts: u64,
}

impl<'e> Sum<'e> {
    fn of(entries: impl Iterator<Item = &'e Entry>) -> Self {
        entries.fold(Self::default(), Self::and)
    }

    fn and(mut self, entry: &'e Entry) -> Self {
        match &entry.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Skipped(reason) => {
                self.skipped += 1;
                if !self.reasons.contains(&reason.as_str()) {
                    self.reasons.push(reason);
                }
            }
        }
        if let Some(Record { before, after, fares, .. }) = &entry.record {
            self.asked += fares.iter().map(|fare| fare.asked).sum::<usize>();
            self.unanswered += fares.iter().map(|fare| fare.failed).sum::<usize>();
            self.p99 = fares.iter().map(|fare| fare.p99).fold(self.p99, Duration::max);
            self.cpu += after.cpu.saturating_sub(before.cpu);
            self.growth = self.growth.max(after.heap.saturating_sub(before.heap));
            self.restarts += after.restarts.saturating_sub(before.restarts);
        }
        self
    }

    fn line(&self, name: &str) -> String {
        let Self { passed, failed, skipped, asked, unanswered, p99, cpu, growth, restarts, .. } = self;
        format!(
            "{name:<24} {:>5} {passed:>6} {failed:>6} {skipped:>7}  {asked:>7} {unanswered:>6} {:>9.1} {:>6.1} {:>10} {restarts:>8}  {}",
            passed + failed + skipped,
            p99.as_secs_f64() * 1e3,
            cpu.as_secs_f64(),
            growth / 1024,
            self.reasons.join("; ")
        )
    }
}

/// The table, a line a group.
pub(crate) fn table(entries: &[Entry]) -> String {
    let mut groups: Vec<&str> = Vec::new();
    for entry in entries {
        if !groups.contains(&entry.group.as_str()) {
            groups.push(&entry.group);
        }
    }
    let mut text = format!(
        "{:<24} {:>5} {:>6} {:>6} {:>7}  {:>7} {:>6} {:>9} {:>6} {:>10} {:>8}  {}\n",
        "suite", "cases", "passed", "failed", "skipped", "asked", "unansw", "worst ms", "cpu s", "growth KiB", "restarts", "reasons"
    );
    for group in groups {
        let _ = writeln!(text, "{}", Sum::of(entries.iter().filter(|entry| entry.group == group)).line(group));
    }
    let _ = writeln!(text, "{}", Sum::of(entries.iter()).line("all"));
    text
}

/// Everything, one object a trial.
pub(crate) fn json(entries: &[Entry]) -> Value {
    entries.iter().map(object).collect()
}

fn object(entry: &Entry) -> Value {
    let (verdict, why) = match &entry.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Failed(why) => ("failed", Some(why)),
        Verdict::Skipped(why) => ("skipped", Some(why)),
    };
    let record = entry.record.as_ref().map(|Record { times, took, before, after, fares, .. }| {
        let figures = [before, after].map(|of| {
            json!({ "heap": of.heap, "resident": of.resident, "cpu_us": micros(of.cpu), "flows": of.flows,
                    "connections": of.connections, "restarts": of.restarts })
        });
        let client: Vec<_> =
            fares.iter().map(|fare| json!({ "asked": fare.asked, "failed": fare.failed, "p99_us": micros(fare.p99) })).collect();
        json!({ "times": times, "took_us": micros(*took), "figures": figures, "client": client })
    });
    json!({ "group": entry.group, "name": entry.name, "verdict": verdict, "why": why, "record": record })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(group: &str, verdict: Verdict) -> Entry {
        Entry { group: group.into(), name: "x".into(), verdict, record: Some(Record::default()) }
    }

    #[test]
    fn each_group_has_a_line_and_all_have_a_sum() {
        let entries = [
            entry("kvm/tls", Verdict::Passed),
            entry("kvm/tls", Verdict::Failed("it spins".into())),
            entry("process/tls", Verdict::Skipped("no reason".into())),
        ];
        let table = table(&entries);
        let words: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().take(5).collect()).collect();
        assert_eq!(words[1], ["kvm/tls", "2", "1", "1", "0"]);
        assert_eq!(words[2], ["process/tls", "1", "0", "0", "1"]);
        assert_eq!(words[3], ["all", "3", "1", "1", "1"]);
        assert!(table.contains("no reason"));
    }

    #[test]
    fn json_says_why() {
        let json = json(&[entry("kvm/tls", Verdict::Failed("it spins".into()))]);
        assert_eq!(json[0]["verdict"], "failed");
        assert_eq!(json[0]["why"], "it spins");
        assert_eq!(json[0]["record"]["client"].as_array().map(Vec::len), Some(3));
    }
}
