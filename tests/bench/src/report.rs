//! The table and the plot.

use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Outcome;
use crate::job::{self, Job, Value};
use crate::subject::Subject;

/// What the rounds gave, by subject and job.
#[derive(Debug)]
pub(crate) struct Table {
    subjects: Vec<&'static str>,
    values: BTreeMap<(&'static str, &'static str), Vec<Value>>,
}

/// The subject that the others are compared with.
const PEER: &str = "nginx";

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

    /// The ratio to nginx: above 1 is better than nginx, whichever way the unit points.
    fn ratio(&self, subject: &'static str, job: &Job) -> Option<f64> {
        let (own, peer) = (self.median(subject, job)?.value, self.median(PEER, job)?.value);
        Some(if job.more_is_better { own / peer } else { peer / own })
    }

    /// The table as Markdown.
    pub(crate) fn markdown(&self, rounds: usize) -> String {
        let mut text = format!(
            "# bountybox beside nginx\n\nMedians of {rounds} rounds in one run, one core for the server, one for generator and backend. \
             In brackets: how busy the server's and the generator's cores were. Ratio: above 1 is better than nginx, whichever way the unit points.\n\n"
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
        let ratio = self.ratio(subject, job).map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let ceiling = value.busy.map_or(String::new(), |(_, generator)| format!("{:.0}", value.value / generator.max(0.01)));
        format!("| {subject} | {:.1} |{} | {ratio} | {ceiling} |", value.value, shares(value.busy))
    }

    /// The ratios as a plot.
    pub(crate) fn svg(&self) -> String {
        let bars: Vec<_> = job::ALL
            .iter()
            .flat_map(|(job, _)| self.subjects.iter().filter(|subject| **subject != PEER).map(move |subject| (*job, *subject)))
            .filter_map(|(job, subject)| Some((format!("{}, {subject}", job.name), self.ratio(subject, job)?)))
            .collect();
        plot(&bars)
    }
}

fn shares(busy: Option<(f64, f64)>) -> String {
    busy.map_or(String::new(), |(server, generator)| format!(" ({:.0} %, {:.0} %)", server * 100.0, generator * 100.0))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Horizontal bars, with a line at 1: as good as nginx.
fn plot(bars: &[(String, f64)]) -> String {
    const ROW: usize = 22;
    const LEFT: f64 = 300.0;
    const UNIT: f64 = 160.0;
    const RATIO_MAX: f64 = 3.0;
    let height = bars.len() * ROW + 40;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"860\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"8\" y=\"18\">ratio to nginx (1 = the same, more is better)</text>\n"
    );
    for (index, (name, ratio)) in bars.iter().enumerate() {
        let top = index * ROW + 30;
        let width = ratio.min(RATIO_MAX) * UNIT;
        let colour = if *ratio >= 1.0 { "#2a7f62" } else { "#b5532c" };
        let _ = writeln!(
            svg,
            "<text x=\"8\" y=\"{}\">{name}</text><rect x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" height=\"16\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{}\">{ratio:.2}</text>",
            top + 12,
            LEFT + width + 6.0,
            top + 12
        );
    }
    let one = LEFT + UNIT;
    let _ = writeln!(svg, "<line x1=\"{one}\" y1=\"26\" x2=\"{one}\" y2=\"{height}\" stroke=\"#444\"/>\n</svg>");
    svg
}

/// Writes both into docs/bench/.
pub(crate) fn write(table: &str, svg: &str) -> Outcome {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bench");
    fs::create_dir_all(&dir)?;
    fs::write(dir.join("nginx.md"), format!("{table}![ratios](nginx.svg)\n"))?;
    Ok(fs::write(dir.join("nginx.svg"), svg)?)
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
