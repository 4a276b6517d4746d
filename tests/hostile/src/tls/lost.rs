//! Alerts that a RST would destroy (T16): bytes are on their way, unread, when the box gives up. Whoever closes at once resets the connection, and the peer never
//! learns why.

use e2e::{Outcome, ensure};

use super::alert::{BAD_RECORD_MAC, PROTOCOL_VERSION, UNEXPECTED_MESSAGE};
use super::hello::Hello;
use super::peer::{DATA, HANDSHAKE, Peer, record};
use super::v13;
use crate::attack::{Attack, Layer};
use crate::naive::Naive;
use crate::target::Target;

/// Of a thousand alerts, as many arrive at least.
const OF_A_THOUSAND: usize = 999;

/// What makes the box give up, with bytes behind it: name, what it does, the alert, the act.
type Row = (&'static str, &'static str, &'static [u8], fn(&Target) -> Outcome<Peer>);

const ROWS: &[Row] = &[
    ("alert_arrives_though_junk_is_in_flight", "no TLS, and 64 KiB behind it", &[UNEXPECTED_MESSAGE], |target| {
        let mut peer = Peer::connect(target)?;
        peer.write(&[&b"GET / HTTP/1.1\r\n"[..], &[b'x'; 64 * 1024]].concat());
        Ok(peer)
    }),
    (
        "alert_arrives_though_a_hello_is_in_flight",
        "a hello of TLS 1.0 in two segments, and 16 KiB behind it",
        &[PROTOCOL_VERSION],
        |target| {
            let (mut peer, mut hello) = (Peer::connect(target)?, Hello::tls12()?);
            hello.legacy_version = 0x0301;
            peer.send(HANDSHAKE, &hello.message())?;
            peer.write(&[7; 16 * 1024]);
            Ok(peer)
        },
    ),
    ("alert_arrives_though_data_is_in_flight", "a forged record in a session, and 64 KiB behind it", &[BAD_RECORD_MAC], |target| {
        let mut peer = v13::establish(target)?.peer;
        peer.write(&record(DATA, &[7; 1000]).repeat(65));
        Ok(peer)
    }),
    ("alert_arrives_though_the_stream_has_ended", "no TLS, and a FIN right behind it", &[UNEXPECTED_MESSAGE], |target| {
        let mut peer = Peer::connect(target)?;
        peer.write(b"GET / HTTP/1.1\r\n\r\n");
        peer.finish();
        Ok(peer)
    }),
];

pub(super) fn attacks() -> Vec<Attack> {
    let attacks = ROWS.iter().enumerate().map(|(index, (name, does, alerts, act))| {
        let does = format!("{does}: of 1,000 alerts {OF_A_THOUSAND} arrive (10,000 tries in the full profile)");
        let naive = if index == 3 { Naive::Hasty } else { Naive::Obvious };
        Attack::new("T16", *name, does, Layer::Closing, naive, |target| {
            let tries = target.tries(if *alerts == [BAD_RECORD_MAC] { 1000 } else { 3000 });
            let lost = (0..tries).filter_map(|_| act(target).and_then(|mut peer| peer.is_told(alerts)).err());
            let lost: Vec<_> = lost.collect();
            ensure(lost.len() * 1000 <= tries * (1000 - OF_A_THOUSAND), format!("{} of {tries} are lost: {:?}", lost.len(), lost.first()))
        })
    });
    attacks.collect()
}
