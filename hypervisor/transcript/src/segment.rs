//! A frame as a TCP segment, by smoltcp's wire types. Whatever else it is, it is not looked at.
//!
//! Checksums are not asked for: an offload may have left them open, and the guest has judged the frame already.

use core::net::{IpAddr, SocketAddr};

use smoltcp::wire::{EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) sequence: u32,
    pub(crate) acknowledges: Option<u32>,
    pub(crate) flags: Flags,
    pub(crate) payload: &'a [u8],
}

/// What a segment does to its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flags {
    Syn,
    Fin,
    Reset,
    None,
}

impl<'a> Segment<'a> {
    pub(crate) fn parse(frame: &'a [u8]) -> Option<Self> {
        let frame = EthernetFrame::new_checked(frame).ok()?;
        let (kind, packet) = (frame.ethertype(), frame.payload());
        let (source, destination, segment) = match kind {
            EthernetProtocol::Ipv4 => of_ipv4(packet)?,
            EthernetProtocol::Ipv6 => of_ipv6(packet)?,
            _ => return None,
        };
        let tcp = TcpPacket::new_checked(segment).ok()?;
        let flags = match (tcp.syn(), tcp.fin(), tcp.rst()) {
            (_, _, true) => Flags::Reset,
            (true, _, _) => Flags::Syn,
            (_, true, _) => Flags::Fin,
            _ => Flags::None,
        };
        Some(Self {
            source: SocketAddr::new(source, tcp.src_port()),
            destination: SocketAddr::new(destination, tcp.dst_port()),
            sequence: tcp.seq_number().0.cast_unsigned(),
            acknowledges: tcp.ack().then(|| tcp.ack_number().0.cast_unsigned()),
            flags,
            payload: tcp.payload(),
        })
    }
}

/// Without fragments, which no guest takes.
fn of_ipv4(bytes: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let packet = Ipv4Packet::new_checked(bytes).ok()?;
    let whole = packet.version() == 4 && !packet.more_frags() && packet.frag_offset() == 0;
    let tcp = whole && packet.next_header() == IpProtocol::Tcp;
    tcp.then(|| (packet.src_addr().into(), packet.dst_addr().into(), packet.payload()))
}

/// Without extension headers, likewise.
fn of_ipv6(bytes: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let packet = Ipv6Packet::new_checked(bytes).ok()?;
    let tcp = packet.version() == 6 && packet.next_header() == IpProtocol::Tcp;
    tcp.then(|| (packet.src_addr().into(), packet.dst_addr().into(), packet.payload()))
}
