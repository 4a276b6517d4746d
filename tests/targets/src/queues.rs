//! Boundary: a queue's window as a hostile guest leaves it for the tender.

use core::cell::RefCell;
use core::ops::{Deref, DerefMut};

use abi::limits::{FRAME_LEN_MAX, QUEUE_WINDOW_LEN};
use abi::queue::DATA_OFFSET;

thread_local! {
    /// Windows without content. To make one is to write a megabyte of zeros, and a fuzzer has no time for it.
    static EMPTY: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A queue's window. Its first bytes are given, the rest is zero; but what the guest's frames have left behind them may stay, as it does in a cell.
#[derive(Debug)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    used: usize,
}

/// A window that begins with these bytes.
pub(crate) fn window(data: &[u8]) -> Window {
    let mut bytes = EMPTY.with_borrow_mut(Vec::pop).unwrap_or_else(|| vec![0; QUEUE_WINDOW_LEN]);
    let len = data.len().min(QUEUE_WINDOW_LEN);
    bytes[..len].copy_from_slice(&data[..len]);
    Window { bytes, used: len.max(DATA_OFFSET) }
}

impl Deref for Window {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Window {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let mut bytes = core::mem::take(&mut self.bytes);
        bytes[..self.used].fill(0);
        EMPTY.with_borrow_mut(|empty| empty.push(bytes));
    }
}

/// Every frame lies within the window, and none overlaps the next.
pub fn queue(data: &[u8]) {
    let window = window(data);
    let Ok(frames) = ::queue::frames(&window) else { return };
    let mut end = window.as_ptr();
    for frame in frames.filter_map(Result::ok) {
        assert!(!frame.bytes.is_empty() && frame.bytes.len() <= FRAME_LEN_MAX);
        assert!(end <= frame.bytes.as_ptr());
        end = frame.bytes.as_ptr_range().end;
        assert!(end <= window.as_ptr_range().end);
        if frame.offload.fits(frame.bytes.len()) && frame.offload.flags & abi::queue::FLAG_NEEDS_CSUM != 0 {
            let field = usize::from(frame.offload.csum_start) + usize::from(frame.offload.csum_offset);
            assert!(field + 2 <= frame.bytes.len(), "a checksum beyond its frame");
        }
    }
}
