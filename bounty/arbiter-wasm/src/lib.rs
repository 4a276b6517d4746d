//! Questions to the arbiter as bytes, and its verdicts as bytes: how JavaScript asks.
//!
//! A question is a number of parts, and the parts: all numbers are 32 bits, little-endian, and each part is its length and its bytes. The parts are operator, manifest, claim, the time of judging
//! (64 bits, little-endian); where something was committed to, receipt and opening; where the write-up is at hand, its SHA-256. An answer is its length and the verdict as it prints.
//!
//! The program of this crate is built for WASI. That takes no generated glue and no `unsafe`: it reads what is in and writes what is out, and imports neither clock nor files nor randomness, which a test
//! looks for. `arbiter.mjs` beside it is all the JavaScript there is.
//!
//! ```
//! let question = arbiter_wasm::question(&[b"no key", b"", b"", &0_u64.to_le_bytes()]);
//! let mut answers = Vec::new();
//! arbiter_wasm::answer_all(&mut &question[..], &mut answers)?;
//! assert_eq!(&answers[4..], b"SetupError\noperator: not a verifier key as NAME+ID+BASE64\n");
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};

use arbiter::limits::NOTE_LEN_MAX;
use arbiter::{Commitment, Context, Digest, verify};

/// A part at most, in bytes: one more than the longest document, so that one which is too long is found to be.
pub const PART_LEN_MAX: usize = NOTE_LEN_MAX + 1;
/// Parts of a question at most.
pub const PARTS_MAX: usize = 7;

/// Answers questions until there are none.
///
/// # Errors
/// When reading or writing fails, and when something is no question: that is the asker's fault, not that of a document.
pub fn answer_all(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    while let Some(count) = count(from)? {
        let parts: Vec<Vec<u8>> = (0..count).map(|_| part(from)).collect::<io::Result<_>>()?;
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let verdict = answer(&parts).ok_or_else(no_question)?;
        to.write_all(&len(verdict.as_bytes()))?;
        to.write_all(verdict.as_bytes())?;
    }
    to.flush()
}

/// The verdict as it prints, if the parts are a question.
fn answer(parts: &[&[u8]]) -> Option<String> {
    let (&[operator, manifest, claim, now], rest) = parts.split_first_chunk()?;
    let commitment = match rest {
        [] => None,
        [receipt, opening] => Some(Commitment { receipt, opening, write_up: None }),
        [receipt, opening, write_up] => Some(Commitment { receipt, opening, write_up: Some(Digest((*write_up).try_into().ok()?)) }),
        _ => return None,
    };
    let now = u64::from_le_bytes(now.try_into().ok()?);
    Some(verify(manifest, str::from_utf8(operator).ok()?, claim, &Context { now, commitment }).to_string())
}

/// How many parts the next question has; nothing at the end.
fn count(from: &mut impl Read) -> io::Result<Option<usize>> {
    let mut number = [0; 4];
    let (first, rest) = number.split_at_mut(1);
    if from.read(first)? == 0 {
        return Ok(None);
    }
    from.read_exact(rest)?;
    bounded(u32::from_le_bytes(number), PARTS_MAX).map(Some)
}

fn part(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut number = [0; 4];
    from.read_exact(&mut number)?;
    let mut bytes = vec![0; bounded(u32::from_le_bytes(number), PART_LEN_MAX)?];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn bounded(number: u32, most: usize) -> io::Result<usize> {
    usize::try_from(number).ok().filter(|number| *number <= most).ok_or_else(no_question)
}

fn no_question() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

/// A question of these parts.
#[must_use]
pub fn question(parts: &[&[u8]]) -> Vec<u8> {
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX).to_le_bytes();
    let parts = parts.iter().flat_map(|part| [&len(part)[..], part].concat());
    count.into_iter().chain(parts).collect()
}

fn len(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(questions: &[u8]) -> io::Result<Vec<u8>> {
        let mut answers = Vec::new();
        answer_all(&mut &questions[..], &mut answers).map(|()| answers)
    }

    #[test]
    fn what_is_no_question_is_refused() {
        let time = 0_u64.to_le_bytes();
        let sound: [&[u8]; 4] = [b"", b"", b"", &time];
        assert!(answers(&question(&sound)).is_ok());
        assert_eq!(answers(b"").expect("no questions"), b"");
        for parts in [
            &sound[..3],
            &[&sound[..], &[b""]].concat(),
            &[&sound[..], &[b"", b"", b"x"]].concat(),
            &[b"", b"", b"", b""],
            &[b"\xff", b"", b"", &time],
        ] {
            assert!(answers(&question(parts)).is_err(), "{parts:?}");
        }
        for bytes in [&[4][..], &[8, 0, 0, 0], &[4, 0, 0, 0, 9, 0, 0, 0], &[4, 0, 0, 0, 2, 0, 1, 0]] {
            assert!(answers(bytes).is_err(), "{bytes:?}");
        }
    }
}
