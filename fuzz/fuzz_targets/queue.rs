//! Boundary: a queue's window as a hostile guest leaves it for the tender.
#![no_main]
#![forbid(unsafe_code)]

use abi::limits::{FRAME_LEN_MAX, QUEUE_WINDOW_LEN};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut window = vec![0; QUEUE_WINDOW_LEN];
    let len = data.len().min(QUEUE_WINDOW_LEN);
    window[..len].copy_from_slice(&data[..len]);
    let Ok(frames) = queue::frames(&window) else { return };
    for frame in frames.filter_map(Result::ok) {
        assert!(!frame.bytes.is_empty() && frame.bytes.len() <= FRAME_LEN_MAX);
        assert!(window.as_ptr_range().start <= frame.bytes.as_ptr());
        assert!(frame.bytes.as_ptr_range().end <= window.as_ptr_range().end);
        let _ = frame.offload.fits(frame.bytes.len());
    }
});
