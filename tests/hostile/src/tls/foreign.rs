//! What is not TLS at all, or is of a time that is over (T8).

use super::alert::{PROTOCOL_VERSION, UNEXPECTED_MESSAGE};
use super::peer::Peer;
use crate::attack::{Attack, Layer};
use crate::naive::Naive;

/// Name, what it does, the bytes, the alerts that may come, what answers otherwise.
type Row = (&'static str, &'static str, &'static [u8], &'static [u8], Naive);

/// A hello of SSL 2.0 that offers SSL 3.0 at most (RFC 5246 appendix E.2).
const SSL2: &[u8] =
    &[0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80, 2, 0, 0x80, 3, 0, 0x80, 4, 0, 0x80, 5, 0, 0x80, 6, 0, 0x40, 7, 0, 0xc0];

/// The same that offers TLS 1.2 and its suites: what old clients sent to servers of either kind.
const SSL2_FOR_TLS: &[u8] =
    &[0x80, 0x1f, 1, 3, 3, 0, 6, 0, 0, 0, 0x10, 0, 0xc0, 0x2b, 0, 0, 0xff, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7];

const ROWS: &[Row] = &[
    ("http_is_told_unexpected_message", "plain HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", &[UNEXPECTED_MESSAGE], Naive::OneAlert),
    (
        "http_2_is_told_unexpected_message",
        "HTTP/2 without TLS",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[UNEXPECTED_MESSAGE],
        Naive::OneAlert,
    ),
    ("ssh_is_told_unexpected_message", "a client of SSH", b"SSH-2.0-OpenSSH_9.2\r\n", &[UNEXPECTED_MESSAGE], Naive::Resetting),
    ("lower_case_is_told_unexpected_message", "a line of text", b"hello\r\n", &[UNEXPECTED_MESSAGE], Naive::Silent),
    ("zeros_are_told_unexpected_message", "64 zeros", &[0; 64], &[UNEXPECTED_MESSAGE], Naive::Agreeable),
    (
        "proxy_header_is_told_unexpected_message",
        "a PROXY header of somebody who is no front end",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n",
        &[UNEXPECTED_MESSAGE],
        Naive::OneAlert,
    ),
    (
        "binary_proxy_header_is_told_unexpected_message",
        "a PROXY header of version 2",
        b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0",
        &[UNEXPECTED_MESSAGE],
        Naive::Silent,
    ),
    ("ssl2_hello_is_told_protocol_version", "a hello of SSL 2.0", SSL2, &[PROTOCOL_VERSION], Naive::Resetting),
    (
        "ssl2_hello_for_tls_is_told_protocol_version",
        "a hello of SSL 2.0 that offers TLS 1.2 (RFC 6176: refused)",
        SSL2_FOR_TLS,
        &[PROTOCOL_VERSION],
        Naive::Agreeable,
    ),
    (
        "dtls_is_told_protocol_version",
        "a hello of DTLS 1.2",
        &[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
        &[PROTOCOL_VERSION],
        Naive::Silent,
    ),
    (
        "heartbeat_before_a_hello_is_unexpected",
        "a heartbeat that asks for 16 KiB, first of all (CVE-2014-0160)",
        &[24, 3, 2, 0, 3, 1, 0x40, 0],
        &[UNEXPECTED_MESSAGE],
        Naive::Agreeable,
    ),
];

pub(super) fn attacks() -> Vec<Attack> {
    let attacks = ROWS.iter().map(|(name, does, bytes, alerts, naive)| {
        Attack::new("T8", *name, *does, Layer::Hello, *naive, |target| {
            let mut peer = Peer::connect(target)?;
            peer.write(bytes);
            peer.is_told(alerts)
        })
    });
    attacks.collect()
}
