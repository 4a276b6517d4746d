//! Frames over the channel's socket, once the parcel is through: a kind, a length, bytes. Neither end ever waits for the other.
//!
//! What came in part is kept until the rest is there; what could not be sent is kept until the socket takes more. Both are bounded, and
//! wiped after use, because a bundle is among what travels.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use zeroize::Zeroizing;

use crate::limits::FRAMES_WAITING_MAX;

/// A kind (one byte) and a length (four).
const HEADER_LEN: usize = 5;

/// Bytes that are wiped when they are dropped.
pub(super) type Bytes = Zeroizing<Vec<u8>>;

/// The socket, with what is under way in both directions.
#[derive(Debug)]
pub(super) struct Frames {
    socket: OwnedFd,
    incoming: Incoming,
    /// Whole frames, headers included; of the first, `sent` bytes are gone.
    outgoing: VecDeque<Bytes>,
    sent: usize,
}

/// One look at what has come in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// No whole frame yet.
    Nothing,
    /// A frame.
    Frame(u8, Bytes),
    /// The other end is closed, or sends what is no frame; nothing more will come.
    Gone,
}

/// Why a frame was not taken for sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SendFault {
    /// Too many wait already: the other end does not read.
    Full,
    /// The other end is closed.
    Gone,
}

impl Frames {
    /// Frames of `len_max` bytes at most are taken.
    pub(super) fn new(socket: OwnedFd, len_max: usize) -> Self {
        Self { socket, incoming: Incoming::new(len_max), outgoing: VecDeque::new(), sent: 0 }
    }

    /// Sends a frame whose bytes are these pieces, one after the other, or as much of it as goes at once.
    pub(super) fn send(&mut self, kind: u8, pieces: &[&[u8]]) -> Result<(), SendFault> {
        if self.outgoing.len() >= FRAMES_WAITING_MAX {
            return Err(SendFault::Full);
        }
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        let [l0, l1, l2, l3] = u32::try_from(len).map_err(|_| SendFault::Full)?.to_le_bytes();
        // Of its final size at once: a vector that grows leaves copies behind.
        let mut frame = Zeroizing::new(Vec::with_capacity(HEADER_LEN.saturating_add(len)));
        frame.extend_from_slice(&[kind, l0, l1, l2, l3]);
        pieces.iter().for_each(|piece| frame.extend_from_slice(piece));
        self.outgoing.push_back(frame);
        self.flush()
    }

    /// Sends what waits, as much as goes.
    pub(super) fn flush(&mut self) -> Result<(), SendFault> {
        while let Some(frame) = self.outgoing.front() {
            let rest = frame.get(self.sent..).unwrap_or_default();
            match rustix::net::send(&self.socket, rest, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(count) if count < rest.len() => self.sent = self.sent.saturating_add(count),
                Ok(_) => {
                    self.outgoing.pop_front();
                    self.sent = 0;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(_) => return Err(SendFault::Gone),
            }
        }
        Ok(())
    }

    /// Whether something waits for the socket to take more.
    pub(super) fn is_waiting(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// The next frame, if all of it is here. To be called until [`Received::Nothing`].
    pub(super) fn receive(&mut self) -> Received {
        loop {
            let space = self.incoming.space();
            if space.is_empty() {
                return self.incoming.take();
            }
            match rustix::net::recv(&self.socket, space, RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Received::Gone,
                Ok((count, _)) if self.incoming.filled(count).is_err() => return Received::Gone,
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Received::Nothing,
                Err(_) => return Received::Gone,
            }
        }
    }
}

impl AsFd for Frames {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The frame that is coming in.
#[derive(Debug)]
struct Incoming {
    len_max: usize,
    header: [u8; HEADER_LEN],
    /// `None` while the header is not whole.
    bytes: Option<Bytes>,
    /// Of the header, or of the bytes.
    filled: usize,
}

/// The header names more bytes than a frame may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TooLong;

impl Incoming {
    fn new(len_max: usize) -> Self {
        Self { len_max, header: [0; HEADER_LEN], bytes: None, filled: 0 }
    }

    /// What is still to be filled; empty once the frame is whole.
    fn space(&mut self) -> &mut [u8] {
        let filled = self.filled;
        let part = match &mut self.bytes {
            None => &mut self.header[..],
            Some(bytes) => &mut bytes[..],
        };
        part.get_mut(filled..).unwrap_or_default()
    }

    fn filled(&mut self, count: usize) -> Result<(), TooLong> {
        self.filled = self.filled.saturating_add(count);
        if self.bytes.is_none() && self.filled >= HEADER_LEN {
            let [_, l0, l1, l2, l3] = self.header;
            let len = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).map_err(|_| TooLong)?;
            if len > self.len_max {
                return Err(TooLong);
            }
            self.bytes = Some(Zeroizing::new(vec![0; len]));
            self.filled = 0;
        }
        Ok(())
    }

    fn take(&mut self) -> Received {
        self.filled = 0;
        let [kind, ..] = self.header;
        self.bytes.take().map_or(Received::Gone, |bytes| Received::Frame(kind, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::net::UnixStream;

    fn pair(len_max: usize) -> (Frames, Frames) {
        let (one, other) = UnixStream::pair().unwrap();
        (Frames::new(one.into(), len_max), Frames::new(other.into(), len_max))
    }

    /// Everything that has come in, up to the first thing that is no frame.
    fn all(frames: &mut Frames) -> (Vec<(u8, Vec<u8>)>, Received) {
        let mut found = Vec::new();
        loop {
            match frames.receive() {
                Received::Frame(kind, bytes) => found.push((kind, bytes.to_vec())),
                other => return (found, other),
            }
        }
    }

    #[test]
    fn frames_arrive_whole_in_order_and_may_be_empty() {
        let (mut one, mut other) = pair(100);
        one.send(1, &[]).unwrap();
        one.send(2, &[b"ab", b"", b"c"]).unwrap();
        assert_eq!(all(&mut other), (vec![(1, vec![]), (2, b"abc".to_vec())], Received::Nothing));
        drop(one);
        assert_eq!(other.receive(), Received::Gone);
    }

    #[test]
    fn more_than_the_socket_takes_goes_on_when_it_takes_more() {
        let (mut one, mut other) = pair(8 << 20);
        let large = vec![7; 5 << 20];
        one.send(3, &[&large]).unwrap();
        assert!(one.is_waiting(), "no socket takes as much");
        let mut found = Vec::new();
        while found.is_empty() {
            one.flush().unwrap();
            found = all(&mut other).0;
        }
        assert!(!one.is_waiting());
        assert_eq!(found, [(3, large)]);
    }

    #[test]
    fn one_that_is_not_read_holds_a_bounded_number() {
        let (mut one, _other) = pair(8 << 20);
        let large = vec![7; 1 << 20];
        let taken = (0..2 * FRAMES_WAITING_MAX).take_while(|_| one.send(3, &[&large]) == Ok(())).count();
        assert!((FRAMES_WAITING_MAX..=FRAMES_WAITING_MAX + 1).contains(&taken), "{taken}");
    }

    #[test]
    fn the_longest_frame_is_taken_and_one_byte_more_is_the_end() {
        let (mut one, mut other) = pair(10);
        one.send(1, &[&[5; 10]]).unwrap();
        assert_eq!(all(&mut other).0.len(), 1);
        one.send(1, &[&[5; 11]]).unwrap();
        assert_eq!(other.receive(), Received::Gone);
    }

    #[test]
    fn a_closed_other_end_is_told_from_one_that_does_not_read() {
        let (mut one, other) = pair(10);
        drop(other);
        assert_eq!(one.send(1, &[]), Err(SendFault::Gone));
    }

    proptest! {
        /// What the other end sends is what it is, however it is cut, and nothing it sends panics.
        #[test]
        fn any_bytes_in_any_pieces_are_frames_or_the_end(bytes in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..200), cuts in prop::collection::vec(1_usize..20, 1..40)) {
            let read = |pieces: Vec<&[u8]>| {
                let (ours, theirs) = UnixStream::pair().unwrap();
                let mut frames = Frames::new(theirs.into(), 64);
                let mut found = Vec::new();
                for piece in pieces {
                    rustix::io::write(&ours, piece).unwrap();
                    let (more, end) = all(&mut frames);
                    found.extend(more);
                    if end == Received::Gone {
                        return (found, Received::Gone);
                    }
                }
                (found, Received::Nothing)
            };
            let mut pieces = Vec::new();
            let (mut rest, mut lengths) = (&bytes[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
                pieces.push(piece);
                rest = after;
            }
            let whole = if bytes.is_empty() { vec![] } else { vec![&bytes[..]] };
            let (in_pieces, in_one) = (read(pieces), read(whole));
            prop_assert!(in_one.0.iter().all(|(_, bytes)| bytes.len() <= 64));
            prop_assert_eq!(in_pieces, in_one);
        }
    }
}
