//! Floods of what costs nothing to send (N1), and what they bring back to whoever is made to look like their source (N18).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::thread;
use std::time::Instant;

use e2e::{Outcome, ensure};
use rawnet::{Path, Seen, Segment, Wire, flag, option};

use super::below::{Below, below};
use super::field::{Family, Field};
use crate::attack::Layer;
use crate::naive::Naive;

pub(super) const ATTACKS: &[Below] = &[
    below(
        "N1",
        "a_syn_flood_keeps_nobody_out",
        "SYNs from all over, as fast as they leave: 60 s (full profile)",
        Layer::Doorman,
        Naive::Stock,
        syn_flood,
    ),
    below(
        "N1",
        "a_flood_of_strays_keeps_nobody_out",
        "ACKs, RSTs and FINs of no connection, as fast as they leave",
        Layer::Doorman,
        Naive::Parrot,
        stray_flood,
    ),
    below(
        "N1",
        "a_flood_of_junk_keeps_nobody_out",
        "fragments, bad checksums, options, UDP, as fast as they leave",
        Layer::Link,
        Naive::Parrot,
        junk_flood,
    ),
    below(
        "N1",
        "guessed_cookies_open_nothing",
        "a million ACKs with guessed cookies (full profile)",
        Layer::Doorman,
        Naive::Parrot,
        guessed_cookies,
    ),
    below(
        "N1",
        "a_cookie_is_good_for_its_own_ends_only",
        "the ACK of a handshake from another port, address, and to another SYN",
        Layer::Doorman,
        Naive::Parrot,
        borrowed_cookie,
    ),
    below("N18", "one_syn_ack_for_one_syn_and_never_again", "500 SYNs, and then nothing", Layer::Doorman, Naive::Parrot, once),
    below("N18", "no_answer_is_longer_than_its_question", "SYNs of all lengths, strays, echoes", Layer::Doorman, Naive::Parrot, not_longer),
    below("N18", "data_on_a_syn_brings_no_more_back", "SYNs with data, as for TCP fast open", Layer::Doorman, Naive::Parrot, data_on_syn),
];

/// SYNs that the flood repeats.
const VARIETY: u32 = 16_384;
/// A legitimate visit brings back a certificate.
const LEGITIMATE_PER_S: u64 = 600 * 1024;
const COOKIES_SHORT: u32 = 20_000;
const COOKIES_FULL: u32 = 1_000_000;
const RESETS_PER_S: usize = 200;

/// Somebody else's address, all over the Internet.
fn somebody(family: Family, n: u32) -> IpAddr {
    let spread = n.wrapping_mul(0x9e37_79b1);
    match family {
        Family::V4 => Ipv4Addr::from(0x0b00_0000 | spread >> 8).into(),
        Family::V6 => {
            let [a, b, c, d] = spread.to_be_bytes();
            Ipv6Addr::new(0x2001, 0xdb8, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), 0, 0, 0, 1).into()
        }
    }
}

fn from_somebody(field: &Field<'_>, n: u32) -> Path {
    let [_, _, high, low] = n.wrapping_mul(0x85eb_ca6b).to_be_bytes();
    let from = field.me.posing_as(somebody(field.family, n)).at(u16::from_be_bytes([high, low]).max(1024));
    Path { from, to: field.it }
}

/// How fast a flood comes.
#[derive(Debug, Clone, Copy)]
enum Rate {
    /// [`FRAMES_PER_S_SHORT`].
    Fixed,
    /// As many as the link carries: more and more until its queue overflows, then a little less. What is lost in the queue in front of a host hits
    /// everybody alike, and no host can do anything about it.
    Highest,
}

/// A flood sees every so often whether it is too slow or too fast.
const STEP: Duration = Duration::from_millis(10);
/// With what the search begins, and below what it never goes.
const FRAMES_PER_S: f64 = 50_000.0;
/// What the short profile sends: its host may have more to do than this.
const FRAMES_PER_S_SHORT: f64 = 20_000.0;

/// Sends these frames again and again; gives how many left, and how many a second at last.
fn flood(interface: &str, time: Duration, rate: Rate, frames: &[Vec<u8>]) -> Outcome<(u64, f64)> {
    let wire = Wire::mute(interface)?;
    let (end, mut step_began) = (Instant::now() + time, Instant::now());
    let (mut left, mut debt, mut lost) = (0, 0.0, carried(interface)?.lost);
    // Twice as fast after each 140 ms until the first loss, and from then on half as fast after a loss and twice as fast after 3.5 s without.
    let (mut per_s, mut growth) = (if matches!(rate, Rate::Fixed) { FRAMES_PER_S_SHORT } else { FRAMES_PER_S }, 1.05);
    let mut frames = frames.iter().cycle();
    while Instant::now() < end {
        thread::sleep(Duration::from_micros(500));
        let passed = step_began.elapsed();
        if passed >= STEP {
            let now = carried(interface)?.lost;
            if matches!(rate, Rate::Highest) {
                (per_s, growth) = if now > lost { ((per_s / 2.0).max(FRAMES_PER_S), 1.002) } else { (per_s * growth, growth) };
            }
            (step_began, debt, lost) = (Instant::now(), 0.0, now);
        }
        // In small volleys, as a wire has them; what a late turn has missed is not made up for at once.
        let due = (per_s * passed.min(STEP).as_secs_f64() - debt).clamp(0.0, per_s / 500.0);
        debt += due;
        let volley = (0..).take_while(|n| f64::from(*n) < due);
        for (_, frame) in volley.zip(&mut frames) {
            left += u64::from(wire.send(frame)?);
        }
    }
    Ok((left, per_s))
}

/// What an interface has carried.
#[derive(Debug, Clone, Copy)]
struct Carried {
    /// Bytes from the other end.
    back: u64,
    /// Bytes to the other end.
    went: u64,
    /// Frames that its queue had no room for.
    lost: u64,
}

fn carried(interface: &str) -> Outcome<Carried> {
    let table = fs::read_to_string("/proc/thread-self/net/dev")?;
    let line = table.lines().find_map(|line| line.trim_start().strip_prefix(interface)?.strip_prefix(':')).ok_or("no such interface")?;
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let [back, _, _, _, _, _, _, _, went, _, _, lost, ..] = numbers[..] else { return Err("no counters".into()) };
    Ok(Carried { back, went, lost })
}

fn rate_of(frames: u64, time: Duration) -> f64 {
    f64::from(u32::try_from(frames).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// While the judge's client goes on asking: memory stays, no more comes back than went, and newcomers are served at once afterwards.
fn withstand(field: &mut Field<'_>, time: Duration, frames: &[Vec<u8>]) -> Outcome {
    let interface = field.target.interface();
    let rate = field.target.profile.choose(Rate::Fixed, Rate::Highest);
    let (before, heap_before, carried_before) = (field.target.figures()?, field.heap()?, carried(interface)?);
    let (left, per_s) = flood(interface, time, rate, frames)?;
    let (after, carried_after) = (field.target.figures()?, carried(interface)?);
    let (back, went) = (carried_after.back - carried_before.back, carried_after.went - carried_before.went);
    let text = format!(
        "{left} frames in {} s, {:.0} a second, {per_s:.0} at last, {back} bytes back for {went}",
        time.as_secs(),
        rate_of(left, time)
    );
    let _ = writeln!(std::io::stderr(), "{text}");
    ensure(back <= went + LEGITIMATE_PER_S * (1 + time.as_secs()), format!("more comes back: {text}"))?;
    ensure(after.flows <= before.flows + 3, format!("{} flows came of {text}", after.flows))?;
    let heap = field.heap()?;
    ensure(heap <= heap_before + 256 * 1024, format!("memory went from {heap_before} to {heap}"))?;
    field.forget()?;
    field.serves()
}

fn syn_flood(field: &mut Field<'_>) -> Outcome {
    let seconds = if field.target.is_naive() { 1 } else { field.target.profile.choose(2, 60) };
    let frames: Vec<_> = (0..VARIETY).map(|n| from_somebody(field, n).tcp(&Segment::syn(n))).collect();
    withstand(field, Duration::from_secs(seconds), &frames)
}

fn stray_flood(field: &mut Field<'_>) -> Outcome {
    let stray = |n: u32| {
        let flags = [flag::ACK, flag::RST, flag::FIN | flag::ACK, flag::SYN | flag::ACK][(n % 4) as usize];
        from_somebody(field, n).tcp(&Segment { flags, sequence: n, ack: n, payload: vec![0; (n % 3) as usize], ..Segment::default() })
    };
    let frames: Vec<_> = (0..VARIETY).map(stray).collect();
    let resets = field.provoke(&frames[..800])?.len();
    ensure(resets <= 2 * RESETS_PER_S, format!("{resets} RSTs at once"))?;
    withstand(field, Duration::from_secs(field.target.profile.choose(1, 10)), &frames)
}

fn junk_flood(field: &mut Field<'_>) -> Outcome {
    let junk = |n: u32| {
        let path = from_somebody(field, n);
        match n % 4 {
            0 => path.tcp(&Segment { checksum_off_by: 1, ..Segment::syn(n) }),
            1 => path.tcp(&Segment { options: vec![254, 0, 0, 0], ..Segment::syn(n) }),
            2 => path.ip(44, &[0x5a; 64]),
            _ => path.ip(rawnet::protocol::UDP, &[0x5a; 512]),
        }
    };
    let frames: Vec<_> = (0..VARIETY).map(junk).collect();
    field.silence("junk", &frames[..64])?;
    withstand(field, Duration::from_secs(field.target.profile.choose(1, 10)), &frames)
}

fn guessed_cookies(field: &mut Field<'_>) -> Outcome {
    let count = if field.target.is_naive() { COOKIES_SHORT } else { field.target.profile.choose(COOKIES_SHORT, COOKIES_FULL) };
    let before = field.target.figures()?.flows;
    let (began, mut answers) = (Instant::now(), 0);
    let numbers: Vec<u32> = (0..count).collect();
    for volley in numbers.chunks(500) {
        let guess =
            |n: &u32| from_somebody(field, *n).tcp(&Segment { sequence: *n, ack: n.wrapping_mul(0xc2b2_ae35), ..Segment::default() });
        let frames: Vec<_> = volley.iter().map(guess).collect();
        for seen in field.provoke(&frames)? {
            ensure(seen.tcp().is_some_and(|tcp| tcp.flags == flag::RST), format!("a guessed cookie gets {seen:?}"))?;
            answers += 1;
        }
    }
    let seconds = 1 + usize::try_from(began.elapsed().as_secs())?;
    ensure(answers <= RESETS_PER_S * (seconds + 1), format!("{answers} RSTs in {seconds} s"))?;
    let after = field.target.figures()?.flows;
    ensure(after <= before + 2, format!("{after} flows of {count} guesses"))
}

fn borrowed_cookie(field: &mut Field<'_>) -> Outcome {
    let mut peer = field.peer()?;
    peer.knock(&Segment::syn(peer.next))?;
    field.fence()?;
    let path = peer.path();
    let port = path.from.port.wrapping_add(1).max(1024);
    let neighbour = match path.from.address {
        IpAddr::V4(_) => IpAddr::from([10, 77, 0, 67]),
        IpAddr::V6(_) => IpAddr::from([0xfd77, 0, 0, 0, 0, 0, 0, 0x67]),
    };
    let elsewhere = [Path { from: path.from.at(port), ..path }, Path { from: path.from.posing_as(neighbour), ..path }];
    for path in elsewhere {
        let answers = field.provoke(&[path.tcp(&Segment { payload: vec![0x16], ..peer.here() })])?;
        let refused = answers.iter().all(|seen| seen.tcp().is_some_and(|tcp| tcp.flags == flag::RST));
        ensure(refused && answers.len() <= 1, format!("a borrowed cookie gets {answers:?}"))?;
    }
    // From its own ends, but not for this SYN: a handshake of ours, overtaken. No answer may kill it.
    let other = Segment { sequence: peer.next.wrapping_add(5), payload: vec![0x16], ..peer.here() };
    field.silence("data that overtook its handshake", &[path.tcp(&other)])?;
    peer.forget()?;
    peer.send(&peer.here())?;
    field.fence()?;
    field.holds(peer)
}

fn once(field: &mut Field<'_>) -> Outcome {
    let numbers: Vec<u32> = (0..500).collect();
    let frames: Vec<_> = numbers.iter().map(|n| from_somebody(field, *n).tcp(&Segment::syn(*n))).collect();
    let mut answers = field.provoke(&frames)?;
    thread::sleep(Duration::from_millis(field.target.profile.choose(1200, 7000)));
    answers.extend(field.fence()?);
    let mut times: HashMap<_, usize> = HashMap::new();
    for tcp in answers.iter().filter_map(Seen::tcp) {
        *times.entry(tcp.to).or_default() += 1;
    }
    ensure(times.len() == frames.len() && answers.len() == frames.len(), format!("{} answers to {} SYNs", answers.len(), frames.len()))
}

fn not_longer(field: &mut Field<'_>) -> Outcome {
    let lists: [Vec<u8>; 6] = [
        vec![],
        option::mss(1460),
        [option::mss(1460), option::scale(2)].concat(),
        option::sack(),
        vec![1; 12],
        [option::mss(9000), vec![8, 10], vec![0; 8]].concat(),
    ];
    for options in lists {
        for flags in [flag::SYN, flag::ACK, flag::SYN | flag::ACK, flag::FIN | flag::ACK] {
            let frame = field.fresh().tcp(&Segment { flags, ack: 5, sequence: 6, options: options.clone(), ..Segment::default() });
            let answers = field.provoke(core::slice::from_ref(&frame))?;
            let back: usize = answers.iter().filter_map(|seen| seen.packet.as_ref()).map(|packet| packet.len).sum();
            ensure(back <= frame.len() - 14 && answers.len() <= 1, format!("{} bytes bring {answers:?}", frame.len()))?;
        }
    }
    Ok(())
}

fn data_on_syn(field: &mut Field<'_>) -> Outcome {
    for (len, cookie) in [(1, false), (500, false), (1000, true)] {
        let fast_open = if cookie { vec![34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1] } else { vec![34, 2, 1, 1] };
        let options = [option::mss(1460), fast_open].concat();
        let syn = Segment { options, payload: vec![0x16; len], ..Segment::syn(500) };
        let answer = field.one_segment("a SYN with data", &[field.fresh().tcp(&syn)])?;
        ensure(answer.ack == 501 && answer.payload.is_empty() && answer.option(34).is_none(), format!("a SYN with data gets {answer:?}"))?;
    }
    Ok(())
}
