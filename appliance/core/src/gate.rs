//! What of a flood of refusals is reported: so many a second, and the number of the others with the next one that is.

use core::time::Duration;

use crate::pace::Pace;

/// See the module.
#[derive(Debug)]
pub(crate) struct Gate {
    pace: Pace,
    suppressed: u64,
}

impl Gate {
    /// A second's worth may pass at once.
    pub(crate) fn new(per_s: u32) -> Self {
        Self { pace: Pace::new(per_s), suppressed: 0 }
    }

    /// Another rate from now on.
    pub(crate) fn set_rate(&mut self, per_s: u32) {
        self.pace = Pace::new(per_s);
    }

    /// Whether one more may pass; if not, it is counted.
    pub(crate) fn passes(&mut self, now: Duration) -> bool {
        let passes = self.pace.take(now);
        self.suppressed = self.suppressed.saturating_add(u64::from(!passes));
        passes
    }

    /// How many did not pass since this was last said; said when something may pass again.
    pub(crate) fn tell(&mut self, now: Duration) -> Option<u64> {
        let may = self.suppressed > 0 && self.pace.take(now);
        may.then(|| core::mem::take(&mut self.suppressed))
    }

    /// The same, at once: nothing will pass again.
    pub(crate) fn tell_last(&mut self) -> Option<u64> {
        (self.suppressed > 0).then(|| core::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(5);

    #[test]
    fn what_does_not_pass_is_said_once_and_only_when_something_may_pass_again() {
        let mut gate = Gate::new(10);
        assert_eq!((0..100).filter(|_| gate.passes(START)).count(), 10);
        assert_eq!(gate.tell(START), None, "not yet");
        let later = START + Duration::from_millis(100);
        assert_eq!(gate.tell(later), Some(90));
        assert_eq!(gate.tell(later + Duration::from_secs(1)), None);
        assert!(gate.passes(later + Duration::from_secs(2)));
    }

    #[test]
    fn the_last_is_said_at_once_and_once() {
        let mut gate = Gate::new(1);
        assert!(gate.passes(START) && !gate.passes(START));
        assert_eq!((gate.tell_last(), gate.tell_last()), (Some(1), None));
    }

    #[test]
    fn to_say_how_many_counts_as_one_of_them() {
        let mut gate = Gate::new(1);
        assert!(gate.passes(START) && !gate.passes(START));
        assert_eq!(gate.tell(START + Duration::from_secs(1)), Some(1));
        assert!(!gate.passes(START + Duration::from_secs(1)));
    }
}
