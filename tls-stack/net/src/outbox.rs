//! Finished short frames (SYN-ACK, RST, challenge ACK, ARP ..) that wait for the next transmissions. One buffer of fixed size, filled
//! from its front and begun anew when all is sent; what does not fit is not sent.

use alloc::boxed::Box;
use alloc::vec;

use crate::limits::{FRAME_LEN_MIN, OUTBOX_LEN};

/// See the module.
#[derive(Debug)]
pub(crate) struct Outbox {
    bytes: Box<[u8]>,
    read: usize,
    written: usize,
}

const LEN_BYTES: usize = 2;

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; OUTBOX_LEN].into_boxed_slice(), read: 0, written: 0 }
    }

    /// Lets `fill` write a frame of `len` bytes; zeros are added up to Ethernet's minimum. False if there is no room.
    pub(crate) fn push(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> bool {
        let padded = len.max(FRAME_LEN_MIN);
        let begin = self.written + LEN_BYTES;
        let (Some(room), Ok(prefix)) = (self.bytes.get_mut(begin..begin + padded), u16::try_from(padded)) else {
            return false;
        };
        room.fill(0);
        fill(&mut room[..len]);
        self.bytes[self.written..begin].copy_from_slice(&prefix.to_le_bytes());
        self.written = begin + padded;
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.read == self.written
    }

    /// Copies the oldest frame out and gives its length.
    pub(crate) fn pop(&mut self, buf: &mut [u8]) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let begin = self.read + LEN_BYTES;
        let len = usize::from(u16::from_le_bytes([self.bytes[self.read], self.bytes[self.read + 1]]));
        buf[..len].copy_from_slice(&self.bytes[begin..begin + len]);
        self.read = begin + len;
        if self.read == self.written {
            (self.read, self.written) = (0, 0);
        }
        Some(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_frames_are_padded_with_zeros_not_with_what_lay_there() {
        let mut outbox = Outbox::new();
        let mut buf = [0; 128];
        assert!(outbox.push(100, |frame| frame.fill(0xaa)));
        assert_eq!(outbox.pop(&mut buf), Some(100));
        assert!(outbox.push(42, |frame| frame.fill(0xbb)));
        assert_eq!(outbox.pop(&mut buf), Some(60));
        assert!(buf[..42].iter().all(|&byte| byte == 0xbb) && buf[42..60].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn a_full_outbox_refuses_and_recovers() {
        let mut outbox = Outbox::new();
        let mut buf = [0; 1514];
        let pushed = (0..10_000).take_while(|_| outbox.push(1514, |frame| frame.fill(1))).count();
        assert_eq!(pushed, OUTBOX_LEN / 1516);
        let popped = core::iter::from_fn(|| outbox.pop(&mut buf)).count();
        assert_eq!(popped, pushed);
        assert!(outbox.push(1514, |frame| frame.fill(1)));
    }
}
