//! One direction of a connection: segments in any order, bytes in theirs.

use std::collections::BTreeMap;

use crate::limits::{AHEAD_MAX, WAITING_LEN_MAX, WAITING_SEGMENTS_MAX};

/// See the module.
#[derive(Debug)]
pub(crate) struct Stream {
    /// The sequence number of the first byte.
    first: u32,
    /// Bytes that were read.
    read: u64,
    /// What came too early, by its place in the stream.
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_len: usize,
    /// How long it is, once its end was said.
    len: Option<u64>,
    /// There is a hole that nothing will fill; what comes is passed over.
    lost: bool,
}

/// More waits behind something that is missing than is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hole;

impl Stream {
    pub(crate) fn new(first: u32) -> Self {
        Self { first, read: 0, waiting: BTreeMap::new(), waiting_len: 0, len: None, lost: false }
    }

    /// Takes a segment's bytes; `deliver` gets what is in order now. What was read already, and what is in nobody's window, is passed over.
    pub(crate) fn receive(&mut self, sequence: u32, payload: &[u8], mut deliver: impl FnMut(&[u8])) -> Result<(), Hole> {
        let ahead = sequence.wrapping_sub(self.expected());
        if payload.is_empty() || self.lost || self.is_over() {
            return Ok(());
        }
        // RFC 9293 section 3.4: the nearer of both ways round.
        if ahead.cast_signed() > 0 {
            return if ahead <= AHEAD_MAX { self.keep(self.read.saturating_add(ahead.into()), payload) } else { Ok(()) };
        }
        let old = usize::try_from(ahead.cast_signed().unsigned_abs()).unwrap_or(usize::MAX);
        self.take(payload.get(old..).unwrap_or_default(), &mut deliver);
        while let Some((at, bytes)) = self.next_waiting() {
            let old = usize::try_from(self.read.saturating_sub(at)).unwrap_or(usize::MAX);
            self.take(bytes.get(old..).unwrap_or_default(), &mut deliver);
        }
        Ok(())
    }

    /// Nothing more is read of it, and nothing kept.
    pub(crate) fn lose(&mut self) {
        self.lost = true;
        self.waiting.clear();
        self.waiting_len = 0;
    }

    /// Its end was said: the sequence number behind the last byte.
    pub(crate) fn end_at(&mut self, sequence: u32) {
        let ahead = sequence.wrapping_sub(self.expected());
        if ahead <= AHEAD_MAX && self.len.is_none() {
            self.len = Some(self.read.saturating_add(ahead.into()));
        }
    }

    /// Whether all of it was read.
    pub(crate) fn is_over(&self) -> bool {
        self.len.is_some_and(|len| self.read >= len)
    }

    /// Whether something is missing in front of what came.
    pub(crate) fn has_hole(&self) -> bool {
        !self.waiting.is_empty() || self.len.is_some_and(|len| self.read < len)
    }

    /// The sequence number of the next byte.
    pub(crate) fn expected(&self) -> u32 {
        // The low half is what counts (RFC 9293 section 3.4).
        let [b0, b1, b2, b3, ..] = self.read.to_le_bytes();
        self.first.wrapping_add(u32::from_le_bytes([b0, b1, b2, b3]))
    }

    /// Bytes of memory that it holds.
    pub(crate) fn kept_len(&self) -> usize {
        self.waiting_len
    }

    fn take(&mut self, bytes: &[u8], deliver: &mut impl FnMut(&[u8])) {
        if !bytes.is_empty() {
            self.read = self.read.saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
            deliver(bytes);
        }
    }

    fn keep(&mut self, at: u64, payload: &[u8]) -> Result<(), Hole> {
        if self.waiting.get(&at).is_some_and(|there| there.len() >= payload.len()) {
            return Ok(());
        }
        let len = self.waiting_len.saturating_add(payload.len());
        if self.waiting.len() >= WAITING_SEGMENTS_MAX || len > WAITING_LEN_MAX {
            self.lose();
            return Err(Hole);
        }
        let replaced = self.waiting.insert(at, payload.to_vec());
        self.waiting_len = len.saturating_sub(replaced.map_or(0, |bytes| bytes.len()));
        Ok(())
    }

    /// The first of what waits, if it is its turn.
    fn next_waiting(&mut self) -> Option<(u64, Vec<u8>)> {
        let first = self.waiting.first_entry().filter(|entry| *entry.key() <= self.read)?;
        let (at, bytes) = first.remove_entry();
        self.waiting_len = self.waiting_len.saturating_sub(bytes.len());
        Some((at, bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_come_in_order_whatever_the_segments_did(first: u32, cuts in proptest::collection::vec((0usize..1000, 1usize..200), 1..60), all in proptest::collection::vec(any::<u8>(), 1000)) {
            let mut stream = Stream::new(first);
            let mut read = Vec::new();
            // Overlapping pieces in any order, then everything once more.
            for (at, len) in cuts.iter().copied().chain((0..1000).step_by(100).map(|at| (at, 100))) {
                let piece = &all[at..1000.min(at + len)];
                let sequence = first.wrapping_add(u32::try_from(at).unwrap());
                prop_assert_eq!(stream.receive(sequence, piece, |bytes| read.extend_from_slice(bytes)), Ok(()));
                prop_assert!(all.starts_with(&read));
            }
            prop_assert_eq!(read, all);
            prop_assert!(!stream.has_hole() && stream.kept_len() == 0);
            stream.end_at(first.wrapping_add(1000));
            prop_assert!(stream.is_over());
        }
    }

    #[test]
    fn a_hole_keeps_no_more_than_its_bound() {
        let mut stream = Stream::new(7);
        let mut fits = 0_usize;
        while stream.receive(u32::try_from(8 + fits * 10_000).unwrap(), &[0; 10_000], |_| panic!("nothing is in order")).is_ok() {
            fits += 1;
        }
        assert_eq!(fits, WAITING_LEN_MAX / 10_000);
        assert_eq!((stream.kept_len(), stream.receive(7, b"too late", |_| panic!("it is lost"))), (0, Ok(())));
    }

    #[test]
    fn an_end_with_something_missing_is_a_hole() {
        let mut stream = Stream::new(0);
        stream.receive(0, b"ab", |_| {}).unwrap();
        stream.end_at(3);
        assert!(stream.has_hole() && !stream.is_over());
        stream.receive(2, b"c", |_| {}).unwrap();
        assert!(!stream.has_hole() && stream.is_over());
    }
}
