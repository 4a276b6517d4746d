//! What was recorded of a turn beside what the replay of it gave.

use core::fmt;
use core::time::Duration;

use machine::Cause;
use recording::event::{Came, Crash, How};

use crate::witness;

/// Something that was not as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The turn, counted from 1.
    pub turn: u64,
    /// The guest's time in it.
    pub now: Duration,
    /// Of which link, if of one.
    pub link: Option<usize>,
    /// What it is.
    pub what: What,
}

/// What can differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// How the guest came back.
    How {
        /// As it was recorded.
        recorded: String,
        /// As it is now.
        replayed: String,
    },
    /// The number of frames sent.
    FrameCount {
        /// As it was recorded.
        recorded: u16,
        /// As it is now.
        replayed: u16,
    },
    /// The same number of frames, and other bytes in them.
    FrameBytes,
    /// The deadline.
    Deadline,
    /// The answer to a letter.
    Answer,
    /// The log.
    Log,
}

impl fmt::Display for What {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::How { recorded, replayed } => write!(out, "the guest came back otherwise: {recorded} was recorded, {replayed} came"),
            Self::FrameCount { recorded, replayed } => write!(out, "{recorded} frames were recorded as sent, {replayed} came"),
            Self::FrameBytes => write!(out, "the frames that were sent hold other bytes"),
            Self::Deadline => write!(out, "another deadline"),
            Self::Answer => write!(out, "another answer to the operator's letter"),
            Self::Log => write!(out, "other log lines"),
        }
    }
}

/// Whether the log is compared. That of an image that gives secrets away holds what was never recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All there is.
    All,
    /// All but the log.
    AllButLog,
}

/// Names every difference. `machine` is the one that was recorded.
pub(super) fn each(recorded: &Came, replayed: &Came, machine: u32, scope: Scope, mut differ: impl FnMut(Option<usize>, What)) {
    match (&recorded.how, &replayed.how) {
        (How::Wait { deadline_ns, sent, answer }, How::Wait { deadline_ns: deadline_now, sent: sent_now, answer: answer_now }) => {
            for (link, (sent, now)) in sent.iter().zip(sent_now).enumerate().filter(|(_, (sent, now))| sent != now) {
                let what = if sent.frames == now.frames {
                    What::FrameBytes
                } else {
                    What::FrameCount { recorded: sent.frames, replayed: now.frames }
                };
                differ(Some(link), what);
            }
            if answer != answer_now {
                differ(None, What::Answer);
            }
            if deadline_ns != deadline_now {
                differ(None, What::Deadline);
            }
        }
        (How::Crash(before), How::Crash(now)) if same_crash(before, now, machine) => {}
        (before, now) if before == now => {}
        (before, now) => differ(None, What::How { recorded: name(before), replayed: name(now) }),
    }
    if recorded.log != replayed.log && scope == Scope::All {
        differ(None, What::Log);
    }
}

/// The same cause at the same place. Machines know different things of an access that failed: the process machine learns neither who reached for what nor, of a
/// hypercall that is none, through which instruction.
fn same_crash(before: &Crash, now: &Crash, machine: u32) -> bool {
    match (witness::cause(before.kind, before.values), witness::cause(now.kind, now.values)) {
        (Some(Cause::Hung), Some(Cause::Hung)) => true,
        _ if before.offset != now.offset => false,
        (Some(Cause::Exception { vector, .. }), Some(Cause::Exception { vector: now, .. })) if machine != abi::boot::MACHINE_PROCESS => {
            vector == now
        }
        (before, now) => before == now,
    }
}

/// Whether both came back for the same reason.
pub(super) fn same_kind(recorded: &How, replayed: &How) -> bool {
    core::mem::discriminant(recorded) == core::mem::discriminant(replayed)
}

fn name(how: &How) -> String {
    match how {
        How::Wait { .. } => "wait".into(),
        How::Sealed => "sealed".into(),
        How::Exit(code) => format!("exit {code}"),
        How::Crash(Crash { kind, values, offset }) => match witness::cause(*kind, *values) {
            Some(cause) => format!("{cause} at image+{offset:#x}"),
            None => format!("a crash of an unknown kind at image+{offset:#x}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::boot::{MACHINE_KVM, MACHINE_PROCESS};
    use recording::digest::{Digest, Sent};

    fn wait(front: u64, back: (u16, u64), answer: u64, deadline_ns: u64, log: u64) -> Came {
        let sent = [Sent { frames: 1, digest: Digest(front) }, Sent { frames: back.0, digest: Digest(back.1) }];
        Came { how: How::Wait { deadline_ns, sent, answer: Digest(answer) }, log: Digest(log) }
    }

    fn found(recorded: &Came, replayed: &Came, machine: u32) -> Vec<(Option<usize>, What)> {
        let mut found = Vec::new();
        each(recorded, replayed, machine, Scope::All, |link, what| found.push((link, what)));
        found
    }

    fn crash(cause: Cause, offset: u64) -> Came {
        let (kind, values) = witness::numbers(cause);
        Came { how: How::Crash(Crash { kind, values, offset }), log: Digest(0) }
    }

    #[test]
    fn each_part_of_a_turn_is_told_apart() {
        let recorded = wait(1, (2, 3), 4, 5, 6);
        let differs = |other| found(&recorded, &other, MACHINE_KVM);
        assert_eq!(differs(wait(1, (2, 3), 4, 5, 6)), []);
        assert_eq!(differs(wait(9, (2, 3), 4, 5, 6)), [(Some(0), What::FrameBytes)]);
        assert_eq!(differs(wait(1, (1, 3), 4, 5, 6)), [(Some(1), What::FrameCount { recorded: 2, replayed: 1 })]);
        assert_eq!(differs(wait(1, (2, 3), 9, 5, 6)), [(None, What::Answer)]);
        assert_eq!(differs(wait(1, (2, 3), 4, 9, 6)), [(None, What::Deadline)]);
        assert_eq!(differs(wait(1, (2, 3), 4, 5, 9)), [(None, What::Log)]);
        let mut found = Vec::new();
        each(&recorded, &wait(1, (2, 3), 4, 9, 9), MACHINE_KVM, Scope::AllButLog, |_, what| found.push(what));
        assert_eq!(found, [What::Deadline], "the log alone is left out");
    }

    #[test]
    fn another_end_is_told_in_words() {
        let exit = |code| Came { how: How::Exit(code), log: Digest(0) };
        let parted = found(&exit(1), &crash(Cause::Exception { vector: 6, error_code: 0 }, 0x10), MACHINE_KVM);
        let [(None, what @ What::How { .. })] = &parted[..] else { panic!("{parted:?}") };
        assert_eq!(what.to_string(), "the guest came back otherwise: exit 1 was recorded, exception 6 (#UD) error=0x0 at image+0x10 came");
        assert_eq!(found(&exit(1), &exit(1), MACHINE_KVM), []);
        assert_eq!(found(&exit(1), &exit(2), MACHINE_KVM).len(), 1);
    }

    #[test]
    fn a_crash_is_the_same_by_cause_and_place() {
        let fault = |error_code| Cause::Exception { vector: 14, error_code };
        let same = |before, now, machine| found(&before, &now, machine).is_empty();
        assert!(same(crash(fault(7), 16), crash(fault(5), 16), MACHINE_KVM), "what the process machine cannot know");
        assert!(!same(crash(fault(7), 16), crash(fault(5), 16), MACHINE_PROCESS));
        assert!(!same(crash(fault(7), 16), crash(fault(7), 17), MACHINE_KVM));
        assert!(!same(crash(fault(7), 16), crash(Cause::Exception { vector: 6, error_code: 0 }, 16), MACHINE_KVM));
        assert!(same(crash(Cause::Hung, 1), crash(Cause::Hung, 2), MACHINE_KVM));
        assert!(!same(crash(Cause::Hung, 1), crash(fault(7), 1), MACHINE_KVM));
    }
}
