//! What a case has shown, and whether that is what it must show.

use core::time::Duration;
use std::collections::BTreeMap;

use e2e::Machine;
use serde::Serialize;

use crate::case::{Case, Size};
use crate::limits::{IDLE_LEN_MAX, RATIO_MAX};
use crate::orders::Progress;

/// What the heap may hold more than before, once a crowd has gone, for each of its connections: their places in tables, which are kept for the next.
const PLACE_LEN_MAX: u64 = 1024;

/// What honest clients may take beside a crowd: their connections, and what is left of them for a while.
const HONEST_LEN_MAX: u64 = 4 << 20;

/// What the box and the crowd have counted.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Account {
    /// Clients in the crowd, and connections that the box counted when it had come.
    pub(crate) connections: u64,
    pub(crate) standing: u64,
    pub(crate) progress: Progress,
    pub(crate) heap_before: u64,
    pub(crate) heap_standing: u64,
    pub(crate) heap_most: u64,
    pub(crate) heap_after: u64,
    /// By how much the memory of all the box's processes grew with the crowd.
    pub(crate) resident_growth: u64,
    pub(crate) limits: BTreeMap<String, u64>,
    pub(crate) ends: BTreeMap<String, u64>,
    /// Connections that the box took on meanwhile, and how many of them were honest.
    pub(crate) taken_on: u64,
    pub(crate) visits: u64,
    pub(crate) restarts: u64,
    pub(crate) honest_failures: Vec<String>,
}

/// A row of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) machine: &'static str,
    pub(crate) part: u32,
    /// Which measurement this is.
    pub(crate) attempt: u32,
    /// Each with the crowd, in bytes: of the guest's heap, of the host's memory.
    pub(crate) heap_each: u64,
    pub(crate) resident_each: u64,
    /// Medians of the rounds' p99.
    pub(crate) p99_us: [u128; 3],
    /// The one in the middle against the shorter of the others.
    pub(crate) ratio: f64,
    #[serde(flatten)]
    pub(crate) account: Account,
    /// What is not as it must be.
    pub(crate) complaints: Vec<String>,
}

impl Row {
    /// `p99`: before, during, after.
    pub(crate) fn new(case: &Case, size: Size, machine: Machine, p99: [Duration; 3], account: Account) -> Self {
        let [before, during, after] = p99.map(|time| time.as_secs_f64());
        let ratio = during / before.min(after);
        let each = |bytes: u64| bytes / account.standing.max(1);
        Self {
            case: case.name,
            machine: machine.name(),
            part: size.part,
            attempt: 1,
            heap_each: each(account.heap_standing.saturating_sub(account.heap_before)),
            resident_each: each(account.resident_growth),
            p99_us: p99.map(|time| time.as_micros()),
            ratio,
            complaints: Vec::new(),
            account,
        }
        .judged(case)
    }

    /// Whether all is as it must be.
    pub(crate) fn holds(&self) -> bool {
        self.complaints.is_empty()
    }

    /// Whether the only complaint is about the time that honest clients wait, and none of them failed.
    pub(crate) fn only_waited(&self) -> bool {
        self.complaints.len() == 1 && !self.is_fast() && self.account.honest_failures.is_empty()
    }

    /// Not a number is no good ratio.
    fn is_fast(&self) -> bool {
        self.ratio <= RATIO_MAX
    }

    fn judged(mut self, case: &Case) -> Self {
        let mut complaints = self.time_complaints();
        complaints.extend(self.memory_complaints(case));
        complaints.extend(self.count_complaints(case));
        self.complaints = complaints;
        self
    }

    fn time_complaints(&self) -> Vec<String> {
        let mut complaints: Vec<_> = self.account.honest_failures.iter().map(|fault| format!("an honest client failed: {fault}")).collect();
        if !self.is_fast() {
            complaints.push(format!("honest clients wait {:.2} times as long, at most {RATIO_MAX}", self.ratio));
        }
        complaints
    }

    fn memory_complaints(&self, case: &Case) -> Vec<String> {
        let account = &self.account;
        let mut complaints = Vec::new();
        // Memory that was touched stays the host's cost. A part of a crowd is there before the first of it is idle, so all of it has first rings at once.
        let resident_each = if self.part == 1 { self.resident_each } else { 0 };
        if case.stands() && (self.heap_each > IDLE_LEN_MAX || resident_each > IDLE_LEN_MAX) {
            complaints.push(format!("{} bytes of heap and {} of memory each, at most {IDLE_LEN_MAX}", self.heap_each, self.resident_each));
        }
        let most = account.heap_before + account.connections * case.heap_each_max + HONEST_LEN_MAX;
        if account.heap_most > most {
            complaints.push(format!("the heap rose to {} bytes, at most {most}", account.heap_most));
        }
        if account.heap_after > account.heap_before + account.connections * PLACE_LEN_MAX + HONEST_LEN_MAX {
            complaints.push(format!("the heap went from {} to {} bytes", account.heap_before, account.heap_after));
        }
        complaints
    }

    fn count_complaints(&self, case: &Case) -> Vec<String> {
        let account = &self.account;
        let mut complaints = Vec::new();
        let mut want = |holds: bool, what: String| {
            if !holds {
                complaints.push(what);
            }
        };
        want(names(&account.limits) == case.limits, format!("limits reached: {:?}, not {:?}", account.limits, case.limits));
        let (found, expected) = (names(&account.ends), case.ends);
        // Those of a crowd that the box ends, and that begin anew, may all have been ended at the moment when the crowd goes.
        let nobody_left = || !case.stands() && expected.iter().filter(|end| **end != GONE).eq(&found);
        want(found == expected || nobody_left(), format!("connections ended by {:?}, not {expected:?}", account.ends));
        let ended: u64 = account.ends.values().sum();
        want(ended == account.taken_on, format!("{} connections were taken on, {ended} ended", account.taken_on));
        let displaced = account.ends.get("displaced").copied().unwrap_or(0);
        let reached: u64 = account.limits.values().sum();
        want(displaced == reached, format!("{displaced} made way, but limits were reached {reached} times"));
        let done = account.ends.get("done").copied().unwrap_or(0);
        want(done == account.visits, format!("{done} connections were done, {} were honest", account.visits));
        want(account.restarts == 0, format!("the cell was restarted {} times", account.restarts));
        if case.stands() {
            want(account.standing == account.connections, format!("{} of {} stood", account.standing, account.connections));
            want(account.progress.ended == 0, format!("{} of the crowd were ended", account.progress.ended));
        }
        complaints
    }
}

/// A client has left.
const GONE: &str = "client_gone";

fn names(counts: &BTreeMap<String, u64>) -> Vec<&str> {
    counts.keys().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::ALL;

    const SIZE: Size = Size { part: 1 };

    fn account(case: &Case) -> Account {
        let counts = |names: &[&str], count| names.iter().map(|name| ((*name).to_owned(), count)).collect::<BTreeMap<_, _>>();
        let mut ends = counts(case.ends, 10);
        ends.insert("done".into(), 3000);
        if ends.contains_key("displaced") {
            ends.insert("displaced".into(), 7 * u64::try_from(case.limits.len()).unwrap_or(0));
        }
        let connections = case.connections(SIZE);
        Account {
            connections,
            standing: connections,
            heap_before: 1 << 20,
            heap_standing: (1 << 20) + connections * 8192,
            heap_most: (1 << 20) + connections * 8192,
            heap_after: 2 << 20,
            resident_growth: connections * 8192,
            limits: counts(case.limits, 7),
            taken_on: ends.values().sum(),
            ends,
            visits: 3000,
            ..Account::default()
        }
    }

    fn complaints(case: &Case, p99_us: [u64; 3], account: Account) -> usize {
        Row::new(case, SIZE, Machine::Kvm, p99_us.map(Duration::from_micros), account).complaints.len()
    }

    #[test]
    fn what_is_as_it_must_be_is_no_complaint() {
        for case in ALL {
            assert_eq!(complaints(case, [1000, 1999, 1000], account(case)), 0, "{}", case.name);
        }
    }

    #[test]
    fn longer_than_twice_and_no_time_at_all_are_complaints() {
        let case = &ALL[0];
        assert_eq!(complaints(case, [1000, 2000, 1000], account(case)), 0);
        assert_eq!(complaints(case, [1000, 2001, 1000], account(case)), 1);
        assert_eq!(complaints(case, [0, 0, 0], account(case)), 1);
        assert_eq!(complaints(case, [9000, 2001, 1000], account(case)), 1, "a host that was busy before excuses nothing");
        assert_eq!(complaints(case, [1000, 2001, 9000], account(case)), 1);
    }

    #[test]
    fn only_a_wait_is_measured_again() {
        let case = &ALL[1];
        let row = |micros, account| Row::new(case, SIZE, Machine::Kvm, [1000, micros, 1000].map(Duration::from_micros), account);
        assert!(row(2001, account(case)).only_waited());
        assert!(!row(2000, account(case)).only_waited());
        assert!(!row(2001, Account { restarts: 1, ..account(case) }).only_waited());
        assert!(!row(1000, Account { restarts: 1, ..account(case) }).only_waited());
        assert!(!row(1000, Account { honest_failures: vec!["reset".into()], ..account(case) }).only_waited());
    }

    #[test]
    fn a_byte_too_many_each_is_a_complaint() {
        let case = &ALL[0];
        let sound = account(case);
        let heap_standing = sound.heap_before + sound.connections * (IDLE_LEN_MAX + 1);
        assert_eq!(complaints(case, [1; 3], Account { heap_standing, ..sound.clone() }), 1);
        assert_eq!(complaints(case, [1; 3], Account { resident_growth: sound.connections * (IDLE_LEN_MAX + 1), ..sound }), 1);
    }

    #[test]
    fn memory_of_the_host_is_judged_in_a_full_run_only() {
        let case = &ALL[0];
        let (size, sound) = (Size { part: 10 }, account(case));
        let much = Account { resident_growth: sound.connections * (IDLE_LEN_MAX + 1), ..sound };
        assert!(Row::new(case, size, Machine::Kvm, [Duration::from_millis(1); 3], much.clone()).holds());
        let heap_standing = much.heap_before + much.connections * (IDLE_LEN_MAX + 1);
        assert!(!Row::new(case, size, Machine::Kvm, [Duration::from_millis(1); 3], Account { heap_standing, ..much }).holds());
    }

    #[test]
    fn a_limit_or_an_end_too_many_or_too_few_is_a_complaint() {
        for case in ALL {
            let mut more = account(case);
            more.limits.insert("memory".into(), 1);
            assert!(complaints(case, [1; 3], more) >= 1, "{}", case.name);
            let mut fewer = account(case);
            fewer.ends.pop_last();
            assert!(complaints(case, [1; 3], fewer) >= 1, "{}", case.name);
        }
    }

    #[test]
    fn a_crowd_may_have_been_ended_to_the_last_when_it_goes_unless_it_stands() {
        for case in ALL {
            let mut empty = account(case);
            empty.taken_on -= empty.ends.remove(GONE).unwrap_or(0);
            assert_eq!(complaints(case, [1; 3], empty), usize::from(case.stands()), "{}", case.name);
        }
    }

    #[test]
    fn a_restart_a_failure_and_kept_memory_are_complaints() {
        let case = &ALL[1];
        let sound = account(case);
        assert_eq!(complaints(case, [1; 3], Account { restarts: 1, ..sound.clone() }), 1);
        assert_eq!(complaints(case, [1; 3], Account { honest_failures: vec!["reset".into()], ..sound.clone() }), 1);
        let heap_after = sound.heap_before + sound.connections * PLACE_LEN_MAX + HONEST_LEN_MAX + 1;
        assert_eq!(complaints(case, [1; 3], Account { heap_after, ..sound.clone() }), 1);
        let heap_most = sound.heap_before + sound.connections * case.heap_each_max + HONEST_LEN_MAX + 1;
        assert_eq!(complaints(case, [1; 3], Account { heap_most, ..sound }), 1);
    }
}
