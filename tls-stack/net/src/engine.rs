//! smoltcp, held by the sleeve: one packet in, at most one packet out, for one TCP socket at a time.
//!
//! Each flow owns a set of one socket. An `Interface` keeps nothing of a flow between two polls (its medium is bare IP: no neighbours, no
//! routes, no fragments), so one serves them all.
//!
//! **Birth.** A socket is made established by showing it a SYN and an ACK that never were on the wire. The sequence number it picks must be
//! the cookie that the peer has acknowledged. smoltcp takes it from a generator seeded by the interface's configuration, and one step of
//! that generator is a bijection of its state: so we compute the seed that makes it pick our number, and check that it did. The flow then
//! counts as the wire does, and no segment needs its numbers translated.

use core::time::Duration;

use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::{Checksum, ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpProtocol, IpRepr, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber};

use crate::cookie::Offer;
use crate::keys::Ends;
use crate::reply;

/// The longest packet without payload: IPv6 header, TCP header and options.
pub(crate) const EMPTY_LEN_MAX: usize = 40 + 60;
const PACKET_LEN_MAX: usize = 65_535;

/// See the module.
pub(crate) struct Engine {
    interface: Interface,
    segmentation: Segmentation,
}

/// Whether packets longer than a segment may be made, for the host to cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segmentation {
    ByHost,
    Ours,
}

/// One socket in its set.
#[derive(Debug)]
pub(crate) struct Seat {
    set: SocketSet<'static>,
    handle: SocketHandle,
}

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
    pub(crate) fn new(segmentation: Segmentation, now: Duration) -> Self {
        Self { interface: interface(segmentation, 0, now), segmentation }
    }

    /// Hands one packet to the socket; gives the length of its answer in `out`, 0 for none. `out` must hold [`EMPTY_LEN_MAX`] bytes.
    pub(crate) fn receive(&mut self, seat: &mut Seat, packet: &[u8], out: &mut [u8], now: Duration) -> usize {
        ingress(&mut self.interface, self.segmentation, seat, packet, out, now)
    }

    /// Lets the socket write one packet to the front of `out`; gives its length, 0 for none.
    pub(crate) fn transmit(&mut self, seat: &mut Seat, out: &mut [u8], now: Duration) -> usize {
        egress(&mut self.interface, self.segmentation, seat, out, now)
    }

    /// When the socket wants to be polled again.
    pub(crate) fn poll_at(&mut self, seat: &Seat, now: Duration) -> Option<Duration> {
        let at = self.interface.poll_at(instant(now), &seat.set)?;
        Some(Duration::from_micros(u64::try_from(at.total_micros()).unwrap_or(0)))
    }

    /// An established socket, and the ACK that completes its handshake (in `out`, with its length).
    pub(crate) fn birth(&mut self, birth: &Birth, out: &mut [u8; EMPTY_LEN_MAX], now: Duration) -> Result<(Seat, usize), StillBorn> {
        let mut nursery = interface(self.segmentation, seed_for(birth.local_sequence), now);
        let mut seat = Seat::new(birth);
        let mut say = |repr: &TcpRepr<'_>, out: &mut [u8]| {
            let mut packet = [0; EMPTY_LEN_MAX + 1];
            let len = write_packet(&mut packet, &birth.ends, repr);
            ingress(&mut nursery, self.segmentation, &mut seat, &packet[..len], out, now)
        };
        say(&birth.syn(), out);
        let len = egress(&mut self.interface, self.segmentation, &mut seat, out, now);
        check_sequence(&out[..len], birth)?;
        let mut say = |repr: &TcpRepr<'_>, seat: &mut Seat, out: &mut [u8]| {
            let mut packet = [0; EMPTY_LEN_MAX + 1];
            let len = write_packet(&mut packet, &birth.ends, repr);
            ingress(&mut self.interface, self.segmentation, seat, &packet[..len], out, now)
        };
        say(&birth.ack(), &mut seat, out);
        let len = say(&birth.stale_byte(), &mut seat, out);
        if seat.socket().state() != State::Established || len == 0 {
            return Err(StillBorn);
        }
        Ok((seat, len))
    }
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Engine").field("segmentation", &self.segmentation).finish_non_exhaustive()
    }
}

impl Seat {
    fn new(birth: &Birth) -> Self {
        // Zeroed allocations: pages that no byte has reached stay untouched where the allocator hands out fresh ones.
        let ring = |len: usize| SocketBuffer::new(alloc::vec![0; len]);
        let mut socket = Socket::new(ring(birth.rx_ring), ring(birth.tx_ring));
        socket.set_congestion_control(CongestionControl::Reno);
        socket.set_nagle_enabled(false);
        socket.set_keep_alive(birth.keepalive.map(|interval| smoltcp::time::Duration::from_micros(micros(interval))));
        let local = (smoltcp::wire::IpAddress::from(birth.ends.local.ip()), birth.ends.local.port());
        socket.listen(local).expect("invariant: a fresh socket may listen, and no port here is 0");
        let mut set = SocketSet::new(alloc::vec::Vec::with_capacity(1));
        let handle = set.add(socket);
        Self { set, handle }
    }

    pub(crate) fn socket(&self) -> &Socket<'static> {
        self.set.get(self.handle)
    }

    pub(crate) fn socket_mut(&mut self) -> &mut Socket<'static> {
        self.set.get_mut(self.handle)
    }
}

impl Birth {
    fn syn(&self) -> TcpRepr<'static> {
        let mut repr = self.from_peer(TcpControl::Syn, self.peer_sequence, None);
        repr.max_seg_size = Some(self.offer.mss);
        repr.window_scale = self.offer.scale;
        repr.sack_permitted = self.offer.sack;
        repr
    }

    fn ack(&self) -> TcpRepr<'static> {
        self.from_peer(TcpControl::None, self.peer_sequence.wrapping_add(1), Some(self.local_sequence.wrapping_add(1)))
    }

    /// A byte that the socket has already: it answers at once with an ACK, and from then on knows the window it has announced. (After its
    /// SYN-ACK alone smoltcp would scale up a window that never was scaled, and take in more than its ring holds.)
    fn stale_byte(&self) -> TcpRepr<'static> {
        TcpRepr { seq_number: TcpSeqNumber(self.peer_sequence.cast_signed()), payload: &[0], ..self.ack() }
    }

    fn from_peer(&self, control: TcpControl, sequence: u32, ack: Option<u32>) -> TcpRepr<'static> {
        let reversed = Ends { local: self.ends.peer, peer: self.ends.local };
        reply::blank(&reversed, control, sequence, ack, self.window)
    }
}

/// What smoltcp sees as its network device.
struct Port<'a> {
    inbound: Option<&'a [u8]>,
    outbound: &'a mut [u8],
    written: usize,
    segmentation: Segmentation,
}

struct Inbound<'a>(&'a [u8]);
struct Outbound<'a> {
    room: &'a mut [u8],
    written: &'a mut usize,
}

impl Device for Port<'_> {
    type RxToken<'a>
        = Inbound<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Outbound<'a>
    where
        Self: 'a;

    fn receive(&mut self, _now: Instant) -> Option<(Inbound<'_>, Outbound<'_>)> {
        let packet = self.inbound.take()?;
        Some((Inbound(packet), Outbound { room: self.outbound, written: &mut self.written }))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Outbound<'_>> {
        (self.written == 0).then_some(Outbound { room: self.outbound, written: &mut self.written })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut checksum = ChecksumCapabilities::ignored();
        checksum.ipv4 = Checksum::Tx;
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        // Segment sizes are bounded by the SYN each socket was shown, so the device itself may claim to carry anything. (With a smaller
        // one, smoltcp 0.14 drops IPv6 super-frames.)
        capabilities.max_transmission_unit = PACKET_LEN_MAX;
        capabilities.checksum = checksum;
        if self.segmentation == Segmentation::ByHost {
            capabilities.segmentation.tcpv4 = core::num::NonZeroUsize::new(PACKET_LEN_MAX);
            capabilities.segmentation.tcpv6 = core::num::NonZeroUsize::new(PACKET_LEN_MAX);
        }
        capabilities
    }
}

impl RxToken for Inbound<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

impl TxToken for Outbound<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let room = self.room.get_mut(..len).expect("invariant: callers give room for the longest packet of their case");
        let result = f(room);
        *self.written = len;
        result
    }
}

fn ingress(interface: &mut Interface, segmentation: Segmentation, seat: &mut Seat, packet: &[u8], out: &mut [u8], now: Duration) -> usize {
    let mut port = Port { inbound: Some(packet), outbound: out, written: 0, segmentation };
    interface.poll_ingress_single(instant(now), &mut port, &mut seat.set);
    port.written
}

fn egress(interface: &mut Interface, segmentation: Segmentation, seat: &mut Seat, out: &mut [u8], now: Duration) -> usize {
    let mut port = Port { inbound: None, outbound: out, written: 0, segmentation };
    match interface.poll_egress(instant(now), &mut port, &mut seat.set) {
        PollResult::None | PollResult::SocketStateChanged => port.written,
    }
}

fn interface(segmentation: Segmentation, seed: u64, now: Duration) -> Interface {
    let mut port = Port { inbound: None, outbound: &mut [], written: 0, segmentation };
    let mut config = Config::new(HardwareAddress::Ip);
    config.random_seed = seed;
    let mut interface = Interface::new(config, &mut port, instant(now));
    // Whose packets come here the doorman has decided.
    interface.set_any_ip(true);
    interface
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

fn check_sequence(syn_ack: &[u8], birth: &Birth) -> Result<(), StillBorn> {
    let header = if birth.ends.local.is_ipv4() { 20 } else { 40 };
    let tcp = TcpPacket::new_checked(syn_ack.get(header..).unwrap_or(&[])).map_err(|_| StillBorn)?;
    if tcp.seq_number().0.cast_unsigned() == birth.local_sequence { Ok(()) } else { Err(StillBorn) }
}

fn write_packet(out: &mut [u8], ends: &Ends, repr: &TcpRepr<'_>) -> usize {
    let (source, destination) = (ends.peer.ip().into(), ends.local.ip().into());
    let header = IpRepr::new(source, destination, IpProtocol::Tcp, repr.buffer_len(), 64);
    let checksums = ChecksumCapabilities::ignored();
    header.emit(&mut *out, &checksums);
    repr.emit(&mut TcpPacket::new_unchecked(&mut out[header.header_len()..]), &source, &destination, &checksums);
    header.buffer_len()
}

fn instant(now: Duration) -> Instant {
    Instant::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX / 2))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 2)
}
