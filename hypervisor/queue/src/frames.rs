//! Reading a window: the frames that the other side left.

use abi::limits::{FRAME_ALIGN, FRAME_LEN_MAX, QUEUE_SLOTS, QUEUE_WINDOW_LEN};
use abi::queue::{DATA_OFFSET, HEADER_LEN, SLOT_LEN};

use crate::{Fault, Offload, offload};

/// A frame and what is left to do to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'w> {
    /// 1 to [`FRAME_LEN_MAX`] bytes, from the Ethernet header on.
    pub bytes: &'w [u8],
    /// As claimed; see [`Offload::fits`].
    pub offload: Offload,
}

/// The frames of a batch, in order. After the first fault it ends.
#[derive(Debug, Clone)]
pub struct Frames<'w> {
    window: &'w [u8],
    slot: usize,
    count: usize,
    next: usize,
}

/// The frames that stand in `window`.
///
/// # Errors
/// [`Fault::WindowTooShort`], [`Fault::PeerCount`].
pub fn frames(window: &[u8]) -> Result<Frames<'_>, Fault> {
    let window = window.get(..QUEUE_WINDOW_LEN).ok_or(Fault::WindowTooShort)?;
    let count = window.first_chunk::<4>().map_or(0, |field| u32::from_le_bytes(*field));
    let count = usize::try_from(count).ok().filter(|count| *count <= QUEUE_SLOTS).ok_or(Fault::PeerCount)?;
    Ok(Frames { window, slot: 0, count, next: DATA_OFFSET })
}

/// Empties `window`: the batch in it has been taken.
pub fn clear(window: &mut [u8]) {
    if let Some(field) = window.first_chunk_mut::<4>() {
        *field = [0; 4];
    }
}

impl<'w> Frames<'w> {
    fn take(&mut self) -> Result<Frame<'w>, Fault> {
        let slot_at = HEADER_LEN.saturating_add(self.slot.saturating_mul(SLOT_LEN));
        let slot = self.window.get(slot_at..).and_then(<[u8]>::first_chunk::<SLOT_LEN>).ok_or(Fault::PeerCount)?;
        let slot = offload::decode(*slot);
        let len = usize::try_from(slot.len).map_err(|_| Fault::PeerLength)?;
        if len == 0 || len > FRAME_LEN_MAX {
            return Err(Fault::PeerLength);
        }
        let end = self.next.checked_add(len).ok_or(Fault::PeerLength)?;
        let bytes = self.window.get(self.next..end).ok_or(Fault::PeerLength)?;
        self.slot = self.slot.saturating_add(1);
        self.next = end.next_multiple_of(FRAME_ALIGN);
        Ok(Frame { bytes, offload: Offload::from(slot) })
    }
}

impl<'w> Iterator for Frames<'w> {
    type Item = Result<Frame<'w>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.slot >= self.count {
            return None;
        }
        let frame = self.take();
        if frame.is_err() {
            self.count = self.slot;
        }
        Some(frame)
    }
}
