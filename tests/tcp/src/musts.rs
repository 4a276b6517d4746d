//! What RFC 9293 says that a TCP must do (its appendix B and section 3.10), as far as a peer can see it. Each row is a function that asks.

use core::time::Duration;
use std::time::Instant;

use e2e::{Outcome, ensure};
use rawnet::{Segment, Tcp, flag, icmp, option, protocol};

use crate::bench::Subject;
use crate::opposite::Opposite;

/// A requirement.
pub(crate) struct Must {
    /// Its number in appendix B, or a section.
    pub(crate) id: &'static str,
    pub(crate) says: &'static str,
    /// Why the box does otherwise, if it does.
    pub(crate) declined: Option<&'static str>,
    ask: fn(&Opposite) -> Outcome,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    Kept,
    /// It is not, and that is wanted.
    Declined,
    Broken(String),
}

const fn must(id: &'static str, says: &'static str, ask: fn(&Opposite) -> Outcome) -> Must {
    Must { id, says, declined: None, ask }
}

/// All of them.
pub(crate) const ALL: &[Must] = &[
    must("MUST-3", "a wrong checksum is noticed, and the segment dropped", checksum),
    must("MUST-4", "the options end-of-list, no-operation and MSS are understood", known_options),
    must("MUST-5", "options are understood in any segment", options_anywhere),
    must("MUST-6", "unknown options are ignored", unknown_options),
    must("MUST-7", "illegal option lengths are survived", illegal_options),
    must("MUST-13", "TIME-WAIT lingers: the peer's FIN is acknowledged again", time_wait),
    must("MUST-19", "retransmissions back off exponentially", backs_off),
    must("MUST-30", "urgent data is taken", urgent),
    must("MUST-34", "a window that shrinks is survived", shrinking),
    must("MUST-36", "a shut window is probed", probes),
    Must {
        declined: Some("a peer that keeps its window shut is reset after `stall_timeout_ms` (sockstress)"),
        ..must("MUST-37", "a connection stays for as long as probes of a shut window are answered", stays_shut)
    },
    must("MUST-40", "an ACK is delayed by less than half a second", acknowledges_soon),
    must("MUST-56", "ICMP unreachables of the soft kind do not end a connection", soft_errors),
    must("MUST-55", "source quench is ignored", quench),
    must("MUST-57", "a SYN to a broadcast or multicast address is dropped", to_group),
    must("MUST-63", "a SYN from an invalid source address is ignored", group_source),
    Must { declined: Some("ports that nobody listens at are silent"), ..must("3.10.7.1", "CLOSED: a segment gets a RST", closed) },
    must("3.10.7.2", "LISTEN: a RST is ignored", listen_rst),
    must("3.10.7.2", "LISTEN: an ACK gets a RST with its number", listen_ack),
    must("3.10.7.2", "LISTEN: a SYN gets a SYN-ACK that acknowledges it", listen_syn),
    must("3.10.7.4", "a segment outside the window gets an ACK", outside),
    must("3.10.7.4", "a RST counts at the next byte only, else it gets a challenge ACK (RFC 5961)", reset),
    must("3.10.7.4", "a SYN in a connection gets a challenge ACK (RFC 5961)", syn),
    must("3.10.7.4", "an ACK of what was never sent gets an ACK and is dropped", future_ack),
    must("3.10.7.4", "data out of order is acknowledged at once, and kept (SHLD-31)", out_of_order),
    must("3.10.7.4", "a FIN is acknowledged", fin),
    must("3.10.7.4", "text behind a FIN is ignored", behind_fin),
    must("3.10.7.4", "a connection may be closed one way only: what comes behind our FIN is acknowledged", half_closed),
    must("3.10.7.4", "TIME-WAIT: a newer SYN opens anew (RFC 6191)", reopen),
];

/// Asks for all.
pub(crate) fn ask(opposite: &Opposite, subject: Subject) -> Outcome<Vec<Finding>> {
    let ask = |must: &Must| match ((must.ask)(opposite), must.declined) {
        (Ok(()), _) => Finding::Kept,
        (Err(_), Some(_)) if subject != Subject::Linux => Finding::Declined,
        (Err(fault), _) => Finding::Broken(format!("{} {}: {fault}", must.id, must.says)),
    };
    let found: Vec<_> = ALL.iter().map(ask).collect();
    found
        .iter()
        .filter(|finding| matches!(finding, Finding::Broken(_)))
        .for_each(|finding| crate::say(&format!("{}: {finding:?}", subject.name())));
    Ok(found)
}

fn nothing(answers: &[Tcp]) -> Outcome {
    ensure(answers.is_empty(), format!("it answers {answers:?}"))
}

/// One ACK of exactly this.
fn one_ack(answers: &[Tcp], ack: u32) -> Outcome {
    let right = |tcp: &Tcp| tcp.flags & (flag::ACK | flag::RST | flag::SYN) == flag::ACK && tcp.ack == ack;
    ensure(!answers.is_empty() && answers.iter().all(right), format!("no ACK of {ack} but {answers:?}"))
}

fn checksum(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    let wrong = Segment { payload: vec![0x16], checksum_off_by: 1, ..peer.here() };
    nothing(&opposite.brings(&mut peer, &wrong)?)?;
    Ok(peer.say(&[0x16])?)
}

fn open_with(opposite: &Opposite, options: Vec<u8>) -> Outcome {
    let mut peer = opposite.peer()?;
    peer.knock(&Segment { options, ..Segment::syn(peer.next) })?;
    peer.send(&peer.here())?;
    Ok(peer.say(&[0x16])?)
}

fn known_options(opposite: &Opposite) -> Outcome {
    open_with(opposite, [vec![1, 1], option::mss(1200), vec![1, 0]].concat())?;
    open_with(opposite, Vec::new())
}

fn options_anywhere(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    let data = Segment { payload: vec![0x16], options: [vec![1; 4], option::mss(700)].concat(), ..peer.here() };
    let answers = opposite.brings(&mut peer, &data)?;
    peer.next = peer.next.wrapping_add(1);
    one_ack(&answers, peer.next)
}

fn unknown_options(opposite: &Opposite) -> Outcome {
    open_with(opposite, [vec![253, 4, 1, 2], option::mss(1460), vec![77, 2, 1, 1]].concat())
}

fn illegal_options(opposite: &Opposite) -> Outcome {
    for options in [vec![2, 0, 5, 180], vec![2, 1, 5, 180], vec![2, 200, 5, 180], vec![253, 0, 0, 0]] {
        let mut peer = opposite.peer()?;
        let syn = Segment { options, ..Segment::syn(peer.next) };
        opposite.brings(&mut peer, &syn)?;
    }
    open_with(opposite, option::mss(1460))
}

fn time_wait(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.ended_by_it()?;
    peer.finish()?;
    let again = Segment { flags: flag::ACK | flag::FIN, sequence: peer.next.wrapping_sub(1), ..peer.here() };
    one_ack(&opposite.brings(&mut peer, &again)?, peer.next)
}

/// Its FIN, which we do not acknowledge: the time to the next one grows.
fn backs_off(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    peer.send(&Segment { payload: b"GET / HTTP/1.0\r\n\r\n".to_vec(), ..peer.here() })?;
    let (end, mut times) = (Instant::now() + Duration::from_millis(15_500), Vec::new());
    while let Some(tcp) = peer.hear(end)? {
        if tcp.span() > 0 && tcp.sequence == peer.expected {
            times.push(Instant::now());
        }
    }
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > Duration::from_millis(150)).collect();
    // The first may be a probe for a lost tail (RFC 8985 section 7).
    let grow = gaps.get(1..).is_some_and(|gaps| gaps.windows(2).all(|pair| pair[1] > pair[0].mul_f64(1.6)));
    ensure(gaps.len() >= 3 && grow, format!("retransmissions come after {gaps:?}"))
}

fn urgent(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    let data = Segment { flags: flag::ACK | flag::URG, urgent: 2, payload: vec![0x16, 3], ..peer.here() };
    let answers = opposite.brings(&mut peer, &data)?;
    peer.next = peer.next.wrapping_add(2);
    one_ack(&answers, peer.next)
}

fn shrinking(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    for window in [64_240, 100, 1, 0, 64_240] {
        peer.window = window;
        peer.say(&[0x16])?;
    }
    Ok(())
}

/// A connection on which something waits for a window that is shut.
fn shut(opposite: &Opposite) -> Outcome<rawnet::Peer> {
    let mut peer = opposite.peer()?;
    peer.window = 0;
    peer.connect()?;
    peer.send(&Segment { payload: b"GET / HTTP/1.0\r\n\r\n".to_vec(), ..peer.here() })?;
    peer.next = peer.next.wrapping_add(18);
    Ok(peer)
}

fn probes(opposite: &Opposite) -> Outcome {
    let mut peer = shut(opposite)?;
    let heard = peer.hear_for(Duration::from_millis(3500))?;
    // A probe is a byte beyond the window, or one from before it.
    let probes = heard.iter().filter(|tcp| tcp.flags & flag::RST == 0 && (tcp.span() > 0 || tcp.sequence != peer.expected)).count();
    ensure(probes >= 1 && heard.iter().all(|tcp| tcp.payload.len() <= 1), format!("{probes} probes in {heard:?}"))
}

fn stays_shut(opposite: &Opposite) -> Outcome {
    let mut peer = shut(opposite)?;
    let end = Instant::now() + Duration::from_secs(35);
    while let Some(tcp) = peer.hear(end)? {
        peer.reset |= tcp.flags & flag::RST != 0;
        ensure(!peer.reset, "it resets the connection")?;
        peer.send(&peer.here())?;
    }
    Ok(())
}

fn acknowledges_soon(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    let began = Instant::now();
    peer.say(&[0x16])?;
    ensure(began.elapsed() < Duration::from_millis(500), format!("it takes {:?}", began.elapsed()))
}

/// A connection that hears these messages about itself, and still takes data.
fn told(opposite: &Opposite, messages: &[(u8, u8)]) -> Outcome {
    let mut peer = opposite.established()?;
    let back = peer.path().back();
    let ours = Segment { sequence: peer.expected, ack: peer.next, ..Segment::default() };
    let quote = back.tcp(&ours)[14..].to_vec();
    for (kind, code) in messages {
        peer.send_frame(&peer.path().ip(protocol::ICMP, &icmp::v4(*kind, *code, 0, &quote)))?;
    }
    Ok(peer.say(&[0x16])?)
}

fn soft_errors(opposite: &Opposite) -> Outcome {
    told(
        opposite,
        &[(icmp::UNREACHABLE, 0), (icmp::UNREACHABLE, 1), (icmp::UNREACHABLE, 5), (icmp::TIME_EXCEEDED, 0), (icmp::PARAMETER, 0)],
    )
}

fn quench(opposite: &Opposite) -> Outcome {
    told(opposite, &[(icmp::QUENCH, 0); 8])
}

fn group_source(opposite: &Opposite) -> Outcome {
    for group in [[224, 0, 0, 1], [255, 255, 255, 255]] {
        let path = opposite.path();
        let mut peer = opposite.peer_on(rawnet::Path { from: path.from.posing_as(group.into()), ..path })?;
        let syn = Segment::syn(peer.next);
        nothing(&opposite.brings(&mut peer, &syn)?)?;
    }
    Ok(())
}

fn to_group(opposite: &Opposite) -> Outcome {
    for group in [[224, 0, 0, 1], [255, 255, 255, 255], [10, 77, 0, 255]] {
        let path = opposite.path();
        let mut peer = opposite.peer_on(rawnet::Path { to: path.to.posing_as(group.into()), ..path })?;
        let syn = Segment::syn(peer.next);
        nothing(&opposite.brings(&mut peer, &syn)?)?;
    }
    Ok(())
}

fn closed(opposite: &Opposite) -> Outcome {
    let path = opposite.path();
    let mut peer = opposite.peer_on(rawnet::Path { to: path.to.at(path.to.port + 1), ..path })?;
    let syn = Segment::syn(peer.next);
    let answers = opposite.brings(&mut peer, &syn)?;
    ensure(answers.len() == 1 && answers[0].flags == flag::RST | flag::ACK, format!("it gets {answers:?}"))
}

fn listen_rst(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.peer()?;
    let rst = Segment { flags: flag::RST, sequence: peer.next, ..Segment::default() };
    nothing(&opposite.brings(&mut peer, &rst)?)
}

fn listen_ack(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.peer()?;
    let ack = Segment { sequence: peer.next, ack: 0x1234_5678, ..Segment::default() };
    let answers = opposite.brings(&mut peer, &ack)?;
    ensure(answers.len() == 1 && (answers[0].flags, answers[0].sequence) == (flag::RST, 0x1234_5678), format!("it gets {answers:?}"))
}

fn listen_syn(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.peer()?;
    let syn = Segment::syn(peer.next);
    peer.knock(&syn)?;
    Ok(())
}

fn outside(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    let far = Segment { sequence: peer.next.wrapping_add(1 << 30), payload: vec![0x16], ..peer.here() };
    one_ack(&opposite.brings(&mut peer, &far)?, peer.next)?;
    Ok(peer.say(&[0x16])?)
}

fn reset(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    peer.say(&[0x16])?;
    let near = Segment { flags: flag::RST, sequence: peer.next.wrapping_add(10), ..peer.here() };
    one_ack(&opposite.brings(&mut peer, &near)?, peer.next)?;
    peer.say(&[3])?;
    let exact = Segment { flags: flag::RST, ..peer.here() };
    nothing(&opposite.brings(&mut peer, &exact)?)?;
    ensure(peer.say(&[3]).is_err(), "a RST at the next byte does not end it")
}

fn syn(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    let syn = Segment { flags: flag::SYN, sequence: peer.next.wrapping_add(10), ..peer.here() };
    one_ack(&opposite.brings(&mut peer, &syn)?, peer.next)?;
    Ok(peer.say(&[0x16])?)
}

fn future_ack(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    let future = Segment { ack: peer.expected.wrapping_add(1000), payload: vec![0x15], ..peer.here() };
    one_ack(&opposite.brings(&mut peer, &future)?, peer.next)?;
    Ok(peer.say(&[0x16])?)
}

fn out_of_order(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    let later = Segment { sequence: peer.next.wrapping_add(1), payload: vec![3, 1], ..peer.here() };
    one_ack(&opposite.brings(&mut peer, &later)?, peer.next)?;
    let first = Segment { payload: vec![0x16], ..peer.here() };
    let answers = opposite.brings(&mut peer, &first)?;
    peer.next = peer.next.wrapping_add(3);
    one_ack(&answers, peer.next)
}

fn fin(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    Ok(peer.finish()?)
}

fn behind_fin(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.established()?;
    peer.finish()?;
    let behind = Segment { payload: vec![0x16; 10], ..peer.here() };
    let answers = opposite.brings(&mut peer, &behind)?;
    ensure(answers.iter().all(|tcp| tcp.flags & flag::RST != 0 || tcp.ack == peer.next), format!("it takes {answers:?}"))
}

fn half_closed(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.ended_by_it()?;
    Ok(peer.say(&[0x16; 100])?)
}

fn reopen(opposite: &Opposite) -> Outcome {
    let mut peer = opposite.ended_by_it()?;
    peer.finish()?;
    peer.hear_for(Duration::from_millis(60))?;
    peer.forget()?;
    let first = peer.next.wrapping_add(100_000);
    peer.knock(&Segment::syn(first))?;
    peer.send(&peer.here())?;
    peer.finished = false;
    Ok(peer.say(&[0x16])?)
}
