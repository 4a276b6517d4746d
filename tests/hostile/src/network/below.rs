//! An attack below TLS as a row of a table: the same for every version of IP that it is meant for.

use e2e::Outcome;

use super::field::{Family, Field};
use crate::attack::{Attack, Layer};
use crate::naive::Naive;

/// See [`Attack`].
#[derive(Clone, Copy)]
pub(super) struct Below {
    row: &'static str,
    name: &'static str,
    does: &'static str,
    layer: Layer,
    naive: Naive,
    /// All, if there is none.
    only: Option<Family>,
    short: bool,
    run: fn(&mut Field<'_>) -> Outcome,
}

/// A row for both versions of IP, and for both profiles.
pub(super) const fn below(
    row: &'static str,
    name: &'static str,
    does: &'static str,
    layer: Layer,
    naive: Naive,
    run: fn(&mut Field<'_>) -> Outcome,
) -> Below {
    Below { row, name, does, layer, naive, only: None, short: true, run }
}

impl Below {
    pub(super) const fn only(mut self, family: Family) -> Self {
        self.only = Some(family);
        self
    }

    pub(super) const fn long(mut self) -> Self {
        self.short = false;
        self
    }

    /// For one version of IP, if it is meant for it.
    pub(super) fn attack(self, family: Family) -> Option<Attack> {
        if self.only.is_some_and(|only| only != family) {
            return None;
        }
        let run = self.run;
        let attack =
            Attack::new(self.row, self.name, self.does, self.layer, self.naive, move |target| run(&mut Field::open(target, family)?));
        // The short profile makes do with one version of IP where both are treated alike.
        let short = self.short && (family == Family::V4 || self.only.is_some());
        Some(if short { attack } else { attack.long() })
    }
}
