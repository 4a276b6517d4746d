//! Files of ours, files of age's, and files that somebody had their hands on.

use super::*;
use crate::key::Identity;
use crate::limits::{CHUNK_LEN, TAG_LEN};
use crate::seal::Sealer;
use proptest::prelude::*;

/// Sealed by age 1.1.1 itself, for [`AGE_KEY`] alone: `hello from age` and a newline.
const AGE_FILE: &[u8] = include_bytes!("by_age.age");
const AGE_KEY: &str = include_str!("by_age.key");

fn identity() -> Identity {
    Identity::from_bytes([7; 32])
}

fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut sealer = Sealer::begin(Vec::new(), identity().recipient()).unwrap();
    // In pieces that fit no chunk.
    bytes.chunks(10_007).for_each(|piece| sealer.append(piece).unwrap());
    assert!(sealer.len_with(0) > 0);
    let len = sealer.len_with(0);
    let file = sealer.finish().unwrap();
    assert_eq!(len, file.len() as u64);
    file
}

fn opened(file: &[u8], identity: &Identity) -> Result<(Vec<u8>, Ahead), OpenFault> {
    let mut opener = Opener::begin(file, identity)?;
    let mut bytes = Vec::new();
    loop {
        let ahead = opener.advance()?;
        bytes.extend_from_slice(opener.bytes());
        if ahead != Ahead::More {
            return Ok((bytes, ahead));
        }
    }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251).to_le_bytes()[0]).collect()
}

/// Where the chunks begin.
fn payload(file: &[u8]) -> usize {
    let mac = file.windows(4).position(|window| window == b"\n---").unwrap() + 1;
    mac + file[mac..].iter().position(|byte| *byte == b'\n').unwrap() + 1 + NONCE_LEN
}

#[test]
fn every_length_round_a_chunk_comes_back() {
    for len in [1, CHUNK_LEN - 1, CHUNK_LEN, CHUNK_LEN + 1, 2 * CHUNK_LEN, 3 * CHUNK_LEN + 5] {
        let (bytes, ahead) = opened(&sealed(&pattern(len)), &identity()).unwrap();
        assert!(ahead == Ahead::Whole && bytes == pattern(len), "{len}");
    }
    assert_eq!(opened(&sealed(&[]), &identity()).unwrap(), (vec![], Ahead::Whole));
}

#[test]
fn what_age_sealed_is_opened() {
    let identity = Identity::parse_file(AGE_KEY).unwrap();
    assert_eq!(opened(AGE_FILE, &identity).unwrap(), (b"hello from age\n".to_vec(), Ahead::Whole));
}

#[test]
fn another_key_does_not_open_it() {
    let fault = opened(&sealed(b"x"), &Identity::from_bytes([8; 32]));
    assert!(matches!(fault, Err(OpenFault::Header(HeaderFault::PeerRecipient))));
}

#[test]
fn a_file_without_its_last_chunk_is_cut_and_one_cut_within_a_chunk_is_not_opened_there() {
    let whole = sealed(&pattern(2 * CHUNK_LEN + 5));
    let begin = payload(&whole);
    let cut = opened(&whole[..begin + 2 * SEALED_LEN], &identity()).unwrap();
    assert_eq!((cut.0.len(), cut.1), (2 * CHUNK_LEN, Ahead::Cut));
    for len in [begin + 2 * SEALED_LEN + 1, begin + 2 * SEALED_LEN - 1, begin + SEALED_LEN + 100] {
        let number = ((len - begin) / SEALED_LEN) as u64;
        assert!(matches!(opened(&whole[..len], &identity()), Err(OpenFault::PeerChunk(at)) if at == number), "{len}");
    }
}

#[test]
fn chunks_that_were_moved_doubled_or_added_are_found() {
    let whole = sealed(&pattern(3 * CHUNK_LEN + 5));
    let begin = payload(&whole);
    let (header, chunks) = whole.split_at(begin);
    let [a, b, c] = [0, 1, 2].map(|at| &chunks[at * SEALED_LEN..][..SEALED_LEN]);
    let last = &chunks[3 * SEALED_LEN..];
    for (name, wrong) in [
        ("moved", vec![header, b, a, c, last]),
        ("doubled", vec![header, a, a, b, c, last]),
        ("left out", vec![header, a, c, last]),
        ("added", vec![header, a, b, c, last, last]),
        ("a byte added", vec![header, a, b, c, last, b"x"]),
    ] {
        assert!(matches!(opened(&wrong.concat(), &identity()), Err(OpenFault::PeerChunk(_))), "{name}");
    }
}

#[test]
fn no_header_at_all_is_no_recording() {
    for wrong in
        [&b""[..], b"\n", b"age-encryption.org/v1", b"age-encryption.org/v2\n", &[b'a'; 100_000], b"age-encryption.org/v1\n--- x\n"]
    {
        assert!(matches!(opened(wrong, &identity()), Err(OpenFault::Header(_))));
    }
}

#[test]
fn its_length_is_known_before_it_is_written() {
    let mut sealer = Sealer::begin(Vec::new(), identity().recipient()).unwrap();
    for more in [1, CHUNK_LEN, 2 * CHUNK_LEN, 17] {
        let len = sealer.len_with(more);
        sealer.append(&pattern(more)).unwrap();
        assert_eq!(sealer.len_with(0), len, "{more}");
    }
    let len = sealer.len_with(0);
    assert_eq!(sealer.finish().unwrap().len() as u64, len);
    assert_eq!(SEALED_LEN, CHUNK_LEN + TAG_LEN);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any byte, anywhere: nothing comes out that did not go in, and the end is not reached.
    #[test]
    fn one_changed_bit_is_found(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let whole = sealed(&pattern(CHUNK_LEN + 100));
        let mut changed = whole.clone();
        *at.get_mut(&mut changed[..]) ^= 1 << bit;
        prop_assert!(opened(&changed, &identity()).is_err());
    }

    /// Noise is refused.
    #[test]
    fn noise_is_no_file(noise in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(opened(&noise, &identity()).is_err());
        let mut begun = b"age-encryption.org/v1\n-> X25519 ".to_vec();
        begun.extend(noise);
        prop_assert!(opened(&begun, &identity()).is_err());
    }
}
