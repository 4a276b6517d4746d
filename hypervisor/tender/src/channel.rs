//! The channel between supervisor and tender: an inherited socket pair, the tender's standard input.
//!
//! The supervisor sends one parcel: lengths, with every descriptor attached, then the order and the bundle. After it, frames go both
//! ways (`frames`), and neither end waits for the other. Nothing of it stands in an argument list, in the environment, or on a disk.
//!
//! What comes from a tender may come from its guest: the supervisor takes no more of it than a bound, and believes none of it.

mod frames;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::SendFlags;
use zeroize::Zeroizing;

use crate::handover;
use crate::limits::{ANSWER_LEN_MAX, DESCRIPTORS_MAX, FRAME_FROM_TENDER_LEN_MAX, FRAME_TO_TENDER_LEN_MAX, ORDER_LEN_MAX};
use crate::mailbox::{Ask, Number};
use crate::order::{Order, Update};
use frames::{Bytes, Frames, Received, SendFault};

/// Supervisor to tender: ask the guest to stop.
const DRAIN: u8 = b'D';
/// Supervisor to tender: the length of an [`Update`] (four bytes), the update, a bundle.
const RELOAD: u8 = b'R';
/// Both ways: how the guest stands; the answer's bytes are the guest's.
const STATUS: u8 = b'T';
/// Supervisor to tender: the question's number (eight bytes, little-endian), its kind (one byte, [`ASK_PROVE`] or [`ASK_SIGN`]) and its bytes. Tender to supervisor: the same number, one byte that is 1
/// if the guest has done as it was asked, and the answer; or 0 and why not. Answers come in any order, and one that finds no room never comes.
const ASK: u8 = b'A';
const ASK_PROVE: u8 = b'P';
const ASK_SIGN: u8 = b'S';
/// Tender to supervisor: the guest serves.
const SERVING: u8 = b'S';
/// Tender to supervisor: the guest serves new connections by the last bundle that it was sent.
const RELOADED: u8 = b'R';
/// Tender to supervisor: a reload changed nothing; the bytes say why.
const REFUSED: u8 = b'F';

const HEADER_LEN: usize = 8;

/// Why a parcel did not arrive.
#[derive(Debug)]
pub enum ChannelFault {
    /// The descriptor is not a socket, or the other side is gone.
    Io(io::Error),
    /// Lengths, order, bundle or number of descriptors are out of bounds.
    Malformed,
}

impl From<io::Error> for ChannelFault {
    fn from(fault: io::Error) -> Self {
        Self::Io(fault)
    }
}

/// All that a tender gets.
#[derive(Debug)]
pub struct Parcel {
    /// What to run.
    pub order: Order,
    /// The encoded boot bundle; wiped on drop.
    pub bundle: Zeroizing<Vec<u8>>,
    /// The image file.
    pub image: File,
    /// As [`Order::descriptors`] counts them: of the front link, of the back link, for access lines, for the recording, of the contest.
    pub descriptors: Vec<OwnedFd>,
}

/// The supervisor's end.
#[derive(Debug)]
pub struct Supervised {
    frames: Frames,
}

impl Supervised {
    /// A channel: this end, and the tender's, which becomes its standard input.
    ///
    /// # Errors
    /// What socketpair(2) says.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok((Self { frames: Frames::new(ours.into(), FRAME_FROM_TENDER_LEN_MAX) }, theirs.into()))
    }

    /// Sends the parcel, and waits until it is through. `image` and `descriptors` stay open on this side.
    ///
    /// # Errors
    /// [`ChannelFault`].
    pub fn send(
        &mut self,
        order: &Order,
        bundle: &[u8],
        image: BorrowedFd<'_>,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), ChannelFault> {
        let order = postcard::to_stdvec(order).map_err(|_| ChannelFault::Malformed)?;
        if order.len() > ORDER_LEN_MAX || bundle.len() > abi::limits::BUNDLE_LEN_MAX || descriptors.len() > DESCRIPTORS_MAX {
            return Err(ChannelFault::Malformed);
        }
        let mut all = vec![image];
        all.extend_from_slice(descriptors);
        self.send_header(order.len(), bundle.len(), &all)?;
        self.write_all(&order)?;
        self.write_all(bundle)
    }

    fn send_header(&self, order_len: usize, bundle_len: usize, descriptors: &[BorrowedFd<'_>]) -> Result<(), ChannelFault> {
        let [o, b] = [order_len, bundle_len].map(|len| u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
        Ok(handover::give(&self.frames, &[o, b].concat(), descriptors)?)
    }

    fn write_all(&self, mut rest: &[u8]) -> Result<(), ChannelFault> {
        while !rest.is_empty() {
            match rustix::net::send(&self.frames, rest, SendFlags::NOSIGNAL) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(io::Error::from(errno).into()),
            }
        }
        Ok(())
    }

    /// Asks the guest to stop.
    ///
    /// # Errors
    /// The tender is gone, or reads nothing any more.
    pub fn drain(&mut self) -> Result<(), ChannelFault> {
        Ok(self.frames.send(DRAIN, &[])?)
    }

    /// Sends the guest a new bundle, and its tender what goes with it. [`Heard::Reloaded`] or [`Heard::Refused`] follows.
    ///
    /// # Errors
    /// The tender is gone, or reads nothing any more; or it is too much.
    pub fn reload(&mut self, update: &Update, bundle: &[u8]) -> Result<(), ChannelFault> {
        let update = postcard::to_stdvec(update).map_err(|_| ChannelFault::Malformed)?;
        if update.len() > ORDER_LEN_MAX || bundle.len() > abi::limits::BUNDLE_LEN_MAX {
            return Err(ChannelFault::Malformed);
        }
        let len = u32::try_from(update.len()).map_err(|_| ChannelFault::Malformed)?.to_le_bytes();
        Ok(self.frames.send(RELOAD, &[&len, &update, bundle])?)
    }

    /// Asks how the guest stands. [`Heard::Status`] follows.
    ///
    /// # Errors
    /// The tender is gone, or reads nothing any more.
    pub fn ask_status(&mut self) -> Result<(), ChannelFault> {
        Ok(self.frames.send(STATUS, &[])?)
    }

    /// Asks the guest of a contest for something. [`Heard::Answer`] of the same number follows, unless the tender cannot tell it.
    ///
    /// # Errors
    /// The tender is gone, or reads nothing any more; or it is too much.
    pub fn ask(&mut self, Number(number): Number, ask: &Ask) -> Result<(), ChannelFault> {
        let (kind, bytes) = match ask {
            Ask::Prove(nonce) => (ASK_PROVE, &nonce[..]),
            Ask::Sign(message) => (ASK_SIGN, &message[..]),
        };
        if bytes.len() > ANSWER_LEN_MAX {
            return Err(ChannelFault::Malformed);
        }
        Ok(self.frames.send(ASK, &[&number.to_le_bytes(), &[kind], bytes])?)
    }

    /// What the tender says next, without waiting; to be called until [`Heard::Nothing`].
    pub fn hear(&mut self) -> Heard {
        match self.frames.receive() {
            Received::Nothing => Heard::Nothing,
            Received::Gone => Heard::Gone,
            Received::Frame(SERVING, _) => Heard::Serving,
            Received::Frame(RELOADED, _) => Heard::Reloaded,
            Received::Frame(REFUSED, why) => Heard::Refused(crate::line::escape(&String::from_utf8_lossy(&why))),
            Received::Frame(STATUS, bytes) => Heard::Status(bytes.to_vec()),
            Received::Frame(ASK, bytes) => match numbered(&bytes) {
                Some((number, 1, bytes)) => Heard::Answer(number, Ok(bytes.to_vec())),
                Some((number, _, why)) => Heard::Answer(number, Err(crate::line::escape(&String::from_utf8_lossy(why)))),
                None => Heard::Noise,
            },
            Received::Frame(..) => Heard::Noise,
        }
    }

    /// Whether something waits for the tender to read on; then [`Supervised::flush`] is to be called when the socket is writable.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.frames.is_waiting()
    }

    /// Sends on what waits.
    ///
    /// # Errors
    /// The tender is gone.
    pub fn flush(&mut self) -> Result<(), ChannelFault> {
        Ok(self.frames.flush()?)
    }
}

impl AsFd for Supervised {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.frames.as_fd()
    }
}

impl From<SendFault> for ChannelFault {
    fn from(fault: SendFault) -> Self {
        Self::Io(match fault {
            SendFault::Full => io::ErrorKind::WouldBlock.into(),
            SendFault::Gone => io::ErrorKind::BrokenPipe.into(),
        })
    }
}

/// What a tender tells its supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Nothing new.
    Nothing,
    /// The guest has started up and serves.
    Serving,
    /// The guest serves new connections by the last bundle that it was sent.
    Reloaded,
    /// A reload changed nothing, and this is why: printable text, which may be the guest's.
    Refused(String),
    /// How the guest stands: bytes that the guest made. Empty where it gave no answer.
    Status(Vec<u8>),
    /// What the guest of a contest was asked for by the question of this number, bytes that it made; or why it has not: printable text. A tender may make up both.
    Answer(Number, Result<Vec<u8>, String>),
    /// A frame that means nothing.
    Noise,
    /// The tender has closed its end, or sends what is no frame.
    Gone,
}

/// The tender's end.
#[derive(Debug)]
pub struct Tending {
    frames: Frames,
}

/// What a supervisor tells its tender.
#[derive(Debug)]
pub enum Told {
    /// Nothing new.
    Nothing,
    /// Stop serving.
    Drain,
    /// Serve by this bundle; the update goes with it.
    Reload(Update, Zeroizing<Vec<u8>>),
    /// Say how the guest stands.
    Status,
    /// Ask the guest of a contest; the answer is to have the number.
    Ask(Number, Ask),
    /// The supervisor is gone.
    Gone,
}

impl Tending {
    /// Takes the parcel from the inherited end of a channel.
    ///
    /// # Errors
    /// [`ChannelFault`].
    pub fn receive(socket: OwnedFd) -> Result<(Self, Parcel), ChannelFault> {
        let (order_len, bundle_len, mut descriptors) = receive_header(socket.as_fd())?;
        if descriptors.is_empty() || order_len > ORDER_LEN_MAX || bundle_len > abi::limits::BUNDLE_LEN_MAX {
            return Err(ChannelFault::Malformed);
        }
        let mut stream = UnixStream::from(socket);
        let mut order = vec![0; order_len];
        stream.read_exact(&mut order)?;
        let mut bundle = Zeroizing::new(vec![0; bundle_len]);
        stream.read_exact(&mut bundle)?;
        let order: Order = postcard::from_bytes(&order).map_err(|_| ChannelFault::Malformed)?;
        let image = File::from(descriptors.remove(0));
        if descriptors.len() != order.descriptors() {
            return Err(ChannelFault::Malformed);
        }
        let frames = Frames::new(stream.into(), FRAME_TO_TENDER_LEN_MAX);
        Ok((Self { frames }, Parcel { order, bundle, image, descriptors }))
    }

    /// Tells the supervisor that the guest serves. If it cannot be told, it is gone, and [`Tending::hear`] will say so.
    pub fn serving(&mut self) {
        let _told = self.frames.send(SERVING, &[]);
    }

    /// Tells the supervisor that the guest has a new bundle.
    pub fn reloaded(&mut self) {
        let _told = self.frames.send(RELOADED, &[]);
    }

    /// Tells the supervisor that nothing has changed, and why.
    pub fn refused(&mut self, why: &str) {
        let _told = self.frames.send(REFUSED, &[why.as_bytes()]);
    }

    /// Tells the supervisor how the guest stands.
    pub fn status(&mut self, bytes: &[u8]) {
        let _told = self.frames.send(STATUS, &[bytes]);
    }

    /// Tells the supervisor what the guest of a contest has answered to the question of this number. If it cannot be told, whoever asked hears nothing in time, and nobody else gets it.
    pub fn answer(&mut self, Number(number): Number, answer: &Result<Vec<u8>, String>) {
        let (is_done, bytes) = match answer {
            Ok(bytes) => (1, &bytes[..]),
            Err(why) => (0, why.as_bytes()),
        };
        let _told = self.frames.send(ASK, &[&number.to_le_bytes(), &[is_done], bytes]);
    }

    /// Sends on what waits for the supervisor to read.
    pub fn flush(&mut self) {
        let _told = self.frames.flush();
    }

    /// What the supervisor has said, without waiting; to be called until [`Told::Nothing`].
    #[must_use]
    pub fn hear(&mut self) -> Told {
        match self.frames.receive() {
            Received::Nothing => Told::Nothing,
            Received::Frame(DRAIN, _) => Told::Drain,
            Received::Frame(STATUS, _) => Told::Status,
            Received::Frame(ASK, bytes) => question(&bytes).map_or(Told::Gone, |(number, ask)| Told::Ask(number, ask)),
            Received::Frame(RELOAD, bytes) => split_reload(&bytes).map_or(Told::Gone, |(update, bundle)| Told::Reload(update, bundle)),
            Received::Frame(..) | Received::Gone => Told::Gone,
        }
    }
}

/// What the guest of a contest is to be asked; `None` where it is nothing.
fn question(bytes: &[u8]) -> Option<(Number, Ask)> {
    match numbered(bytes)? {
        (number, ASK_PROVE, nonce) => Some((number, Ask::Prove(nonce.try_into().ok()?))),
        (number, ASK_SIGN, message) if message.len() <= ANSWER_LEN_MAX => Some((number, Ask::Sign(message.to_vec()))),
        _ => None,
    }
}

/// A number, one byte that says what the rest is, and the rest.
fn numbered(bytes: &[u8]) -> Option<(Number, u8, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    let (kind, rest) = rest.split_first()?;
    Some((Number(u64::from_le_bytes(*number)), *kind, rest))
}

/// The update and the bundle of a reload; `None` where it is none.
fn split_reload(bytes: &[u8]) -> Option<(Update, Bytes)> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (update, bundle) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    if bundle.len() > abi::limits::BUNDLE_LEN_MAX {
        return None;
    }
    Some((postcard::from_bytes(update).ok()?, Zeroizing::new(bundle.to_vec())))
}

impl AsFd for Tending {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.frames.as_fd()
    }
}

fn receive_header(socket: BorrowedFd<'_>) -> Result<(usize, usize, Vec<OwnedFd>), ChannelFault> {
    let mut header = [0; HEADER_LEN];
    let descriptors = handover::take(socket, &mut header)?;
    let [o0, o1, o2, o3, b0, b1, b2, b3] = header;
    let len = |field| usize::try_from(u32::from_le_bytes(field)).unwrap_or(usize::MAX);
    Ok((len([o0, o1, o2, o3]), len([b0, b1, b2, b3]), descriptors))
}

#[cfg(test)]
pub(crate) mod tests;
