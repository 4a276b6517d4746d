//! What is not TLS at all, or is of a time that is over (T8).

use super::alert::{PROTOCOL_VERSION, UNEXPECTED_MESSAGE};
use super::peer::Peer;
use crate::attack::{Attack, Layer};
use crate::naive::Naive;

/// Name, what it does, the bytes, the alerts that may come.
type Row = (&'static str, &'static str, &'static [u8], &'static [u8]);

const ROWS: &[Row] = &[
    ("http_is_told_unexpected_message", "plain HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", &[UNEXPECTED_MESSAGE]),
    (
        "ssl2_hello_is_told_protocol_version",
        "a hello of SSL 2.0 (RFC 5246, appendix E.2)",
        &[0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80, 2, 0, 0x80, 3, 0, 0x80, 4, 0, 0x80, 5, 0, 0x80, 6, 0, 0x40, 7, 0, 0xc0],
        &[PROTOCOL_VERSION],
    ),
];

pub(super) fn attacks() -> Vec<Attack> {
    let attacks = ROWS.iter().map(|(name, does, bytes, alerts)| {
        Attack::new("T8", *name, *does, Layer::Hello, Naive::Silent, |target| {
            let mut peer = Peer::connect(target)?;
            peer.write(bytes);
            peer.is_told(alerts)
        })
    });
    attacks.collect()
}
