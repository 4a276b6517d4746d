//! Boundary: the first bytes of a TCP stream, in any split, before a configuration is chosen.

use tls::{Event, Session};

use crate::peer::records;

/// Feeds `bytes` in pieces of `step`; the last event, and how many bytes were taken until then.
fn feed(bytes: &[u8], step: usize) -> (Option<Event>, usize, Session) {
    let (mut session, mut taken) = (Session::new(), 0);
    for piece in bytes.chunks(step) {
        let mut piece = piece.to_vec();
        taken += session.receive(&mut piece, &mut Vec::new());
        if let Some(event) = session.poll_event() {
            return (Some(event), taken, session);
        }
    }
    (None, taken, session)
}

/// How the stream is cut changes nothing; and who passes a hello on passes on the very bytes that came.
pub fn hello(data: &[u8]) {
    let Some((step, bytes)) = data.split_first() else { return };
    let (event, ..) = feed(bytes, 1);
    let (other, taken, mut session) = feed(bytes, usize::from(*step) + 1);
    assert_eq!(event, other);
    let replay = session.give_back();
    let is_forgotten = cuts(&bytes[..taken]) > tls::limits::HELLO_CUTS_MAX;
    assert!(replay.is_some() || is_forgotten || !matches!(event, Some(Event::Hello(_))), "a hello in few records is kept");
    if let Some(mut replay) = replay {
        assert!(matches!(event, Some(Event::Hello(_))), "only a whole hello is given back");
        let mut again = Vec::new();
        let mut piece = [0; 61];
        while !replay.is_empty() {
            let len = replay.read(&mut piece);
            assert!(len > 0, "what is not at its end goes on");
            again.extend_from_slice(&piece[..len]);
        }
        assert_eq!(again, bytes[..taken], "a hello that was given back as another");
    }
}

/// How many runs of records alike there are in this: so much is remembered of how a hello was cut.
fn cuts(bytes: &[u8]) -> usize {
    let header = |record: &[u8]| record[..5].to_vec();
    let mut headers: Vec<_> = records(bytes).map(header).collect();
    headers.dedup();
    headers.len()
}
