//! What the public link carried, kept as evidence: pieces of pcapng within bounds, the oldest out, and beside each of them what TLS was spoken in it.
//!
//! A tender writes whole blocks into a pipe that never blocks it. They are not looked into here: a piece ends between two blocks, and what was spoken in it is told by a process of its own
//! (`bountybox challenge trace`), which is jailed and given nothing but the piece. Nobody waits for it who has a pipe to empty.

use core::time::Duration;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use keeper::evidence::{Evidence, EvidenceKind};
use recording::pcap;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use crate::cli::unix_now;
use crate::limits::{CAPTURE_BLOCK_LEN_MAX, CAPTURE_PIECE_LEN, CAPTURE_PIPE_LEN, TRACE_LEN_MAX};
use crate::terminal;

/// See the module.
#[derive(Debug)]
pub(in crate::run) struct Film {
    reel: Arc<Mutex<Reel>>,
    reader: OwnedFd,
    camera: JoinHandle<()>,
    teller: JoinHandle<()>,
}

/// The pieces.
#[derive(Debug)]
struct Reel {
    evidence: Arc<Mutex<Evidence>>,
    /// Whole blocks behind the file's head, and perhaps the beginning of one.
    piece: Vec<u8>,
    /// Bytes of `piece` that are whole blocks.
    whole: usize,
    /// The piece before.
    before: Arc<Vec<u8>>,
    /// Where pieces go of which it is to be told what was spoken.
    told: SyncSender<Arc<Vec<u8>>>,
    /// The last one found no room there.
    is_behind: bool,
    /// Something came that was no block: nothing behind it can be read.
    torn: bool,
}

impl Film {
    /// A film, and the end of its pipe for tenders, which does not block.
    pub(in crate::run) fn open(evidence: Arc<Mutex<Evidence>>) -> io::Result<(Self, OwnedFd)> {
        let (reader, pipe) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(pipe.as_fd(), true)?;
        // A host that allows less gives what it gives by default.
        let _smaller = fcntl_setpipe_size(&pipe, CAPTURE_PIPE_LEN);
        let (told, pieces) = sync_channel(PIECES_WAITING_MAX);
        let reel = Arc::new(Mutex::new(Reel::new(Arc::clone(&evidence), told)));
        let (followed, read) = (Arc::clone(&reel), reader.try_clone()?);
        let camera = thread::Builder::new().name("film".into()).spawn(move || follow(&followed, read.into()))?;
        let teller = thread::Builder::new().name("teller".into()).spawn(move || tell(&evidence, &pieces))?;
        Ok((Self { reel, reader, camera, teller }, pipe))
    }

    /// What led up to now: the last piece and the one that is being filled, once all that a tender has left in the pipe is read.
    pub(super) fn so_far(&self) -> Vec<u8> {
        let end = Instant::now().checked_add(PATIENCE);
        while rustix::io::ioctl_fionread(&self.reader).is_ok_and(|left| left > 0) && end.is_some_and(|end| Instant::now() < end) {
            thread::sleep(Duration::from_millis(5));
        }
        let reel = lock(&self.reel);
        let whole = reel.piece.get(..reel.whole).unwrap_or_default();
        [reel.before.as_slice(), whole].concat()
    }

    /// Keeps what is there; to be called when no tender has the pipe any more.
    pub(super) fn close(self) {
        let Self { reel, camera, teller, .. } = self;
        let _ended = camera.join();
        lock(&reel).cut();
        // Its end is the teller's, behind what it still has to tell.
        drop(reel);
        let _ended = teller.join();
    }
}

/// Pieces that wait to be told; each is a few MiB. One that finds no room is kept untold: `challenge trace` tells of it later, too.
const PIECES_WAITING_MAX: usize = 1;
/// How long what a tender has left may take to be read.
const PATIENCE: Duration = Duration::from_secs(2);

fn follow(reel: &Mutex<Reel>, mut pipe: File) {
    let mut chunk = vec![0; CAPTURE_PIPE_LEN];
    loop {
        match pipe.read(&mut chunk) {
            Ok(0) => return,
            Ok(len) => lock(reel).take(chunk.get(..len).unwrap_or_default()),
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Tells what was spoken in piece after piece.
fn tell(evidence: &Mutex<Evidence>, pieces: &Receiver<Arc<Vec<u8>>>) {
    for piece in pieces {
        keep(evidence, EvidenceKind::Trace, trace(piece));
    }
}

fn keep(evidence: &Mutex<Evidence>, kind: EvidenceKind, bytes: io::Result<impl AsRef<[u8]>>) {
    let kept = bytes
        .map_err(|fault| fault.to_string())
        .and_then(|bytes| lock(evidence).keep(kind, unix_now().as_secs(), bytes.as_ref()).map_err(|fault| fault.to_string()));
    if let Err(why) = kept {
        terminal::note(format!("warning: evidence is not kept: {why}"));
    }
}

impl Reel {
    fn new(evidence: Arc<Mutex<Evidence>>, told: SyncSender<Arc<Vec<u8>>>) -> Self {
        let piece = blank();
        Self { evidence, whole: piece.len(), piece, before: Arc::default(), told, is_behind: false, torn: false }
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.torn {
            return;
        }
        self.piece.extend_from_slice(bytes);
        loop {
            let rest = self.piece.get(self.whole..).unwrap_or_default();
            match block_len(rest) {
                Some(Ok(len)) if rest.len() >= len => self.whole = self.whole.saturating_add(len),
                Some(Err(())) => {
                    terminal::note("warning: a tender has captured what is no frame; nothing more is kept of what it captures");
                    self.torn = true;
                    return;
                }
                _ => break,
            }
        }
        if self.whole >= CAPTURE_PIECE_LEN {
            self.cut();
        }
    }

    /// Keeps the piece, and begins another one.
    fn cut(&mut self) {
        let mut piece = core::mem::replace(&mut self.piece, blank());
        let rest = piece.drain(self.whole..);
        self.whole = self.piece.len();
        self.piece.extend(rest);
        let piece = Arc::new(piece);
        if piece.len() > pcap::head().len() {
            keep(&self.evidence, EvidenceKind::Capture, Ok(piece.as_slice()));
            let is_behind = self.told.try_send(Arc::clone(&piece)).is_err();
            if is_behind && !self.is_behind {
                terminal::note("warning: more is captured than can be told: until it is less, what was spoken is not told of every piece");
            }
            self.is_behind = is_behind;
        }
        self.before = piece;
    }
}

/// A piece of which there is nothing but the file's head yet. It has its room from the start: one that grows would be copied, and have up to twice as much.
fn blank() -> Vec<u8> {
    let mut piece = Vec::with_capacity(CAPTURE_PIECE_LEN.saturating_add(CAPTURE_PIPE_LEN));
    piece.extend(pcap::head());
    piece
}

/// The length of the block that begins here, if that much of it is there.
fn block_len(bytes: &[u8]) -> Option<Result<usize, ()>> {
    let len = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    Some(if len.is_multiple_of(4) && (12..=CAPTURE_BLOCK_LEN_MAX).contains(&len) { Ok(len) } else { Err(()) })
}

/// What TLS was spoken in a piece, told by a process that is given nothing else.
fn trace(piece: Arc<Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("bountybox").args(["challenge", "trace"]).env_clear().current_dir("/");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let writer = thread::spawn(move || input.map_or(Ok(()), |mut input| input.write_all(&piece)));
    let mut told = Vec::new();
    let limit = u64::try_from(TRACE_LEN_MAX).unwrap_or(u64::MAX);
    let read = output.map_or(Ok(0), |output| output.take(limit).read_to_end(&mut told));
    // One that has told enough may be in the middle of it.
    let _gone = child.kill();
    let _ended = child.wait();
    let _written = writer.join();
    read.map(|_| told)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use keeper::evidence::Bounds;
    use recording::pcap::Way;

    fn reel(dir: &std::path::Path, bytes: u64) -> Reel {
        let bounds = Bounds { files: 4, bytes };
        let evidence = Evidence::open(dir, bounds, bounds, bounds).unwrap();
        Reel::new(Arc::new(Mutex::new(evidence)), sync_channel(1).0)
    }

    #[test]
    fn blocks_come_in_any_cuts_and_pieces_hold_whole_ones() {
        let dir = tempfile::tempdir().unwrap();
        let mut reel = reel(dir.path(), 1 << 20);
        let stream: Vec<u8> = (0..50_u8).flat_map(|n| pcap::frame(0, Way::ToGuest, n.into(), &[n; 61])).collect();
        for cut in stream.chunks(37) {
            reel.take(cut);
        }
        assert_eq!(reel.piece[reel.whole..].len(), 0);
        assert_eq!(reel.piece, [pcap::head(), stream.clone()].concat());
        reel.take(&stream[..20]);
        assert_eq!(reel.piece.len() - reel.whole, 20, "what is cut waits for the rest");
    }

    #[test]
    fn what_is_no_block_ends_the_film_and_costs_nothing_more() {
        let dir = tempfile::tempdir().unwrap();
        let mut reel = reel(dir.path(), 1 << 20);
        let good = pcap::frame(0, Way::FromGuest, 1, b"frame");
        reel.take(&good);
        reel.take(&[0xff; 64]);
        let len = reel.piece.len();
        reel.take(&good);
        assert!(reel.torn && reel.piece.len() == len && reel.whole == pcap::head().len() + good.len());
    }
}
