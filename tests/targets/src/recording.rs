//! Boundary: a recording's plaintext, as somebody made it who has the operator's public key.

use std::sync::LazyLock;

use abi::limits::FRAME_LEN_MAX;
use recording::event::{Event, Given};
use recording::key::{Identity, Recipient};
use recording::limits::FRAMES_MAX;
use recording::open::Opener;
use recording::read::Reader;
use recording::seal::Sealer;

/// What stands in front of the events: magic, version, machine, image, heap, draw, seed, an empty bundle, no contest.
const BEGINNING_LEN: usize = 8 + 4 + 4 + 32 + 8 + 64 * 8 + 32 + 4 + 1;

static KEY: LazyLock<(Identity, Recipient)> = LazyLock::new(|| {
    let identity = Identity::from_bytes([7; 32]);
    let recipient = identity.recipient();
    (identity, recipient)
});

/// Events are bounded, none is longer than what it was made of, and none comes behind the end.
pub fn recording(data: &[u8]) {
    let (identity, recipient) = &*KEY;
    let file = sealed(*recipient, data);
    let opener = Opener::begin(&file[..], identity).expect("our own header");
    let (mut reader, _) = Reader::begin(opener, u64::MAX).expect("our own beginning");
    let mut count = 0;
    while let Ok(event) = reader.next_event() {
        count += 1;
        match event {
            Event::Go(given) => assert_bounded(&given, data.len()),
            Event::Came(_) => {}
            Event::Over(over) => {
                assert!(reader.next_event().is_err(), "something behind {over:?}");
                break;
            }
        }
    }
    assert!(count <= data.len());
    // And as the file itself, which it is not.
    assert!(Opener::begin(data, identity).is_err());
}

fn sealed(recipient: Recipient, events: &[u8]) -> Vec<u8> {
    let mut beginning = vec![0; BEGINNING_LEN];
    beginning[..12].copy_from_slice(b"bbrecord\x02\0\0\0");
    let mut sealer = Sealer::begin(Vec::new(), recipient).expect("a vector takes it");
    sealer.append(&beginning).expect("a vector takes it");
    sealer.append(events).expect("a vector takes it");
    sealer.finish().expect("a vector takes it")
}

fn assert_bounded(given: &Given, len_max: usize) {
    assert!(given.frames.iter().all(|frames| frames.len() <= FRAMES_MAX));
    let frames = || given.frames.iter().flatten();
    assert!(frames().all(|frame| (1..=FRAME_LEN_MAX).contains(&frame.bytes.len())));
    let letter_len = given.letter.as_ref().map_or(0, |letter| letter.bytes.len());
    assert!(frames().map(|frame| frame.bytes.len()).sum::<usize>() + letter_len <= len_max);
}
