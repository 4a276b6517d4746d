//! A frame's way out: replies first, then the flows that have something to say, one frame each in turn.

use core::time::Duration;

use smoltcp::wire::EthernetProtocol;

use super::Net;
use crate::checksum;
use crate::flow::Flow;
use crate::keys::Ends;
use crate::limits::{ETHERNET_LEN, FRAME_LEN_MIN};
use crate::offload::{GSO_TCPV4, GSO_TCPV6, NEEDS_CSUM, Offload};
use crate::reply::{self, Route};
use crate::table::State;

const TCP: u8 = 6;
const TCP_CHECKSUM_AT: usize = 16;
const FIN: u8 = 1;

/// Who computes the checksum, and cuts what is longer than a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finisher {
    Host,
    Us,
}

impl Net {
    pub(super) fn next_frame(&mut self, buf: &mut [u8], now: Duration) -> Option<(usize, Offload)> {
        if let Some(len) = self.outbox.pop(buf) {
            return Some((len, Offload::default()));
        }
        while let Some(index) = self.table.next_ready() {
            if let Some(frame) = self.transmit_flow(index, buf, now) {
                self.table.mark_ready(index);
                return Some(frame);
            }
            self.rest(index, now);
            // Resting may have ended the flow, and that is said in a reply.
            if let Some(len) = self.outbox.pop(buf) {
                return Some((len, Offload::default()));
            }
        }
        None
    }

    fn transmit_flow(&mut self, index: u32, buf: &mut [u8], now: Duration) -> Option<(usize, Offload)> {
        self.resize(index, now);
        let slot = self.table.slot_mut(index);
        let State::Open(flow) = &mut slot.state else { return None };
        let (head, room) = buf.split_at_mut(ETHERNET_LEN);
        if flow.awaits_reader() {
            return None;
        }
        flow.start_clock(now);
        let len = self.engine.transmit(&mut flow.seat, room, now);
        if len == 0 {
            return None;
        }
        let route = Route { ours: self.config.mac, next_hop: flow.next_hop };
        reply::head(head, route, ethertype(&slot.ends));
        let finisher = if self.config.offload { Finisher::Host } else { Finisher::Us };
        let offload = finish(&mut room[..len], &slot.ends, flow, finisher);
        let padded = (ETHERNET_LEN + len).max(FRAME_LEN_MIN);
        buf[ETHERNET_LEN + len..padded].fill(0);
        Some((padded, offload))
    }

    /// Queues a short packet that a socket has made in answer to one.
    pub(super) fn send_packet(&mut self, index: u32, packet: &mut [u8], route: Route) {
        let slot = self.table.slot_mut(index);
        let State::Open(flow) = &mut slot.state else { return };
        finish(packet, &slot.ends, flow, Finisher::Us);
        let sent = reply::ethernet(&mut self.outbox, route, ethertype(&slot.ends), packet.len(), |room| room.copy_from_slice(packet));
        self.counters.replies_suppressed += u64::from(!sent);
    }
}

/// Books the socket's packet and completes it: its checksum, or a note to the host to do that and the cutting.
fn finish(packet: &mut [u8], ends: &Ends, flow: &mut Flow, finisher: Finisher) -> Offload {
    let ip_len = if ends.local.is_ipv4() { 20 } else { 40 };
    let tcp = &mut packet[ip_len..];
    let headers = usize::from(tcp[12] >> 4) * 4;
    let payload = tcp.len() - headers;
    let fin = tcp[13] & FIN;
    let end = word(tcp, 4).wrapping_add(u32::try_from(payload).unwrap_or(0)).wrapping_add(fin.into());
    flow.spoke(end, word(tcp, 8));
    let window = flow.rescale(u16::from_be_bytes([tcp[14], tcp[15]]));
    tcp[14..16].copy_from_slice(&window.to_be_bytes());
    if payload == 0 && fin == 0 {
        // After a timeout smoltcp counts from the oldest unacknowledged byte again, and so do its bare ACKs. The peer has seen those
        // numbers and ignores what such an ACK says; if both ends are in that state, neither ever hears the other.
        tcp[4..8].copy_from_slice(&flow.bare_sequence().to_be_bytes());
    }
    let pseudo = checksum::pseudo_header(ends.local.ip(), ends.peer.ip(), TCP, tcp.len());
    // smoltcp leaves the field 0.
    let sum = match finisher {
        Finisher::Host => pseudo,
        Finisher::Us => !checksum::add(pseudo, checksum::sum(tcp)),
    };
    tcp[TCP_CHECKSUM_AT..TCP_CHECKSUM_AT + 2].copy_from_slice(&sum.to_be_bytes());
    match finisher {
        Finisher::Host => note(ip_len, headers, payload, flow.mss),
        Finisher::Us => Offload::default(),
    }
}

fn note(ip_len: usize, tcp_len: usize, payload: usize, mss: u16) -> Offload {
    let small = |len: usize| u16::try_from(len).expect("invariant: headers are at most 14 + 40 + 60 bytes");
    let plain =
        Offload { flags: NEEDS_CSUM, csum_start: small(ETHERNET_LEN + ip_len), csum_offset: small(TCP_CHECKSUM_AT), ..Offload::default() };
    if payload <= usize::from(mss) {
        return plain;
    }
    let gso_type = if ip_len == 20 { GSO_TCPV4 } else { GSO_TCPV6 };
    Offload { gso_type, gso_size: mss, hdr_len: small(ETHERNET_LEN + ip_len + tcp_len), ..plain }
}

fn ethertype(ends: &Ends) -> EthernetProtocol {
    if ends.local.is_ipv4() { EthernetProtocol::Ipv4 } else { EthernetProtocol::Ipv6 }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(core::array::from_fn(|i| bytes[at + i]))
}
