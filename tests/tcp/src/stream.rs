//! Bytes that anybody can check: each is a function of its place. A line asks for so many, or announces them.

use std::io::{self, BufRead, BufReader, Read, Write};

const BLOCK_LEN: usize = 16 * 1024;

/// Seen from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Down,
    Up,
}

fn byte(at: usize) -> u8 {
    let [a, b, c, ..] = at.to_le_bytes();
    a.wrapping_mul(31) ^ b.wrapping_mul(17) ^ c.wrapping_add(7)
}

fn send(mut to: impl Write, len: usize) -> io::Result<()> {
    for from in (0..len).step_by(BLOCK_LEN) {
        let block: Vec<u8> = (from..len.min(from + BLOCK_LEN)).map(byte).collect();
        to.write_all(&block)?;
    }
    to.flush()
}

/// Reads so many, and fails at the first that is wrong.
fn check(mut from: impl Read, len: usize) -> io::Result<()> {
    let (mut at, mut block) = (0, vec![0; BLOCK_LEN]);
    while at < len {
        let room = BLOCK_LEN.min(len - at);
        let read = from.read(&mut block[..room])?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("it ends after {at} of {len} bytes")));
        }
        if let Some(wrong) = block[..read].iter().enumerate().position(|(n, found)| *found != byte(at + n)) {
            return Err(io::Error::other(format!("byte {} is wrong", at + wrong)));
        }
        at += read;
    }
    Ok(())
}

/// The client's part, to the end.
pub(crate) fn ask(mut stream: impl Read + Write, direction: Direction, len: usize) -> io::Result<()> {
    match direction {
        Direction::Down => {
            stream.write_all(format!("down {len}\n").as_bytes())?;
            stream.flush()?;
            check(&mut stream, len)?;
        }
        Direction::Up => {
            stream.write_all(format!("up {len}\n").as_bytes())?;
            send(&mut stream, len)?;
        }
    }
    let mut end = String::new();
    stream.read_to_string(&mut end)?;
    if end == "exact\n" { Ok(()) } else { Err(io::Error::other(format!("it ends with {end:?}"))) }
}

/// The server's part.
pub(crate) fn serve(stream: impl Read + Write) -> io::Result<()> {
    let (mut stream, mut line) = (BufReader::new(stream), String::new());
    stream.read_line(&mut line)?;
    match line.trim_end().split_once(' ').map(|(verb, len)| (verb, len.parse())) {
        Some(("down", Ok(len))) => send(stream.get_mut(), len)?,
        Some(("up", Ok(len))) => check(&mut stream, len)?,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    }
    stream.get_mut().write_all(b"exact\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_a_missing_and_a_moved_byte_are_noticed() {
        let mut right = Vec::new();
        send(&mut right, 100_000).expect("memory");
        assert!(check(&right[..], 100_000).is_ok());
        assert!(check(&right[..99_999], 100_000).is_err());
        assert!(check(&right[1..], 99_999).is_err());
        let mut wrong = right.clone();
        wrong[70_000] ^= 1;
        assert!(check(&wrong[..], 100_000).is_err());
    }
}
