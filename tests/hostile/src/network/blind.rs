//! Attackers who see nothing of a connection and guess its numbers (RFC 5961). The connection is the attacker's own, so that what a guess brings back is
//! seen to the last bit; that it still carries every byte is proven by a TLS conversation over it.

use core::time::Duration;

use e2e::{Outcome, ensure};
use rawnet::{Peer, Segment, flag};

use super::below::{Below, below};
use super::field::{Field, forged, is_challenge};
use crate::attack::{Layer, Profile};
use crate::naive::Naive;

pub(super) const ATTACKS: &[Below] = &[
    below(
        "N3",
        "rst_within_the_window_is_challenged",
        "RSTs 1, 2, 100 bytes and a whole window beyond the next byte",
        Layer::Guard,
        Naive::Stock,
        rst_within_the_window,
    ),
    below(
        "N3",
        "rst_outside_the_window_is_dropped",
        "RSTs before the next byte, at the window's end and half a sequence space away",
        Layer::Guard,
        Naive::Parrot,
        rst_outside_the_window,
    ),
    below(
        "N3",
        "rst_at_the_next_byte_ends_the_connection",
        "the one RST that a peer may send",
        Layer::Guard,
        Naive::Parrot,
        rst_at_the_next_byte,
    ),
    below(
        "N3",
        "challenges_are_limited_for_each_connection_alone",
        "200 RSTs within the window of one connection, then one within another's (CVE-2016-5696)",
        Layer::Guard,
        Naive::Stock,
        challenges_are_limited,
    ),
    below("N3", "guessed_rsts_change_nothing", "a million RSTs within the window (full profile)", Layer::Guard, Naive::Stock, guessed_rsts),
    below("N4", "syn_in_a_connection_is_challenged", "SYNs at, within, before and far beyond the window", Layer::Guard, Naive::Stock, syn),
    below(
        "N4",
        "syn_ack_in_a_connection_is_challenged",
        "SYN-ACKs at, within, before and far beyond the window",
        Layer::Guard,
        Naive::Stock,
        syn_ack,
    ),
    below("N4", "guessed_syns_change_nothing", "a million SYNs within the window (full profile)", Layer::Guard, Naive::Stock, guessed_syns),
    below(
        "N5",
        "data_with_an_old_ack_is_challenged",
        "the next byte, acknowledging what is older than any window",
        Layer::Guard,
        Naive::Stock,
        data_with_an_old_ack,
    ),
    below(
        "N5",
        "data_with_a_future_ack_is_challenged",
        "the next byte, acknowledging what was never sent",
        Layer::Guard,
        Naive::Parrot,
        future_ack,
    ),
    below(
        "N5",
        "fin_with_a_wrong_ack_is_challenged",
        "a FIN at the next byte, acknowledging what nobody sent",
        Layer::Guard,
        Naive::Stock,
        wrong_fin,
    ),
    below(
        "N5",
        "data_beyond_the_window_is_not_taken",
        "bytes at and far beyond the window's end",
        Layer::Guard,
        Naive::Parrot,
        data_beyond,
    ),
    below(
        "N5",
        "guessed_data_changes_nothing",
        "a million bytes at the right place with guessed ACKs (full profile)",
        Layer::Guard,
        Naive::Parrot,
        guessed_data,
    ),
];

/// Guesses of one attack.
const GUESSES_SHORT: u32 = 20_000;
const GUESSES_FULL: u32 = 1_000_000;
/// Guesses between two looks.
const VOLLEY: usize = 500;
/// Challenges of one connection in one burst, and a second.
const CHALLENGES_MAX: usize = 12;

fn rst_within_the_window(field: &mut Field<'_>) -> Outcome {
    let victim = field.established()?;
    for ahead in [1, 2, 100, u32::from(victim.offered) - 1] {
        let answer = field.one_segment("a RST within the window", &[forged(&victim, flag::RST, ahead)])?;
        is_challenge(&answer, &victim)?;
    }
    field.holds(victim)
}

fn rst_outside_the_window(field: &mut Field<'_>) -> Outcome {
    let victim = field.established()?;
    let wide = [u32::MAX, u32::MAX - 100, 1 << 31, 1 << 20, 0x7fff_ffff];
    let frames: Vec<_> = wide.iter().map(|ahead| forged(&victim, flag::RST, *ahead)).collect();
    field.silence("a RST outside the window", &frames)?;
    field.holds(victim)
}

fn rst_at_the_next_byte(field: &mut Field<'_>) -> Outcome {
    let mut victim = field.established()?;
    victim.say(&[0x16])?;
    field.silence("a RST", &[forged(&victim, flag::RST, 0)])?;
    let answers = field.provoke_flow(&[forged(&victim, flag::ACK, 0)])?;
    ensure(!answers.iter().filter_map(rawnet::Seen::tcp).any(|tcp| tcp.flags == flag::ACK), format!("it lives on: {answers:?}"))
}

fn challenges_are_limited(field: &mut Field<'_>) -> Outcome {
    let (victim, other) = (field.established()?, field.established()?);
    let frames: Vec<_> = (1..=200).map(|ahead| forged(&victim, flag::RST, ahead)).collect();
    let answers = field.provoke(&frames)?;
    ensure((1..=CHALLENGES_MAX).contains(&answers.len()), format!("{} challenges for 200 RSTs", answers.len()))?;
    let answer = field.one_segment("a RST to another connection", &[forged(&other, flag::RST, 1)])?;
    is_challenge(&answer, &other)?;
    field.holds(victim)?;
    field.holds(other)
}

fn guessed_rsts(field: &mut Field<'_>) -> Outcome {
    guess(field, |victim, n| forged(victim, flag::RST, 1 + n % (u32::from(victim.offered) - 1)))
}

fn guessed_syns(field: &mut Field<'_>) -> Outcome {
    guess(field, |victim, n| forged(victim, flag::SYN, n % u32::from(victim.offered)))
}

/// The right place, and an acknowledgement that is neither of what was sent nor of a window before.
fn guessed_data(field: &mut Field<'_>) -> Outcome {
    guess(field, |victim, n| {
        let off_by = 70_000_000 + n.wrapping_mul(0x9e37_79b1) % 0x7b00_0000;
        let ack = if n % 2 == 0 { victim.expected.wrapping_add(off_by) } else { victim.expected.wrapping_sub(off_by) };
        victim.path().tcp(&Segment { flags: flag::ACK | flag::PSH, ack, payload: vec![0x15], ..victim.here() })
    })
}

/// Each guess may be answered by a challenge, within its rate, and by nothing else; and the connection holds.
fn guess(field: &mut Field<'_>, shot: impl Fn(&Peer, u32) -> Vec<u8>) -> Outcome {
    let count = if field.target.is_naive() { GUESSES_SHORT } else { field.target.profile.choose(GUESSES_SHORT, GUESSES_FULL) };
    let victim = field.established()?;
    let began = std::time::Instant::now();
    let mut challenges = 0_usize;
    let numbers: Vec<u32> = (0..count).collect();
    for volley in numbers.chunks(VOLLEY) {
        let frames: Vec<_> = volley.iter().map(|n| shot(&victim, *n)).collect();
        for answer in field.provoke(&frames)? {
            is_challenge(&answer.tcp().ok_or_else(|| format!("{answer:?}"))?, &victim)?;
            challenges += 1;
        }
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap_or(0) + 1;
    ensure((1..=CHALLENGES_MAX * (seconds + 1)).contains(&challenges), format!("{challenges} challenges in {seconds} s"))?;
    field.holds(victim)
}

fn syn(field: &mut Field<'_>) -> Outcome {
    every_place(field, flag::SYN)
}

fn syn_ack(field: &mut Field<'_>) -> Outcome {
    every_place(field, flag::SYN | flag::ACK)
}

fn every_place(field: &mut Field<'_>, flags: u8) -> Outcome {
    let victim = field.established()?;
    for ahead in [0, 1, u32::from(victim.offered) - 1, u32::MAX, 1 << 31, 1 << 20] {
        let answer = field.one_segment("a SYN", &[forged(&victim, flags, ahead)])?;
        is_challenge(&answer, &victim)?;
    }
    field.holds(victim)
}

fn data_with_an_old_ack(field: &mut Field<'_>) -> Outcome {
    injected(field, flag::ACK | flag::PSH, &[70_000_000, 1 << 30, (1 << 31) - 1].map(|back: u32| back.wrapping_neg()))
}

fn future_ack(field: &mut Field<'_>) -> Outcome {
    injected(field, flag::ACK | flag::PSH, &[1, 2, 65_536, 1 << 30])
}

fn wrong_fin(field: &mut Field<'_>) -> Outcome {
    injected(field, flag::ACK | flag::FIN, &[1, 1 << 30, 1_u32.wrapping_shl(30).wrapping_neg()])
}

/// At the right place, with the acknowledgement off by these.
fn injected(field: &mut Field<'_>, flags: u8, off_by: &[u32]) -> Outcome {
    let victim = field.established()?;
    for off_by in off_by {
        let ack = victim.expected.wrapping_add(*off_by);
        let frame = victim.path().tcp(&Segment { flags, ack, payload: vec![0x15], ..victim.here() });
        is_challenge(&field.one_segment("injected data", &[frame])?, &victim)?;
    }
    // Nothing of it was kept for later either.
    std::thread::sleep(Duration::from_millis(if field.target.profile == Profile::Full { 50 } else { 5 }));
    field.holds(victim)
}

fn data_beyond(field: &mut Field<'_>) -> Outcome {
    let victim = field.established()?;
    for ahead in [u32::from(victim.offered), 1 << 20, 1 << 30] {
        let sequence = victim.next.wrapping_add(ahead);
        let frame = victim.path().tcp(&Segment { sequence, payload: vec![0x15; 8], ..victim.here() });
        is_challenge(&field.one_segment("data beyond the window", &[frame])?, &victim)?;
    }
    field.holds(victim)
}
