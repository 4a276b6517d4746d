//! Boundary: Ethernet frames from a hostile wire. The input is a sequence of (length, offload, frame); time passes between them.
#![no_main]
#![forbid(unsafe_code)]

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use net::{Cidr, Config, Limits, Listen, Net, Offload, Trust};

fn config() -> Config {
    Config {
        mac: [2, 0, 0, 0, 0, 2],
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

fuzz_target!(|data: &[u8]| {
    let mut net = Net::new(config(), [7; 32], Duration::ZERO).unwrap();
    let mut out = vec![0; net::limits::FRAME_LEN_MAX];
    let mut now = Duration::ZERO;
    let mut rest = data;
    while let [low, high, flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, tail @ ..] = rest {
        let len = usize::from(u16::from_le_bytes([*low, *high])).min(tail.len());
        let (frame, next) = tail.split_at(len);
        let offload = Offload {
            flags: *flags,
            gso_type: *gso_type,
            hdr_len: u16::from(*hdr_len),
            gso_size: u16::from(*gso_size),
            csum_start: u16::from(*csum_start),
            csum_offset: u16::from(*csum_offset),
        };
        net.receive(frame, offload, now);
        while let Some(event) = net.poll_event() {
            let _ = event;
        }
        while net.poll_transmit(&mut out, now).is_some() {}
        now += Duration::from_millis(u64::from(*low));
        net.handle_timeout(now);
        rest = next;
    }
});
