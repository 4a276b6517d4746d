//! Filling a window: the batch that one side leaves for the other.

use abi::limits::{FRAME_ALIGN, FRAME_LEN_MAX, QUEUE_SLOTS, QUEUE_WINDOW_LEN};
use abi::queue::{DATA_OFFSET, HEADER_LEN, SLOT_LEN};

use crate::{Fault, Offload, offload};

/// A batch being filled. It is valid for the other side after every call.
#[derive(Debug)]
pub struct Batch<'w> {
    window: &'w mut [u8],
    count: usize,
    next: usize,
}

impl<'w> Batch<'w> {
    /// Starts an empty batch; what the window held is forgotten.
    ///
    /// # Errors
    /// [`Fault::WindowTooShort`].
    pub fn new(window: &'w mut [u8]) -> Result<Self, Fault> {
        let window = window.get_mut(..QUEUE_WINDOW_LEN).ok_or(Fault::WindowTooShort)?;
        let mut batch = Self { window, count: 0, next: DATA_OFFSET };
        batch.store_count();
        Ok(batch)
    }

    /// Frames queued so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing is queued.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The longest frame that can still be queued, in bytes; 0 when the batch is full.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.count >= QUEUE_SLOTS { 0 } else { QUEUE_WINDOW_LEN.saturating_sub(self.next).min(FRAME_LEN_MAX) }
    }

    /// Queues a copy of `bytes`.
    ///
    /// # Errors
    /// [`Fault::FrameLength`], [`Fault::Full`].
    pub fn push(&mut self, bytes: &[u8], offload: Offload) -> Result<(), Fault> {
        self.fill(bytes.len(), |space| {
            space.copy_from_slice(bytes);
            Some((bytes.len(), offload))
        })
        .map(|_| ())
    }

    /// Lets `fill` write a frame of up to `len_max` bytes in place. It gets exactly `len_max` bytes, with whatever they held before, and
    /// says how many it used and what is left to do to them; with `None` nothing is queued. Returns whether a frame was queued.
    ///
    /// # Errors
    /// [`Fault::FrameLength`], [`Fault::Full`].
    pub fn fill(&mut self, len_max: usize, fill: impl FnOnce(&mut [u8]) -> Option<(usize, Offload)>) -> Result<bool, Fault> {
        if len_max == 0 || len_max > FRAME_LEN_MAX {
            return Err(Fault::FrameLength);
        }
        if len_max > self.room() {
            return Err(Fault::Full);
        }
        let space = self.window.get_mut(self.next..self.next.saturating_add(len_max)).ok_or(Fault::Full)?;
        let Some((len, offload)) = fill(space) else { return Ok(false) };
        if len == 0 || len > len_max {
            return Err(Fault::FrameLength);
        }
        self.commit(len, offload)?;
        Ok(true)
    }

    fn commit(&mut self, len: usize, offload: Offload) -> Result<(), Fault> {
        let slot_at = HEADER_LEN.saturating_add(self.count.saturating_mul(SLOT_LEN));
        let slot = self.window.get_mut(slot_at..slot_at.saturating_add(SLOT_LEN)).ok_or(Fault::Full)?;
        let len_field = u32::try_from(len).map_err(|_| Fault::FrameLength)?;
        slot.copy_from_slice(&offload::encode(len_field, offload));
        self.next = self.next.saturating_add(len).next_multiple_of(FRAME_ALIGN);
        self.count = self.count.saturating_add(1);
        self.store_count();
        Ok(())
    }

    fn store_count(&mut self) {
        let count = u32::try_from(self.count).unwrap_or(0);
        if let Some(field) = self.window.first_chunk_mut::<4>() {
            *field = count.to_le_bytes();
        }
    }
}
