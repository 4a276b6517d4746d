//! What is kept of what a guest gave: a chain of XXH3 over all of it, 64 bits long.
//!
//! It finds what differs by accident, at the speed of memory: the price is paid on every frame that a box sends. It is no proof against somebody who wants two
//! frames to look alike. Nobody here does: replay runs the same image, and the file around it is authenticated.

use queue::{Frame, Offload};
use twox_hash::XxHash3_64;

/// A digest, and what it goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest(pub u64);

impl Digest {
    /// The digest of these bytes behind what there was.
    #[must_use]
    pub fn and(self, bytes: &[u8]) -> Self {
        Self(XxHash3_64::oneshot_with_seed(self.0, bytes))
    }
}

/// Frames of one link in one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// How many, up to the first that is malformed.
    pub frames: u16,
    /// Of their bytes and of what is left to do to them, and of what is wrong with the queue.
    pub digest: Digest,
}

/// What stands in a queue's window.
#[must_use]
pub fn of_queue(window: &[u8]) -> Sent {
    let mut sent = Sent::default();
    match queue::frames(window) {
        Err(fault) => sent.digest = sent.digest.and(&[code_of(fault)]),
        Ok(frames) => frames.for_each(|frame| match frame {
            Ok(frame) => sent = with(sent, &frame),
            Err(fault) => sent.digest = sent.digest.and(&[code_of(fault)]),
        }),
    }
    sent
}

fn with(sent: Sent, frame: &Frame<'_>) -> Sent {
    let digest = sent.digest.and(&fields(frame.bytes.len(), frame.offload)).and(frame.bytes);
    Sent { frames: sent.frames.saturating_add(1), digest }
}

/// A frame's length and offload fields, as they stand in a recording.
#[must_use]
pub fn fields(len: usize, offload: Offload) -> [u8; FIELDS_LEN] {
    let [l0, l1, l2, l3] = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
    let [h0, h1] = offload.hdr_len.to_le_bytes();
    let [g0, g1] = offload.gso_size.to_le_bytes();
    let [s0, s1] = offload.csum_start.to_le_bytes();
    let [o0, o1] = offload.csum_offset.to_le_bytes();
    [l0, l1, l2, l3, offload.flags, offload.gso_type, h0, h1, g0, g1, s0, s1, o0, o1]
}

/// Length of [`fields`].
pub const FIELDS_LEN: usize = 14;

fn code_of(fault: queue::Fault) -> u8 {
    match fault {
        queue::Fault::WindowTooShort => 1,
        queue::Fault::PeerCount => 2,
        queue::Fault::PeerLength => 3,
        queue::Fault::Full => 4,
        queue::Fault::FrameLength => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::Batch;

    fn window(frames: &[(&str, u8)]) -> Vec<u8> {
        let mut window = vec![0; abi::limits::QUEUE_WINDOW_LEN];
        let mut batch = Batch::new(&mut window).unwrap();
        for (bytes, flags) in frames {
            batch.push(bytes.as_bytes(), Offload { flags: *flags, ..Offload::default() }).unwrap();
        }
        window
    }

    #[test]
    fn every_byte_every_border_and_every_field_counts() {
        let queues: [&[(&str, u8)]; 6] = [&[], &[("ab", 0)], &[("ac", 0)], &[("ab", 1)], &[("a", 0), ("b", 0)], &[("b", 0), ("a", 0)]];
        let all = queues.map(|frames| of_queue(&window(frames)));
        for (at, one) in all.iter().enumerate() {
            assert!(all.iter().skip(at + 1).all(|other| other != one), "{at}");
        }
        assert_eq!(of_queue(&window(&[("ab", 0)])), all[1]);
    }

    #[test]
    fn a_malformed_queue_is_not_an_empty_one() {
        let mut window = window(&[]);
        window[0..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_ne!(of_queue(&window), Sent::default());
    }
}
