//! What one `Net` is told when it is made: its addresses, its listeners, its limits. Checked once, in [`Net::new`](crate::Net::new).

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::limits;

/// The whole configuration of a [`Net`](crate::Net).
#[derive(Debug, Clone)]
pub struct Config {
    /// Our link address; unicast.
    pub mac: [u8; 6],
    /// Our addresses, each with the prefix that is on the link.
    pub addresses: Vec<Cidr>,
    /// Where packets go that are for no address on the link; the first of the family is taken.
    pub gateways: Vec<Gateway>,
    /// Bytes of the largest IP packet on the wire.
    pub mtu: u16,
    /// Whether the other side of the frames finishes checksums, cuts super-frames, and vouches for what it merged.
    pub offload: bool,
    /// Who may be at the other end.
    pub trust: Trust,
    /// What is accepted. An address that is not in `addresses` makes it ours as far as TCP is concerned.
    pub listen: Vec<Listen>,
    /// Budgets and timeouts.
    pub limits: Limits,
}

/// An address and the length of its on-link prefix in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The address itself, not the network's.
    pub address: IpAddr,
    /// Bits of the prefix: up to 32 or 128.
    pub prefix_len: u8,
}

/// A router on the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gateway {
    /// Its address, within the prefix of one of ours.
    pub address: IpAddr,
    /// Its link address, if it is pinned. Otherwise it is asked for, and only a solicited answer counts.
    pub mac: Option<[u8; 6]>,
}

/// Who may be at the other end of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The Internet: martian sources are dropped and sources are limited one by one.
    Public,
    /// A wire whose other end is our own: loopback and private sources are fine, `connect` may speak for any address, and
    /// [`Limits::flows_per_source`] does not apply.
    Private,
}

/// One listening port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Listen {
    /// The address, or `None` for each of [`Config::addresses`].
    pub address: Option<IpAddr>,
    /// The port; not 0.
    pub port: u16,
}

impl Listen {
    /// Whether so many, and these, can be listened at.
    pub(crate) fn check_all(list: &[Self]) -> Result<(), ConfigFault> {
        ensure(list.len() <= limits::LISTENERS_MAX, ConfigFault::Listen)?;
        ensure(list.iter().all(|listen| listen.port != 0), ConfigFault::Listen)
    }
}

/// Budgets and timeouts of a [`Net`](crate::Net). The default suits a public server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Flows at a time, in and out together.
    pub flows: usize,
    /// Accepted flows at a time from one source: an IPv4 address, an IPv6 /64.
    pub flows_per_source: usize,
    /// Networks of which a source is no single peer, but a front end that speaks for many: `flows_per_source` does not apply to it.
    pub exempt_sources: Vec<Cidr>,
    /// Flows that linger in TIME-WAIT, without buffers, at a time; beyond it they end without lingering.
    pub time_waits: usize,
    /// How long TIME-WAIT lasts. Twice the segment lifetime we reckon with.
    pub time_wait: Duration,
    /// Bytes of all rings of all flows together. What a flow holds counts, and at least its first receive ring and its assured send ring. Who
    /// would take more is turned away or stays small.
    pub ring_bytes: usize,
    /// Bytes of a flow's receive ring, and so its largest window, once its peer has shown that it needs it.
    pub rx_ring: usize,
    /// Bytes of a flow's send ring, once its user has shown that it needs it.
    pub tx_ring: usize,
    /// Bytes of the receive ring until then: a hello or a small request. Most flows never need more.
    pub first_rx_ring: usize,
    /// Bytes of the send ring until then: the flight that answers a hello.
    pub first_tx_ring: usize,
    /// Bytes that a flow's send ring can always grow to, even if all flows together hold all that they may.
    pub assured_tx_ring: usize,
    /// Bytes of an idle flow's receive ring. It grows again before the next bytes are put into it.
    pub idle_rx_ring: usize,
    /// Bytes of an idle flow's send ring.
    pub idle_tx_ring: usize,
    /// How long a flow must have been idle for that.
    pub shrink_after: Duration,
    /// How long a connection attempt may take, resolution of the next hop included.
    pub connect_timeout: Duration,
    /// How long a peer may keep its window shut while we have data for it (ATTACKS N7).
    pub persist_timeout: Duration,
    /// How long queued data may stay unacknowledged (RFC 9293 section 3.8.3, RFC 5482).
    pub user_timeout: Duration,
    /// How long a flow lives on after `close` until both ends have finished.
    pub drain_timeout: Duration,
    /// Bytes that a peer may still send after `close`; they are discarded.
    pub drain_bytes: usize,
    /// How long a flow may be silent before its peer is probed, if at all. After as long again without an answer it is dead.
    pub keepalive: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: 65_536,
            flows_per_source: 1024,
            exempt_sources: Vec::new(),
            time_waits: 16_384,
            time_wait: Duration::from_secs(30),
            ring_bytes: 512 << 20,
            rx_ring: 128 * 1024,
            tx_ring: 128 * 1024,
            first_rx_ring: 4 * 1024,
            first_tx_ring: 8 * 1024,
            assured_tx_ring: 8 * 1024,
            idle_rx_ring: 2 * 1024,
            idle_tx_ring: 2 * 1024,
            shrink_after: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(10),
            persist_timeout: Duration::from_secs(30),
            user_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(10),
            drain_bytes: 256 * 1024,
            keepalive: None,
        }
    }
}

/// Why a configuration was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigFault {
    /// The link address is a group address or zero.
    Mac,
    /// No address, too many, one that is not a unicast address, or a prefix that is too long.
    Addresses,
    /// Too many gateways, or one with a link address that is not unicast.
    Gateways,
    /// The MTU is below 1280.
    Mtu,
    /// Too many listeners, or one on port 0.
    Listen,
    /// A limit is zero or beyond what this crate can hold.
    Limits,
}

impl Config {
    /// Checks everything that can be wrong.
    pub(crate) fn check(&self) -> Result<(), ConfigFault> {
        ensure(unicast_mac(self.mac), ConfigFault::Mac)?;
        ensure((1..=limits::ADDRESSES_MAX).contains(&self.addresses.len()), ConfigFault::Addresses)?;
        ensure(self.addresses.iter().all(Cidr::is_sound), ConfigFault::Addresses)?;
        ensure(self.gateways.len() <= limits::GATEWAYS_MAX, ConfigFault::Gateways)?;
        ensure(self.gateways.iter().all(|gateway| gateway.mac.is_none_or(unicast_mac)), ConfigFault::Gateways)?;
        ensure(self.mtu >= limits::MTU_MIN, ConfigFault::Mtu)?;
        Listen::check_all(&self.listen)?;
        self.limits.check()
    }
}

impl Cidr {
    /// Whether `address` is on the link that this prefix describes.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => prefix_matches(ours.to_bits().into(), other.to_bits().into(), 32, self.prefix_len),
            (IpAddr::V6(ours), IpAddr::V6(other)) => prefix_matches(ours.to_bits(), other.to_bits(), 128, self.prefix_len),
            _ => false,
        }
    }

    fn is_sound(&self) -> bool {
        let bits = if self.address.is_ipv4() { 32 } else { 128 };
        self.prefix_len <= bits && !self.address.is_unspecified() && !self.address.is_multicast()
    }
}

impl Limits {
    /// Whether a stack can keep these.
    ///
    /// # Errors
    /// [`ConfigFault::Limits`].
    pub fn check(&self) -> Result<(), ConfigFault> {
        ensure(self.are_sound(), ConfigFault::Limits)
    }

    /// These, but for the sizes of single rings.
    pub(crate) fn with_rings_of(&self, other: &Self) -> Self {
        let Self { rx_ring, tx_ring, first_rx_ring, first_tx_ring, assured_tx_ring, idle_rx_ring, idle_tx_ring, .. } = *other;
        Self { rx_ring, tx_ring, first_rx_ring, first_tx_ring, assured_tx_ring, idle_rx_ring, idle_tx_ring, ..self.clone() }
    }

    fn are_sound(&self) -> bool {
        let ring = limits::RING_LEN_MIN..=limits::RING_LEN_MAX;
        (1..=limits::FLOWS_MAX).contains(&self.flows)
            && self.flows_per_source > 0
            && self.time_waits <= limits::FLOWS_MAX
            && ring.contains(&self.rx_ring)
            && ring.contains(&self.tx_ring)
            && (limits::RING_LEN_MIN..=self.rx_ring).contains(&self.first_rx_ring)
            && (limits::RING_LEN_MIN..=self.tx_ring).contains(&self.first_tx_ring)
            && (self.first_tx_ring..=self.tx_ring).contains(&self.assured_tx_ring)
            && (limits::RING_LEN_MIN..=self.first_rx_ring).contains(&self.idle_rx_ring)
            && (limits::RING_LEN_MIN..=self.first_tx_ring).contains(&self.idle_tx_ring)
            && self.ring_bytes >= self.first_rx_ring + self.assured_tx_ring
    }
}

pub(crate) fn unicast_mac(mac: [u8; 6]) -> bool {
    let [first, ..] = mac;
    first & 1 == 0 && mac != [0; 6]
}

fn prefix_matches(ours: u128, other: u128, width: u32, prefix_len: u8) -> bool {
    let host_bits = width.saturating_sub(prefix_len.into());
    (ours ^ other).checked_shr(host_bits).unwrap_or(0) == 0
}

fn ensure(holds: bool, fault: ConfigFault) -> Result<(), ConfigFault> {
    if holds { Ok(()) } else { Err(fault) }
}
