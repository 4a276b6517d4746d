//! What is said: blocks of 32 bytes, each with a word that must never be seen in the clear on the front link, the speaker, and its place.

use std::sync::LazyLock;

use super::scenario::{SPEECH_BLOCKS, SPEECH_SPEAKER};

/// Stands in every block. Whoever finds it where plaintext does not belong has found a leak.
pub(super) const CANARY: [u8; 16] = *b"plaintext canary";
/// A block's length in bytes.
pub(super) const BLOCK_LEN: usize = 32;

/// The first `count` blocks of a speaker.
pub(super) fn words(speaker: u64, count: usize) -> Vec<u8> {
    let mut words = vec![0; count.saturating_mul(BLOCK_LEN)];
    for (place, space) in (0..).zip(words.as_chunks_mut().0) {
        *space = block(speaker, place);
    }
    words
}

/// What a speaking backend says: the same in every run, so it is made once.
pub(super) fn speech() -> &'static [u8] {
    static SPEECH: LazyLock<Vec<u8>> = LazyLock::new(|| words(SPEECH_SPEAKER, SPEECH_BLOCKS));
    &SPEECH
}

fn block(speaker: u64, place: u64) -> [u8; BLOCK_LEN] {
    let mut block = [0; BLOCK_LEN];
    block[..16].copy_from_slice(&CANARY);
    block[16..24].copy_from_slice(&speaker.to_be_bytes());
    block[24..].copy_from_slice(&place.to_be_bytes());
    block
}

/// Whose words begin like this: all of `heard` must be theirs, in order and without a gap. A part of a first block is nobody's, and right as far as
/// it goes.
///
/// # Errors
/// Where it goes wrong.
pub(super) fn speaker_of(heard: &[u8]) -> Result<Option<u64>, usize> {
    let Some(speaker) = heard.get(16..24).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()).map(u64::from_be_bytes) else {
        return first_difference(heard, &CANARY[..heard.len().min(16)]).map_or(Ok(None), Err);
    };
    for (place, part) in (0_u64..).zip(heard.chunks(BLOCK_LEN)) {
        let wanted = block(speaker, place);
        if part != &wanted[..part.len()] {
            let before = usize::try_from(place).unwrap_or(usize::MAX).saturating_mul(BLOCK_LEN);
            return Err(first_difference(part, &wanted).unwrap_or_default().saturating_add(before));
        }
    }
    Ok(Some(speaker))
}

fn first_difference(heard: &[u8], wanted: &[u8]) -> Option<usize> {
    heard.iter().zip(wanted).position(|(heard, wanted)| heard != wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speaker_is_known_by_any_beginning_of_its_words() {
        let said = words(7, 3);
        for len in 0..=said.len() {
            assert_eq!(speaker_of(&said[..len]), Ok((len >= 24).then_some(7)), "{len}");
        }
    }

    #[test]
    fn a_gap_a_repetition_and_a_foreign_byte_are_found() {
        let said = words(7, 4);
        assert_eq!(speaker_of(&[&said[..32], &said[64..]].concat()), Err(32 + 31));
        assert_eq!(speaker_of(&[&said[..32], &said[..32]].concat()), Err(32 + 31));
        assert_eq!(speaker_of(&[&said[..32], &words(8, 2)[32..]].concat()), Err(32 + 23));
        assert_eq!(speaker_of(b"plain text"), Err(5));
    }
}
