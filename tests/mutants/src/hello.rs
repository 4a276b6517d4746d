//! Raw bytes at a door: ClientHellos that say what no TLS library would, and what comes back.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::Outcome;

/// No step waits longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Nothing that comes back is longer.
const ANSWER_LEN_MAX: u64 = 4 * 1024 * 1024;

/// Content type of handshake records.
pub const HANDSHAKE: u8 = 22;
/// Content type of heartbeats (RFC 6520).
pub const HEARTBEAT: u8 = 24;

/// A record.
#[must_use]
pub fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    [&[kind, 3, 1], &len16(fragment)[..], fragment].concat()
}

/// A ClientHello of TLS 1.3 in its record, which says just enough to be read, and one extension more.
#[must_use]
pub fn with_extension(kind: u16, body: &[u8]) -> Vec<u8> {
    let extension = |kind: u16, body: &[u8]| [&kind.to_be_bytes()[..], &len16(body), body].concat();
    let extensions = [extension(43, &[2, 3, 4]), extension(kind, body)].concat();
    // Version, random, no session, one suite, no compression.
    let head = [&[3, 3][..], &[0x42; 32], &[0], &[0, 2, 0x13, 0x01], &[1, 0]].concat();
    let body = [&head[..], &len16(&extensions), &extensions].concat();
    let [high, low] = len16(&body);
    record(HANDSHAKE, &[&[1, 0, high, low][..], &body].concat())
}

/// Sends these bytes, says no more, and takes what comes back until the end.
///
/// # Errors
/// What TCP says.
pub fn exchange(door: SocketAddr, bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&door, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // A box that has had enough has closed already.
    let _closed = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    let mut limited = stream.take(ANSWER_LEN_MAX);
    // A reset ends what came as well.
    let _ended = limited.read_to_end(&mut answer);
    Ok(answer)
}

/// The records in these bytes, as content types and fragments; what is cut is left out.
#[must_use]
pub fn records(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut records = Vec::new();
    while let Some(([kind, _, _, high, low], rest)) = bytes.split_first_chunk::<5>() {
        let Some((fragment, rest)) = rest.split_at_checked(u16::from_be_bytes([*high, *low]).into()) else { break };
        records.push((*kind, fragment));
        bytes = rest;
    }
    records
}

fn len16(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_one_record_whose_lengths_agree() {
        let hello = with_extension(44, &[7; 10]);
        let [(HANDSHAKE, message)] = records(&hello)[..] else { unreachable!("one record") };
        assert_eq!(usize::from(u16::from_be_bytes([message[2], message[3]])), message.len() - 4);
        assert!(records(&hello[..hello.len() - 1]).is_empty());
    }
}
