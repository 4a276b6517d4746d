//! smoltcp, held by the sleeve: one packet in, at most one packet out, for one TCP socket at a time.
//!
//! Each flow owns a set of one socket. An `Interface` keeps nothing of a flow between two polls (its medium is bare IP: no neighbours, no
//! routes, no fragments), so one serves them all.
//!
//! How a socket comes into being is told in `birth`.

mod birth;

use core::time::Duration;

use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::{Checksum, ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer};
use smoltcp::time::Instant;
use smoltcp::wire::HardwareAddress;

pub(crate) use birth::Birth;

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

fn instant(now: Duration) -> Instant {
    Instant::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX / 2))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 2)
}
