//! What there is to see of a guest that has come back: the same for who records it and for who replays it.

use abi::log::HEADER_LEN;
use machine::layout::Part;
use machine::{Cause, Cell, Exit, Jailed};
use recording::digest::{Digest, of_queue};
use recording::event::{Came, Crash, How};

/// What the guest has left. `asked` says whether it had a letter, as only then its answer counts.
pub(crate) fn came(cell: &Cell<Jailed>, exit: &Exit, asked: bool) -> Came {
    let how = match exit {
        Exit::Wait => How::Wait {
            deadline_ns: cell.deadline(),
            sent: core::array::from_fn(|link| of_queue(cell.window(Part::Tx(link)))),
            answer: if asked { of_answer(cell.window(Part::Outbox)) } else { Digest::default() },
        },
        Exit::Sealed => How::Sealed,
        Exit::Exit(code) => How::Exit(*code),
        Exit::Crash(crash) => {
            let (kind, values) = numbers(crash.cause);
            How::Crash(Crash { kind, values, offset: crash.registers.rip.wrapping_sub(crash.image_base) })
        }
    };
    Came { how, log: of_log(cell.window(Part::Log)) }
}

fn of_answer(outbox: &[u8]) -> Digest {
    match queue::letter(outbox) {
        Ok(Some(letter)) => Digest::default().and(&letter.kind.to_le_bytes()).and(letter.bytes),
        Ok(None) => Digest::default(),
        Err(_) => Digest::default().and(b"malformed"),
    }
}

fn of_log(window: &[u8]) -> Digest {
    let Some((header, frames)) = window.split_first_chunk::<HEADER_LEN>() else { return Digest::default() };
    if *header == [0; HEADER_LEN] {
        return Digest::default();
    }
    let [l0, l1, l2, l3, ..] = *header;
    let len = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX).min(frames.len());
    Digest::default().and(header).and(frames.get(..len).unwrap_or_default())
}

/// A cause as a recording holds it.
pub(crate) fn numbers(cause: Cause) -> (u8, [u64; 2]) {
    match cause {
        Cause::Exception { vector, error_code } => (1, [u64::from(vector), error_code]),
        Cause::Hung => (2, [0, 0]),
        Cause::ForbiddenPort(port) => (3, [u64::from(port), 0]),
        Cause::Signal(signal) => (4, [u64::from(signal.unsigned_abs()), 0]),
        Cause::BadHypercall(number) => (5, [number, 0]),
        Cause::Machine(reason) => (6, [u64::from(reason), 0]),
    }
}

/// The cause that a recording holds; `None` where there is no such one.
pub(crate) fn cause(kind: u8, [first, second]: [u64; 2]) -> Option<Cause> {
    Some(match kind {
        1 => Cause::Exception { vector: u8::try_from(first).ok()?, error_code: second },
        2 => Cause::Hung,
        3 => Cause::ForbiddenPort(u16::try_from(first).ok()?),
        4 => Cause::Signal(i32::try_from(first).ok()?),
        5 => Cause::BadHypercall(first),
        6 => Cause::Machine(u32::try_from(first).ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_come_back_from_their_numbers() {
        let all = [
            Cause::Exception { vector: 14, error_code: 7 },
            Cause::Hung,
            Cause::ForbiddenPort(0x80),
            Cause::Signal(11),
            Cause::BadHypercall(u64::MAX),
            Cause::Machine(8),
        ];
        for one in all {
            let (kind, values) = numbers(one);
            assert_eq!(cause(kind, values), Some(one));
        }
        assert_eq!((cause(0, [0, 0]), cause(1, [256, 0])), (None, None));
    }

    #[test]
    fn a_log_that_claims_more_than_its_window_is_looked_at_as_far_as_it_goes() {
        let mut window = vec![7; abi::limits::LOG_WINDOW_LEN];
        assert_ne!(of_log(&window), Digest::default());
        window[..HEADER_LEN].fill(0);
        assert_eq!(of_log(&window), Digest::default());
    }
}
