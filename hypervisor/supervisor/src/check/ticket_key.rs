//! The ticket key that several boxes share: 32 bytes, or 64 hexadecimal digits.

use std::path::PathBuf;

use keys::Secret;
use keys::bundle::TicketKey;
use keys::limits::TICKET_KEY_LEN;
use zeroize::Zeroizing;

use super::{key, pem};
use crate::config::{Spot, read_bounded};
use crate::report::Report;
use crate::rule::Rule;

/// A file at most, in bytes: the digits and a line's end.
const FILE_LEN_MAX: usize = 2 * TICKET_KEY_LEN + 2;

pub(super) fn read(path: &Spot<PathBuf>, report: &mut Report) -> Option<TicketKey> {
    let place = pem::place_of(path);
    let bytes = match read_bounded(&path.value, FILE_LEN_MAX) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(fault) => {
            report.add(Rule::TicketKeyUnusable, &place, format!("cannot be read: {fault}"));
            return None;
        }
    };
    key::warn_about_readers(path, &place, report);
    let found = parse(&bytes);
    if found.is_none() {
        report.add(Rule::TicketKeyUnusable, &place, format!("holds neither {TICKET_KEY_LEN} bytes nor twice as many hexadecimal digits"));
    }
    found.map(|secret| TicketKey { secret })
}

/// The key, in a buffer of its own size. All zeros are no key, but an empty disk's block.
fn parse(bytes: &[u8]) -> Option<Secret<Vec<u8>>> {
    let digits = bytes.trim_ascii();
    let mut secret = Secret::new(vec![0; TICKET_KEY_LEN]);
    if bytes.len() == TICKET_KEY_LEN {
        secret.expose_mut().copy_from_slice(bytes);
    } else if digits.len() == 2 * TICKET_KEY_LEN {
        for (byte, pair) in secret.expose_mut().iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().try_fold(0_u8, |value, digit| Some(value << 4 | nibble(*digit)?))?;
        }
    } else {
        return None;
    }
    secret.expose().iter().any(|byte| *byte != 0).then_some(secret)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_digits_are_read() {
        assert_eq!(parse(&[7; 32]), Some(Secret::new(vec![7; 32])));
        assert_eq!(parse("aB".repeat(32).as_bytes()), Some(Secret::new(vec![0xab; 32])));
        assert_eq!(parse(("07".repeat(32) + "\r\n").as_bytes()), Some(Secret::new(vec![7; 32])));
    }

    #[test]
    fn anything_else_is_not() {
        for bytes in [&[][..], &[7; 31], &[7; 33], &[0; 32], "0g".repeat(32).as_bytes(), "07".repeat(31).as_bytes()] {
            assert_eq!(parse(bytes), None, "{bytes:?}");
        }
    }
}
