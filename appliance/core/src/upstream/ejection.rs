//! Passive ejection: a backend that fails several clients in a row rests for a while.

use core::time::Duration;

use keys::bundle::Eject;

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ejection {
    /// Attempts that failed since the last one that did not.
    failures: u32,
    until: Option<Duration>,
}

impl Ejection {
    pub(super) fn rests(&self, now: Duration) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// When the rest ends, if it has not.
    pub(super) fn ends_at(&self, now: Duration) -> Option<Duration> {
        self.until.filter(|until| now < *until)
    }

    /// An attempt failed. True if the backend rests from now on. After its rest one more failure is enough.
    pub(super) fn failed(&mut self, rule: &Eject, now: Duration) -> bool {
        self.failures = self.failures.saturating_add(1);
        if rule.failures == 0 || self.failures < rule.failures || self.rests(now) {
            return false;
        }
        self.until = Some(now.saturating_add(Duration::from_millis(rule.for_ms)));
        true
    }

    /// An attempt succeeded. True if the backend had been ejected.
    pub(super) fn succeeded(&mut self) -> bool {
        core::mem::take(self).until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Eject = Eject { failures: 3, for_ms: 10_000 };
    const START: Duration = Duration::from_secs(100);
    const REST: Duration = Duration::from_secs(10);

    #[test]
    fn a_backend_rests_after_failures_in_a_row_and_not_before() {
        let mut ejection = Ejection::default();
        assert!(!ejection.failed(&RULE, START) && !ejection.failed(&RULE, START));
        assert!(!ejection.succeeded());
        assert!(!ejection.failed(&RULE, START) && !ejection.failed(&RULE, START) && ejection.failed(&RULE, START));
        assert!(ejection.rests(START + REST - Duration::from_millis(1)));
        assert!(!ejection.rests(START + REST));
        assert_eq!(ejection.ends_at(START), Some(START + REST));
    }

    #[test]
    fn after_its_rest_one_failure_is_enough_and_one_success_forgives_all() {
        let mut ejection = Ejection::default();
        assert!((0..3).any(|_| ejection.failed(&RULE, START)));
        assert!(!ejection.failed(&RULE, START), "while it rests nothing is added");
        assert!(ejection.failed(&RULE, START + REST));
        assert!(ejection.succeeded() && !ejection.rests(START + REST));
        assert!(!ejection.failed(&RULE, START + REST));
    }

    #[test]
    fn a_rule_of_zero_failures_never_ejects() {
        let mut ejection = Ejection::default();
        let off = Eject { failures: 0, ..RULE };
        assert!((0..100).all(|_| !ejection.failed(&off, START)));
    }
}
