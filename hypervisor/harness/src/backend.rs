//! The backend of a visit: answers each empty line with the same page, so that all that it says follows from what it hears.

use net::{Event, FlowId, Net};

/// What an HTTP client takes for an answer.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
const EMPTY_LINE: &[u8] = b"\r\n\r\n";

/// Answers what has come over this link.
pub(crate) fn answer(back: &mut Net) {
    while let Some(event) = back.poll_event() {
        match event {
            Event::Readable(flow) => read(back, flow),
            Event::Finished(flow) => {
                read(back, flow);
                back.shutdown(flow);
            }
            Event::Accepted { .. } | Event::Connected(_) | Event::Writable(_) | Event::Closed { .. } => {}
        }
    }
}

fn read(back: &mut Net, flow: FlowId) {
    while let Ok(lines @ Some(_)) = back.recv(flow, |bytes| (bytes.len(), count(bytes))) {
        let answers = ANSWER.repeat(lines.unwrap_or_default());
        // What finds no room is left out: a client that does not read is owed nothing.
        let _gone = back.send(flow, |room| {
            let len = answers.len().min(room.len());
            room.iter_mut().zip(&answers).for_each(|(place, byte)| *place = *byte);
            (len, ())
        });
    }
}

/// Empty lines in `bytes`; `None` if there is nothing. One that is torn in two pieces counts in neither.
fn count(bytes: &[u8]) -> Option<usize> {
    (!bytes.is_empty()).then(|| memchr::memmem::find_iter(bytes, EMPTY_LINE).count())
}
