//! What numbers give away: sequence numbers (N2), identifications (N14), and what fills short frames up (N19).

use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::thread;

use e2e::{Outcome, ensure};
use rawnet::{Path, Seen, Segment, arp, flag, icmp, ipv4, option};

use super::below::{Below, below};
use super::field::{ATTACKER, ATTACKER_V4, Family, Field, SAMPLED_PORTS, TARGET_V4};
use crate::attack::Layer;
use crate::naive::Naive;
use crate::target::Target;

pub(super) const ATTACKS: &[Below] = &[
    below(
        "N2",
        "sequence_numbers_tell_nothing_of_the_next",
        "100,000 SYNs (full profile): differences, bits, correlation, extrapolation",
        Layer::Doorman,
        Naive::Parrot,
        isns,
    ),
    below(
        "N2",
        "neighbouring_ports_share_no_sequence_space",
        "sequence numbers of ports that differ in a bit",
        Layer::Doorman,
        Naive::Parrot,
        neighbouring_ports,
    ),
    below(
        "N2",
        "two_boots_share_no_sequence_numbers",
        "the same SYNs to it and to another boot of it",
        Layer::Doorman,
        Naive::Stock,
        two_boots,
    ),
    below(
        "N2",
        "the_same_syn_later_gives_no_clock_away",
        "the same SYN again and again: no clock can be read off",
        Layer::Doorman,
        Naive::Parrot,
        no_clock,
    ),
    below("N2", "timestamps_do_not_tell_the_uptime", "SYNs with timestamps (RFC 7323)", Layer::Doorman, Naive::Linux, no_timestamps),
    below(
        "N14",
        "identifications_tell_nothing",
        "SYN-ACKs, RSTs, ACKs, data and echoes: all may not be cut and have no number",
        Layer::Doorman,
        Naive::Parrot,
        identifications,
    )
    .only(Family::V4),
    below(
        "N19",
        "short_frames_are_filled_with_zeros",
        "short answers behind long questions (Etherleak)",
        Layer::Doorman,
        Naive::Parrot,
        padding,
    ),
];

const VOLLEY: usize = 250;
/// Times that one SYN is sent.
const ASKED_AT_MOST: usize = 20;
/// From one time to the next.
const ASK_AGAIN: Duration = Duration::from_millis(100);
const SAMPLES_NAIVE: u32 = 400;
const SAMPLES_SHORT: u32 = 4_000;
const SAMPLES_FULL: u32 = 100_000;
/// How far a sum of so many fair coins may be off before it is no chance: five standard deviations and more.
const SIGMAS: f64 = 5.5;

/// Sequence numbers for SYNs from these ports, in order. What is half open is taken back, for those who keep it.
fn sample(field: &mut Field<'_>, ports: &[(u16, u32)]) -> Outcome<Vec<u32>> {
    let mut found = Vec::new();
    for volley in ports.chunks(if field.target.is_naive() { 2 } else { VOLLEY }) {
        let (me, it) = (field.me, field.it);
        let path = |port: u16| Path { from: me.at(port), to: it };
        let mut numbers: HashMap<(u16, u32), u32> = HashMap::new();
        // A SYN may get lost on the way to a busy box, like any other frame, and the box answers one source so often and no more: whoever sent it asks again.
        for round in 0..ASKED_AT_MOST {
            let missing = volley.iter().filter(|asked| !numbers.contains_key(asked));
            let frames: Vec<_> = missing.map(|(port, sequence)| path(*port).tcp(&Segment::syn(*sequence))).collect();
            if frames.is_empty() {
                break;
            }
            if round > 0 {
                thread::sleep(ASK_AGAIN);
            }
            let answers = field.provoke(&frames)?;
            let syn_acks = answers.iter().filter_map(Seen::tcp).filter(|tcp| tcp.flags == flag::SYN | flag::ACK);
            for tcp in syn_acks {
                numbers.entry((tcp.to.port(), tcp.ack.wrapping_sub(1))).or_insert(tcp.sequence);
            }
        }
        for (port, sequence) in volley {
            let number = *numbers.get(&(*port, *sequence)).ok_or_else(|| format!("no SYN-ACK for port {port}"))?;
            found.push(number);
            let undo = Segment {
                flags: flag::RST | flag::ACK,
                sequence: sequence.wrapping_add(1),
                ack: number.wrapping_add(1),
                ..Segment::default()
            };
            field.send(&[path(*port).tcp(&undo)])?;
        }
    }
    Ok(found)
}

fn isns(field: &mut Field<'_>) -> Outcome {
    let count = if field.target.is_naive() { SAMPLES_NAIVE } else { field.target.profile.choose(SAMPLES_SHORT, SAMPLES_FULL) };
    let ports: Vec<_> = (0..count).map(|n| (SAMPLED_PORTS + u16::try_from(n % 45_000).unwrap_or(0), 7 * (n / 45_000))).collect();
    let numbers = sample(field, &ports)?;
    let n = f64::from(count);
    let differences: Vec<u32> = numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    let mut times: HashMap<u32, usize> = HashMap::new();
    differences.iter().for_each(|difference| *times.entry(*difference).or_default() += 1);
    let most = times.values().max().copied().unwrap_or(0);
    ensure(most <= 4, format!("one difference comes {most} times among {count}"))?;
    for bit in 0..32 {
        let ones = numbers.iter().filter(|number| *number >> bit & 1 == 1).count();
        let off = (f64::from(u32::try_from(ones)?) - n / 2.0).abs() / (n / 4.0).sqrt();
        ensure(off < SIGMAS, format!("bit {bit} is 1 in {ones} of {count}"))?;
    }
    // Extrapolation: the next difference is the last one. A window of 2^24 around the guess is hit by chance once in 128.
    let hits = differences.windows(2).filter(|pair| pair[1].wrapping_sub(pair[0]).wrapping_add(1 << 24) < 1 << 25).count();
    let expected = n / 128.0;
    ensure(f64::from(u32::try_from(hits)?) < expected + SIGMAS * expected.sqrt() + 5.0, format!("{hits} of {count} were foreseen"))?;
    let correlation = correlation(&numbers);
    ensure(correlation.abs() < SIGMAS / n.sqrt(), format!("a number and the next one correlate by {correlation}"))
}

/// Of each number with the next.
fn correlation(numbers: &[u32]) -> f64 {
    let scaled: Vec<f64> = numbers.iter().map(|number| f64::from(*number) / f64::from(u32::MAX) - 0.5).collect();
    let squares: f64 = scaled.iter().map(|value| value * value).sum();
    scaled.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / squares
}

fn neighbouring_ports(field: &mut Field<'_>) -> Outcome {
    let ports: Vec<_> = (0..256_u16).map(|n| (20_000 + n, 77)).collect();
    let numbers = sample(field, &ports)?;
    let near = |(a, b): (u32, u32)| a.wrapping_sub(b).wrapping_add(1 << 20) < 1 << 21;
    // 256 x 8 pairs, each within 2^20 of each other by chance once in 2,048.
    let pairs = (0..256_usize).flat_map(|n| (0..8).map(move |bit| (n, n ^ 1 << bit)));
    let hits = pairs.filter(|(a, b)| near((numbers[*a], numbers[*b]))).count() / 2;
    ensure(hits <= 6, format!("{hits} pairs of neighbouring ports have neighbouring numbers"))
}

/// The same questions to another boot: no number again, and no constant between both.
fn two_boots(field: &mut Field<'_>) -> Outcome {
    let ports: Vec<_> = (0..if field.target.is_naive() { 8 } else { 200 }).map(|n| (30_000 + n, 99)).collect();
    let family = field.family;
    let ask = |target: &Target| sample(&mut Field::open(target, family)?, &ports);
    let here = if field.target.is_naive() { field.target.on_another_link(ask)? } else { ask(field.target)? };
    let there = field.target.on_another_link(ask)?;
    let same = here.iter().zip(&there).filter(|(a, b)| a == b).count();
    let offsets: HashSet<u32> = here.iter().zip(&there).map(|(a, b)| a.wrapping_sub(*b)).collect();
    let shared = here.iter().collect::<HashSet<_>>().intersection(&there.iter().collect()).count();
    ensure(
        same == 0 && shared == 0 && offsets.len() + 1 >= here.len(),
        format!("{same} numbers again, {} offsets of {}", offsets.len(), here.len()),
    )
}

/// A counter or a clock would give numbers that grow from one to the next; these are from a few slots of time, and do not grow.
fn no_clock(field: &mut Field<'_>) -> Outcome {
    let mut numbers = Vec::new();
    for n in 0..64_u32 {
        numbers.extend(sample(field, &[(40_000, n * 1000)])?);
    }
    let growing = numbers.windows(2).filter(|pair| pair[1].wrapping_sub(pair[0]) < 1 << 31).count();
    ensure((8..=56).contains(&growing), format!("{growing} of 63 steps go up"))
}

fn no_timestamps(field: &mut Field<'_>) -> Outcome {
    let stamped = [option::mss(1460), vec![1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0]].concat();
    let answer = field.one_segment("a SYN with a timestamp", &[field.fresh().tcp(&Segment { options: stamped, ..Segment::syn(5) })])?;
    ensure(answer.flags == flag::SYN | flag::ACK && answer.option(8).is_none(), format!("it tells its time: {answer:?}"))
}

/// All that it says of itself.
fn utterances(field: &mut Field<'_>) -> Outcome<Vec<Seen>> {
    let long = field.fresh();
    let noise = long.tcp(&Segment { checksum_off_by: 1, payload: vec![0xaa; 1400], ..Segment::default() });
    let mut frames = vec![noise.clone(), field.fresh().tcp(&Segment { flags: flag::SYN, sequence: 3, ..Segment::default() })];
    frames.extend([noise.clone(), field.fresh().tcp(&Segment { ack: 9, ..Segment::default() })]);
    frames.extend([noise.clone(), arp::request((ATTACKER, ATTACKER_V4), TARGET_V4)]);
    let path = field.fresh();
    let echo = match field.family {
        Family::V4 => path.ip(rawnet::protocol::ICMP, &icmp::v4(icmp::ECHO, 0, 1, &[0xaa; 2])),
        Family::V6 => path
            .ip(rawnet::protocol::ICMPV6, &icmp::v6(super::field::ATTACKER_V6, super::field::TARGET_V6, icmp::ECHO_V6, 0, 1, &[0xaa; 2])),
    };
    frames.extend([noise, echo]);
    let mut seen = field.provoke(&frames)?;
    let victim = field.established()?;
    let challenge = victim.path().tcp(&Segment { flags: flag::RST, sequence: victim.next.wrapping_add(1), ..victim.here() });
    let data = victim.path().tcp(&Segment { payload: b"GET / HTTP/1.0\r\n\r\n".to_vec(), ..victim.here() });
    seen.extend(field.provoke_flow(&[challenge, data])?);
    Ok(seen)
}

fn identifications(field: &mut Field<'_>) -> Outcome {
    let packets: Vec<_> = utterances(field)?.into_iter().filter_map(|seen| seen.packet).collect();
    let telling: Vec<_> = packets.iter().filter(|packet| packet.id != Some(0) || !packet.whole).collect();
    ensure(packets.len() >= 4 && telling.is_empty(), format!("{} packets, of which these tell something: {telling:?}", packets.len()))?;
    // Not even to who asks for it.
    let path = field.fresh();
    let odd = ipv4::Header { id: 0x1234, fragment: 0, ..ipv4::Header::new(ATTACKER_V4, TARGET_V4, rawnet::protocol::TCP) };
    let syn = path.frame(rawnet::ethertype::IPV4, &odd.packet(&Segment::syn(1).bytes(path.from.socket(), path.to.socket())));
    let answers = field.provoke(&[syn])?;
    ensure(
        answers.iter().filter_map(|seen| seen.packet.as_ref()).all(|packet| packet.id == Some(0) && packet.whole),
        format!("{answers:?}"),
    )
}

fn padding(field: &mut Field<'_>) -> Outcome {
    let seen = utterances(field)?;
    let leaking: Vec<_> = seen.iter().filter(|seen| seen.len < 60 || seen.padding.iter().any(|byte| *byte != 0)).collect();
    let padded = seen.iter().filter(|seen| !seen.padding.is_empty()).count();
    ensure(padded >= 1 && leaking.is_empty(), format!("{padded} of {} frames are padded, of which these leak: {leaking:?}", seen.len()))
}
