//! Mounts an attack on the box while a legitimate client visits it, and judges what became of both.

use core::time::Duration;
use std::thread;
use std::time::Instant;

use e2e::Outcome;

use crate::attack::Attack;
use crate::figures::Figures;
use crate::probe::{Probe, Sample};
use crate::target::Target;

/// An attack is mounted again and again for so long, so that what leaks adds up and the client meets it. In the short profile once is enough.
const AT_LEAST: Duration = Duration::from_millis(120);
/// But not more often than this.
const TIMES_MAX: usize = 200;
/// Questions of the client before and after, in a full run; in a short one it is one.
const QUESTIONS: usize = 2;
/// The client's slowest answer in a hundred may take so long.
const P99_MAX: Duration = Duration::from_secs(1);
/// Connections and flows must be gone after so long: a closed flow waits up to 10 s for the peer's FIN.
const SETTLING: Duration = Duration::from_secs(12);
/// What the legitimate client itself may have open.
const OWN_FLOWS: u64 = 2;
/// The guest's heap may be larger than before by so much: sources are remembered for a while.
const HEAP_SLACK: u64 = 256 * 1024;
/// A table that has doubled stays so, but does not double again and again: what has grown is attacked so often more.
const AGAIN: usize = 2;
/// The processes may be larger by so much: pages that the guest has touched once stay, but a second time it touches the same.
const RESIDENT_SLACK: u64 = 48 * 1024 * 1024;

/// When the client is asked after.
const PHASES: [&str; 3] = ["before", "during", "after"];

/// How the client fared in one phase.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fare {
    pub(crate) asked: usize,
    pub(crate) failed: usize,
    pub(crate) p99: Duration,
    fault: Option<String>,
}

/// What is recorded of an attack.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// How often it was mounted.
    pub(crate) times: usize,
    pub(crate) took: Duration,
    pub(crate) before: Figures,
    pub(crate) after: Figures,
    /// The client before, during and after.
    pub(crate) fares: [Fare; 3],
    /// Why the attack has won, if it has.
    pub(crate) fault: Option<String>,
}

impl Fare {
    fn of(samples: &[Sample]) -> Self {
        let mut times: Vec<_> = samples.iter().map(|sample| sample.took).collect();
        times.sort_unstable();
        let p99 = times.get(times.len().saturating_sub(1) - times.len() / 100).copied().unwrap_or_default();
        let fault = samples.iter().find_map(|sample| sample.fault.clone());
        Self { asked: samples.len(), failed: samples.iter().filter(|sample| sample.fault.is_some()).count(), p99, fault }
    }

    /// One in a hundred may fail.
    fn failure(&self, phase: &str) -> Option<String> {
        let why = self.fault.as_deref().unwrap_or_default();
        let failed = self.failed * 100 > self.asked;
        failed.then(|| format!("{} of {} legitimate requests {phase} the attack failed: {why}", self.failed, self.asked))
    }

    fn delay(&self, phase: &str) -> Option<String> {
        (self.p99 > P99_MAX).then(|| format!("legitimate requests {phase} the attack took {:?}", self.p99))
    }
}

/// Mounts it and judges. Of a client that was only slow it may be the host that others keep busy: then it is mounted once more.
pub(crate) fn judge(attack: &Attack, target: &Target, probe: &Probe) -> Outcome<Record> {
    let record = judge_once(attack, target, probe)?;
    if record.fault.is_some() && record.fault == delay(&record) { judge_once(attack, target, probe) } else { Ok(record) }
}

fn judge_once(attack: &Attack, target: &Target, probe: &Probe) -> Outcome<Record> {
    let begin = Instant::now();
    let questions = target.profile.choose(1, QUESTIONS);
    probe.wait_for(questions, begin);
    let before = target.figures()?;
    let mounted = Instant::now();
    let (times, outcome) = mount(attack, target, mounted);
    let ended = Instant::now();
    probe.wait_for(questions, ended);
    let (before, after) = grow(attack, target, before)?;
    let fares = [(begin, mounted), (mounted, ended), (ended, Instant::now())].map(|(from, to)| Fare::of(&probe.within(from, to)));
    probe.forget(ended);
    let mut record = Record { times, took: ended - mounted, before, after, fares, fault: None };
    record.fault = outcome.err().map(|fault| fault.to_string()).or_else(|| complaint(&record)).or_else(|| delay(&record));
    Ok(record)
}

fn mount(attack: &Attack, target: &Target, since: Instant) -> (usize, Outcome) {
    for times in 1..=TIMES_MAX {
        let outcome = (attack.run)(target);
        if outcome.is_err() || since.elapsed() >= target.profile.choose(Duration::ZERO, AT_LEAST) {
            return (times, outcome);
        }
    }
    (TIMES_MAX, Ok(()))
}

/// What is there when all is quiet again, beside what it grew from: memory must grow each time to count.
fn grow(attack: &Attack, target: &Target, mut before: Figures) -> Outcome<(Figures, Figures)> {
    let mut after = settle(target, &before)?;
    for _ in 0..AGAIN {
        if after.heap <= before.heap + HEAP_SLACK && after.resident <= before.resident + RESIDENT_SLACK {
            break;
        }
        (before.heap, before.resident) = (after.heap, after.resident);
        let _ = mount(attack, target, Instant::now());
        after = settle(target, &before)?;
    }
    Ok((before, after))
}

/// Waits until the attacker's connections are gone.
fn settle(target: &Target, before: &Figures) -> Outcome<Figures> {
    let end = Instant::now() + SETTLING;
    loop {
        let now = target.figures()?;
        let gone = now.flows <= before.flows + OWN_FLOWS && now.connections <= before.connections + OWN_FLOWS;
        if gone || Instant::now() > end {
            return Ok(now);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn complaint(record: &Record) -> Option<String> {
    let Record { before, after, fares, .. } = record;
    if after.restarts != before.restarts {
        return Some("the cell ended and was replaced".into());
    }
    if after.flows > before.flows + OWN_FLOWS || after.connections > before.connections + OWN_FLOWS {
        return Some(format!("flows stay: {before:?}, then {after:?}"));
    }
    if after.heap > before.heap + HEAP_SLACK || after.resident > before.resident + RESIDENT_SLACK {
        return Some(format!("memory stays: {before:?}, then {after:?}"));
    }
    PHASES.iter().zip(fares).find_map(|(phase, fare)| fare.failure(phase))
}

fn delay(record: &Record) -> Option<String> {
    PHASES.iter().zip(&record.fares).find_map(|(phase, fare)| fare.delay(phase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let fare = Fare { asked: 2, ..Fare::default() };
        Record { fares: [fare.clone(), fare.clone(), fare], ..Record::default() }
    }

    #[test]
    fn a_box_that_stays_as_it_was_is_fine() {
        assert_eq!(complaint(&record()), None);
    }

    #[test]
    fn restarts_growth_and_flows_that_stay_are_complaints() {
        let after = [
            Figures { restarts: 1, ..Figures::default() },
            Figures { heap: HEAP_SLACK + 1, ..Figures::default() },
            Figures { resident: RESIDENT_SLACK + 1, ..Figures::default() },
            Figures { flows: OWN_FLOWS + 1, ..Figures::default() },
            Figures { connections: OWN_FLOWS + 1, ..Figures::default() },
        ];
        for after in after {
            assert!(complaint(&Record { after, ..record() }).is_some(), "{after:?}");
        }
    }

    #[test]
    fn a_client_that_fails_or_waits_in_any_phase_is_a_complaint() {
        for phase in 0..3 {
            let mut failed = record();
            failed.fares[phase] = Fare { asked: 2, failed: 1, ..Fare::default() };
            assert!(complaint(&failed).is_some(), "{phase}");
            let mut slow = record();
            slow.fares[phase] = Fare { asked: 2, p99: P99_MAX * 2, ..Fare::default() };
            assert!(complaint(&slow).is_none() && delay(&slow).is_some(), "{phase}");
        }
    }

    #[test]
    fn the_slowest_of_few_and_the_second_slowest_of_many_count() {
        let now = Instant::now();
        let sample = |ms| Sample { began: now, took: Duration::from_millis(ms), fault: None };
        assert_eq!(Fare::of(&[sample(1), sample(9)]).p99, Duration::from_millis(9));
        assert_eq!(Fare::of(&(1..=100).map(sample).collect::<Vec<_>>()).p99, Duration::from_millis(99));
        assert_eq!(Fare::of(&[]).p99, Duration::ZERO);
    }
}
