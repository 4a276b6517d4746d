//! Every combination of flags to every state (N11). What makes no sense is not answered; a RST is sent where RFC 9293 asks for one; a connection ends only
//! by what may end it.

use core::time::Duration;
use std::thread;
use std::time::Instant;

use e2e::{Outcome, ensure};
use rawnet::{Path, Peer, Seen, Segment, Tcp, flag};

use super::below::{Below, below};
use super::field::{CLOSED, Field, is_challenge};
use crate::attack::Layer;
use crate::naive::Naive;

pub(super) const ATTACKS: &[Below] = &[
    below(
        "N11",
        "no_flag_combination_is_answered_by_a_closed_port",
        "64 combinations to a port that nobody listens at",
        Layer::Tender,
        Naive::Linux,
        closed,
    ),
    below("N11", "every_flag_combination_to_the_listener", "64 combinations from nowhere", Layer::Doorman, Naive::Parrot, listening),
    below(
        "N11",
        "every_flag_combination_behind_a_syn",
        "64 combinations with a wrong acknowledgement of a SYN-ACK",
        Layer::Doorman,
        Naive::Parrot,
        half_open,
    ),
    below(
        "N11",
        "every_flag_combination_to_a_connection",
        "64 combinations at the next byte of as many connections",
        Layer::Guard,
        Naive::Stock,
        established,
    ),
    below(
        "N11",
        "every_flag_combination_far_off_a_connection",
        "64 combinations half a sequence space away",
        Layer::Guard,
        Naive::Stock,
        far_off,
    ),
    below(
        "N11",
        "every_flag_combination_in_fin_wait_2",
        "64 combinations to connections that it has ended and we have not",
        Layer::Guard,
        Naive::Stock,
        fin_wait,
    ),
    below(
        "N11",
        "every_flag_combination_in_last_ack",
        "64 combinations to connections whose last ACK is missing",
        Layer::Guard,
        Naive::Stock,
        last_ack,
    ),
    below(
        "N11",
        "every_flag_combination_in_time_wait",
        "64 combinations to a connection that is over",
        Layer::Flow,
        Naive::Stock,
        time_wait,
    ),
    below("N11", "resets_are_limited", "2,000 strays, each of which asks for a RST", Layer::Doorman, Naive::Linux, resets_are_limited),
];

/// RSTs in a burst and a second.
const RESETS_MAX: usize = 200;
/// The limit is one for all; a test that wants a RST may have to wait for the next second.
const NEXT_TOKEN: Duration = Duration::from_millis(60);
const TRIES: usize = 30;

/// What a combination means (RFC 9293 section 3.10.7), if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Syn,
    SynAck,
    Reset,
    Ack,
    Fin,
    Nonsense,
}

fn meaning(flags: u8) -> Meaning {
    let has = |wanted: u8| flags & wanted != 0;
    match (has(flag::SYN), has(flag::FIN), has(flag::RST), has(flag::ACK)) {
        (true, false, false, false) => Meaning::Syn,
        (true, false, false, true) => Meaning::SynAck,
        (false, false, true, _) => Meaning::Reset,
        (false, true, false, true) => Meaning::Fin,
        (false, false, false, true) => Meaning::Ack,
        _ => Meaning::Nonsense,
    }
}

/// All of them. The short profile leaves out those with PSH and URG, which never mean anything.
fn combinations(field: &Field<'_>) -> impl Iterator<Item = (u8, Meaning)> + use<> {
    let idle = field.target.profile.choose(flag::PSH | flag::URG, 0);
    (0..64).filter(move |flags| flags & idle == 0).map(|flags| (flags, meaning(flags)))
}

/// The RST that a stray gets (section 3.10.7.1).
fn is_reset(tcp: &Tcp, stray: &Segment, meaning: Meaning) -> Outcome {
    let right = match meaning {
        Meaning::Syn => (flag::RST | flag::ACK, 0, stray.sequence.wrapping_add(1)),
        _ => (flag::RST, stray.ack, 0),
    };
    let found = (tcp.flags, tcp.sequence, if tcp.flags & flag::ACK == 0 { 0 } else { tcp.ack });
    ensure(found == right && tcp.payload.is_empty(), format!("{meaning:?} gets {tcp:?}"))
}

/// One RST, even if others have used up this second's.
fn reset_for(field: &mut Field<'_>, path: Path, stray: &Segment, meaning: Meaning) -> Outcome {
    for _ in 0..TRIES {
        let answers = field.provoke(&[path.tcp(stray)])?;
        match (&answers[..], answers.first().and_then(Seen::tcp)) {
            ([], _) => thread::sleep(NEXT_TOKEN),
            ([_], Some(tcp)) => return is_reset(&tcp, stray, meaning),
            _ => return Err(format!("{meaning:?} gets {answers:?}").into()),
        }
    }
    Err(format!("{meaning:?} gets no RST").into())
}

/// The tender lets nothing out that is not from a listener, whatever the guest would say.
fn closed(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let path = Path { to: path.to.at(CLOSED), ..path };
    for (flags, _) in combinations(field) {
        let stray = Segment { flags, sequence: 1000, ack: 2000, ..Segment::default() };
        field.silence(&format!("flags {flags:#x} to a closed port"), &[path.tcp(&stray)])?;
    }
    Ok(())
}

fn listening(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    strays(field, path, 0x0300_0000, 0x0400_0000)
}

fn half_open(field: &mut Field<'_>) -> Outcome {
    let mut peer = field.peer()?;
    let syn = Segment::syn(peer.next);
    peer.knock(&syn)?;
    field.fence()?;
    strays(field, peer.path(), peer.next.wrapping_sub(1), peer.expected.wrapping_add(0x0100_0000))?;
    // None of them has spoilt the handshake that is under way.
    peer.forget()?;
    peer.send(&peer.here())?;
    field.fence()?;
    field.holds(peer)
}

/// To who remembers nothing.
fn strays(field: &mut Field<'_>, path: Path, sequence: u32, ack: u32) -> Outcome {
    for (flags, meaning) in combinations(field) {
        let stray = Segment { flags, sequence, ack, ..Segment::default() };
        match meaning {
            Meaning::Reset | Meaning::Nonsense => field.silence(&format!("flags {flags:#x}"), &[path.tcp(&stray)])?,
            Meaning::Syn => {
                let answer = field.one_segment("a SYN", &[path.tcp(&stray)])?;
                ensure(answer.flags == flag::SYN | flag::ACK && answer.ack == sequence.wrapping_add(1), format!("a SYN gets {answer:?}"))?;
            }
            _ => reset_for(field, path, &stray, meaning)?,
        }
    }
    Ok(())
}

fn established(field: &mut Field<'_>) -> Outcome {
    for (flags, meaning) in combinations(field) {
        let mut victim = field.established()?;
        // At its first byte a cookie is still good: who knows it may begin again.
        victim.say(&[0x16])?;
        let frame = victim.path().tcp(&Segment { flags, ..victim.here() });
        match meaning {
            Meaning::Syn | Meaning::SynAck => is_challenge(&field.one_segment("a SYN", &[frame])?, &victim)?,
            Meaning::Fin => {
                let answers: Vec<_> = field.provoke_flow(&[frame])?.iter().filter_map(Seen::tcp).collect();
                let taken =
                    answers.iter().any(|tcp| tcp.ack == victim.next.wrapping_add(1) && tcp.flags & (flag::ACK | flag::RST) == flag::ACK);
                ensure(taken, format!("a FIN gets {answers:?}"))?;
                continue;
            }
            _ => field.silence(&format!("flags {flags:#x}"), &[frame])?,
        }
        victim.patience = victim.patience.min(Duration::from_millis(100));
        let alive = victim.say(&[3]).is_ok();
        ensure(alive == (meaning != Meaning::Reset), format!("after flags {flags:#x} the connection is alive: {alive}"))?;
    }
    Ok(())
}

fn far_off(field: &mut Field<'_>) -> Outcome {
    let victim = field.established()?;
    for (flags, meaning) in combinations(field) {
        // A connection answers ten a second.
        let fresh = if matches!(meaning, Meaning::Reset | Meaning::Nonsense) { None } else { Some(field.established()?) };
        let target = fresh.as_ref().unwrap_or(&victim);
        let frame = target.path().tcp(&Segment { flags, sequence: target.next.wrapping_add(1 << 30), ..target.here() });
        match meaning {
            Meaning::Reset | Meaning::Nonsense => field.silence(&format!("flags {flags:#x} far off"), &[frame])?,
            // RFC 9293 section 3.10.7.4: an unacceptable segment is answered with an ACK.
            _ => is_challenge(&field.one_segment(&format!("flags {flags:#x} far off"), &[frame])?, target)?,
        }
        if let Some(mut fresh) = fresh {
            fresh.say(&[0x16]).map_err(|fault| format!("after flags {flags:#x} far off: {fault}"))?;
        }
    }
    field.holds(victim)
}

/// A connection that it has ended and we have not.
pub(super) fn ended_by_it(field: &mut Field<'_>) -> Outcome<Peer> {
    let mut peer = field.established()?;
    peer.say(b"GET / HTTP/1.0\r\n\r\n")?;
    peer.await_end()?;
    field.settle();
    field.fence()?;
    Ok(peer)
}

fn fin_wait(field: &mut Field<'_>) -> Outcome {
    for (flags, meaning) in combinations(field) {
        let victim = ended_by_it(field)?;
        let frame = victim.path().tcp(&Segment { flags, ..victim.here() });
        match meaning {
            Meaning::Syn | Meaning::SynAck => is_challenge(&field.one_segment("a SYN", &[frame])?, &victim)?,
            Meaning::Fin => {
                let answer = field.provoke_flow(&[frame])?;
                let right = answer.iter().filter_map(Seen::tcp).all(|tcp| tcp.flags == flag::ACK && tcp.ack == victim.next.wrapping_add(1));
                ensure(right && !answer.is_empty(), format!("a FIN gets {answer:?}"))?;
            }
            _ => field.silence(&format!("flags {flags:#x} in FIN-WAIT-2"), &[frame])?,
        }
    }
    Ok(())
}

fn last_ack(field: &mut Field<'_>) -> Outcome {
    for (flags, meaning) in combinations(field) {
        let mut victim = field.established()?;
        victim.send(&Segment { flags: flag::ACK | flag::FIN, ..victim.here() })?;
        victim.next = victim.next.wrapping_add(1);
        let heard = victim.hear_for(Duration::from_millis(30))?;
        ensure(heard.iter().any(|tcp| tcp.flags & flag::FIN != 0), format!("a FIN gets {heard:?}"))?;
        let frame = victim.path().tcp(&Segment { flags, ..victim.here() });
        let answers: Vec<_> = field.provoke(&[frame])?.iter().filter_map(Seen::tcp).collect();
        // Its own FIN may come again at any time.
        let strange: Vec<_> = answers.iter().filter(|tcp| tcp.flags & flag::FIN == 0).collect();
        match meaning {
            Meaning::Syn | Meaning::SynAck => {
                ensure(strange.len() == 1 && strange[0].flags == flag::ACK, format!("a SYN gets {answers:?}"))?;
            }
            _ => {
                ensure(
                    strange.iter().all(|tcp| tcp.flags == flag::ACK && meaning == Meaning::Fin),
                    format!("{flags:#x} gets {answers:?}"),
                )?;
            }
        }
    }
    Ok(())
}

/// A connection that is over, whose other end lingers.
pub(super) fn lingering(field: &mut Field<'_>) -> Outcome<Peer> {
    let mut peer = ended_by_it(field)?;
    peer.finish()?;
    field.settle();
    field.fence()?;
    Ok(peer)
}

fn time_wait(field: &mut Field<'_>) -> Outcome {
    let victim = lingering(field)?;
    for (flags, meaning) in combinations(field) {
        let segment = Segment { flags, ..victim.here() };
        let frame = victim.path().tcp(&segment);
        match meaning {
            Meaning::Syn => {
                let answer = field.one_segment("a SYN", &[frame])?;
                ensure(
                    answer.flags == flag::SYN | flag::ACK && answer.ack == segment.sequence.wrapping_add(1),
                    format!("a SYN gets {answer:?}"),
                )?;
            }
            Meaning::SynAck | Meaning::Fin => is_challenge(&field.one_segment(&format!("flags {flags:#x}"), &[frame])?, &victim)?,
            _ => field.silence(&format!("flags {flags:#x} in TIME-WAIT"), &[frame])?,
        }
    }
    Ok(())
}

fn resets_are_limited(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let began = Instant::now();
    let mut resets = 0;
    for volley in 0..4 {
        let frames: Vec<_> = (0..500).map(|n| path.tcp(&Segment { sequence: volley * 500 + n, ack: n, ..Segment::default() })).collect();
        resets += field.provoke(&frames)?.len();
    }
    let seconds = 1 + usize::try_from(began.elapsed().as_secs()).unwrap_or(0);
    ensure(resets <= RESETS_MAX * (seconds + 1), format!("{resets} RSTs in {:?}", began.elapsed()))?;
    field.serves()
}
