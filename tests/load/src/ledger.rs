//! What the box has counted, and what it has counted since.

use std::collections::BTreeMap;

use e2e::Outcome;
use e2e::eye::Eye;

/// All series of `/metrics` at one moment, by name and labels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(BTreeMap<String, f64>);

impl Ledger {
    /// Reads them.
    pub(crate) fn read(eye: &Eye<'_>) -> Outcome<Self> {
        let (status, text) = eye.get("/metrics")?;
        if status == 200 { Ok(Self::parse(&text)) } else { Err(format!("/metrics answers {status}").into()) }
    }

    fn parse(text: &str) -> Self {
        let series = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
        Self(series.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
    }

    /// The sum over a family, as a whole number.
    pub(crate) fn sum(&self, family: &str) -> u64 {
        self.family(family).map(|(_, value)| whole(value)).sum()
    }

    /// Those members of a family that have grown since `before`, by their labels' values.
    pub(crate) fn grown(&self, before: &Self, family: &str) -> BTreeMap<String, u64> {
        let growth = |(series, value): (&String, f64)| {
            let by = whole(value - before.0.get(series).copied().unwrap_or(0.0));
            (by > 0).then(|| (labels(series), by))
        };
        self.family(family).filter_map(growth).collect()
    }

    fn family<'l>(&'l self, family: &'l str) -> impl Iterator<Item = (&'l String, f64)> {
        self.0.iter().filter(move |(series, _)| series.split('{').next() == Some(family)).map(|(series, value)| (series, *value))
    }
}

/// The values of a series' labels: `a,b` of `name{x="a",y="b"}`.
fn labels(series: &str) -> String {
    series.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(",")
}

/// Counters and bytes are whole, and far below 2^53.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn whole(value: f64) -> u64 {
    value.clamp(0.0, 9e15) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# HELP x y\nx{limit=\"new\"} 1\nx{limit=\"waiting\"} 5\nxy 7\n";
    const AFTER: &str = "x{limit=\"new\"} 1\nx{limit=\"waiting\"} 8\nx{limit=\"flows\"} 2\nxy 9\n";

    #[test]
    fn only_what_has_grown_is_named() {
        let grown = Ledger::parse(AFTER).grown(&Ledger::parse(BEFORE), "x");
        assert_eq!(grown.into_iter().collect::<Vec<_>>(), [("flows".to_owned(), 2), ("waiting".to_owned(), 3)]);
    }

    #[test]
    fn a_family_is_summed_without_those_whose_names_begin_alike() {
        assert_eq!(Ledger::parse(BEFORE).sum("x"), 6);
        assert_eq!(Ledger::parse(BEFORE).sum("xy"), 7);
        assert_eq!(Ledger::parse(BEFORE).sum("z"), 0);
    }
}
