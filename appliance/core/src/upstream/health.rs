//! What checks say of a backend: up or down, changed only by several results in a row.

/// See the module. A backend that was never checked is up; its first result decides alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Health {
    standing: Standing,
    /// Results in a row that speak against the standing.
    against: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unknown,
    Up,
    Down,
}

/// Whether a result has changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    No,
    Up,
    Down,
}

impl Health {
    pub(super) const UNKNOWN: Self = Self { standing: Standing::Unknown, against: 0 };

    pub(super) fn is_up(self) -> bool {
        self.standing != Standing::Down
    }

    /// A check passed; `rise` in a row bring a backend up.
    pub(super) fn passed(&mut self, rise: u32) -> Turned {
        match self.standing {
            Standing::Unknown => *self = Self { standing: Standing::Up, against: 0 },
            Standing::Up => self.against = 0,
            Standing::Down => return self.count(rise, Standing::Up, Turned::Up),
        }
        Turned::No
    }

    /// A check failed; `fall` in a row bring a backend down.
    pub(super) fn failed(&mut self, fall: u32) -> Turned {
        match self.standing {
            Standing::Unknown => self.count(1, Standing::Down, Turned::Down),
            Standing::Up => self.count(fall, Standing::Down, Turned::Down),
            Standing::Down => {
                self.against = 0;
                Turned::No
            }
        }
    }

    fn count(&mut self, wanted: u32, standing: Standing, turned: Turned) -> Turned {
        self.against = self.against.saturating_add(1);
        if self.against < wanted {
            return Turned::No;
        }
        *self = Self { standing, against: 0 };
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_result_decides_alone() {
        let mut health = Health::UNKNOWN;
        assert!(health.is_up(), "until something is known");
        assert_eq!(health.failed(3), Turned::Down);
        assert!(!health.is_up());
        let mut health = Health::UNKNOWN;
        assert_eq!(health.passed(2), Turned::No);
        assert_eq!(health.failed(2), Turned::No, "from now on it takes two");
    }

    #[test]
    fn only_results_in_a_row_count() {
        let mut health = Health::UNKNOWN;
        health.passed(1);
        assert_eq!([health.failed(3), health.failed(3), health.passed(2), health.failed(3), health.failed(3)], [Turned::No; 5]);
        assert_eq!(health.failed(3), Turned::Down);
        assert_eq!([health.passed(2), health.failed(3), health.passed(2)], [Turned::No; 3]);
        assert_eq!(health.passed(2), Turned::Up);
        assert!(health.is_up());
    }

    #[test]
    fn rise_and_fall_of_one_follow_each_result() {
        let mut health = Health::UNKNOWN;
        assert_eq!(
            [health.passed(1), health.failed(1), health.failed(1), health.passed(1)],
            [Turned::No, Turned::Down, Turned::No, Turned::Up]
        );
    }
}
