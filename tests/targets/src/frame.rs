//! Boundary: Ethernet frames from a hostile wire. The input is a sequence of (length, offload, frame); time passes between them. A length with its highest bit comes to a box that is full.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use net::{Cidr, Config, Limits, Listen, Net, Offload, Trust};

/// The server's link address.
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];

fn config() -> Config {
    Config {
        mac: MAC,
        addresses: vec![
            Cidr { address: IpAddr::V4(Ipv4Addr::new(10, 77, 0, 2)), prefix_len: 24 },
            Cidr { address: IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2)), prefix_len: 64 },
        ],
        gateways: Vec::new(),
        mtu: 1500,
        offload: true,
        trust: Trust::Public,
        listen: vec![Listen { address: None, port: 443 }],
        limits: Limits::default(),
    }
}

/// Nobody's address is proven here, so nothing may be kept of anybody, and nobody gets more than one frame for one of his own. But one cookie of 2^24 is
/// guessed, and fuzzers guess often: one flow of an input is luck, two are none.
pub fn frame(data: &[u8]) {
    let mut net = Net::new(config(), [7; 32], Duration::ZERO).expect("a configuration that works");
    let mut out = vec![0; net::limits::FRAME_LEN_MAX];
    let mut now = Duration::ZERO;
    let (mut given, mut rest) = (0_u64, data);
    while let [low, high, flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, tail @ ..] = rest {
        let len = usize::from(u16::from_le_bytes([*low, *high & 0x7f])).min(tail.len());
        let (frame, next) = tail.split_at(len);
        let offload = Offload {
            flags: *flags,
            gso_type: *gso_type,
            hdr_len: u16::from(*hdr_len),
            gso_size: u16::from(*gso_size),
            csum_start: u16::from(*csum_start),
            csum_offset: u16::from(*csum_offset),
        };
        given += 1;
        if *high & 0x80 == 0 {
            net.receive(frame, offload, now);
        } else {
            net.refuse(frame, offload);
        }
        while net.poll_event().is_some() {}
        while let Some((len, _)) = net.poll_transmit(&mut out, now) {
            assert!((net::limits::FRAME_LEN_MIN..=net::limits::REPLY_LEN_MAX).contains(&len));
            assert_eq!(out[6..12], MAC);
        }
        now += Duration::from_millis(u64::from(*low));
        net.handle_timeout(now);
        rest = next;
    }
    let counters = net.counters();
    assert!(counters.cookies_accepted <= 1, "flows without proven addresses");
    if counters.cookies_accepted == 0 {
        assert!(counters.tx_frames <= given && counters.rx_frames <= given, "{given}: {counters:?}");
        assert_eq!((counters.flows, counters.ring_bytes), (0, 0));
    }
}
