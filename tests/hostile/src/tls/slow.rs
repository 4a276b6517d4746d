//! Clients that are as slow as they can be (N8), against a box whose limits are short: whoever goes on for ever in small steps meets a deadline all the same.

use core::time::Duration;
use std::time::Instant;

use e2e::{Net, Outcome};

use super::hello::Hello;
use super::peer::{Came, DATA, HANDSHAKE, Peer, record};
use super::{v12, v13};
use crate::attack::{Attack, Layer, Suite};
use crate::naive::Naive;
use crate::set_up::SetUp;
use crate::target::Target;

/// From one step to the next.
const STEP: Duration = Duration::from_millis(100);

/// So many of the rows are in the short profile.
const SHORT: usize = 2;

/// Name, what it does, who stops it, how it begins, and a step.
type Row = (&'static str, &'static str, Layer, fn(&Target) -> Outcome<Peer>, fn(&mut Peer) -> Outcome);

const ROWS: &[Row] = &[
    ("silent_client_is_cut_off", "a connection that says nothing", Layer::Admission, Peer::connect, |_| Ok(())),
    ("hello_without_end_is_cut_off", "a hello in records of one byte, one each 100 ms", Layer::Admission, begun, |peer| {
        peer.write(&record(HANDSHAKE, &[0]));
        Ok(())
    }),
    (
        "header_without_end_is_cut_off",
        "the first two bytes of a record, and nothing more",
        Layer::Admission,
        |target| {
            let mut peer = Peer::connect(target)?;
            peer.write(&[HANDSHAKE, 3]);
            Ok(peer)
        },
        |_| Ok(()),
    ),
    (
        "hello_that_stops_is_cut_off",
        "half a hello",
        Layer::Admission,
        |target| {
            let (mut peer, hello) = (Peer::connect(target)?, Hello::tls13()?.message());
            peer.send(HANDSHAKE, &hello[..hello.len() / 2])?;
            Ok(peer)
        },
        |_| Ok(()),
    ),
    (
        "handshake_that_stops_is_cut_off",
        "no Finished",
        Layer::Admission,
        |target| Ok(v13::Handshake::begin(target, &Hello::tls13()?)?.peer),
        |_| Ok(()),
    ),
    (
        "finished_without_end_is_cut_off",
        "a message in place of Finished in records of one byte, one each 100 ms",
        Layer::Admission,
        |target| {
            let mut peer = v13::Handshake::begin(target, &Hello::tls13()?)?.peer;
            peer.send(HANDSHAKE, &[20, 0, 0])?;
            peer.send(HANDSHAKE, &[32])?;
            Ok(peer)
        },
        |peer| peer.send(HANDSHAKE, &[7]),
    ),
    (
        "handshake_that_stops_is_cut_off_in_1_2",
        "no ClientKeyExchange, TLS 1.2",
        Layer::Admission,
        |target| Ok(v12::Handshake::begin(target, Hello::tls12()?)?.peer),
        |_| Ok(()),
    ),
    ("silent_session_is_cut_off", "a session that says nothing", Layer::Terminator, |target| Ok(v13::establish(target)?.peer), |_| Ok(())),
    (
        "session_of_half_records_is_cut_off",
        "a session that sends a record a byte each 100 ms, and never its end: its lifetime ends it",
        Layer::Terminator,
        |target| {
            let mut peer = v13::establish(target)?.peer;
            peer.write(&[DATA, 3, 3, 0x40, 0]);
            Ok(peer)
        },
        |peer| {
            peer.write(&[7]);
            Ok(())
        },
    ),
];

fn begun(target: &Target) -> Outcome<Peer> {
    let mut peer = Peer::connect(target)?;
    peer.write(&record(HANDSHAKE, &[1, 0, 0x10, 0]));
    Ok(peer)
}

pub(super) fn suite() -> Suite {
    let attacks = ROWS.iter().enumerate().map(|(index, (name, does, layer, begin, step))| {
        let attack = Attack::new("N8", *name, *does, *layer, Naive::Obvious, |target| {
            let (mut peer, began) = (begin(target)?, Instant::now());
            peer.tcp.set_read_timeout(Some(STEP))?;
            while began.elapsed() < target.patience() {
                step(&mut peer)?;
                match peer.hear() {
                    Ok(Came::Silence | Came::Record(..)) => {}
                    // A FIN or a RST, or a RST before we could write.
                    Ok(Came::End | Came::Reset) | Err(_) => return Ok(()),
                }
            }
            Err(format!("it is still there after {:?}", began.elapsed()).into())
        });
        // Each takes a second or more.
        if index < SHORT { attack } else { attack.long() }
    });
    Suite { name: "slow", net: Net::User, set_up, attacks: attacks.collect() }
}

/// A minute's limits within seconds.
fn set_up() -> Outcome<SetUp> {
    SetUp::with(|config| {
        let config = config.limit("first_byte_timeout_ms", 1000).limit("handshake_timeout_ms", 1500);
        config.limit("idle_timeout_ms", 1500).limit("half_close_timeout_ms", 1500).limit("lifetime_ms", 3000)
    })
}
