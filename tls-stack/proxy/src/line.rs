//! Version 1: one line of text (section 2.1).

use core::net::{IpAddr, SocketAddr};
use core::str::FromStr;

use crate::{Addresses, Fault, Header};

/// What every line begins with.
pub(crate) const PREFIX: &[u8] = b"PROXY ";

/// Reads a line without its CRLF. The receiver waits for that before it looks at an address.
pub(crate) fn parse(line: &[u8]) -> Result<Header, Fault> {
    let rest = line.strip_prefix(PREFIX).ok_or(Fault::Line)?;
    if rest == b"UNKNOWN" || rest.starts_with(b"UNKNOWN ") {
        // Whatever follows is to be ignored.
        return Ok(Header::Own);
    }
    let text = core::str::from_utf8(rest).map_err(|_| Fault::Line)?;
    let mut words = text.split(' ');
    let family = words.next();
    let mut address = || {
        let word = words.next()?;
        match family? {
            "TCP4" => word.parse().map(IpAddr::V4).ok(),
            "TCP6" => word.parse().map(IpAddr::V6).ok(),
            _ => None,
        }
    };
    let ends = address().zip(address());
    let ports = words.next().and_then(port).zip(words.next().and_then(port));
    match (ends, ports, words.next()) {
        (Some((source, destination)), Some((from, to)), None) => {
            Ok(Header::Client(Addresses::new(SocketAddr::new(source, from), SocketAddr::new(destination, to))))
        }
        _ => Err(Fault::Line),
    }
}

/// Decimal digits without leading zeroes, and nothing else: what the standard library takes besides is a plus sign and zeroes.
fn port(word: &str) -> Option<u16> {
    let canonical = word.bytes().all(|byte| byte.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    if canonical { u16::from_str(word).ok() } else { None }
}
