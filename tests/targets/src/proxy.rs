//! Boundary: the first bytes of a front end's stream, in any split: the PROXY header.

use proxy::{Addresses, Decoder, Fault, Header, Known, block, line};

/// Feeds `bytes` in pieces of `step`; how many were taken, and what came of it.
fn feed(bytes: &[u8], step: usize) -> (usize, Result<Option<Header>, Fault>) {
    let mut decoder = Decoder::default();
    let mut taken = 0;
    for piece in bytes.chunks(step) {
        let (len, outcome) = decoder.receive(piece);
        taken += len;
        if outcome != Ok(None) {
            return (taken, outcome);
        }
    }
    (taken, Ok(None))
}

/// What we would say of these addresses is what anybody reads of it.
fn said_again(addresses: &Addresses) {
    let expected = Ok(Some(Header::Client(*addresses)));
    assert_eq!(feed(&line(addresses), 1).1, expected);
    assert_eq!(feed(&block(addresses, None), 1).1, expected);
    assert_eq!(feed(&block(addresses, Some(&Known { authority: Some("a.example"), ..Known::default() })), 1).1, expected);
}

/// How the stream is cut changes nothing.
pub fn proxy(data: &[u8]) {
    let Some((step, bytes)) = data.split_first() else { return };
    let (taken, outcome) = feed(bytes, 1);
    assert_eq!(feed(bytes, usize::from(*step) + 1), (taken, outcome));
    assert!(taken <= bytes.len());
    match outcome {
        Ok(None) => assert_eq!(taken, bytes.len()),
        Ok(Some(Header::Client(addresses))) => {
            said_again(&addresses);
            // There is one way to write a line for IPv4.
            assert!(!bytes.starts_with(b"PROXY TCP4 ") || line(&addresses)[..] == bytes[..taken], "a line that nobody writes");
        }
        Ok(Some(Header::Own)) | Err(_) => {}
    }
}
