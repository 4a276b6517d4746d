//! A frame's way in: link, IP, TCP, then the flow it belongs to or the doorman.

use core::net::IpAddr;
use core::time::Duration;

use smoltcp::wire::{EthernetFrame, EthernetProtocol, IpProtocol};

use super::Net;
use crate::config::{Trust, unicast_mac};
use crate::engine::EMPTY_LEN_MAX;
use crate::event::CloseReason;
use crate::guard::{self, Verdict};
use crate::limits::ETHERNET_LEN;
use crate::linger;
use crate::offload::{GSO_NONE, Offload};
use crate::packet::{Packet, Reject};
use crate::reply::{Mac, Route};
use crate::segment::{Kind, Segment};
use crate::table::State;

/// To whom a frame was sent at link level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cast {
    Us,
    Group,
}

impl Net {
    pub(super) fn take_frame(&mut self, frame: &[u8], offload: Offload, now: Duration) -> Result<(), Reject> {
        let offload = if self.config.offload { offload } else { Offload::default() };
        let ethernet = EthernetFrame::new_checked(frame).map_err(|_| Reject::Malformed)?;
        if offload.gso_type == GSO_NONE && !self.config.offload && frame.len() > ETHERNET_LEN + usize::from(self.config.mtu) {
            return Err(Reject::Malformed);
        }
        let cast = match ethernet.dst_addr().0 {
            mac if mac == self.config.mac => Cast::Us,
            mac if unicast_mac(mac) => return Err(Reject::NotOurs),
            _ => Cast::Group,
        };
        let sender = ethernet.src_addr().0;
        if !unicast_mac(sender) || sender == self.config.mac {
            return Err(Reject::Source);
        }
        let payload = ethernet.payload();
        match ethernet.ethertype() {
            EthernetProtocol::Arp => self.take_arp(payload, sender, now),
            EthernetProtocol::Ipv4 => self.take_packet(&Packet::parse_v4(payload)?, cast, sender, offload, now),
            EthernetProtocol::Ipv6 => self.take_packet(&Packet::parse_v6(payload)?, cast, sender, offload, now),
            EthernetProtocol::Unknown(_) => Err(Reject::NotOurs),
        }
    }

    fn take_packet(&mut self, packet: &Packet<'_>, cast: Cast, sender: Mac, offload: Offload, now: Duration) -> Result<(), Reject> {
        if packet.protocol == IpProtocol::Icmpv6 {
            return self.take_icmpv6(packet, cast, sender, now);
        }
        self.check_source(packet)?;
        // RFC 1122 section 3.3.6 and RFC 9293 section 3.10: nothing sent to a group at link level is for TCP, or worth an echo.
        if cast == Cast::Group {
            return Err(Reject::NotOurs);
        }
        match packet.protocol {
            IpProtocol::Tcp => self.take_segment(&Segment::parse(packet, offload)?, sender, now),
            IpProtocol::Icmp => self.take_icmpv4(packet, sender, now),
            _ => Err(Reject::NotOurs),
        }
    }

    /// RFC 1122 section 3.2.1.3, RFC 6890, and LAND (ATTACKS N6, N12).
    pub(super) fn check_source(&self, packet: &Packet<'_>) -> Result<(), Reject> {
        let source = packet.source;
        let never = source == packet.destination || source.is_unspecified() || source.is_multicast() || self.is_local(source);
        let impossible = never || self.is_broadcast(source) || (self.config.trust == Trust::Public && is_martian(source));
        if impossible { Err(Reject::Source) } else { Ok(()) }
    }

    fn is_broadcast(&self, address: IpAddr) -> bool {
        let IpAddr::V4(address) = address else { return false };
        let of_prefix = |ours: &crate::config::Cidr| match ours.address {
            IpAddr::V4(network) if ours.prefix_len < 31 => {
                let hosts = u32::MAX.checked_shr(ours.prefix_len.into()).unwrap_or(0);
                address.to_bits() == network.to_bits() | hosts
            }
            _ => false,
        };
        address.is_broadcast() || self.config.addresses.iter().any(of_prefix)
    }

    fn take_segment(&mut self, segment: &Segment<'_>, sender: Mac, now: Duration) -> Result<(), Reject> {
        let route = Route { ours: self.config.mac, next_hop: self.way_back(segment.ends.peer.ip(), sender) };
        let Some(index) = self.table.find(&self.keys, &segment.ends) else {
            return self.greet(segment, route, now);
        };
        match &mut self.table.slot_mut(index).state {
            State::Open(_) => self.feed(index, segment, now),
            State::Dialing(dial) => {
                let answer = dial.judge(segment);
                self.dial_answered(index, answer, segment, route, now);
            }
            State::Lingering(linger) => match linger.judge(segment) {
                linger::Answer::Reopen => return self.greet_again(index, segment, route, now),
                linger::Answer::Acknowledge => {
                    linger.challenged |= segment.kind == Kind::Syn;
                    self.answer_for(index, now);
                }
                linger::Answer::End => self.end(index, None),
                linger::Answer::Ignore => {}
            },
            State::Vacant => {}
        }
        Ok(())
    }

    /// Off-link peers are answered through a pinned gateway, all others where they came from.
    fn way_back(&self, peer: IpAddr, sender: Mac) -> Mac {
        if self.config.addresses.iter().any(|cidr| cidr.contains(peer)) {
            return sender;
        }
        let pinned = self.config.gateways.iter().find(|gateway| gateway.address.is_ipv4() == peer.is_ipv4());
        pinned.and_then(|gateway| gateway.mac).unwrap_or(sender)
    }

    /// A segment for an established flow.
    pub(super) fn feed(&mut self, index: u32, segment: &Segment<'_>, now: Duration) {
        let State::Open(flow) = &mut self.table.slot_mut(index).state else { return };
        match guard::judge(flow, segment) {
            Verdict::Pass => self.feed_socket(index, segment, now),
            Verdict::Redundant => {}
            Verdict::Drop => self.counters.dropped_out_of_window += 1,
            Verdict::Challenge => {
                self.counters.dropped_out_of_window += 1;
                self.answer_for(index, now);
            }
            Verdict::Reset => self.end(index, Some(CloseReason::PeerReset)),
        }
    }

    fn feed_socket(&mut self, index: u32, segment: &Segment<'_>, now: Duration) {
        if let State::Open(flow) = &mut self.table.slot_mut(index).state
            && !segment.payload.is_empty()
        {
            flow.wake(now);
            self.resize(index, now);
        }
        let State::Open(flow) = &mut self.table.slot_mut(index).state else { return };
        let mut answer = [0; EMPTY_LEN_MAX];
        flow.prepare(segment);
        let len = self.engine.receive(&mut flow.seat, segment.packet, &mut answer, now);
        flow.heard(segment, now);
        if len > 0 {
            let route = Route { ours: self.config.mac, next_hop: flow.next_hop };
            self.send_packet(index, &mut answer[..len], route);
        }
        self.table.mark_ready(index);
        self.settle(index, now);
    }

    pub(super) fn count_reject(&mut self, reject: Reject) {
        let counters = &mut self.counters;
        *match reject {
            Reject::NotOurs => &mut counters.dropped_not_ours,
            Reject::Malformed => &mut counters.dropped_malformed,
            Reject::Checksum => &mut counters.dropped_checksum,
            Reject::Fragment => &mut counters.dropped_fragment,
            Reject::Source => &mut counters.dropped_source,
            Reject::Neighbor => &mut counters.dropped_neighbor,
            Reject::Icmp => &mut counters.dropped_icmp,
        } += 1;
    }
}

/// Sources that no packet from the Internet has.
fn is_martian(source: IpAddr) -> bool {
    match source {
        IpAddr::V4(source) => {
            let [first, ..] = source.octets();
            first == 0 || first >= 240 || source.is_loopback()
        }
        IpAddr::V6(source) => source.is_loopback() || source.to_ipv4_mapped().is_some(),
    }
}
