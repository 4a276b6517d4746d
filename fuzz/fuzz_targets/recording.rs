//! Boundary: a recording's plaintext, as somebody made it who has the operator's public key.
#![no_main]
#![forbid(unsafe_code)]

use libfuzzer_sys::fuzz_target;
use recording::event::Event;
use recording::key::Identity;
use recording::open::Opener;
use recording::read::Reader;
use recording::seal::Sealer;

/// What stands in front of the events: magic, version, machine, image, heap, draw, seed, an empty bundle.
const BEGINNING_LEN: usize = 8 + 4 + 4 + 32 + 8 + 64 * 8 + 32 + 4;

fuzz_target!(|data: &[u8]| {
    let identity = Identity::from_bytes([7; 32]);
    let mut beginning = vec![0; BEGINNING_LEN];
    beginning[..12].copy_from_slice(b"bbrecord\x01\0\0\0");
    let mut sealer = Sealer::begin(Vec::new(), identity.recipient()).expect("a vector takes it");
    sealer.append(&beginning).expect("a vector takes it");
    sealer.append(data).expect("a vector takes it");
    let file = sealer.finish().expect("a vector takes it");
    let opener = Opener::begin(&file[..], &identity).expect("our own header");
    let (mut reader, _) = Reader::begin(opener, u64::MAX).expect("our own beginning");
    let mut count = 0;
    while let Ok(event) = reader.next_event() {
        count += 1;
        if matches!(event, Event::Over(_)) {
            break;
        }
    }
    assert!(count <= data.len());
    // And as the file itself, which it is not.
    assert!(Opener::begin(data, &identity).is_err());
});
