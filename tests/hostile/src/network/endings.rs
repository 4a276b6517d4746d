//! What becomes of a connection when its ends disagree about its end, or its beginning (N17).

use core::time::Duration;

use e2e::{Outcome, ensure};
use rawnet::{Peer, Seen, Segment, flag};

use super::below::{Below, below};
use super::field::{Field, is_challenge};
use super::states::{ended_by_it, lingering};
use crate::attack::Layer;
use crate::naive::Naive;

pub(super) const ATTACKS: &[Below] = &[
    below(
        "N17",
        "time_wait_makes_way_for_a_newer_connection",
        "a SYN with a higher sequence number at the ends of one that is over (RFC 6191)",
        Layer::Flow,
        Naive::Parrot,
        reuse,
    ),
    below(
        "N17",
        "time_wait_is_not_cut_short",
        "RSTs and old SYNs to a connection that is over (RFC 1337)",
        Layer::Flow,
        Naive::Stock,
        not_cut_short,
    ),
    below("N17", "a_hundred_time_waits_take_no_buffers", "a hundred connections that linger", Layer::Flow, Naive::Parrot, no_buffers),
    below("N17", "a_simultaneous_open_is_refused", "a SYN-ACK in answer to a SYN-ACK", Layer::Doorman, Naive::Parrot, simultaneous_open),
    below("N17", "who_sends_on_after_the_end_is_cut_off", "data without end behind its FIN", Layer::Closing, Naive::Stock, sends_on),
    below(
        "N17",
        "who_never_ends_is_forgotten",
        "a client that acknowledges the FIN and never sends its own",
        Layer::Closing,
        Naive::Linux,
        never_ends,
    )
    .long(),
    below("N17", "a_fin_repeated_is_answered_within_the_rate", "300 times the same FIN", Layer::Flow, Naive::Parrot, fin_repeated),
    below("N17", "data_behind_the_fin_is_not_taken", "more data behind its own FIN", Layer::Flow, Naive::Parrot, data_behind_fin),
    below(
        "N17",
        "resets_right_behind_the_handshake_leave_nothing",
        "100 connections that are reset with their first ACK",
        Layer::Flow,
        Naive::Parrot,
        reset_at_once,
    ),
];

/// What a closed flow still takes, and what is under way.
const SENT_ON_MAX: usize = 256 * 1024 + 64 * 1024;
/// `drain_timeout` of a closed flow, and some time to notice.
const FORGOTTEN: Duration = Duration::from_secs(13);
/// What a hundred connections may leave; their smallest rings would be three times that.
const LINGERING_LEN_MAX: u64 = 400 * 1024;
/// A burst and two seconds of what a connection may answer.
const ANSWERS_MAX: usize = 35;

fn reuse(field: &mut Field<'_>) -> Outcome {
    let mut old = lingering(field)?;
    old.patience = field.target.patience();
    old.forget()?;
    let first = old.next.wrapping_add(100_000);
    let answer = old.knock(&Segment::syn(first)).map_err(|fault| format!("no way for a newer connection: {fault}"))?;
    ensure(answer.sequence != old.acknowledged, "the same sequence number again")?;
    old.send(&old.here())?;
    old.finished = false;
    field.fence()?;
    field.holds(old)
}

fn not_cut_short(field: &mut Field<'_>) -> Outcome {
    let old = lingering(field)?;
    let reset = |off: u32| old.path().tcp(&Segment { flags: flag::RST, sequence: old.next.wrapping_add(off), ..old.here() });
    field.silence("a RST in TIME-WAIT", &[0, 1, u32::MAX, 1000].map(reset))?;
    let syn = Segment::syn(old.next.wrapping_sub(1000));
    is_challenge(&field.one_segment("an old SYN", &[old.path().tcp(&syn)])?, &old)?;
    // It is still there, and says so.
    let fin = old.path().tcp(&Segment { flags: flag::ACK | flag::FIN, sequence: old.next.wrapping_sub(1), ..old.here() });
    is_challenge(&field.one_segment("the FIN again", &[fin])?, &old)
}

fn no_buffers(field: &mut Field<'_>) -> Outcome {
    let before = field.heap()?;
    let mut lingering = Vec::new();
    for _ in 0..100 {
        let mut peer = field.established()?;
        peer.say(b"GET / HTTP/1.0\r\n\r\n")?;
        peer.await_end()?;
        peer.finish()?;
        lingering.push(peer);
    }
    field.settle();
    let after = field.heap()?;
    ensure(after <= before + LINGERING_LEN_MAX, format!("a hundred TIME-WAITs take {before} bytes, then {after}"))?;
    field.serves()
}

fn simultaneous_open(field: &mut Field<'_>) -> Outcome {
    let mut peer = field.peer()?;
    let syn = Segment::syn(peer.next);
    peer.knock(&syn)?;
    field.fence()?;
    let crossed = Segment { flags: flag::SYN | flag::ACK, ack: peer.expected, ..syn };
    let answer = field.one_segment("a crossed SYN-ACK", &[peer.path().tcp(&crossed)])?;
    ensure(answer.flags == flag::RST && answer.sequence == peer.expected, format!("a crossed SYN-ACK gets {answer:?}"))?;
    peer.reset = true;
    Ok(())
}

fn sends_on(field: &mut Field<'_>) -> Outcome {
    let mut peer = ended_by_it(field)?;
    peer.forget()?;
    let mut sent = 0;
    while !peer.reset && sent < SENT_ON_MAX {
        match peer.say(&[0x5a; 1400]) {
            Ok(()) => sent += 1400,
            Err(_) if peer.reset => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    ensure(peer.reset, format!("{sent} bytes behind its end, and it still takes more"))
}

fn never_ends(field: &mut Field<'_>) -> Outcome {
    let mut peer = ended_by_it(field)?;
    peer.forget()?;
    let heard = peer.hear_for(if field.target.is_naive() { Duration::from_secs(1) } else { FORGOTTEN })?;
    peer.reset = heard.iter().any(|tcp| tcp.flags & flag::RST != 0);
    ensure(peer.reset, format!("it waits for ever: {heard:?}"))
}

fn fin_repeated(field: &mut Field<'_>) -> Outcome {
    let peer = field.established()?;
    let fin = peer.path().tcp(&Segment { flags: flag::ACK | flag::FIN, ..peer.here() });
    let answers = field.provoke_flow(&vec![fin; 300])?;
    let polite = answers.iter().filter_map(Seen::tcp).all(|tcp| tcp.flags & flag::RST == 0 && tcp.ack == peer.next.wrapping_add(1));
    ensure(polite && (1..=ANSWERS_MAX).contains(&answers.len()), format!("{} answers, the first is {:?}", answers.len(), answers.first()))?;
    ended(peer, 1)
}

fn data_behind_fin(field: &mut Field<'_>) -> Outcome {
    let peer = field.established()?;
    let data = |at: u32| peer.path().tcp(&Segment { sequence: peer.next.wrapping_add(at), payload: vec![0x16; 100], ..peer.here() });
    let fin = peer.path().tcp(&Segment { flags: flag::ACK | flag::FIN, ..peer.here() });
    let answers = field.provoke_flow(&[fin, data(1), data(101), data(0)])?;
    let ours: Vec<_> = answers.iter().filter_map(Seen::tcp).filter(|tcp| tcp.to == peer.path().from.socket()).collect();
    let furthest = ours.iter().map(|tcp| tcp.ack.wrapping_sub(peer.next)).max().unwrap_or(0);
    ensure(furthest == 1, format!("{furthest} instead of 1 are taken behind a FIN: {ours:?}"))?;
    ended(peer, 1)
}

/// Nothing of it stays.
fn ended(mut peer: Peer, further: u32) -> Outcome {
    peer.next = peer.next.wrapping_add(further);
    drop(peer);
    Ok(())
}

fn reset_at_once(field: &mut Field<'_>) -> Outcome {
    let before = field.target.figures()?;
    for _ in 0..if field.target.is_naive() { 3 } else { 100 } {
        let mut peer = field.peer()?;
        peer.connect()?;
        drop(peer);
    }
    field.fence()?;
    field.settle();
    let after = field.target.figures()?;
    ensure(after.flows <= before.flows + 2, format!("{} flows of 100 stay", after.flows))?;
    field.serves()
}
