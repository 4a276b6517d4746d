//! The box that is fuzzed where no configuration is named: one listener, one route, one backend that never answers.
//!
//! Its key stands in the repository and so is everybody's. It is Ed25519, whose signatures are the same each time; so all that this box does follows from the
//! seed and the input.

use core::net::{Ipv4Addr, SocketAddr};

use harness::limits::HEAP_LEN;
use keys::Secret;
use keys::bundle::{Bundle, Certificate, Limits, Listener, Memory, Mode, ProxyOut, Route, Tls, Upstream};

use crate::addresses::{FRONT_GUEST_V4, back_link, front_link};

/// PKCS#8.
const KEY: &[u8] = include_bytes!("key.der");
const CERTIFICATE: &[u8] = include_bytes!("certificate.der");
const NAME: &str = "fuzz.test";
const MTU: u16 = 1500;

/// 2030-01-01: the certificate is good for a century.
pub(super) const UNIX_S: u64 = 1_893_456_000;

/// Where the guest listens.
const PORT: u16 = 443;
const BACKEND: (Ipv4Addr, u16) = (Ipv4Addr::new(100, 64, 0, 1), 80);

pub(super) fn bundle() -> Bundle {
    let memory = Memory(HEAP_LEN as u64);
    let backend: SocketAddr = BACKEND.into();
    Bundle {
        front: front_link(MTU),
        back: back_link(MTU),
        listeners: vec![Listener { address: Some(FRONT_GUEST_V4.into()), port: PORT, known_as: None, proxy_from: Vec::new() }],
        certificates: vec![Certificate { chain: vec![CERTIFICATE.to_vec()], key: Secret::new(KEY.to_vec()), names: vec![NAME.into()] }],
        routes: vec![Route {
            name: NAME.into(),
            sni: Vec::new(),
            alpn: Vec::new(),
            mode: Mode::Terminate,
            certificates: vec![0],
            client: None,
            backends: vec![backend],
            upstream: Upstream::default(),
            proxy: ProxyOut::Off,
        }],
        tls: Tls::default(),
        ticket_key: None,
        limits: memory.fit(Limits::default()),
        memory,
        contest: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_room_is_what_the_page_says() {
        let Limits { connections, handshakes, .. } = bundle().limits;
        let page = include_str!("../../../../docs/target.md");
        assert!(page.contains(&format!("the built-in box holds {connections} connections and {handshakes} handshakes")));
    }
}
