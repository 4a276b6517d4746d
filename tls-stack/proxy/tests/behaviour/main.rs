//! What a sender may say, and what is made of it: vectors written from the specification, and properties of any bytes at all.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "helpers of tests stop at the first surprise")]

mod blocks;
mod fields;
mod lines;
mod properties;

use proxy::{Decoder, Fault, Header};

/// Decodes `bytes` in one go: how many were taken, and what came of it.
pub(crate) fn decode(bytes: &[u8]) -> (usize, Result<Option<Header>, Fault>) {
    Decoder::default().receive(bytes)
}

/// The same, cut after each of `cuts`' lengths.
pub(crate) fn decode_cut(bytes: &[u8], cuts: impl IntoIterator<Item = usize>) -> (usize, Result<Option<Header>, Fault>) {
    let mut decoder = Decoder::default();
    let (mut rest, mut taken) = (bytes, 0);
    for cut in cuts {
        let (piece, behind) = rest.split_at(cut.min(rest.len()));
        let (len, outcome) = decoder.receive(piece);
        taken += len;
        if outcome != Ok(None) {
            return (taken, outcome);
        }
        assert_eq!(len, piece.len(), "an unfinished header takes all there is");
        rest = behind;
    }
    let (len, outcome) = decoder.receive(rest);
    (taken + len, outcome)
}

/// What a header says, where it is whole and all of it was taken.
pub(crate) fn said(bytes: &[u8]) -> Result<Header, Fault> {
    let (taken, outcome) = decode(bytes);
    let header = outcome?.expect("a whole header");
    assert_eq!(taken, bytes.len());
    Ok(header)
}

/// A client's header.
pub(crate) fn client(source: &str, destination: &str) -> Header {
    Header::Client(proxy::Addresses::new(source.parse().expect("an address"), destination.parse().expect("an address")))
}
