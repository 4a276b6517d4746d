//! How a socket is made established, at any numbers we like, without a handshake on the wire.
//!
//! The socket is shown a SYN and an ACK that never were on the wire. The sequence number it picks must be
//! the cookie that the peer has acknowledged. smoltcp takes it from a generator seeded by the interface's configuration, and one step of
//! that generator is a bijection of its state: so we compute the seed that makes it pick our number, and check that it did. The flow then
//! counts as the wire does, and no segment needs its numbers translated.

use core::time::Duration;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::tcp::State;
use smoltcp::wire::{IpProtocol, IpRepr, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber};

use super::{EMPTY_LEN_MAX, Engine, Seat, ingress, interface};
use crate::cookie::Offer;
use crate::keys::Ends;
use crate::limits::INITIAL_WINDOW_SEGMENTS;
use crate::reply;

const HAND_OVER_LEN: usize = 32 * 1024;

/// What a socket is born with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth {
    pub(crate) ends: Ends,
    /// Our first sequence number, as the peer has acknowledged it.
    pub(crate) local_sequence: u32,
    /// The peer's first sequence number.
    pub(crate) peer_sequence: u32,
    pub(crate) offer: Offer,
    /// The window field of the peer's ACK.
    pub(crate) window: u16,
    pub(crate) rx_ring: usize,
    pub(crate) tx_ring: usize,
    pub(crate) keepalive: Option<Duration>,
}

/// smoltcp did not behave as this module knows it: a bug to be found by tests, never by a peer.
#[derive(Debug)]
pub(crate) struct StillBorn;

impl Engine {
    /// An established socket, and the ACK that completes its handshake (in `out`, with its length).
    pub(crate) fn birth(&mut self, birth: &Birth, out: &mut [u8; EMPTY_LEN_MAX], now: Duration) -> Result<(Seat, usize), StillBorn> {
        let mut seat = Seat::new(birth);
        let mut ladder = Ladder::new(birth);
        let mut nursery = interface(self.segmentation, seed_for(ladder.sequence), now);
        let mut packet = [0; EMPTY_LEN_MAX + 1];
        let len = write_packet(&mut packet, &birth.ends, &birth.syn());
        ingress(&mut nursery, self.segmentation, &mut seat, &packet[..len], out, now);
        let len = self.transmit(&mut seat, out, now);
        check_sequence(&out[..len], birth, ladder.sequence)?;
        let mut say = |seat: &mut Seat, repr: &TcpRepr<'_>| {
            let len = write_packet(&mut packet, &birth.ends, repr);
            self.receive(seat, &packet[..len], out, now)
        };
        ladder.sequence = ladder.sequence.wrapping_add(1);
        say(&mut seat, &birth.ack(ladder.sequence, u16::MAX));
        while ladder.climb(&mut seat) {
            say(&mut seat, &birth.ack(ladder.sequence, u16::MAX));
        }
        say(&mut seat, &birth.ack(ladder.sequence, birth.window));
        let len = say(&mut seat, &birth.stale_byte());
        let sound = ladder.sequence == birth.local_sequence.wrapping_add(1) && seat.socket().send_queue() == 0;
        if seat.socket().state() == State::Established && sound && len > 0 { Ok((seat, len)) } else { Err(StillBorn) }
    }

    /// Shows the socket its peer's last ACK again, with a window that is shut: it starts to probe. (When a retransmission falls due while the
    /// window is shut, smoltcp drops its timer and would wait for ever.)
    pub(crate) fn prompt_probe(&mut self, birth: &Birth, seat: &mut Seat, now: Duration) {
        let mut packet = [0; EMPTY_LEN_MAX];
        let len = write_packet(&mut packet, &birth.ends, &birth.ack(birth.local_sequence.wrapping_add(1), 0));
        self.receive(seat, &packet[..len], &mut [0; EMPTY_LEN_MAX], now);
    }

    /// Fills a newborn socket's receive ring with what its predecessor had received.
    pub(crate) fn hand_over(&mut self, birth: &Birth, seat: &mut Seat, unread: &[u8], now: Duration) {
        let mut sequence = birth.peer_sequence.wrapping_add(1);
        let mut packet = alloc::vec![0; EMPTY_LEN_MAX + unread.len().min(HAND_OVER_LEN)];
        for piece in unread.chunks(HAND_OVER_LEN) {
            let ack = birth.ack(birth.local_sequence.wrapping_add(1), birth.window);
            let repr = TcpRepr { seq_number: TcpSeqNumber(sequence.cast_signed()), payload: piece, ..ack };
            let len = write_packet(&mut packet, &birth.ends, &repr);
            self.receive(seat, &packet[..len], &mut [0; EMPTY_LEN_MAX], now);
            sequence = sequence.wrapping_add(u32::try_from(piece.len()).unwrap_or(0));
        }
    }

    /// Shows a newborn socket the FIN that its predecessor had received, behind `unread_len` bytes.
    pub(crate) fn hand_over_fin(&mut self, birth: &Birth, seat: &mut Seat, unread_len: u32, now: Duration) {
        let sequence = birth.peer_sequence.wrapping_add(1).wrapping_add(unread_len);
        let fin = birth.spoken(TcpControl::Fin, sequence, Some(birth.local_sequence.wrapping_add(1)));
        let mut packet = [0; EMPTY_LEN_MAX];
        let len = write_packet(&mut packet, &birth.ends, &fin);
        self.receive(seat, &packet[..len], &mut [0; EMPTY_LEN_MAX], now);
    }
}

impl Birth {
    fn syn(&self) -> TcpRepr<'static> {
        let mut repr = self.spoken(TcpControl::Syn, self.peer_sequence, None);
        repr.max_seg_size = Some(self.offer.mss);
        repr.window_scale = self.offer.scale;
        repr.sack_permitted = self.offer.sack;
        repr
    }

    fn ack(&self, ack: u32, window: u16) -> TcpRepr<'static> {
        TcpRepr { window_len: window, ..self.spoken(TcpControl::None, self.peer_sequence.wrapping_add(1), Some(ack)) }
    }

    /// A byte that the socket has already: it answers at once with an ACK, and from then on knows the window it has announced. (After its
    /// SYN-ACK alone smoltcp would scale up a window that never was scaled, and take in more than its ring holds.)
    fn stale_byte(&self) -> TcpRepr<'static> {
        let ack = self.ack(self.local_sequence.wrapping_add(1), self.window);
        TcpRepr { seq_number: TcpSeqNumber(self.peer_sequence.cast_signed()), payload: &[0], ..ack }
    }

    fn spoken(&self, control: TcpControl, sequence: u32, ack: Option<u32>) -> TcpRepr<'static> {
        let reversed = Ends { local: self.ends.peer, peer: self.ends.local };
        reply::blank(&reversed, control, sequence, ack, self.window)
    }
}

/// How a new socket comes by an initial window of ten segments (RFC 6928), which smoltcp cannot be told: it is shown acknowledgements of
/// segments that never were, queued but not sent, below the number with which the flow really begins.
struct Ladder {
    sequence: u32,
    step: usize,
    steps: u32,
}

impl Ladder {
    fn new(birth: &Birth) -> Self {
        let step = usize::from(birth.offer.mss).min(birth.tx_ring);
        let steps = INITIAL_WINDOW_SEGMENTS - 1;
        let height = u32::try_from(step).unwrap_or(0).wrapping_mul(steps);
        Self { sequence: birth.local_sequence.wrapping_sub(height), step, steps }
    }

    /// Queues one segment more; its acknowledgement is up to the caller.
    fn climb(&mut self, seat: &mut Seat) -> bool {
        let Some(left) = self.steps.checked_sub(1) else { return false };
        self.steps = left;
        let queued = seat.socket_mut().send(|room| (room.len().min(self.step), room.len().min(self.step))).unwrap_or(0);
        self.sequence = self.sequence.wrapping_add(u32::try_from(queued).unwrap_or(0));
        true
    }
}

/// Multiplier and increment of smoltcp's generator (`smoltcp::rand`, an sPCG32).
const MULTIPLIER: u64 = 0xbb2e_fcec_3c39_611d;
const INCREMENT: u64 = 0x7590_ef39;

/// The seed with which smoltcp's generator gives `wanted` as its second number. The first is spent on an IPv4 identification when the
/// interface is made; it must not be 0, or another is drawn.
fn seed_for(wanted: u32) -> u64 {
    // The number is `state >> (29 - (state >> 61))`: with the top three bits 0 it is bits 29 to 60, and the rest is free.
    let candidates = (0..).map(|rest: u64| previous(u64::from(wanted) << 29 | rest));
    let usable = candidates.filter(|&first| identification(first) != 0);
    previous(usable.into_iter().next().unwrap_or(0))
}

fn previous(state: u64) -> u64 {
    state.wrapping_sub(INCREMENT).wrapping_mul(inverse(MULTIPLIER))
}

fn identification(state: u64) -> u64 {
    let number = (state >> (29 - (state >> 61))) & 0xffff_ffff;
    (number ^ number >> 16) & 0xffff
}

/// Inverse of an odd number modulo 2^64, by Newton's iteration; each round doubles the bits that are right.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

fn check_sequence(syn_ack: &[u8], birth: &Birth, wanted: u32) -> Result<(), StillBorn> {
    let header = if birth.ends.local.is_ipv4() { 20 } else { 40 };
    let tcp = TcpPacket::new_checked(syn_ack.get(header..).unwrap_or(&[])).map_err(|_| StillBorn)?;
    if tcp.seq_number().0.cast_unsigned() == wanted { Ok(()) } else { Err(StillBorn) }
}

fn write_packet(out: &mut [u8], ends: &Ends, repr: &TcpRepr<'_>) -> usize {
    let (source, destination) = (ends.peer.ip().into(), ends.local.ip().into());
    let header = IpRepr::new(source, destination, IpProtocol::Tcp, repr.buffer_len(), 64);
    let checksums = ChecksumCapabilities::ignored();
    header.emit(&mut *out, &checksums);
    repr.emit(&mut TcpPacket::new_unchecked(&mut out[header.header_len()..]), &source, &destination, &checksums);
    header.buffer_len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Segmentation;

    const NOW: Duration = Duration::from_secs(1);

    fn birth(local: &str, local_sequence: u32) -> Birth {
        let peer = if local.starts_with('[') { "[2001:db8::2]:5" } else { "192.0.2.2:5" };
        Birth {
            ends: Ends { local: local.parse().unwrap(), peer: peer.parse().unwrap() },
            local_sequence,
            peer_sequence: local_sequence.wrapping_mul(3),
            offer: Offer { mss: 1460, scale: Some(7), sack: true },
            window: 1000,
            rx_ring: 8192,
            tx_ring: 8192,
            keepalive: None,
        }
    }

    #[test]
    fn smoltcp_picks_the_number_that_we_have_promised() {
        let mut engine = Engine::new(Segmentation::Ours, NOW);
        let edges = [0, 1, 2, 13_139, 13_140, 13_141, 0x7fff_ffff, 0x8000_0000, u32::MAX - 1, u32::MAX];
        let others = (0..5000u32).map(|i| i.wrapping_mul(0x9e37_79b1));
        for sequence in edges.into_iter().chain(others) {
            for local in ["192.0.2.1:443", "[2001:db8::1]:443"] {
                let mut ack = [0; EMPTY_LEN_MAX];
                let (mut seat, len) = engine.birth(&birth(local, sequence), &mut ack, NOW).expect("a living socket");
                let header = if local.starts_with('[') { 40 } else { 20 };
                let tcp = TcpPacket::new_checked(&ack[header..len]).unwrap();
                assert_eq!(tcp.seq_number().0.cast_unsigned(), sequence.wrapping_add(1));
                assert_eq!(tcp.ack_number().0.cast_unsigned(), sequence.wrapping_mul(3).wrapping_add(1));
                assert_eq!(engine.transmit(&mut seat, &mut [0; 2000], NOW), 0, "nothing of its youth is left to send");
            }
        }
    }

    #[test]
    fn the_initial_window_is_ten_segments() {
        let mut engine = Engine::new(Segmentation::Ours, NOW);
        let big = Birth { tx_ring: 65_536, ..birth("192.0.2.1:443", 9) };
        let (mut seat, _) = engine.birth(&big, &mut [0; EMPTY_LEN_MAX], NOW).expect("a living socket");
        seat.socket_mut().send(|room| (room.len(), ())).unwrap();
        let sent: usize =
            core::iter::from_fn(|| Some(engine.transmit(&mut seat, &mut [0; 2000], NOW)).filter(|len| *len > 0)).map(|len| len - 40).sum();
        assert!((14_000..=16_000).contains(&sent), "{sent}");
    }

    #[test]
    fn the_multiplier_has_an_inverse() {
        assert_eq!(MULTIPLIER.wrapping_mul(inverse(MULTIPLIER)), 1);
    }
}
