//! Every bound of this crate that is not a choice of the configuration.

/// Bytes of an Ethernet header.
pub const ETHERNET_LEN: usize = 14;
/// The longest frame: an Ethernet header and the longest IP packet. What `Net::poll_transmit` wants its buffer to hold.
pub const FRAME_LEN_MAX: usize = ETHERNET_LEN + 65_535;
/// Ethernet's shortest frame without its check sequence; shorter ones are padded with zeros (RFC 894, and no Etherleak).
pub const FRAME_LEN_MIN: usize = 60;
/// The smallest MTU that a configuration may have: IPv6's own minimum (RFC 8200 section 5).
pub const MTU_MIN: u16 = 1280;

/// Addresses of one `Net`.
pub const ADDRESSES_MAX: usize = 16;
/// Gateways of one `Net`.
pub const GATEWAYS_MAX: usize = 4;
/// Listeners of one `Net`.
pub const LISTENERS_MAX: usize = 8192;
/// Flows that a configuration may ask for.
pub const FLOWS_MAX: usize = 1 << 20;
/// The smallest ring for a flow: two minimal segments.
pub const RING_LEN_MIN: usize = 2048;
/// The largest ring for a flow. With window scaling by at most 14, far below what TCP can announce.
pub const RING_LEN_MAX: usize = 1 << 24;

/// A flow that was refused larger rings asks again after this long.
pub const GROWTH_RETRY: core::time::Duration = core::time::Duration::from_secs(1);
/// When the rings' budget is pressed, an idle flow gives its rings back so many times sooner.
pub const PRESSED_HASTE: u32 = 16;

/// Smallest segment size we send, whatever a peer announces: the default of RFC 9293 section 3.7.1.
pub const MSS_MIN: u16 = 536;
/// Largest window scale (RFC 7323 section 2.3).
pub const WINDOW_SCALE_MAX: u8 = 14;

/// Bytes of replies (SYN-ACK, RST, ARP, echo ..) that wait for the next transmissions; what does not fit is dropped and counted.
pub const OUTBOX_LEN: usize = 128 * 1024;
/// Longest reply the doorman makes: one ordinary Ethernet frame.
pub const REPLY_LEN_MAX: usize = 1514;

/// Next hops whose link address is known or asked for.
pub const NEIGHBORS: usize = 64;
/// Connection attempts that may wait for one next hop's link address.
pub const WAITING_PER_NEIGHBOR: usize = 1024;
/// Requests for one link address before those who wait for it fail.
pub const NEIGHBOR_TRIES: u8 = 3;

/// Ports tried for a connection before `ConnectFault::LimitPorts`.
pub const PORT_TRIES: u16 = 64;
/// First and last port of `connect` (RFC 6335's dynamic range).
pub const EPHEMERAL_PORTS: core::ops::RangeInclusive<u16> = 49_152..=65_535;

/// ICMP echo replies a second, and in one burst.
pub const ECHO_PER_S: u32 = 200;
/// RSTs for segments that belong to no flow, a second and in one burst.
pub const RESET_PER_S: u32 = 200;
/// Challenge ACKs for one flow, a second and in one burst. Per flow, never global (CVE-2016-5696).
pub const CHALLENGE_PER_S: u32 = 10;

/// Initial congestion window in segments (RFC 6928).
pub const INITIAL_WINDOW_SEGMENTS: u32 = 10;

const _: () = assert!(OUTBOX_LEN > 16 * REPLY_LEN_MAX, "a burst of replies fits");
const _: () = assert!(INITIAL_WINDOW_SEGMENTS as usize * 65_535 < (1 << 31), "sequence arithmetic stays in range");
