//! Prometheus' text format, as far as it is used: counters and gauges, with labels.

use core::fmt::Write as _;

/// What kind of number a family holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, but for starting anew.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl Kind {
    /// As the format spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// One number of a family: the values of its labels, and the number as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    labels: Vec<String>,
    value: String,
}

impl Sample {
    pub(super) fn new<const N: usize>(labels: [&str; N], value: impl ToString) -> Self {
        Self { labels: labels.map(str::to_owned).into(), value: value.to_string() }
    }

    /// Whether both are the same series of a family.
    pub(super) fn has_labels_of(&self, other: &Self) -> bool {
        self.labels == other.labels
    }
}

/// Writes a family; nothing where it has no samples.
pub(super) fn write(out: &mut String, name: &str, kind: Kind, help: &str, labels: &[&str], samples: &[Sample]) {
    if samples.is_empty() {
        return;
    }
    // Writing to a string cannot fail.
    let _written = write!(out, "# HELP {name} {help}\n# TYPE {name} {}\n", kind.name());
    for sample in samples {
        out.push_str(name);
        write_labels(out, labels, &sample.labels);
        let _written = writeln!(out, " {}", sample.value);
    }
}

fn write_labels(out: &mut String, names: &[&str], values: &[String]) {
    let mut open = '{';
    for (name, value) in names.iter().zip(values) {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _written = write!(out, "{open}{name}=\"{value}\"");
        open = ',';
    }
    if open == ',' {
        out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_its_help_its_type_and_its_samples() {
        let mut out = String::new();
        let samples = [Sample::new(["a", "1"], 3), Sample::new(["q\"\\\n", ""], 4)];
        write(&mut out, "x_total", Kind::Counter, "What it is.", &["one", "two"], &samples);
        write(&mut out, "y", Kind::Gauge, "Another.", &[], &[Sample::new([], 1.5)]);
        write(&mut out, "z", Kind::Gauge, "None.", &[], &[]);
        let expected = "# HELP x_total What it is.\n# TYPE x_total counter\nx_total{one=\"a\",two=\"1\"} 3\nx_total{one=\"q\\\"\\\\\\n\",two=\"\"} 4\n\
            # HELP y Another.\n# TYPE y gauge\ny 1.5\n";
        assert_eq!(out, expected);
    }
}
