//! Boundary: the first bytes of a TCP stream, in any split, before a configuration is chosen.

use tls::{Event, Session};

/// Feeds `bytes` in pieces of `step`; the last event.
fn feed(bytes: &[u8], step: usize) -> (Option<Event>, Session) {
    let mut session = Session::new();
    for piece in bytes.chunks(step) {
        let mut piece = piece.to_vec();
        session.receive(&mut piece, &mut Vec::new());
        if let Some(event) = session.poll_event() {
            return (Some(event), session);
        }
    }
    (None, session)
}

/// How the stream is cut changes nothing; and who passes a hello on passes on the very bytes that came.
pub fn hello(data: &[u8]) {
    let Some((step, bytes)) = data.split_first() else { return };
    let (event, _) = feed(bytes, 1);
    let (other, mut session) = feed(bytes, usize::from(*step) + 1);
    assert_eq!(event, other);
    if let Some(mut replay) = session.give_back() {
        assert!(matches!(event, Some(Event::Hello(_))), "only a whole hello is given back");
        let mut again = Vec::new();
        let mut piece = [0; 61];
        while !replay.is_empty() {
            let len = replay.read(&mut piece);
            assert!(len > 0, "what is not at its end goes on");
            again.extend_from_slice(&piece[..len]);
        }
        assert!(again.len() <= bytes.len() && bytes.starts_with(&again), "a hello that was given back as another");
    }
}
