//! ICMP errors. They are believed only if they quote a segment that we may have in flight (RFC 5927 section 4.1), and even then an
//! established flow never ends by one: a connection attempt may, and a smaller path MTU is taken within limits.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use super::Net;
use crate::event::CloseReason;
use crate::keys::Ends;
use crate::limits::MSS_MIN;
use crate::packet::{Packet, Reject};
use crate::segment::before;
use crate::table::State;

/// A segment for IPv6's minimum MTU.
const MSS_MIN_V6: u16 = 1220;

/// What an error says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Complaint {
    Unreachable,
    Refused,
    TooBig { mtu: u32 },
}

impl Net {
    pub(super) fn take_error_v4(&mut self, packet: &Packet<'_>, now: Duration) -> Result<(), Reject> {
        let (complaint, quote) = match packet.payload {
            [3, 4, _, _, _, _, a, b, quote @ ..] => (Complaint::TooBig { mtu: u16::from_be_bytes([*a, *b]).into() }, quote),
            [3, 2 | 3, _, _, _, _, _, _, quote @ ..] => (Complaint::Refused, quote),
            [3, _, _, _, _, _, _, _, quote @ ..] => (Complaint::Unreachable, quote),
            _ => return Err(Reject::Icmp),
        };
        let (ends, sequence) = quoted_v4(quote).ok_or(Reject::Icmp)?;
        self.complain(&ends, sequence, complaint, now)
    }

    pub(super) fn take_error_v6(&mut self, packet: &Packet<'_>, now: Duration) -> Result<(), Reject> {
        let (complaint, quote) = match packet.payload {
            [2, 0, _, _, a, b, c, d, quote @ ..] => (Complaint::TooBig { mtu: u32::from_be_bytes([*a, *b, *c, *d]) }, quote),
            [1, 4, _, _, _, _, _, _, quote @ ..] => (Complaint::Refused, quote),
            [1, _, _, _, _, _, _, _, quote @ ..] => (Complaint::Unreachable, quote),
            _ => return Err(Reject::Icmp),
        };
        let (ends, sequence) = quoted_v6(quote).ok_or(Reject::Icmp)?;
        self.complain(&ends, sequence, complaint, now)
    }

    fn complain(&mut self, ends: &Ends, sequence: u32, complaint: Complaint, _now: Duration) -> Result<(), Reject> {
        let index = self.table.find(&self.keys, ends).ok_or(Reject::Icmp)?;
        match (&mut self.table.slot_mut(index).state, complaint) {
            (State::Dialing(dial), Complaint::Refused | Complaint::Unreachable) if dial.sequence == sequence => {
                let refused = complaint == Complaint::Refused;
                self.end(index, Some(if refused { CloseReason::PeerRefused } else { CloseReason::Unreachable }));
                Ok(())
            }
            (State::Open(flow), Complaint::TooBig { mtu }) if self.config.offload => {
                let in_flight = !before(sequence, flow.unacknowledged()) && before(sequence, flow.send_next());
                let (headers, floor) = if ends.local.is_ipv4() { (40, MSS_MIN) } else { (60, MSS_MIN_V6) };
                let mss = u16::try_from(mtu.saturating_sub(headers)).unwrap_or(u16::MAX).max(floor);
                if !in_flight || mss >= flow.mss {
                    return Err(Reject::Icmp);
                }
                // The host cuts smaller pieces from now on; the lost ones go out again with the retransmission.
                flow.mss = mss;
                Ok(())
            }
            _ => Err(Reject::Icmp),
        }
    }
}

fn quoted_v4(quote: &[u8]) -> Option<(Ends, u32)> {
    let header: &[u8; 20] = quote.first_chunk()?;
    if header[0] != 0x45 || header[9] != 6 {
        return None;
    }
    let address = |at: usize| IpAddr::V4(Ipv4Addr::from(core::array::from_fn::<u8, 4, _>(|i| header[at + i])));
    quoted_tcp(address(12), address(16), quote.get(20..)?)
}

fn quoted_v6(quote: &[u8]) -> Option<(Ends, u32)> {
    let header: &[u8; 40] = quote.first_chunk()?;
    if header[0] >> 4 != 6 || header[6] != 6 {
        return None;
    }
    let address = |at: usize| IpAddr::V6(Ipv6Addr::from(core::array::from_fn::<u8, 16, _>(|i| header[at + i])));
    quoted_tcp(address(8), address(24), quote.get(40..)?)
}

/// What we sent had our end as its source.
fn quoted_tcp(source: IpAddr, destination: IpAddr, tcp: &[u8]) -> Option<(Ends, u32)> {
    let [a, b, c, d, e, f, g, h] = *tcp.first_chunk()?;
    let local = SocketAddr::new(source, u16::from_be_bytes([a, b]));
    let peer = SocketAddr::new(destination, u16::from_be_bytes([c, d]));
    Some((Ends { local, peer }, u32::from_be_bytes([e, f, g, h])))
}
