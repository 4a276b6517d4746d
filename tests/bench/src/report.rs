//! The table, and what the plot shows of it.

use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Outcome;
use crate::job::{self, Job, Value};
use crate::plot::{self, Bar, Group};
use crate::subject::Subject;

/// What the rounds gave, by subject and job.
#[derive(Debug)]
pub(crate) struct Table {
    subjects: Vec<&'static str>,
    values: BTreeMap<(&'static str, &'static str), Vec<Value>>,
}

/// How the name of a subject ends that is recorded.
const RECORDED: &str = "+record";
const RECORDING: &str = "# What recording costs

`make bench-recording`: the same box with and without `[record]`, in turn, in one run; one core for the box, one for generator and backend. The recording goes to a file
beneath the system's folder for temporary files. ";

/// The subject that the others are compared with.
const PEER: &str = "nginx";
/// From this share of its core on, the generator was what held the rate back.
const GENERATOR_LIMITED: f64 = 0.97;

impl Table {
    pub(crate) fn new(subjects: &[Subject]) -> Self {
        Self { subjects: subjects.iter().map(|subject| subject.name).collect(), values: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, subject: &'static str, job: &Job, value: Value) {
        crate::say(&format!("  {}: {:.1} {}{}", job.name, value.value, job.unit, shares(value.busy)));
        self.values.entry((subject, job.name)).or_default().push(value);
    }

    fn median(&self, subject: &'static str, job: &Job) -> Option<Value> {
        let values = self.values.get(&(subject, job.name))?;
        let busy = |pick: fn((f64, f64)) -> f64| median(values.iter().filter_map(|value| value.busy.map(pick)).collect());
        let shares = busy(|pair| pair.0).zip(busy(|pair| pair.1));
        Some(Value { value: median(values.iter().map(|value| value.value).collect())?, busy: shares })
    }

    /// The ratio to nginx: above 1 is better than nginx, whichever way the unit points. None for who did not do the job.
    fn ratio(&self, subject: &'static str, job: &Job) -> Option<f64> {
        let (own, peer) = (self.median(subject, job)?.value, self.median(PEER, job)?.value);
        (own > 0.0 && peer > 0.0).then(|| if job.more_is_better { own / peer } else { peer / own })
    }

    /// The table as Markdown.
    pub(crate) fn markdown(&self, rounds: usize) -> String {
        let mut text = format!(
            "# bountybox beside nginx, HAProxy, hitch and stunnel\n\nMedians of {rounds} rounds in one run, one core for the server, one for generator \
             and backend; the peers are Debian's. In brackets: how busy the server's and the generator's cores were. Ratio: above 1 is better than nginx, \
             whichever way the unit points. Generator's ceiling: what it might reach with its core to itself; a value near it is the generator's.\n\n"
        );
        for (job, _) in job::ALL {
            let _ =
                writeln!(text, "## {}\n\n| subject | {} | busy | ratio | generator's ceiling |\n|---|--:|---|--:|--:|", job.name, job.unit);
            for subject in &self.subjects {
                let _ = writeln!(text, "{}", self.row(subject, job));
            }
            text.push('\n');
        }
        text
    }

    fn row(&self, subject: &'static str, job: &Job) -> String {
        let Some(value) = self.median(subject, job) else { return format!("| {subject} | not measured | | | |") };
        if value.value <= 0.0 {
            return format!("| {subject} | none |{} | | |", shares(value.busy));
        }
        let ratio = self.ratio(subject, job).map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let ceiling = value.busy.map_or(String::new(), |(_, generator)| format!("{:.0}", value.value / generator.max(0.01)));
        format!("| {subject} | {:.1} |{} | {ratio} | {ceiling} |", value.value, shares(value.busy))
    }

    /// Recorded subjects beside the same ones unrecorded, as Markdown; none if there are no such pairs.
    pub(crate) fn recording(&self, rounds: usize) -> Option<String> {
        let mut rows = String::new();
        for (job, _) in job::ALL.iter().filter(|(job, _)| job.more_is_better) {
            for subject in &self.subjects {
                let Some(plain) = subject.strip_suffix(RECORDED).and_then(|name| self.subjects.iter().find(|other| **other == name)) else {
                    continue;
                };
                let (Some(recorded), Some(unrecorded)) = (self.median(subject, job), self.median(plain, job)) else { continue };
                let ratio = recorded.value / unrecorded.value;
                let _ = writeln!(
                    rows,
                    "| {} | {plain} | {:.1} {unit} | {:.1} {unit} | {ratio:.2} |",
                    job.name,
                    unrecorded.value,
                    recorded.value,
                    unit = job.unit
                );
            }
        }
        (!rows.is_empty()).then(|| {
            format!(
                "{RECORDING}Medians of {rounds} rounds.\n\n| job | box | unrecorded | recorded | ratio |\n|---|---|--:|--:|--:|\n{rows}"
            )
        })
    }

    /// The ratios as a plot.
    pub(crate) fn svg(&self) -> String {
        let groups = job::ALL.iter().map(|(job, _)| {
            let bars = self.subjects.iter().filter_map(|subject| self.bar(subject, job)).collect();
            Group { title: format!("{}, {}", job.name, job.unit), bars }
        });
        plot::svg(&groups.collect::<Vec<_>>())
    }

    fn bar(&self, subject: &'static str, job: &Job) -> Option<Bar> {
        let value = self.median(subject, job)?;
        let limited = value.busy.is_some_and(|(_, generator)| generator >= GENERATOR_LIMITED);
        Some(Bar { name: subject, ours: subject.contains('/'), ratio: self.ratio(subject, job)?, value: value.value, limited })
    }
}

fn shares(busy: Option<(f64, f64)>) -> String {
    busy.map_or(String::new(), |(server, generator)| format!(" ({:.0} %, {:.0} %)", server * 100.0, generator * 100.0))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Writes table and plot into docs/bench/.
pub(crate) fn write(table: &str, svg: &str) -> Outcome {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bench");
    fs::create_dir_all(&dir)?;
    fs::write(dir.join("peers.md"), format!("{table}![ratios](peers.svg)\n"))?;
    Ok(fs::write(dir.join("peers.svg"), svg)?)
}

/// Writes it into docs/bench/.
pub(crate) fn write_recording(text: &str) -> Outcome {
    Ok(fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bench/recording.md"), text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
