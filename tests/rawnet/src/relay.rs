//! A wire that is no good: between two interfaces of a namespace it delays, loses, reorders, repeats and paces frames, in a way that its seed fixes.
//!
//! Only IP packets suffer; ARP and neighbour discovery pass, or nothing would begin. Super-frames are cut into what an Ethernet carries before anything
//! else happens to them ([`cut`]), so that what is lost is a segment and not 64 KiB.

use core::cmp::Reverse;
use core::net::IpAddr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::{Seen, Wire, checksum, protocol};

/// An Ethernet's largest packet.
const MTU: usize = 1500;
const ETHERNET_LEN: usize = 14;
/// Frames under way; beyond them everything is lost.
const UNDER_WAY_MAX: usize = 100_000;
/// It looks at its wires at least so often.
const TICK: Duration = Duration::from_micros(500);
const FIN_PSH: u8 = 9;

/// How bad it is, each way.
#[derive(Debug, Clone, Copy)]
pub struct Impairment {
    /// One way.
    pub delay: Duration,
    /// Frames of a thousand that are lost.
    pub lost_per_mille: u64,
    /// Frames of a thousand that come later than those behind them.
    pub late_per_mille: u64,
    /// By up to so much.
    pub late_by: Duration,
    /// Frames of a thousand that come twice.
    pub twice_per_mille: u64,
    /// Bytes a second, if it is limited.
    pub bytes_per_s: Option<u64>,
    /// The same seed and the same frames suffer the same.
    pub seed: u64,
}

/// What it has done.
#[derive(Debug, Default)]
pub struct Done {
    /// Frames that came.
    pub frames: AtomicU64,
    /// Frames that were lost.
    pub lost: AtomicU64,
    /// Frames that came late.
    pub late: AtomicU64,
    /// Frames that came twice.
    pub twice: AtomicU64,
}

/// Ends when dropped.
#[derive(Debug)]
pub struct Relay {
    done: Arc<Done>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Joins two interfaces of this thread's namespace.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn start(one: &str, other: &str, impairment: Impairment) -> io::Result<Self> {
        let (mut wires, (done, stop)) = ([Wire::open(one)?, Wire::open(other)?], <(Arc<Done>, Arc<AtomicBool>)>::default());
        let (notes, stopped) = (Arc::clone(&done), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut ways = [0, 1].map(|way| Way::new(impairment, way));
            while !stopped.load(Ordering::Relaxed) {
                for from in 0..2 {
                    let until = Instant::now() + if from == 0 { TICK } else { Duration::ZERO };
                    let Ok(frame) = wires[from].receive(until) else { return };
                    let came = frame.map(<[u8]>::to_vec);
                    came.into_iter().for_each(|frame| ways[from].take(&frame, Instant::now(), &notes));
                    while let Ok(Some(frame)) = wires[from].receive(Instant::now()) {
                        ways[from].take(frame, Instant::now(), &notes);
                    }
                }
                for from in 0..2 {
                    for frame in ways[from].due(Instant::now()) {
                        let _ = wires[1 - from].send(&frame);
                    }
                }
            }
        });
        Ok(Self { done, stop, thread: Some(thread) })
    }

    /// What it has done so far.
    #[must_use]
    pub fn done(&self) -> &Done {
        &self.done
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// One direction.
struct Way {
    impairment: Impairment,
    random: u64,
    turn: u64,
    /// When the last frame has left, if bytes take time.
    free_at: Instant,
    under_way: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
}

impl Way {
    fn new(impairment: Impairment, way: u64) -> Self {
        let random = impairment.seed.wrapping_mul(2).wrapping_add(way).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { impairment, random, turn: 0, free_at: Instant::now(), under_way: BinaryHeap::new() }
    }

    fn take(&mut self, frame: &[u8], now: Instant, done: &Done) {
        let Some(seen) = Seen::parse(frame) else { return };
        let spared = seen.packet.as_ref().is_none_or(|packet| packet.protocol == protocol::ICMPV6);
        for piece in cut(frame, &seen) {
            if spared {
                self.put(now, piece);
                continue;
            }
            done.frames.fetch_add(1, Ordering::Relaxed);
            let wanted = self.impairment;
            if self.chance(wanted.lost_per_mille) || self.under_way.len() > UNDER_WAY_MAX {
                done.lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let mut at = self.leaves(piece.len(), now) + wanted.delay;
            if self.chance(wanted.late_per_mille) {
                done.late.fetch_add(1, Ordering::Relaxed);
                at += wanted.late_by.mul_f64(self.fraction());
            }
            if self.chance(wanted.twice_per_mille) {
                done.twice.fetch_add(1, Ordering::Relaxed);
                self.put(at, piece.clone());
            }
            self.put(at, piece);
        }
    }

    /// When a frame of this length has left.
    fn leaves(&mut self, len: usize, now: Instant) -> Instant {
        let Some(bytes_per_s) = self.impairment.bytes_per_s else { return now };
        let nanos = u64::try_from(len).unwrap_or(0).saturating_mul(1_000_000_000) / bytes_per_s.max(1);
        self.free_at = self.free_at.max(now) + Duration::from_nanos(nanos);
        self.free_at
    }

    fn put(&mut self, at: Instant, frame: Vec<u8>) {
        self.turn += 1;
        self.under_way.push(Reverse((at, self.turn, frame)));
    }

    fn due(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        while self.under_way.peek().is_some_and(|Reverse((at, ..))| *at <= now) {
            frames.extend(self.under_way.pop().map(|Reverse((_, _, frame))| frame));
        }
        frames
    }

    fn chance(&mut self, per_mille: u64) -> bool {
        self.next() % 1000 < per_mille
    }

    fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }

    /// Marsaglia's xorshift, multiplied.
    fn next(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// A super-frame as the segments that a device would make of it, checksums finished; any other frame as it is.
#[must_use]
pub fn cut(frame: &[u8], seen: &Seen) -> Vec<Vec<u8>> {
    let Some((packet, tcp)) = seen.packet.as_ref().and_then(|packet| Some((packet, packet.tcp()?))) else {
        return vec![frame.to_vec()];
    };
    let tcp_len = 20 + tcp.options.len();
    let ip_len = packet.len - packet.payload.len();
    let room = MTU - ip_len - tcp_len;
    let head = &frame[..ETHERNET_LEN + ip_len + tcp_len];
    let last = tcp.payload.len().div_ceil(room).saturating_sub(1);
    let piece = |n: usize| {
        let data = tcp.payload.chunks(room).nth(n).unwrap_or_default();
        let mut piece = [head, data].concat();
        let (ip, segment) = piece[ETHERNET_LEN..].split_at_mut(ip_len);
        let sequence = tcp.sequence.wrapping_add(u32::try_from(n * room).unwrap_or(0));
        segment[4..8].copy_from_slice(&sequence.to_be_bytes());
        if n < last {
            segment[13] &= !FIN_PSH;
        }
        finish(ip, segment, packet.from, packet.to);
        piece
    };
    (0..=last).map(piece).collect()
}

/// Lengths and checksums.
fn finish(ip: &mut [u8], segment: &mut [u8], from: IpAddr, to: IpAddr) {
    let len = |bytes: usize| u16::try_from(bytes).unwrap_or(0).to_be_bytes();
    if from.is_ipv4() {
        let whole = len(ip.len() + segment.len());
        ip[2..4].copy_from_slice(&whole);
        ip[10..12].fill(0);
        let sum = !checksum::sum(&[ip]);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
    } else {
        ip[4..6].copy_from_slice(&len(segment.len()));
    }
    segment[16..18].fill(0);
    let sum = !checksum::sum(&[&checksum::pseudo_header(from, to, protocol::TCP, segment.len()), segment]);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{End, Path, Segment, Sum, flag};

    const BAD: Impairment = Impairment {
        delay: Duration::from_millis(10),
        lost_per_mille: 100,
        late_per_mille: 100,
        late_by: Duration::from_millis(5),
        twice_per_mille: 100,
        bytes_per_s: None,
        seed: 7,
    };

    fn frame(len: usize) -> Vec<u8> {
        let end = |last: u8| End { mac: [2, 0, 0, 0, 0, last], address: [192, 0, 2, last].into(), port: 443 };
        let data = (0..len).map(|n| n.to_le_bytes()[0]).collect();
        Path { from: end(1), to: end(2) }.tcp(&Segment { flags: flag::ACK | flag::FIN, sequence: 5, payload: data, ..Segment::default() })
    }

    #[test]
    fn a_super_frame_is_cut_into_segments_that_add_up() {
        let whole = frame(4000);
        let seen = Seen::parse(&whole).expect("a frame");
        let pieces: Vec<_> = cut(&whole, &seen).iter().filter_map(|piece| Seen::parse(piece)?.tcp()).collect();
        assert_eq!(pieces.iter().map(|tcp| tcp.payload.len()).collect::<Vec<_>>(), [1460, 1460, 1080]);
        assert_eq!(pieces.iter().flat_map(|tcp| tcp.payload.clone()).collect::<Vec<_>>(), seen.tcp().expect("a segment").payload);
        assert!(pieces.iter().all(|tcp| tcp.sum == Sum::Right));
        assert_eq!(pieces.iter().map(|tcp| (tcp.sequence, tcp.flags & flag::FIN)).collect::<Vec<_>>(), [(5, 0), (1465, 0), (2925, 1)]);
    }

    #[test]
    fn about_as_many_suffer_as_were_to_and_the_same_ones_each_time() {
        let run = || {
            let (mut way, done, now) = (Way::new(BAD, 0), Done::default(), Instant::now());
            (0..10_000).for_each(|_| way.take(&frame(1), now, &done));
            assert!(way.due(now).is_empty(), "nothing arrives at once");
            let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
            let arrived = way.due(now + Duration::from_secs(1)).len();
            (count(&done.lost), count(&done.late), count(&done.twice), arrived)
        };
        let (lost, late, twice, arrived) = run();
        assert!([lost, late, twice].iter().all(|count| (800..1200).contains(count)), "{lost} {late} {twice}");
        assert_eq!(u64::try_from(arrived).expect("few"), 10_000 - lost + twice);
        assert_eq!(run(), (lost, late, twice, arrived));
    }

    #[test]
    fn bytes_take_time_where_they_are_limited() {
        let slow = Impairment { bytes_per_s: Some(1_000_000), lost_per_mille: 0, late_per_mille: 0, twice_per_mille: 0, ..BAD };
        let (mut way, done, now) = (Way::new(slow, 0), Done::default(), Instant::now());
        way.free_at = now;
        (0..100).for_each(|_| way.take(&frame(946), now, &done));
        let by = |ms: u64| now + Duration::from_millis(10 + ms);
        assert_eq!((way.due(by(50)).len(), way.due(by(200)).len()), (50, 50));
    }
}
