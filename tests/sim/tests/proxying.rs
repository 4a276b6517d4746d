//! What backends hear before the first byte: PROXY headers of each kind, whether TLS ends here or passes through.

use core::net::SocketAddr;
use core::time::Duration;

use keys::bundle::{Bundle, Mode, ProxyOut};
use proxy::{Addresses, Decoder, Header};
use sim::{Manners, Plan, Setup, Sim, Talk, Then};

const MINUTE: Duration = Duration::from_secs(60);

/// What the echo of one connection's plaintext is: the header, and `hello`.
fn heard(amend: fn(&mut Bundle)) -> Vec<u8> {
    let mut sim = Sim::new(Setup { amend, backends: vec![(sim::backend(1), Manners::EchoAfterEnd)], ..Setup::default() });
    let plan = sim.plan(1, "default.test", Talk::Stream(b"hello".to_vec()), Then::Close);
    let client = sim.clients.add(Plan { from: CLIENT, ..plan });
    assert!(sim.run_all(MINUTE));
    let heard = sim.clients.outcome(client).received.clone();
    assert_eq!(sim.cell.appliance.counters().bytes_up, 5, "the header is none of the client's bytes");
    heard
}

const CLIENT: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::new(81, 2, 0, 1)), 51_234);

/// The header in front, and what follows it.
fn split(heard: &[u8]) -> (Header, &[u8], &[u8]) {
    let (len, header) = Decoder::default().receive(heard);
    let (bytes, rest) = heard.split_at(len);
    (header.expect("a header").expect("a whole header"), bytes, rest)
}

fn expected() -> Header {
    Header::Client(Addresses::new(CLIENT, sim::SERVER))
}

/// Kind and value of each field from `at` on.
fn fields(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut list = Vec::new();
    while let [kind, high, low, rest @ ..] = bytes {
        let (value, behind) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        list.push((*kind, value.to_vec()));
        bytes = behind;
    }
    list
}

#[test]
fn off_is_nothing() {
    assert_eq!(heard(|_| {}), b"hello");
}

#[test]
fn version_1_is_a_line_before_the_first_byte() {
    let heard = heard(|bundle| bundle.routes[0].proxy = ProxyOut::V1);
    assert_eq!(heard, b"PROXY TCP4 81.2.0.1 10.0.2.15 51234 443\r\nhello");
}

#[test]
fn version_2_is_a_block_before_the_first_byte() {
    let heard = heard(|bundle| bundle.routes[0].proxy = ProxyOut::V2);
    let (header, bytes, rest) = split(&heard);
    assert_eq!((header, bytes.len(), rest), (expected(), 28, b"hello".as_slice()));
}

#[test]
fn version_2_with_tls_says_what_was_agreed() {
    let heard = heard(|bundle| {
        bundle.routes[0].proxy = ProxyOut::V2Tls;
    });
    let (header, bytes, rest) = split(&heard);
    assert_eq!((header, rest), (expected(), b"hello".as_slice()));
    let fields = self::fields(&bytes[28..]);
    assert_eq!(fields.iter().map(|field| field.0).collect::<Vec<_>>(), [0x02, 0x20, 0x03], "authority, TLS, checksum");
    assert_eq!(fields[0].1, b"default.test");
    assert_eq!(fields[1].1[..5], [1, 0, 0, 0, 1], "TLS without a client's certificate");
    let tls = self::fields(&fields[1].1[5..]);
    assert!(tls.contains(&(0x21, b"TLSv1.3".to_vec())), "{tls:?}");
    assert!(tls.iter().any(|(kind, name)| *kind == 0x23 && name.starts_with(b"TLS_")), "{tls:?}");
}

#[test]
fn a_backend_hears_the_header_of_a_client_that_says_nothing() {
    let mut sim = Sim::new(Setup { amend: |bundle| bundle.routes[0].proxy = ProxyOut::V1, ..Setup::default() });
    let plan = sim.plan(1, "default.test", Talk::Stream(Vec::new()), Then::Wait);
    let client = sim.clients.add(plan);
    assert!(sim.run_until(MINUTE, |sim| sim.clients.outcome(client).received.ends_with(b"443\r\n")));
}

#[test]
fn what_passes_through_is_introduced_too_and_says_no_more_than_the_name() {
    for (proxy, kinds) in [(ProxyOut::V1, vec![]), (ProxyOut::V2, vec![]), (ProxyOut::V2Tls, vec![0x02, 0x03])] {
        let amend: fn(&mut Bundle) = match proxy {
            ProxyOut::V1 => |bundle| pass(bundle, ProxyOut::V1),
            ProxyOut::V2 => |bundle| pass(bundle, ProxyOut::V2),
            _ => |bundle| pass(bundle, ProxyOut::V2Tls),
        };
        let mut sim = Sim::new(Setup { amend, ..Setup::default() });
        let name = rustls_std::pki_types::ServerName::try_from("default.test").expect("a name");
        let mut tls = rustls_std::ClientConnection::new(std::sync::Arc::new(sim.config()), name).expect("a client");
        let mut hello = Vec::new();
        tls.write_tls(&mut hello).expect("a hello");
        let client = sim.clients.add(Plan { from: CLIENT, then: Then::Vanish, ..Plan::raw(1, hello.clone()) });
        assert!(sim.run_all(MINUTE));
        let received = &sim.clients.outcome(client).received;
        let (header, bytes, rest) = split(received);
        assert_eq!((header, rest == hello), (expected(), true), "{proxy:?}");
        if proxy != ProxyOut::V1 {
            assert_eq!(fields(&bytes[28..]).iter().map(|field| field.0).collect::<Vec<_>>(), kinds, "{proxy:?}");
        }
        assert_eq!(sim.cell.appliance.counters().bytes_up, hello.len() as u64);
    }
}

fn pass(bundle: &mut Bundle, proxy: ProxyOut) {
    bundle.routes[0].mode = Mode::Passthrough;
    bundle.routes[0].certificates.clear();
    bundle.routes[0].proxy = proxy;
}
