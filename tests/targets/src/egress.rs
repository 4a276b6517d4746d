//! Boundary: what a guest sends on a TAP, held against the filter. What the filter lets through, smoltcp reads again.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use smoltcp::wire::{ArpPacket, EthernetFrame, EthernetProtocol, IpAddress, IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket};
use tender::egress::{Egress, Link};
use tender::order::Wire;

use crate::script::Script;

/// The guest's link address.
pub(crate) const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PORT: u16 = 443;

fn own() -> [IpAddr; 2] {
    [IpAddr::from([192, 0, 2, 1]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])]
}

fn backends() -> [SocketAddr; 2] {
    [SocketAddr::from(([198, 51, 100, 9], 80)), SocketAddr::from(([0x2001, 0xdb8, 9, 0, 0, 0, 0, 9], 80))]
}

/// The first byte chooses the link and whether a reload came before.
pub fn egress(data: &[u8]) {
    let mut script = Script(data);
    let choice = script.byte();
    let is_front = choice & 1 == 0;
    let link = if is_front { Link::Front { ports: vec![PORT] } } else { Link::Back { backends: backends().to_vec(), retired: vec![] } };
    let mut egress = Egress::new(Wire { mac: MAC, addresses: own().to_vec() }, link);
    let keeps = choice & 2 == 0;
    if !keeps {
        egress.reload(&[], Duration::from_secs(1), Duration::ZERO);
        egress.forget_retired(Duration::from_secs(1));
    }
    let frame = script.0;
    if egress.allows(frame) {
        let backends = if keeps { backends().to_vec() } else { vec![] };
        is_ours(frame, is_front, &backends);
    }
}

/// The filter's promise, by another reader.
fn is_ours(frame: &[u8], is_front: bool, backends: &[SocketAddr]) {
    let ethernet = EthernetFrame::new_checked(frame).expect("an Ethernet frame");
    assert_eq!(ethernet.src_addr().0, MAC);
    let payload = ethernet.payload();
    match ethernet.ethertype() {
        EthernetProtocol::Arp => {
            let packet = ArpPacket::new_unchecked(payload);
            let sender: [u8; 4] = packet.source_protocol_addr().try_into().expect("an address of IPv4");
            assert_eq!(packet.source_hardware_addr(), MAC);
            assert!(sender == [0; 4] || own().contains(&IpAddr::from(sender)));
        }
        EthernetProtocol::Ipv4 => {
            let packet = Ipv4Packet::new_unchecked(payload);
            assert!(packet.header_len() == 20 && !packet.more_frags() && packet.frag_offset() == 0);
            let ends = (packet.src_addr().into(), packet.dst_addr().into());
            speaks(packet.next_header(), ends, &payload[20..], is_front, backends);
        }
        EthernetProtocol::Ipv6 => {
            let packet = Ipv6Packet::new_unchecked(payload);
            let ends = (packet.src_addr().into(), packet.dst_addr().into());
            speaks(packet.next_header(), ends, &payload[40..], is_front, backends);
        }
        other => panics(&format!("{other} was let through")),
    }
}

fn speaks(protocol: IpProtocol, ends: (IpAddress, IpAddress), payload: &[u8], is_front: bool, backends: &[SocketAddr]) {
    let source = IpAddr::from(ends.0);
    let link_local = matches!(source, IpAddr::V6(address) if address.is_unicast_link_local());
    match protocol {
        IpProtocol::Tcp => {
            let tcp = TcpPacket::new_unchecked(payload);
            let destination = SocketAddr::new(ends.1.into(), tcp.dst_port());
            assert!(own().contains(&source) || link_local, "another's address");
            if is_front {
                assert!(tcp.src_port() == PORT && (tcp.ack() || !tcp.syn()), "the front opens nothing");
            } else {
                assert!(backends.contains(&destination), "{destination} is no backend");
            }
        }
        IpProtocol::Icmp | IpProtocol::Icmpv6 => assert!(own().contains(&source) || link_local || source.is_unspecified()),
        other => panics(&format!("{other} was let through")),
    }
}

#[expect(clippy::panic, reason = "what a target finds is a panic")]
fn panics(what: &str) {
    panic!("{what}");
}
