//! Boundary: a queue's window as a hostile guest leaves it for the tender.

use abi::limits::{FRAME_LEN_MAX, QUEUE_WINDOW_LEN};

/// A window that begins with these bytes.
pub(crate) fn window(data: &[u8]) -> Vec<u8> {
    let mut window = vec![0; QUEUE_WINDOW_LEN];
    let len = data.len().min(QUEUE_WINDOW_LEN);
    window[..len].copy_from_slice(&data[..len]);
    window
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
