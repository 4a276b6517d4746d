//! Connections that we begin.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use alloc::boxed::Box;
use smoltcp::wire::TcpControl;

use super::Net;
use crate::cookie::Offer;
use crate::dial::{Answer, Dial};
use crate::engine::{Birth, EMPTY_LEN_MAX};
use crate::event::{CloseReason, ConnectFault, FlowId};
use crate::flow::{Flow, window_scale};
use crate::keys::Ends;
use crate::limits::{EPHEMERAL_PORTS, PORT_TRIES};
use crate::neighbor::Lookup;
use crate::reply::{self, Route};
use crate::segment::{Kind, Segment};
use crate::table::{Counted, State};

impl Net {
    pub(super) fn dial(&mut self, peer: SocketAddr, local: Option<SocketAddr>, now: Duration) -> Result<FlowId, ConnectFault> {
        let peer = SocketAddr::new(peer.ip(), peer.port());
        let unicast = !peer.ip().is_unspecified() && !peer.ip().is_multicast() && peer.ip() != IpAddr::V4(Ipv4Addr::BROADCAST);
        if peer.port() == 0 || !unicast {
            return Err(ConnectFault::Unroutable);
        }
        if !self.make_room() {
            return Err(ConnectFault::LimitFlows);
        }
        let hop = self.hop_towards(peer.ip()).ok_or(ConnectFault::Unroutable)?;
        let address = self.source_towards(peer.ip(), local)?;
        let ends = self.free_ends(SocketAddr::new(address, local.map_or(0, |local| local.port())), peer)?;
        let sequence = self.keys.initial_sequence(&ends, now);
        let dial = Dial::new(sequence, hop, self.config.limits.connect_timeout, now);
        let index = self.table.insert(&self.keys, ends, State::Dialing(Box::new(dial)), Counted::Not);
        self.open_account();
        self.counters.connects += 1;
        let flow = self.table.name(index);
        self.redial(index, now);
        Ok(flow)
    }

    /// The peer itself if it is on the link, else a gateway.
    fn hop_towards(&self, peer: IpAddr) -> Option<IpAddr> {
        if self.config.addresses.iter().any(|cidr| cidr.contains(peer)) {
            return Some(peer);
        }
        let gateway = self.config.gateways.iter().find(|gateway| gateway.address.is_ipv4() == peer.is_ipv4())?;
        Some(gateway.address)
    }

    fn source_towards(&self, peer: IpAddr, wanted: Option<SocketAddr>) -> Result<IpAddr, ConnectFault> {
        if let Some(wanted) = wanted.map(|wanted| wanted.ip()).filter(|wanted| !wanted.is_unspecified()) {
            let usable = wanted.is_ipv4() == peer.is_ipv4() && wanted != peer && !wanted.is_multicast();
            return match (usable, self.is_local(wanted) || self.is_private()) {
                (true, true) => Ok(wanted),
                (true, false) => Err(ConnectFault::ForeignSource),
                (false, _) => Err(ConnectFault::Unroutable),
            };
        }
        let mut family = self.config.addresses.iter().filter(|cidr| cidr.address.is_ipv4() == peer.is_ipv4());
        let first = family.clone().next();
        let source = family.find(|cidr| cidr.contains(peer)).or(first).ok_or(ConnectFault::Unroutable)?.address;
        if source == peer { Err(ConnectFault::Unroutable) } else { Ok(source) }
    }

    /// RFC 6056 algorithm 3: a keyed offset for the pair of addresses, and a turn that moves on with each connection.
    fn free_ends(&mut self, local: SocketAddr, peer: SocketAddr) -> Result<Ends, ConnectFault> {
        if local.port() != 0 {
            let ends = Ends { local, peer };
            return if self.table.find(&self.keys, &ends).is_none() { Ok(ends) } else { Err(ConnectFault::InUse) };
        }
        let offset = self.keys.port_offset(&Ends { local, peer });
        let ports = u32::from(EPHEMERAL_PORTS.end() - EPHEMERAL_PORTS.start()) + 1;
        for _ in 0..PORT_TRIES {
            self.port_turn = self.port_turn.wrapping_add(1);
            let step = u16::try_from(offset.wrapping_add(self.port_turn) % ports).unwrap_or(0);
            let ends = Ends { local: SocketAddr::new(local.ip(), EPHEMERAL_PORTS.start() + step), peer };
            if self.table.find(&self.keys, &ends).is_none() {
                return Ok(ends);
            }
        }
        Err(ConnectFault::LimitPorts)
    }

    /// Next step of a connection that is not there yet: ask for the next hop, send the SYN, or give up.
    pub(super) fn redial(&mut self, index: u32, now: Duration) {
        let State::Dialing(dial) = &mut self.table.slot_mut(index).state else { return };
        if now >= dial.give_up_at {
            let reason = if dial.next_hop.is_some() { CloseReason::ConnectTimeout } else { CloseReason::Unreachable };
            return self.end(index, Some(reason));
        }
        if dial.next_hop.is_none() {
            let hop = dial.hop;
            match self.neighbors.lookup(hop, index, now) {
                Lookup::Known(mac) => dial.next_hop = Some(mac),
                Lookup::Ask => self.ask_for(index, hop),
                Lookup::Wait => {}
                Lookup::Dead | Lookup::Full => return self.end(index, Some(CloseReason::Unreachable)),
            }
        }
        let State::Dialing(dial) = &mut self.table.slot_mut(index).state else { return };
        let knows_hop = dial.next_hop.is_some();
        dial.tried(now);
        let deadline = dial.deadline();
        if knows_hop {
            self.send_syn(index, None);
        }
        self.wake_at(index, deadline);
    }

    /// Those who waited for this next hop go on.
    pub(super) fn hop_found(&mut self, address: IpAddr, mac: reply::Mac, now: Duration) -> bool {
        let Some(waiting) = self.neighbors.answered(address, mac, now) else { return false };
        for index in waiting {
            let waits = matches!(&self.table.slot(index).state, State::Dialing(dial) if dial.hop == address && dial.next_hop.is_none());
            if waits {
                self.redial(index, now);
            }
        }
        true
    }

    fn ask_for(&mut self, index: u32, hop: IpAddr) {
        let mut of_family = self.config.addresses.iter().filter(|cidr| cidr.address.is_ipv4() == hop.is_ipv4());
        let ours = of_family.clone().find(|cidr| cidr.contains(hop)).or(of_family.next()).map(|cidr| cidr.address);
        let sent = match (ours.unwrap_or(self.table.slot(index).ends.local.ip()), hop) {
            (IpAddr::V4(ours), IpAddr::V4(hop)) => self.send_arp_request(ours, hop),
            (IpAddr::V6(ours), IpAddr::V6(hop)) => self.send_solicitation(ours, hop),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        };
        self.counters.replies_suppressed += u64::from(!sent);
    }

    /// Sends our SYN, or the SYN-ACK of a simultaneous open.
    fn send_syn(&mut self, index: u32, ack: Option<u32>) {
        let slot = self.table.slot(index);
        let State::Dialing(dial) = &slot.state else { return };
        let Some(next_hop) = dial.next_hop else { return };
        let mut repr = reply::blank(&slot.ends, TcpControl::Syn, dial.sequence, ack, self.first_window());
        repr.max_seg_size = Some(self.own_mss(slot.ends.local.ip()));
        repr.window_scale = Some(window_scale(self.config.limits.rx_ring));
        repr.sack_permitted = true;
        let sent = reply::tcp(&mut self.outbox, Route { ours: self.config.mac, next_hop }, &slot.ends, &repr);
        self.counters.replies_suppressed += u64::from(!sent);
    }

    pub(super) fn dial_answered(&mut self, index: u32, answer: Answer, segment: &Segment<'_>, route: Route, now: Duration) {
        match answer {
            Answer::Open(peer_sequence, offer) => self.open_dial(index, peer_sequence, offer, segment, now),
            Answer::Cross(ack) => self.send_syn(index, Some(ack)),
            Answer::Refused => self.end(index, Some(CloseReason::PeerRefused)),
            Answer::Reset(_) => {
                self.reset(segment, route, now);
                // What the peer had left of an earlier connection between these ends is gone with that: no need to wait for a second.
                if let State::Dialing(dial) = &mut self.table.slot_mut(index).state
                    && !core::mem::replace(&mut dial.cleared, true)
                {
                    self.send_syn(index, None);
                }
            }
            Answer::Ignore => self.counters.dropped_out_of_window += 1,
        }
    }

    fn open_dial(&mut self, index: u32, peer_sequence: u32, offer: Offer, segment: &Segment<'_>, now: Duration) {
        let slot = self.table.slot_mut(index);
        let State::Dialing(dial) = &slot.state else { return };
        let Some(next_hop) = dial.next_hop else { return };
        let own_mss = self.config.mtu - if slot.ends.local.is_ipv4() { 40 } else { 60 };
        let birth = Birth {
            ends: slot.ends,
            local_sequence: dial.sequence,
            peer_sequence,
            offer: Offer { mss: offer.mss.min(own_mss), ..offer },
            window: scaled_window(segment, offer),
            rx_ring: self.config.limits.first_rx_ring,
            tx_ring: self.config.limits.first_tx_ring,
            keepalive: self.config.limits.keepalive,
        };
        let mut ack = [0; EMPTY_LEN_MAX];
        let Ok((seat, len)) = self.engine.birth(&birth, &mut ack, now) else { return };
        slot.state = State::Open(Flow::new(seat, &birth, next_hop, self.config.limits.rx_ring, now));
        slot.pending.connected = true;
        self.send_packet(index, &mut ack[..len], Route { ours: self.config.mac, next_hop });
        self.table.mark_news(index);
        self.table.mark_ready(index);
        if matches!(segment.kind, Kind::Ack { .. }) {
            self.feed(index, segment, now);
        }
    }
}

/// The window of a SYN-ACK is not scaled (RFC 7323 section 2.2); what the socket is shown later is.
fn scaled_window(segment: &Segment<'_>, offer: Offer) -> u16 {
    let scale = offer.scale.unwrap_or(0);
    match segment.kind {
        Kind::SynAck { .. } => u16::try_from(u32::from(segment.window).div_ceil(1 << scale)).unwrap_or(u16::MAX),
        _ => segment.window,
    }
}
