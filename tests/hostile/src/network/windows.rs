//! Who takes nothing, or sends what does not fit together: shut windows (N7) and gaps (N16).

use core::time::Duration;
use std::io::{self, Read, Write};
use std::time::Instant;

use e2e::{Outcome, client, ensure};
use rawnet::{Peer, Segment, Tcp, flag};
use rustls_std::ClientConnection;
use rustls_std::pki_types::ServerName;

use super::below::{Below, below};
use super::field::Field;
use crate::attack::Layer;
use crate::naive::Naive;

pub(super) const ATTACKS: &[Below] = &[
    below(
        "N7",
        "a_window_that_was_never_open_is_cut_off",
        "a client that offers no window, and sends its hello",
        Layer::Flow,
        Naive::Stock,
        never_open,
    ),
    below(
        "N7",
        "a_window_that_shuts_is_cut_off",
        "a client that takes 1,000 bytes of the answer and no more",
        Layer::Flow,
        Naive::Stock,
        shuts,
    ),
    below("N7", "many_shut_windows_are_cut_off", "twenty such clients at a time (sockstress)", Layer::Flow, Naive::Stock, many),
    below(
        "N16",
        "bytes_in_reverse_order_are_put_together",
        "a whole conversation, each write of which comes byte by byte from its end first",
        Layer::Flow,
        Naive::Parrot,
        reversed,
    ),
    below(
        "N16",
        "overlapping_segments_are_put_together",
        "a whole conversation in segments that overlap and repeat",
        Layer::Flow,
        Naive::Parrot,
        overlapping,
    ),
    below("N16", "gaps_are_bounded", "5,000 single bytes, each with a gap before it (SegmentSmack)", Layer::Flow, Naive::Parrot, gaps),
];

/// The suite's `stall_timeout_ms`, and some time to notice.
const CUT_OFF: Duration = Duration::from_millis(1500 + 2500);
/// Zero window probes until then: one after a second, then less often.
const PROBES_MAX: usize = 6;
const SOCKSTRESS: usize = 20;
const GAPS: u32 = 5000;

fn hello() -> Outcome<Vec<u8>> {
    let mut tls = ClientConnection::new(client::config(None)?, ServerName::try_from("localhost")?)?;
    Ok(client::hello_bytes(&mut tls)?)
}

/// A client that has said its hello, takes as much as its window says, and has acknowledged nothing.
fn stalled(field: &mut Field<'_>, window: u16) -> Outcome<(Peer, Vec<Tcp>)> {
    let mut peer = field.peer()?;
    peer.window = window;
    peer.connect()?;
    let mut heard = Vec::new();
    for piece in hello()?.chunks(1000) {
        peer.send(&Segment { flags: flag::ACK | flag::PSH, payload: piece.to_vec(), ..peer.here() })?;
        peer.next = peer.next.wrapping_add(u32::try_from(piece.len())?);
        heard.extend(peer.hear_for(Duration::from_millis(20))?);
    }
    Ok((peer, heard))
}

/// Hears probes and nothing more, until the RST.
fn is_cut_off(peer: &mut Peer, naive: bool) -> Outcome {
    let end = Instant::now() + if naive { CUT_OFF / 2 } else { CUT_OFF };
    let mut probes = 0;
    while let Some(tcp) = peer.hear(end)? {
        if tcp.flags & flag::RST != 0 {
            peer.reset = true;
            return Ok(());
        }
        ensure(tcp.payload.len() <= 1, format!("{} bytes into a window that is shut", tcp.payload.len()))?;
        probes += 1;
    }
    ensure(probes <= PROBES_MAX, format!("{probes} probes"))?;
    Err("it holds what it has for a client that takes nothing".into())
}

fn never_open(field: &mut Field<'_>) -> Outcome {
    let (mut peer, heard) = stalled(field, 0)?;
    ensure(heard.iter().all(|tcp| tcp.payload.len() <= 1), format!("data into a window that was never open: {heard:?}"))?;
    is_cut_off(&mut peer, field.target.is_naive())
}

fn shuts(field: &mut Field<'_>) -> Outcome {
    // No scale is agreed on for 1,000 bytes: the field says bytes.
    let mut peer = field.peer()?;
    peer.window = 1000;
    peer.knock(&Segment { window: 1000, options: rawnet::option::mss(1460), ..Segment::syn(peer.next) })?;
    peer.send(&peer.here())?;
    for piece in hello()?.chunks(1000) {
        peer.send(&Segment { flags: flag::ACK | flag::PSH, payload: piece.to_vec(), ..peer.here() })?;
        peer.next = peer.next.wrapping_add(u32::try_from(piece.len())?);
    }
    let heard = peer.hear_for(Duration::from_millis(100))?;
    let end = heard.iter().map(|tcp| tcp.sequence.wrapping_sub(peer.expected).wrapping_add(tcp.span())).max().unwrap_or(0);
    ensure((1..=1000).contains(&end), format!("{end} bytes into a window of 1,000"))?;
    peer.expected = peer.expected.wrapping_add(end);
    peer.window = 0;
    peer.send(&peer.here())?;
    is_cut_off(&mut peer, field.target.is_naive())
}

fn many(field: &mut Field<'_>) -> Outcome {
    let mut peers = Vec::new();
    for _ in 0..if field.target.is_naive() { 3 } else { SOCKSTRESS } {
        peers.push(stalled(field, 0)?.0);
    }
    field.serves()?;
    for peer in &mut peers {
        is_cut_off(peer, field.target.is_naive())?;
    }
    field.serves()
}

/// A connection each of whose writes is made badly before it is made well.
struct Abused {
    peer: Peer,
    badly: fn(&Peer, &[u8]) -> io::Result<()>,
}

impl Read for Abused {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.peer.read(buffer)
    }
}

impl Write for Abused {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let data = &data[..data.len().min(1200)];
        (self.badly)(&self.peer, data)?;
        self.peer.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Data from `at` on, of what is to be written next.
fn piece(peer: &Peer, at: usize, data: &[u8]) -> Segment {
    let sequence = peer.next.wrapping_add(u32::try_from(at).unwrap_or(0));
    Segment { sequence, payload: data.to_vec(), ..peer.here() }
}

/// A whole conversation over a connection that is abused so.
fn converse(field: &mut Field<'_>, badly: fn(&Peer, &[u8]) -> io::Result<()>) -> Outcome {
    let peer = field.established()?;
    let mut abused = Abused { peer, badly };
    if field.target.is_naive() {
        return Ok(abused.write_all(&[0x16; 100])?);
    }
    field.target.visitor()?.ask_over(&mut abused)
}

fn reversed(field: &mut Field<'_>) -> Outcome {
    converse(field, |peer, data| data.iter().enumerate().skip(1).rev().try_for_each(|(at, byte)| peer.send(&piece(peer, at, &[*byte]))))
}

fn overlapping(field: &mut Field<'_>) -> Outcome {
    converse(field, |peer, data| {
        for step in [7, 13, 64] {
            for at in (1..data.len()).step_by(step) {
                let end = data.len().min(at + 3 * step);
                peer.send(&piece(peer, at, &data[at..end]))?;
            }
        }
        // And what was taken long ago.
        peer.send(&Segment { sequence: peer.next.wrapping_sub(1), ..piece(peer, 0, &[0]) })
    })
}

fn gaps(field: &mut Field<'_>) -> Outcome {
    let victim = field.established()?;
    let before = field.heap()?;
    let window = u32::from(victim.offered) - 2;
    let numbers: Vec<u32> = (0..GAPS).collect();
    for volley in numbers.chunks(500) {
        let byte = |n: &u32| victim.path().tcp(&piece(&victim, usize::try_from(2 + n * 2 % window).unwrap_or(0), &[0x15]));
        let frames: Vec<_> = volley.iter().map(byte).collect();
        let answers = field.provoke(&frames)?;
        let strange: Vec<_> =
            answers.iter().filter(|seen| seen.tcp().is_none_or(|tcp| tcp.flags != flag::ACK || tcp.ack != victim.next)).collect();
        ensure(answers.len() <= frames.len() && strange.is_empty(), format!("{} answers, of them {strange:?}", answers.len()))?;
    }
    let after = field.heap()?;
    ensure(after <= before + 64 * 1024, format!("gaps take memory: {before} bytes, then {after}"))?;
    field.serves()
}
