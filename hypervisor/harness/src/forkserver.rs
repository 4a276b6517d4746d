//! AFL++'s fork server protocol, spoken by one process that never forks: each "child" is the guest, brought back to its stage.
//!
//! AFL++ writes four bytes when it wants an input tried, reads a process id and then a wait status, and takes coverage from a System V segment; inputs come through
//! another one (`__AFL_SHM_FUZZ_ID`). The version is that of AFL++ 4.0x, the one of Debian 12 (`include/types.h`, `instrumentation/afl-compiler-rt.o.c`).

use core::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use machine::host::Segment;

use crate::limits::FUZZED_ACTS_MAX;
use crate::subject::{Fault, Subject};

/// Where AFL++ writes what it wants, and reads what became of it.
const REQUESTS: &str = "/proc/self/fd/198";
const ANSWERS: &str = "/proc/self/fd/199";

/// The first word: options, inputs by shared memory, and the map's length.
const ENABLED: u32 = 0x8000_0001;
const SHARED_INPUT: u32 = 0x0100_0000;
const MAP_LEN_IS_SAID: u32 = 0x4000_0000;
/// The longest map that the word has room for.
const MAP_LEN_MAX: usize = 1 << 23;

/// A wait status: ended with code 0, or by SIGABRT, which AFL++ takes for a crash.
const ENDED: u32 = 0;
const ABORTED: u32 = 6;

/// Why serving AFL++ ended early.
#[derive(Debug)]
pub enum ServeFault {
    /// No AFL++ started this process, or one that does not share inputs.
    NoFuzzer(&'static str),
    /// Its pipes or segments.
    Io(io::Error),
    /// The subject.
    Subject(Fault),
}

impl fmt::Display for ServeFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFuzzer(what) => write!(out, "no AFL++ to serve: {what}"),
            Self::Io(fault) => write!(out, "AFL++'s pipes: {fault}"),
            Self::Subject(fault) => write!(out, "{fault}"),
        }
    }
}

impl core::error::Error for ServeFault {}

impl From<io::Error> for ServeFault {
    fn from(fault: io::Error) -> Self {
        Self::Io(fault)
    }
}

impl From<Fault> for ServeFault {
    fn from(fault: Fault) -> Self {
        Self::Subject(fault)
    }
}

/// Whether AFL++ started this process.
#[must_use]
pub fn is_wanted() -> bool {
    std::env::var_os(MAP_ID).is_some()
}

const MAP_ID: &str = "__AFL_SHM_ID";
const INPUT_ID: &str = "__AFL_SHM_FUZZ_ID";

/// Serves AFL++ until it goes. It keeps the inputs that are not sound.
///
/// # Errors
/// [`ServeFault`].
pub fn serve(subject: &mut Subject) -> Result<(), ServeFault> {
    let mut map = segment(MAP_ID)?.ok_or(ServeFault::NoFuzzer("it has no coverage map"))?;
    let mut requests = File::open(REQUESTS)?;
    let mut answers = OpenOptions::new().write(true).open(ANSWERS)?;
    let map_len = subject.counters().len().clamp(1, MAP_LEN_MAX).next_multiple_of(64);
    let said = u32::try_from(map_len.saturating_sub(1)).unwrap_or(0).wrapping_shl(1);
    write(&mut answers, ENABLED | SHARED_INPUT | MAP_LEN_IS_SAID | said)?;
    let answer = read(&mut requests)?.ok_or(ServeFault::NoFuzzer("it has gone"))?;
    if answer & SHARED_INPUT == 0 {
        return Err(ServeFault::NoFuzzer("it does not share inputs"));
    }
    let inputs = segment(INPUT_ID)?.ok_or(ServeFault::NoFuzzer("it has no inputs to share"))?;
    let own = std::process::id();
    while read(&mut requests)?.is_some() {
        write(&mut answers, own)?;
        let status = if subject.run(input(inputs.bytes()), FUZZED_ACTS_MAX)?.is_sound() { ENDED } else { ABORTED };
        let counters = subject.counters();
        if let Some(map) = map.bytes_mut().get_mut(..counters.len()) {
            map.copy_from_slice(counters);
        }
        write(&mut answers, status)?;
        // While AFL++ looks at the map.
        subject.reset()?;
        subject.clear_counters();
    }
    Ok(())
}

/// The input in a shared segment: its length, and so many bytes.
fn input(shared: &[u8]) -> &[u8] {
    let Some((len, bytes)) = shared.split_first_chunk::<4>() else { return &[] };
    let len = usize::try_from(u32::from_ne_bytes(*len)).unwrap_or(usize::MAX);
    bytes.get(..len.min(bytes.len())).unwrap_or_default()
}

fn segment(variable: &str) -> Result<Option<Segment>, ServeFault> {
    let Some(text) = std::env::var_os(variable) else { return Ok(None) };
    let id = text.to_str().and_then(|text| text.parse().ok()).ok_or(ServeFault::NoFuzzer("the number of a segment is none"))?;
    Ok(Some(Segment::attach(id)?))
}

fn read(pipe: &mut File) -> Result<Option<u32>, ServeFault> {
    let mut word = [0; 4];
    match pipe.read_exact(&mut word) {
        Ok(()) => Ok(Some(u32::from_ne_bytes(word))),
        Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

fn write(pipe: &mut File, word: u32) -> Result<(), ServeFault> {
    Ok(pipe.write_all(&word.to_ne_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_lies_is_cut() {
        assert_eq!(input(&[2, 0, 0, 0, 7, 8, 9]), [7, 8]);
        assert_eq!(input(&[200, 0, 0, 0, 7]), [7]);
        assert!(input(&[1, 0]).is_empty());
    }
}
