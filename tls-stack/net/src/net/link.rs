//! ARP (RFC 826), neighbour discovery (RFC 4861) and echo (RFC 792, RFC 4443), answered without state. Router advertisements and redirects
//! are not listened to; group echo is silent.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetProtocol, Icmpv6Packet, Icmpv6Repr, IpProtocol, NdiscNeighborFlags,
    NdiscRepr, RawHardwareAddress,
};

use super::Net;
use super::receive::Cast;
use crate::checksum;
use crate::config::unicast_mac;
use crate::packet::{Packet, Reject};
use crate::reply::{self, Mac, Route};

const BROADCAST: Mac = [0xff; 6];
const ECHO_REQUEST_V4: u8 = 8;
const ECHO_REPLY_V4: u8 = 0;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;
/// RFC 4861: whoever sends neighbour discovery is on the link.
const HOP_LIMIT_OF_LINK: u8 = 255;

impl Net {
    pub(super) fn take_arp(&mut self, payload: &[u8], sender: Mac, now: Duration) -> Result<(), Reject> {
        let packet = ArpPacket::new_checked(payload).map_err(|_| Reject::Malformed)?;
        let ArpRepr::EthernetIpv4 { operation, source_hardware_addr, source_protocol_addr, target_protocol_addr, .. } =
            ArpRepr::parse(&packet).map_err(|_| Reject::Malformed)?
        else {
            return Err(Reject::Malformed);
        };
        let honest = source_hardware_addr.0 == sender && self.is_local(target_protocol_addr.into());
        if !honest || self.is_local(source_protocol_addr.into()) {
            return Err(Reject::Neighbor);
        }
        match operation {
            ArpOperation::Request => self.answer_arp(sender, source_protocol_addr, target_protocol_addr),
            ArpOperation::Reply if self.hop_found(source_protocol_addr.into(), sender, now) => Ok(()),
            _ => Err(Reject::Neighbor),
        }
    }

    fn answer_arp(&mut self, asker: Mac, asker_address: Ipv4Addr, ours: Ipv4Addr) -> Result<(), Reject> {
        // RFC 5227 section 1.1: a probe has no source address yet.
        let on_link = self.config.addresses.iter().any(|cidr| cidr.contains(asker_address.into()));
        if !on_link && !asker_address.is_unspecified() && !self.is_private() {
            return Err(Reject::Neighbor);
        }
        let repr = ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Reply,
            source_hardware_addr: EthernetAddress(self.config.mac),
            source_protocol_addr: ours,
            target_hardware_addr: EthernetAddress(asker),
            target_protocol_addr: asker_address,
        };
        let sent = self.send_arp(repr, asker);
        self.counters.replies_suppressed += u64::from(!sent);
        Ok(())
    }

    pub(super) fn send_arp_request(&mut self, ours: Ipv4Addr, wanted: Ipv4Addr) -> bool {
        let repr = ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_hardware_addr: EthernetAddress(self.config.mac),
            source_protocol_addr: ours,
            target_hardware_addr: EthernetAddress([0; 6]),
            target_protocol_addr: wanted,
        };
        self.send_arp(repr, BROADCAST)
    }

    fn send_arp(&mut self, repr: ArpRepr, next_hop: Mac) -> bool {
        let route = Route { ours: self.config.mac, next_hop };
        reply::ethernet(&mut self.outbox, route, EthernetProtocol::Arp, repr.buffer_len(), |payload| {
            repr.emit(&mut ArpPacket::new_unchecked(payload));
        })
    }

    pub(super) fn take_icmpv4(&mut self, packet: &Packet<'_>, sender: Mac, now: Duration) -> Result<(), Reject> {
        if checksum::sum(packet.payload) != 0xffff {
            return Err(Reject::Checksum);
        }
        match packet.payload {
            [ECHO_REQUEST_V4, 0, ..] => self.answer_echo(packet, sender, ECHO_REPLY_V4, now),
            _ => self.take_error_v4(packet, now),
        }
    }

    pub(super) fn take_icmpv6(&mut self, packet: &Packet<'_>, cast: Cast, sender: Mac, now: Duration) -> Result<(), Reject> {
        if !packet.source.is_ipv6() {
            return Err(Reject::Malformed);
        }
        if !packet.payload_checksum_holds() {
            return Err(Reject::Checksum);
        }
        let repr = match (packet.source, packet.destination, Icmpv6Packet::new_checked(packet.payload)) {
            (IpAddr::V6(source), IpAddr::V6(destination), Ok(icmp)) => {
                Icmpv6Repr::parse(&source, &destination, &icmp, &ChecksumCapabilities::ignored())
            }
            _ => return Err(Reject::Malformed),
        };
        if let Ok(Icmpv6Repr::Ndisc(repr)) = repr {
            return self.take_neighbor(packet, &repr, sender, now);
        }
        self.check_source(packet)?;
        if cast == Cast::Group {
            return Err(Reject::NotOurs);
        }
        match packet.payload {
            [ECHO_REQUEST_V6, 0, ..] => self.answer_echo(packet, sender, ECHO_REPLY_V6, now),
            _ => self.take_error_v6(packet, now),
        }
    }

    /// The same message back, with another type, to one of our addresses only and at a limited rate (ATTACKS N13).
    fn answer_echo(&mut self, packet: &Packet<'_>, sender: Mac, kind: u8, now: Duration) -> Result<(), Reject> {
        if !self.is_local(packet.destination) {
            return Err(Reject::NotOurs);
        }
        let allowed = self.echoes.take(now);
        let route = Route { ours: self.config.mac, next_hop: sender };
        let (from, to, message) = (packet.destination, packet.source, packet.payload);
        let sent = allowed
            && reply::ip(&mut self.outbox, route, from, to, packet.protocol, message.len(), 64, |payload| {
                payload.copy_from_slice(message);
                payload[..4].copy_from_slice(&[kind, 0, 0, 0]);
                let pseudo = if from.is_ipv6() { checksum::pseudo_header(from, to, packet.protocol.into(), message.len()) } else { 0 };
                let sum = !checksum::add(pseudo, checksum::sum(payload));
                payload[2..4].copy_from_slice(&sum.to_be_bytes());
            });
        self.counters.echo_replies += u64::from(sent);
        self.counters.replies_suppressed += u64::from(!sent);
        Ok(())
    }

    fn take_neighbor(&mut self, packet: &Packet<'_>, repr: &NdiscRepr<'_>, sender: Mac, now: Duration) -> Result<(), Reject> {
        if packet.hop_limit != HOP_LIMIT_OF_LINK || self.is_local(packet.source) {
            return Err(Reject::Neighbor);
        }
        match *repr {
            NdiscRepr::NeighborSolicit { target_addr, lladdr } => {
                let honest = lladdr.is_none_or(|address| address.as_bytes() == sender);
                if honest && self.is_local(target_addr.into()) {
                    return self.answer_solicitation(packet.source, target_addr, sender);
                }
            }
            NdiscRepr::NeighborAdvert { flags, target_addr, lladdr } => {
                let mac = lladdr.map_or(Some(sender), |address| address.as_bytes().try_into().ok());
                let solicited = flags.contains(NdiscNeighborFlags::SOLICITED) && self.is_local(packet.destination);
                if let Some(mac) = mac.filter(|&mac| solicited && mac == sender && unicast_mac(mac))
                    && self.hop_found(target_addr.into(), mac, now)
                {
                    return Ok(());
                }
            }
            NdiscRepr::RouterSolicit { .. } | NdiscRepr::RouterAdvert { .. } | NdiscRepr::Redirect { .. } => {}
        }
        Err(Reject::Neighbor)
    }

    /// RFC 4861 section 7.2.4; a probe without a source address is answered to all nodes (RFC 4862 section 5.4.3).
    fn answer_solicitation(&mut self, asker: IpAddr, target: Ipv6Addr, sender: Mac) -> Result<(), Reject> {
        let probe = asker.is_unspecified();
        let flags = if probe { NdiscNeighborFlags::OVERRIDE } else { NdiscNeighborFlags::OVERRIDE | NdiscNeighborFlags::SOLICITED };
        let advert =
            NdiscRepr::NeighborAdvert { flags, target_addr: target, lladdr: Some(RawHardwareAddress::from_bytes(&self.config.mac)) };
        let (to, next_hop) = match asker {
            IpAddr::V6(asker) if !probe && !asker.is_multicast() => (asker, sender),
            _ if probe => (Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), [0x33, 0x33, 0, 0, 0, 1]),
            _ => return Err(Reject::Source),
        };
        let sent = self.send_ndisc(advert, target, to, next_hop);
        self.counters.replies_suppressed += u64::from(!sent);
        Ok(())
    }

    pub(super) fn send_solicitation(&mut self, ours: Ipv6Addr, wanted: Ipv6Addr) -> bool {
        let [.., a, b, c] = wanted.octets();
        let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]));
        let lladdr = Some(RawHardwareAddress::from_bytes(&self.config.mac));
        let solicit = NdiscRepr::NeighborSolicit { target_addr: wanted, lladdr };
        self.send_ndisc(solicit, ours, group, [0x33, 0x33, 0xff, a, b, c])
    }

    fn send_ndisc(&mut self, repr: NdiscRepr<'_>, from: Ipv6Addr, to: Ipv6Addr, next_hop: Mac) -> bool {
        let repr = Icmpv6Repr::Ndisc(repr);
        let route = Route { ours: self.config.mac, next_hop };
        let len = repr.buffer_len();
        reply::ip(&mut self.outbox, route, from.into(), to.into(), IpProtocol::Icmpv6, len, HOP_LIMIT_OF_LINK, |payload| {
            repr.emit(&from, &to, &mut Icmpv6Packet::new_unchecked(payload), &ChecksumCapabilities::default());
        })
    }
}
