//! Making the box work for nothing (T12): handshakes begun and left, by one loud source, while a legitimate client wants to be served; and refusals that must not cost
//! what handshakes cost.

use core::time::Duration;
use std::time::Instant;

use e2e::{Outcome, ensure};

use super::alert::{ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE};
use super::bytes::vec16;
use super::hello::{GROUP_X25519, Hello, extension, share};
use super::peer::{HANDSHAKE, Peer, record};
use super::{v12, v13};
use crate::attack::{Attack, Layer};
use crate::naive::Naive;
use crate::target::Target;

/// Handshakes that are left open.
const OPEN: usize = 300;
/// Slow clients of one address, all told.
const CROWD: usize = 10_000;
/// Honest questions behind them, of which one in a hundred may fail.
const QUESTIONS: usize = 100;
/// So many of them take a step each time that so many others have come.
const STEPS: usize = 100;
/// Connections whose cost is compared.
const MANY: usize = 200;
/// Whoever measures on a machine that others use measures more than once.
const MEASURED: usize = 3;
/// A legitimate client is served within this, whatever is open.
const PATIENCE: Duration = Duration::from_secs(2);

type Begin = fn(&Target) -> Outcome<Peer>;

/// Name, what it does, how a connection is begun that is then left open.
type Row = (&'static str, &'static str, Begin);

const LEFT: &[Row] = &[
    ("connections_left_silent_keep_nobody_out", "300 connections that say nothing", Peer::connect),
    ("hellos_left_half_keep_nobody_out", "300 connections with half a hello", |target| {
        let (mut peer, hello) = (Peer::connect(target)?, Hello::tls13()?.message());
        peer.send(HANDSHAKE, &hello[..hello.len() / 2])?;
        Ok(peer)
    }),
    ("handshakes_left_open_keep_nobody_out", "300 handshakes without a Finished", |target| {
        Ok(v13::Handshake::begin(target, &Hello::tls13()?)?.peer)
    }),
    ("handshakes_left_open_in_1_2_keep_nobody_out", "300 handshakes without a ClientKeyExchange, TLS 1.2", |target| {
        Ok(v12::Handshake::begin(target, Hello::tls12()?)?.peer)
    }),
    ("sessions_left_silent_keep_nobody_out", "300 sessions that say nothing", |target| Ok(v13::establish(target)?.peer)),
];

/// Name, what it does, a connection that is refused.
const CHEAP: &[Row] = &[
    ("refusing_what_is_no_tls_is_cheap", "plain HTTP, 200 times", |target| {
        let mut peer = Peer::connect(target)?;
        peer.write(b"GET / HTTP/1.1\r\n\r\n");
        peer.is_told(&[UNEXPECTED_MESSAGE])?;
        Ok(peer)
    }),
    ("refusing_a_wrong_share_is_cheap", "a hello with a share of a wrong length, 200 times", |target| {
        let (mut peer, mut hello) = (Peer::connect(target)?, Hello::tls13()?);
        hello.set(extension::KEY_SHARE, vec16(&share(GROUP_X25519, &[9; 31])));
        peer.send(HANDSHAKE, &hello.message())?;
        peer.is_told(&[ILLEGAL_PARAMETER])?;
        Ok(peer)
    }),
];

pub(super) fn attacks() -> Vec<Attack> {
    let left = LEFT.iter().map(|(name, does, begin)| {
        Attack::new("T12", *name, format!("{does}, from one source"), Layer::Admission, Naive::OneAtATime, |target| {
            let open = (0..OPEN).map_while(|_| begin(target).ok()).collect::<Vec<_>>();
            let asked = Instant::now();
            target.visitor()?.asks_within(target.patience())?;
            ensure(asked.elapsed() < PATIENCE, format!("an honest client waits for {:?} behind {}", asked.elapsed(), open.len()))
        })
    });
    let cheap = CHEAP.iter().map(|(name, does, refused)| {
        Attack::new("T12", *name, format!("{does}: it costs less than as many handshakes"), Layer::Hello, Naive::Silent, |target| {
            let once = || -> Outcome<(Duration, Duration)> {
                Ok((cost(target, *refused)?, cost(target, |target| Ok(v13::establish(target)?.peer))?))
            };
            let measured = (0..MEASURED).map(|_| once()).collect::<Outcome<Vec<_>>>()?;
            let cheap = measured.iter().any(|(refused, served)| refused < served);
            ensure(cheap, format!("{MANY} refusals, and {MANY} handshakes, cost {measured:?}"))
        })
    });
    let crowd = Attack::new(
        "N8",
        "ten_thousand_slow_clients_of_one_source_keep_nobody_out",
        "10,000 clients of one address, each with half a hello, and a byte more now and then (100 in the short profile)",
        Layer::Admission,
        Naive::OneAtATime,
        crowd,
    );
    left.chain(cheap).chain([crowd]).collect()
}

/// All of them stay as long as they are let, and the newest go on by a byte: whoever is displaced or reset meanwhile has been slow for long enough.
fn crowd(target: &Target) -> Outcome {
    let hello = Hello::tls13()?.message();
    let half = hello.get(..hello.len() / 2).unwrap_or_default();
    let mut there: Vec<Peer> = Vec::new();
    for come in 1..=target.tries(CROWD) {
        // Whoever is one too many is reset at once.
        if let Ok(mut peer) = Peer::connect(target) {
            peer.write(&record(HANDSHAKE, half));
            there.push(peer);
        }
        if come.is_multiple_of(STEPS) {
            there.iter_mut().rev().take(STEPS).for_each(|peer| peer.write(&record(HANDSHAKE, &[0])));
        }
    }
    let (visitor, asked) = (target.visitor()?, target.tries(QUESTIONS));
    let unanswered: Vec<_> = (0..asked).filter_map(|_| visitor.asks_within(target.patience().min(PATIENCE)).err()).collect();
    let (count, first) = (unanswered.len(), unanswered.first());
    ensure(count * QUESTIONS <= asked, format!("{count} of {asked} honest questions fail behind {} slow clients: {first:?}", there.len()))
}

/// The box's processor time for so many connections.
fn cost(target: &Target, begin: Begin) -> Outcome<Duration> {
    let before = target.cpu();
    for _ in 0..MANY {
        begin(target)?;
    }
    Ok(target.cpu().saturating_sub(before))
}
