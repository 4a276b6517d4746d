//! What the RFCs demand of a ClientHello, and rustls lets pass or answers with another alert than the one that they name.
//!
//! Asked only where TLS ends here: whoever passes a hello on leaves its judgement to the server behind.

use super::parse::{Reader, SUPPORTED_VERSIONS};
use crate::Alert;

const MESSAGE_HEADER_LEN: usize = 4;
const RANDOM_LEN: usize = 32;
const SSL3: u16 = 0x0300;
const TLS13: [u8; 2] = [3, 4];

const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const PRE_SHARED_KEY: u16 = 41;
const KEY_SHARE: u16 = 51;
const RENEGOTIATION_INFO: u16 = 0xff01;

/// Judges a hello that [`Hello::parse`](super::Hello::parse) has found sound.
///
/// # Errors
/// The alert that the RFC names.
pub(crate) fn check(message: &[u8]) -> Result<(), Alert> {
    let mut body = Reader(message.get(MESSAGE_HEADER_LEN..).unwrap_or_default());
    // RFC 8446 appendix D.5: whatever else it offers.
    if body.u16()? <= SSL3 {
        return Err(Alert::PROTOCOL_VERSION);
    }
    body.take(RANDOM_LEN)?;
    body.vec8()?;
    body.vec16()?;
    body.vec8()?;
    if body.0.is_empty() { Ok(()) } else { extensions(Reader(body.vec16()?)) }
}

#[derive(Default)]
struct Present {
    tls13: bool,
    groups: bool,
    signatures: bool,
    shares: bool,
    psk: bool,
}

fn extensions(mut list: Reader<'_>) -> Result<(), Alert> {
    let mut present = Present::default();
    while !list.0.is_empty() {
        match (list.u16()?, list.vec16()?) {
            // RFC 5746 §3.6: in a first handshake there is nothing to be renegotiated.
            (RENEGOTIATION_INFO, body) if body != [0] => return Err(Alert::HANDSHAKE_FAILURE),
            (SUPPORTED_VERSIONS, body) => present.tls13 = body.get(1..).unwrap_or_default().chunks_exact(2).any(|version| version == TLS13),
            (SUPPORTED_GROUPS, _) => present.groups = true,
            (SIGNATURE_ALGORITHMS, _) => present.signatures = true,
            (KEY_SHARE, _) => present.shares = true,
            (PRE_SHARED_KEY, _) => present.psk = true,
            _ => {}
        }
    }
    if present.is_complete() { Ok(()) } else { Err(Alert::MISSING_EXTENSION) }
}

impl Present {
    /// RFC 8446 §9.2.
    fn is_complete(&self) -> bool {
        !self.tls13 || (self.groups == self.shares && (self.psk || (self.groups && self.signatures)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// A hello with these extensions, none of which has a body of interest but where it is given.
    fn judged(version: [u8; 2], extensions: &[(u16, &[u8])]) -> Result<(), Alert> {
        let mut list = Vec::new();
        for (kind, body) in extensions {
            list.extend(kind.to_be_bytes());
            list.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
            list.extend(*body);
        }
        let len = u16::try_from(list.len()).unwrap().to_be_bytes();
        check(&[&[1, 0, 0, 0][..], &version, &[0; RANDOM_LEN], &[0, 0, 2, 0x13, 1, 1, 0], &len, &list].concat())
    }

    const VERSIONS: (u16, &[u8]) = (SUPPORTED_VERSIONS, &[2, 3, 4]);

    #[test]
    fn legacy_version_of_ssl3_is_refused_whatever_is_offered() {
        let sound = [VERSIONS, (SUPPORTED_GROUPS, &[]), (SIGNATURE_ALGORITHMS, &[]), (KEY_SHARE, &[])];
        assert_eq!(judged([3, 0], &sound), Err(Alert::PROTOCOL_VERSION));
        assert_eq!(judged([3, 1], &sound), Ok(()));
    }

    #[test]
    fn tls13_hello_without_what_it_needs_misses_an_extension() {
        let needs = [(SUPPORTED_GROUPS, &[][..]), (SIGNATURE_ALGORITHMS, &[]), (KEY_SHARE, &[])];
        for left_out in 0..needs.len() {
            let rest = needs.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, extension)| *extension);
            let extensions: Vec<_> = rest.chain([VERSIONS]).collect();
            assert_eq!(judged([3, 3], &extensions), Err(Alert::MISSING_EXTENSION), "{left_out}");
            assert_eq!(judged([3, 3], &extensions[..2]), Ok(()), "TLS 1.2 does not need them");
        }
        assert_eq!(judged([3, 3], &[VERSIONS, (PRE_SHARED_KEY, &[])]), Ok(()), "a PSK needs neither");
    }

    #[test]
    fn first_hello_that_claims_to_renegotiate_fails() {
        assert_eq!(judged([3, 3], &[(RENEGOTIATION_INFO, &[0])]), Ok(()));
        for body in [&[][..], &[1, 7], &[0, 0]] {
            assert_eq!(judged([3, 3], &[(RENEGOTIATION_INFO, body)]), Err(Alert::HANDSHAKE_FAILURE));
        }
    }

    #[test]
    fn hello_without_extensions_is_fine() {
        assert_eq!(check(&[&[1, 0, 0, 0, 3, 3][..], &[0; RANDOM_LEN], &[0, 0, 2, 0x13, 1, 1, 0]].concat()), Ok(()));
    }
}
