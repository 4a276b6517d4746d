//! Refusing a connection that is asked for, on our user's behalf.

use smoltcp::wire::{EthernetFrame, EthernetProtocol, IpProtocol, TcpControl};

use super::Net;
use crate::offload::Offload;
use crate::packet::Packet;
use crate::reply::{self, Route};
use crate::segment::{Kind, Segment};

impl Net {
    /// One RST for one SYN, outside the bucket of those that nobody asked for: it is an answer that our user has decided on.
    pub(super) fn refuse_syn(&mut self, frame: &[u8], offload: Offload) {
        let Ok(ethernet) = EthernetFrame::new_checked(frame) else { return };
        let packet = match ethernet.ethertype() {
            EthernetProtocol::Ipv4 => Packet::parse_v4(ethernet.payload()),
            EthernetProtocol::Ipv6 => Packet::parse_v6(ethernet.payload()),
            _ => return,
        };
        let Ok(packet) = packet else { return };
        if ethernet.dst_addr().0 != self.config.mac || packet.protocol != IpProtocol::Tcp || self.check_source(&packet).is_err() {
            return;
        }
        let offload = if self.config.offload { offload } else { Offload::default() };
        let Ok(segment) = Segment::parse(&packet, offload) else { return };
        if segment.kind != Kind::Syn || self.table.find(&self.keys, &segment.ends).is_some() {
            return;
        }
        let route = Route { ours: self.config.mac, next_hop: ethernet.src_addr().0 };
        // RFC 9293 section 3.10.7.1.
        let repr = reply::blank(&segment.ends, TcpControl::Rst, 0, Some(segment.end()), 0);
        let sent = reply::tcp(&mut self.outbox, route, &segment.ends, &repr);
        self.counters.resets_sent += u64::from(sent);
        self.counters.replies_suppressed += u64::from(!sent);
    }
}
