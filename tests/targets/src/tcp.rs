//! TCP segments by hand, in Ethernet frames of IPv4, and what came back.

use core::net::Ipv4Addr;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol, IpAddress, IpProtocol, IpRepr, Ipv4Packet, TcpPacket, TcpSeqNumber};

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// MSS 1460, SACK permitted, window scale 7.
pub(crate) const OPTIONS: [u8; 12] = [2, 4, 5, 180, 4, 2, 1, 1, 3, 3, 7, 0];

/// An address and a link address.
pub(crate) type End = (Ipv4Addr, [u8; 6]);

/// A segment. The ports are the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) ports: (u16, u16),
    pub(crate) flags: u8,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) window: u16,
    /// A multiple of 4 bytes.
    pub(crate) options: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Segment {
    /// The frame that carries it.
    pub(crate) fn frame(&self, from: End, to: End) -> Vec<u8> {
        let tcp_len = 20 + self.options.len() + self.payload.len();
        let ends: (IpAddress, IpAddress) = (from.0.into(), to.0.into());
        let ip = IpRepr::new(ends.0, ends.1, IpProtocol::Tcp, tcp_len, 64);
        let mut frame = vec![0; 14 + ip.buffer_len()];
        let mut ethernet = EthernetFrame::new_unchecked(&mut frame);
        ethernet.set_src_addr(EthernetAddress(from.1));
        ethernet.set_dst_addr(EthernetAddress(to.1));
        ethernet.set_ethertype(EthernetProtocol::Ipv4);
        ip.emit(&mut frame[14..], &ChecksumCapabilities::default());
        let mut tcp = TcpPacket::new_unchecked(&mut frame[14 + ip.header_len()..]);
        tcp.set_src_port(self.ports.0);
        tcp.set_dst_port(self.ports.1);
        tcp.set_seq_number(TcpSeqNumber(self.seq.cast_signed()));
        tcp.set_ack_number(TcpSeqNumber(self.ack.cast_signed()));
        tcp.set_window_len(self.window);
        tcp.set_header_len(u8::try_from(20 + self.options.len()).expect("at most 40 bytes of options"));
        tcp.set_urgent_at(0);
        let bytes = tcp.into_inner();
        bytes[13] = self.flags;
        bytes[20..20 + self.options.len()].copy_from_slice(&self.options);
        bytes[20 + self.options.len()..].copy_from_slice(&self.payload);
        TcpPacket::new_unchecked(bytes).fill_checksum(&ends.0, &ends.1);
        frame
    }

    /// The segment in a frame, whose checksums must be right.
    pub(crate) fn parse(frame: &[u8]) -> Option<Self> {
        let ethernet = EthernetFrame::new_checked(frame).ok()?;
        if ethernet.ethertype() != EthernetProtocol::Ipv4 {
            return None;
        }
        let ip = Ipv4Packet::new_checked(ethernet.payload()).expect("a packet");
        assert!(ip.verify_checksum(), "a wrong checksum");
        if ip.next_header() != IpProtocol::Tcp {
            return None;
        }
        let packet = TcpPacket::new_checked(ip.payload()).expect("a segment");
        assert!(packet.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into()), "a wrong checksum");
        Some(Self {
            ports: (packet.src_port(), packet.dst_port()),
            flags: ip.payload()[13],
            seq: packet.seq_number().0.cast_unsigned(),
            ack: packet.ack_number().0.cast_unsigned(),
            window: packet.window_len(),
            options: packet.options().to_vec(),
            payload: packet.payload().to_vec(),
        })
    }
}
