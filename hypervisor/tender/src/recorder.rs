//! The recorder: writes down what the guest is given and how it comes back, for as long as the file may grow and the disk keeps up.
//!
//! It costs the guest a write of 64 KiB now and then, and never the service: whatever goes wrong ends the recording, is said once, and the guest runs on.

use core::time::Duration;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Instant;

use machine::layout::Part;
use machine::{Cell, Exit, Jailed};
use recording::event::{Beginning, Over};
use recording::key::Recipient;
use recording::write::{Stopped, Windows, Writer};
use zeroize::Zeroizing;

use crate::limits::RECORD_WRITE_MAX;
use crate::line::Line;
use crate::order::{Machine, Order};
use crate::witness;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    writer: Option<Writer<Disk>>,
}

/// What stands on the guest's control page, beside what it wrote itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Words {
    pub(crate) now: Duration,
    pub(crate) unix: Duration,
    pub(crate) request: u32,
}

impl Recorder {
    /// The recorder that the order asks for, with its file taken from the descriptors' end, where a contest's have been taken before. The line says why there is none, if so.
    pub(crate) fn of_order(
        order: &Order,
        descriptors: &mut Vec<OwnedFd>,
        parcel: &machine::Parcel,
        image: [u8; 32],
    ) -> (Self, Option<Line>) {
        let Some((record, file)) = order.record.zip(order.record.and_then(|_| descriptors.pop())) else { return (Self::default(), None) };
        let beginning = Beginning {
            machine: match order.machine {
                Machine::Kvm => abi::boot::MACHINE_KVM,
                Machine::Process => abi::boot::MACHINE_PROCESS,
            },
            image,
            heap_len: order.heap_len,
            draw: Zeroizing::new(parcel.draw.as_ref().map_or([0; machine::Draw::LEN], |draw| *draw.words())),
            seed: parcel.seed.clone(),
            bundle: parcel.bundle.clone(),
            contest: parcel.contest.as_ref().map(contest),
        };
        let disk = Disk { file: file.into(), slowest: Duration::ZERO };
        match Writer::begin(disk, Recipient::from_bytes(record.recipient), record.len_max, &beginning) {
            Ok(writer) => (Self { writer: Some(writer) }, None),
            Err(stopped) => (Self::default(), Some(line_of(&stopped))),
        }
    }

    /// The file's descriptor.
    pub(crate) fn descriptor(&self) -> Option<RawFd> {
        self.writer.as_ref().map(|writer| writer.to().file.as_raw_fd())
    }

    /// The guest is about to go on with what stands in its windows. `has_letter` says whether its inbox counts. The line is to be said.
    pub(crate) fn go(&mut self, cell: &Cell<Jailed>, words: Words, has_letter: bool) -> Option<Line> {
        let writer = self.writer.as_mut()?;
        let letter = if has_letter { queue::letter(cell.window(Part::Inbox)).ok().flatten() } else { None };
        let given = Windows {
            now_ns: nanoseconds(words.now),
            unix_ns: nanoseconds(words.unix),
            request: words.request,
            letter: letter.map(|letter| (letter.kind, letter.bytes)),
            rx: core::array::from_fn(|link| cell.window(Part::Rx(link))),
        };
        let written = writer.go(&given);
        self.after(written)
    }

    /// The guest has come back, or has not where the host failed.
    pub(crate) fn came(&mut self, cell: &Cell<Jailed>, exit: Option<&Exit>, had_letter: bool) -> Option<Line> {
        let writer = self.writer.as_mut()?;
        let written = writer.came(&witness::came(cell, exit?, had_letter));
        self.after(written)
    }

    /// There is no more.
    pub(crate) fn over(&mut self, over: Over) -> Option<Line> {
        let closed = self.writer.take()?.over(over);
        closed.err().map(|fault| line_of(&Stopped::HostIo(fault)))
    }

    fn after(&mut self, written: Result<(), Stopped>) -> Option<Line> {
        let slow = self.writer.as_ref().is_some_and(|writer| writer.to().slowest > RECORD_WRITE_MAX);
        match written {
            Ok(()) if slow => {
                let line = Line::tender("warn", "the recording ends here: its disk is too slow, and the guest waits for it");
                self.over(Over::Slow).or(Some(line))
            }
            Ok(()) => None,
            Err(Stopped::LimitLen) => self.over(Over::Full).or_else(|| Some(line_of(&Stopped::LimitLen))),
            Err(stopped) => {
                self.writer = None;
                Some(line_of(&stopped))
            }
        }
    }
}

/// A contest as a recording holds it.
fn contest(contest: &machine::Contest) -> recording::event::Contest {
    let machine::Contest { flag, flag_address, word_address, prize } = contest;
    recording::event::Contest { flag: flag.clone(), flag_address: *flag_address, word_address: *word_address, prize: prize.clone() }
}

fn line_of(stopped: &Stopped) -> Line {
    match stopped {
        Stopped::LimitLen => Line::tender("warn", "the recording ends here: its file has reached max_bytes"),
        Stopped::HostIo(fault) => {
            Line::tender("warn", "the recording ends here: its file cannot be written").with("fault", fault.to_string())
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The file, and how long its slowest write took.
#[derive(Debug)]
struct Disk {
    file: File,
    slowest: Duration,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let begun = Instant::now();
        let written = self.file.write(bytes);
        self.slowest = self.slowest.max(begun.elapsed());
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Lines;
    use recording::event::Event;
    use recording::key::Identity;
    use recording::open::Opener;
    use recording::read::Reader;
    use std::io::Seek;

    fn beginning() -> Beginning {
        Beginning {
            machine: 1,
            image: [0; 32],
            heap_len: 1,
            draw: Zeroizing::new([0; 64]),
            seed: Zeroizing::new([0; 32]),
            bundle: Zeroizing::new(vec![1]),
            contest: None,
        }
    }

    fn recorder(file: File, slowest: Duration) -> Recorder {
        let recipient = Identity::from_bytes([7; 32]).recipient();
        Recorder { writer: Some(Writer::begin(Disk { file, slowest }, recipient, 1 << 30, &beginning()).unwrap()) }
    }

    fn file() -> File {
        rustix::fs::memfd_create("recording", rustix::fs::MemfdFlags::CLOEXEC).unwrap().into()
    }

    fn last(mut file: File) -> Event {
        file.rewind().unwrap();
        let opener = Opener::begin(file, &Identity::from_bytes([7; 32])).unwrap();
        Reader::begin(opener, u64::MAX).unwrap().0.next_event().unwrap()
    }

    #[test]
    fn a_slow_disk_ends_the_recording_and_leaves_it_whole() {
        let file = file();
        let mut recorder = recorder(file.try_clone().unwrap(), RECORD_WRITE_MAX + Duration::from_nanos(1));
        let line = recorder.after(Ok(())).unwrap().render(Lines::Text);
        assert!(line.contains("its disk is too slow"), "{line}");
        assert!(recorder.descriptor().is_none() && recorder.after(Ok(())).is_none(), "it is said once");
        assert_eq!(last(file), Event::Over(Over::Slow));
    }

    #[test]
    fn a_disk_that_is_fast_enough_ends_nothing() {
        let mut recorder = recorder(file(), RECORD_WRITE_MAX);
        assert!(recorder.after(Ok(())).is_none() && recorder.descriptor().is_some());
    }

    #[test]
    fn a_disk_that_fails_ends_the_recording() {
        let mut recorder = recorder(file(), Duration::ZERO);
        let line = recorder.after(Err(Stopped::HostIo(io::ErrorKind::StorageFull.into()))).unwrap().render(Lines::Text);
        assert!(line.contains("cannot be written") && recorder.descriptor().is_none(), "{line}");
    }

    #[test]
    fn the_bound_ends_the_recording_and_leaves_it_whole() {
        let file = file();
        let mut recorder = recorder(file.try_clone().unwrap(), Duration::ZERO);
        let line = recorder.after(Err(Stopped::LimitLen)).unwrap().render(Lines::Text);
        assert!(line.contains("reached max_bytes"), "{line}");
        assert_eq!(last(file), Event::Over(Over::Full));
    }
}
