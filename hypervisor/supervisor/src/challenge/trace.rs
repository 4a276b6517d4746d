//! `challenge trace`: what TLS is spoken in pcapng, in lines. It is jailed, reads standard input, writes standard output, and has nothing else.

use core::time::Duration;
use std::io::{self, Read};
use std::os::fd::AsRawFd;

use tender::jail::{self, Needs};
use transcript::{Speaker, Transcript};

use crate::exit::Exit;
use crate::limits::CAPTURE_PIECE_LEN;
use crate::replay::messages;
use crate::run::refuse;
use crate::terminal;

/// Twice a piece: one is longer than its bound by a block.
const LEN_MAX: u64 = 2 * CAPTURE_PIECE_LEN as u64;
/// The kind of a block that holds a frame (draft-ietf-opsawg-pcapng).
const PACKET: u32 = 6;

/// It opens nothing.
const DESCRIPTORS_MAX: u64 = 8;

pub(super) fn trace() -> Exit {
    let needs = Needs::of_streams(vec![io::stdin().as_raw_fd()], vec![io::stdout().as_raw_fd()], DESCRIPTORS_MAX);
    if let Err(fault) = jail::close(&needs) {
        return refuse(Exit::Permission, format!("the jail cannot be closed: {fault:?}"));
    }
    let mut bytes = Vec::new();
    if io::stdin().lock().take(LEN_MAX).read_to_end(&mut bytes).is_err() {
        return Exit::Internal;
    }
    let mut transcript = Transcript::default();
    for frame in frames(&bytes) {
        transcript.frame(frame.unix, frame.from, frame.bytes);
    }
    messages::lines(&transcript.end()).for_each(terminal::result);
    Exit::Success
}

/// One frame of the front link.
struct Frame<'p> {
    unix: Duration,
    from: Speaker,
    bytes: &'p [u8],
}

/// The frames of pcapng as it is written here: nanoseconds, the first interface, the flags first of the options.
fn frames(mut bytes: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    core::iter::from_fn(move || {
        loop {
            let len = usize::try_from(word(bytes, 4)?).ok().filter(|len| *len >= 12)?;
            let (block, rest) = bytes.split_at_checked(len)?;
            bytes = rest;
            if word(block, 0) == Some(PACKET)
                && word(block, 8) == Some(0)
                && let Some(frame) = frame(block)
            {
                return Some(frame);
            }
        }
    })
}

fn frame(block: &[u8]) -> Option<Frame<'_>> {
    let (high, low) = (u64::from(word(block, 12)?), u64::from(word(block, 16)?));
    let len = usize::try_from(word(block, 20)?).ok()?;
    let bytes = block.get(28..)?.get(..len)?;
    let options = block.get(28..)?.get(len.next_multiple_of(4)..)?;
    let from = if word(options, 4)? == 1 { Speaker::Client } else { Speaker::Guest };
    Some(Frame { unix: Duration::from_nanos(high << 32 | low), from, bytes })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use recording::pcap::{self, Way};

    #[test]
    fn frames_are_read_as_they_were_written() {
        let mut file = pcap::head();
        file.extend(pcap::frame(0, Way::ToGuest, 5_000_000_001, b"hello"));
        file.extend(pcap::frame(1, Way::ToGuest, 2, b"of the other link"));
        file.extend(pcap::frame(0, Way::FromGuest, 3, &[7; 64]));
        let read: Vec<_> = frames(&file).map(|frame| (frame.unix.as_nanos(), frame.from, frame.bytes.to_vec())).collect();
        assert_eq!(read, [(5_000_000_001, Speaker::Client, b"hello".to_vec()), (3, Speaker::Guest, vec![7; 64])]);
        for cut in 0..file.len() {
            assert!(frames(&file[..cut]).count() <= 2);
        }
    }
}
