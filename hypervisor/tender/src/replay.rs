//! Replay: runs a recorded guest again, gives it what it was given, and compares all that it gives.
//!
//! It is the same image, in a traced child of this process, which is jailed as a tender is: a recording, too, may hold what brings a guest to do what it must not.
//! Nothing of it reaches a network. `check` authenticates the whole file before any of it is run.

mod compare;
mod guest;
mod secrets;

use core::time::Duration;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::fd::{AsRawFd, RawFd};

use machine::{Draw, Image, LoadFault};
use recording::event::{Beginning, Event, Given, How, Over};
use recording::key::Identity;
use recording::open::{Ahead, OpenFault, Opener};
use recording::pcap::Pcap;
pub use recording::pcap::Way;
use recording::read::{ReadFault, Reader};
use sha2::{Digest, Sha256};

use crate::jail::{self, JailFault, Needs};
use crate::limits::DIFFERENCES_MAX;
use crate::order::Machine;
pub use compare::Difference;
use compare::Scope;
use guest::Guest;
use secrets::Taker;
pub use secrets::{Given as SecretsGiven, Secrets};

/// What is to be replayed, and how.
#[derive(Debug)]
pub struct Task<'a> {
    /// The recording; it is read from its start.
    pub recording: File,
    /// Who opens it.
    pub identity: Identity,
    /// The image's file.
    pub image: &'a [u8],
    /// Whether it may be another image than the one that was recorded.
    pub image_may_differ: bool,
    /// What to do with a recording that is damaged.
    pub damage: Damage,
    /// Stop before the first turn that begins later than this after the cell's start.
    pub until: Option<Duration>,
    /// Where the frames of both links go, as pcapng.
    pub pcap: Option<File>,
    /// Who sees each frame of both links, in the order in which a link carried them. It is called in the jail.
    pub watch: Option<&'a mut dyn Watch>,
    /// The image gives its secrets away, and they are wanted: for the pcapng file, and for this. It is another image then than the one that was recorded, and its log is not
    /// compared.
    pub secrets: Option<Secrets>,
}

/// Somebody who looks at frames.
pub trait Watch: core::fmt::Debug {
    /// A frame of this link went this way, at this time of the guest.
    fn frame(&mut self, now: Duration, link: usize, way: Way, bytes: &[u8]);
}

/// What to do with a damaged recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Refuse it.
    Refuse,
    /// Replay what stands before it.
    StopBefore,
}

/// Why there was no replay.
#[derive(Debug)]
pub enum ReplayFault {
    /// The recording is not what was written, or is for somebody else, or none.
    Read(ReadFault),
    /// It was made with the image of this SHA-256.
    OtherImage([u8; 32]),
    /// The machine cannot be made.
    Load(LoadFault),
    /// The jail cannot be put up.
    Jail(JailFault),
    /// The host failed while the guest ran.
    Host(machine::HostFault),
    /// The pcapng file cannot be written.
    Pcap(std::io::Error),
    /// The key log cannot be written.
    KeyLog(std::io::Error),
}

impl From<ReadFault> for ReplayFault {
    fn from(fault: ReadFault) -> Self {
        Self::Read(fault)
    }
}

/// Why a replay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// As the recording did.
    Over(Over),
    /// The recording was not closed: its writer was killed, or it was cut between two chunks.
    Cut,
    /// The rest of the recording is damaged.
    Damaged,
    /// At the time that was asked for.
    Until,
    /// The guest went another way than the one that was recorded, and there is nothing more to compare.
    Parted,
}

/// What a replay found.
#[derive(Debug)]
pub struct Report {
    /// Why it ended.
    pub end: End,
    /// How the guest came back last, in words, where that was its end.
    pub last: Option<String>,
    /// SHA-256 of the image that was recorded.
    pub image: [u8; 32],
    /// As [`abi::boot::BootInfo::machine`].
    pub machine: u32,
    /// Turns that were compared.
    pub turns: u64,
    /// The guest's time at the last of them.
    pub now: Duration,
    /// Frames to the guest and from it, of both links.
    pub frames: Frames,
    /// How many secrets were given away, if any were wanted.
    pub secrets: Option<SecretsGiven>,
    /// Differences, the first [`DIFFERENCES_MAX`] of them.
    pub differences: Vec<Difference>,
    /// How many there were.
    pub difference_count: u64,
}

/// How many frames went through a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frames {
    /// To the guest, by link.
    pub given: [u64; abi::limits::LINKS],
    /// From it, by link; each was compared.
    pub sent: [u64; abi::limits::LINKS],
}

/// Replays. From the guest's first instruction on this process can do nothing but write to its standard streams and to the pcapng file.
///
/// # Errors
/// [`ReplayFault`].
pub fn replay(task: Task<'_>) -> Result<Report, ReplayFault> {
    let Task { mut recording, identity, image: file, image_may_differ, damage, until, pcap, watch, secrets } = task;
    let (chunks, damaged) = check(&mut recording, &identity, damage)?;
    let descriptor = recording.as_raw_fd();
    let opener = Opener::begin(recording, &identity).map_err(ReadFault::from)?;
    drop(identity);
    let (reader, beginning) = Reader::begin(opener, chunks)?;
    let sha256: [u8; 32] = Sha256::digest(file).into();
    if sha256 != beginning.image && !image_may_differ && secrets.is_none() {
        return Err(ReplayFault::OtherImage(beginning.image));
    }
    let (digest, machine) = (beginning.image, beginning.machine);
    let guest = load(file, hex(sha256), beginning)?;
    let taker = secrets.map(|wish| Taker::new(file, wish));
    let writes = [pcap.as_ref().map(AsRawFd::as_raw_fd), taker.as_ref().and_then(Taker::descriptor)];
    let needs = needs(&guest, descriptor, writes.into_iter().flatten());
    let guest = guest.jailed(|| jail::close(&needs).map(drop)).map_err(ReplayFault::Jail)?;
    let pcap = pcap.map(Pcap::begin).transpose().map_err(ReplayFault::Pcap)?;
    let mut replaying = Replaying { reader, guest, pcap, watch, taker, until, report: Report::new(digest, machine) };
    replaying.until_end()?;
    if damaged && replaying.report.end == End::Cut {
        replaying.report.end = End::Damaged;
    }
    if let Some(pcap) = &mut replaying.pcap {
        pcap.flush().map_err(ReplayFault::Pcap)?;
    }
    replaying.report.secrets = replaying.taker.map(|taker| taker.given);
    Ok(replaying.report)
}

/// Authenticates the file, and winds it back. How many chunks are good, and whether the next one is bad.
fn check(recording: &mut File, identity: &Identity, damage: Damage) -> Result<(u64, bool), ReadFault> {
    let io = |fault| ReadFault::Open(OpenFault::HostIo(fault));
    recording.seek(SeekFrom::Start(0)).map_err(io)?;
    let mut opener = Opener::begin(&mut *recording, identity)?;
    let found = loop {
        match opener.advance() {
            Ok(Ahead::More) => {}
            Ok(Ahead::Whole | Ahead::Cut) => break (opener.opened(), false),
            Err(OpenFault::PeerChunk(number)) if damage == Damage::StopBefore => break (number, true),
            Err(fault) => return Err(fault.into()),
        }
    };
    recording.seek(SeekFrom::Start(0)).map_err(io)?;
    Ok(found)
}

fn load(file: &[u8], digest: String, beginning: Beginning) -> Result<guest::Loaded, ReplayFault> {
    let image = Image::parse(file).map_err(|fault| ReplayFault::Load(fault.into()))?;
    let Beginning { heap_len, draw, seed, bundle, contest, .. } = beginning;
    let heap_len = usize::try_from(heap_len).unwrap_or(usize::MAX);
    let parcel = machine::Parcel { heap_len, seed, bundle, draw: Some(Draw::again(draw)), contest: contest.map(again) };
    guest::load(image, digest, parcel).map_err(ReplayFault::Load)
}

/// A contest as a machine is given it.
fn again(contest: recording::event::Contest) -> machine::Contest {
    let recording::event::Contest { flag, flag_address, word_address, prize } = contest;
    machine::Contest { flag, flag_address, word_address, prize }
}

fn hex(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn needs(guest: &guest::Loaded, recording: RawFd, writes: impl Iterator<Item = RawFd>) -> Needs {
    let writes = core::iter::once(std::io::stdout().as_raw_fd()).chain(writes).collect();
    Needs { machine: Machine::Process, machine_calls: guest.syscalls(), ..Needs::of_streams(vec![recording], writes, DESCRIPTORS_MAX) }
}

/// A replay opens nothing.
const DESCRIPTORS_MAX: u64 = 64;

impl Report {
    fn new(image: [u8; 32], machine: u32) -> Self {
        let (frames, now) = (Frames::default(), Duration::ZERO);
        Self {
            end: End::Cut,
            last: None,
            image,
            machine,
            turns: 0,
            now,
            frames,
            secrets: None,
            differences: Vec::new(),
            difference_count: 0,
        }
    }

    fn add(&mut self, difference: Difference) {
        self.difference_count = self.difference_count.saturating_add(1);
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(difference);
        }
    }
}

struct Replaying<'a> {
    reader: Reader<File>,
    guest: Guest,
    pcap: Option<Pcap<File>>,
    watch: Option<&'a mut dyn Watch>,
    taker: Option<Taker>,
    until: Option<Duration>,
    report: Report,
}

impl Replaying<'_> {
    fn until_end(&mut self) -> Result<(), ReplayFault> {
        while self.report.end == End::Cut {
            match self.step() {
                Ok(Some(end)) => self.report.end = end,
                Ok(None) => {}
                Err(ReplayFault::Read(ReadFault::Cut)) => return Ok(()),
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// One turn; the end, if that was it.
    fn step(&mut self) -> Result<Option<End>, ReplayFault> {
        let given = match self.reader.next_event()? {
            Event::Go(given) => given,
            Event::Over(over) => return Ok(Some(End::Over(over))),
            Event::Came(_) => return Err(ReadFault::PeerFormat.into()),
        };
        if self.until.is_some_and(|until| Duration::from_nanos(given.now_ns) > until) {
            return Ok(Some(End::Until));
        }
        let recorded = match self.reader.next_event()? {
            Event::Came(came) => came,
            Event::Over(over) => return Ok(Some(End::Over(over))),
            Event::Go(_) => return Err(ReadFault::PeerFormat.into()),
        };
        self.guest.give(&given);
        let came = self.guest.run().map_err(ReplayFault::Host)?;
        // Secrets stand in a capture before the frames that they open, some of which the guest has just been given.
        self.capture_secrets()?;
        self.capture_given(&given)?;
        self.report.turns = self.report.turns.saturating_add(1);
        self.report.now = Duration::from_nanos(given.now_ns);
        self.capture_sent(&given)?;
        let machine = self.report.machine;
        let scope = if self.taker.is_some() { Scope::AllButLog } else { Scope::All };
        let report = &mut self.report;
        compare::each(&recorded, &came, machine, scope, |link, what| {
            report.add(Difference { turn: report.turns, now: report.now, link, what });
        });
        self.report.last = self.guest.last_words(&came.how);
        // A tender empties the windows of a guest that waits, and of no other.
        if matches!(came.how, How::Wait { .. }) {
            self.guest.take(&given);
        }
        Ok((!compare::same_kind(&recorded.how, &came.how)).then_some(End::Parted))
    }

    fn capture_secrets(&mut self) -> Result<(), ReplayFault> {
        let Some(taker) = &mut self.taker else { return Ok(()) };
        let lines = taker.take(self.guest.log()).map_err(ReplayFault::KeyLog)?;
        let captured = self.pcap.as_mut().filter(|_| !lines.is_empty()).map_or(Ok(()), |pcap| pcap.secrets(lines.as_bytes()));
        captured.map_err(ReplayFault::Pcap)
    }

    fn capture_given(&mut self, given: &Given) -> Result<(), ReplayFault> {
        for (link, frames) in given.frames.iter().enumerate() {
            if let Some(count) = self.report.frames.given.get_mut(link) {
                *count = count.saturating_add(u64::try_from(frames.len()).unwrap_or(0));
            }
            for frame in frames {
                if let Some(watch) = &mut self.watch {
                    watch.frame(Duration::from_nanos(given.now_ns), link, Way::ToGuest, &frame.bytes);
                }
                let captured = self.pcap.as_mut().map_or(Ok(()), |pcap| pcap.frame(link, Way::ToGuest, given.unix_ns, &frame.bytes));
                captured.map_err(ReplayFault::Pcap)?;
            }
        }
        Ok(())
    }

    fn capture_sent(&mut self, given: &Given) -> Result<(), ReplayFault> {
        for (link, count) in self.report.frames.sent.iter_mut().enumerate() {
            for frame in self.guest.sent(link) {
                *count = count.saturating_add(1);
                if let Some(watch) = &mut self.watch {
                    watch.frame(Duration::from_nanos(given.now_ns), link, Way::FromGuest, frame);
                }
                let captured = self.pcap.as_mut().map_or(Ok(()), |pcap| pcap.frame(link, Way::FromGuest, given.unix_ns, frame));
                captured.map_err(ReplayFault::Pcap)?;
            }
        }
        Ok(())
    }
}
