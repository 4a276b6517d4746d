//! Tests of attacks that stand elsewhere in the repository: what needs no running box, or another kind of it.

use crate::attack::Layer;

/// A test of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elsewhere {
    pub(crate) row: &'static str,
    pub(crate) does: &'static str,
    pub(crate) layer: Layer,
    /// From the repository's root.
    pub(crate) file: &'static str,
    pub(crate) test: &'static str,
}

/// All of them.
pub(crate) const ALL: &[Elsewhere] = &[Elsewhere {
    row: "H1",
    does: "a guest writes where it may not, executes data, lies in its queues, hangs",
    layer: Layer::Tender,
    file: "tests/e2e/tests/e2e/hostile.rs",
    test: "reports",
}];

/// Those of one row.
pub(crate) fn of(row: &str) -> impl Iterator<Item = &'static Elsewhere> {
    ALL.iter().filter(move |elsewhere| elsewhere.row == row)
}
