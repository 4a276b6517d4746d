//! Boundary: the first bytes of a TCP stream, in any split, before a configuration is chosen.
#![no_main]
#![forbid(unsafe_code)]

use libfuzzer_sys::fuzz_target;
use tls::{Event, Session};

/// Feeds `bytes` in pieces of `step`; the last event.
fn feed(bytes: &[u8], step: usize) -> Option<Event> {
    let mut session = Session::new();
    for piece in bytes.chunks(step) {
        let mut piece = piece.to_vec();
        session.receive(&mut piece, &mut Vec::new());
        if let Some(event) = session.poll_event() {
            return Some(event);
        }
    }
    None
}

fuzz_target!(|data: &[u8]| {
    let Some((step, bytes)) = data.split_first() else { return };
    // How the stream is cut changes nothing.
    assert_eq!(feed(bytes, usize::from(*step) + 1), feed(bytes, 1));
});
