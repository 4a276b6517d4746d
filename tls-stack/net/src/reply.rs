//! Short frames of our own making, written straight into the outbox.

use core::net::IpAddr;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, IpAddress, IpProtocol, IpRepr, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber,
};

use crate::keys::Ends;
use crate::limits::{ETHERNET_LEN, REPLY_LEN_MAX};
use crate::outbox::Outbox;

/// A link address.
pub(crate) type Mac = [u8; 6];

/// From whom to whom at link level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) ours: Mac,
    pub(crate) next_hop: Mac,
}

/// An empty segment from our end to the peer's; the rest is for the caller to fill in.
pub(crate) fn blank(ends: &Ends, control: TcpControl, sequence: u32, ack: Option<u32>, window: u16) -> TcpRepr<'static> {
    TcpRepr {
        src_port: ends.local.port(),
        dst_port: ends.peer.port(),
        control,
        seq_number: TcpSeqNumber(sequence.cast_signed()),
        ack_number: ack.map(|ack| TcpSeqNumber(ack.cast_signed())),
        window_len: window,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload: &[],
    }
}

/// Writes a segment with full checksums. False if the outbox is full.
pub(crate) fn tcp(outbox: &mut Outbox, route: Route, ends: &Ends, repr: &TcpRepr<'_>) -> bool {
    let (source, destination) = (ends.local.ip(), ends.peer.ip());
    ip(outbox, route, source, destination, IpProtocol::Tcp, repr.buffer_len(), 64, |payload| {
        let (source, destination) = (source.into(), destination.into());
        repr.emit(&mut TcpPacket::new_unchecked(payload), &source, &destination, &ChecksumCapabilities::default());
    })
}

/// Writes an IP packet whose payload `fill` makes.
#[expect(clippy::too_many_arguments, reason = "they are the header's fields")]
pub(crate) fn ip(
    outbox: &mut Outbox,
    route: Route,
    source: IpAddr,
    destination: IpAddr,
    protocol: IpProtocol,
    payload_len: usize,
    hop_limit: u8,
    fill: impl FnOnce(&mut [u8]),
) -> bool {
    let header = IpRepr::new(IpAddress::from(source), IpAddress::from(destination), protocol, payload_len, hop_limit);
    let kind = if source.is_ipv4() { EthernetProtocol::Ipv4 } else { EthernetProtocol::Ipv6 };
    ethernet(outbox, route, kind, header.buffer_len(), |packet| {
        header.emit(&mut *packet, &ChecksumCapabilities::default());
        fill(&mut packet[header.header_len()..]);
    })
}

/// Writes an Ethernet frame whose payload `fill` makes.
pub(crate) fn ethernet(
    outbox: &mut Outbox,
    route: Route,
    kind: EthernetProtocol,
    payload_len: usize,
    fill: impl FnOnce(&mut [u8]),
) -> bool {
    let len = ETHERNET_LEN + payload_len;
    len <= REPLY_LEN_MAX
        && outbox.push(len, |frame| {
            head(frame, route, kind);
            fill(&mut frame[ETHERNET_LEN..]);
        })
}

/// Writes an Ethernet header.
pub(crate) fn head(frame: &mut [u8], route: Route, kind: EthernetProtocol) {
    let mut frame = EthernetFrame::new_unchecked(frame);
    frame.set_src_addr(EthernetAddress(route.ours));
    frame.set_dst_addr(EthernetAddress(route.next_hop));
    frame.set_ethertype(kind);
}
