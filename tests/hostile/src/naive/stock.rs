//! smoltcp as it comes, with a handful of listening sockets: what its examples show.

use core::time::Duration;
use std::time::Instant;

use e2e::Outcome;
use rawnet::Wire;
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::Instant as Time;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr};

use super::segment::{ADDRESS_V4, ADDRESS_V6, MAC, OnWire, PORT};

/// Listening sockets: smoltcp has no backlog.
const SOCKETS: usize = 4;
const RING_LEN: usize = 8192;

/// A stack, and the wire that it is lent for a turn.
struct Stock {
    interface: Interface,
    sockets: SocketSet<'static>,
    line: Line,
    began: Instant,
}

#[derive(Default)]
struct Line {
    received: Vec<Vec<u8>>,
    sent: Vec<Vec<u8>>,
}

pub(super) fn start() -> Outcome<OnWire> {
    let mut stock = Stock::new();
    OnWire::start(move |wire| stock.turn(wire))
}

impl Stock {
    fn new() -> Self {
        let mut line = Line::default();
        let mut interface = Interface::new(Config::new(HardwareAddress::Ethernet(EthernetAddress(MAC))), &mut line, Time::ZERO);
        interface.update_ip_addrs(|addresses| {
            for (address, len) in [(IpAddress::Ipv4(ADDRESS_V4), 24), (IpAddress::Ipv6(ADDRESS_V6), 64)] {
                let _ = addresses.push(IpCidr::new(address, len));
            }
        });
        let mut sockets = SocketSet::new(Vec::new());
        for _ in 0..SOCKETS {
            let ring = || tcp::SocketBuffer::new(vec![0; RING_LEN]);
            sockets.add(tcp::Socket::new(ring(), ring()));
        }
        Self { interface, sockets, line, began: Instant::now() }
    }

    fn turn(&mut self, wire: &mut Wire) {
        // Whatever leads to a panic there is a success of the attack: the endpoint is gone.
        while let Ok(Some(frame)) = wire.receive(Instant::now()) {
            self.line.received.insert(0, frame.to_vec());
        }
        let now = Time::from_micros(i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX));
        self.interface.poll(now, &mut self.line, &mut self.sockets);
        self.serve();
        self.interface.poll(now, &mut self.line, &mut self.sockets);
        for frame in self.line.sent.drain(..) {
            let _ = wire.send(&frame);
        }
        if let Ok(Some(frame)) = wire.receive(Instant::now() + Duration::from_millis(1)) {
            self.line.received.insert(0, frame.to_vec());
        }
    }

    /// Listens, reads, and closes what is no TLS or is over.
    fn serve(&mut self) {
        for (_, socket) in self.sockets.iter_mut() {
            let smoltcp::socket::Socket::Tcp(socket) = socket;
            if !socket.is_open() {
                let _ = socket.listen(PORT);
            }
            let nonsense = socket.recv(|bytes| (bytes.len(), bytes.first().is_some_and(|first| *first == b'G')));
            if nonsense == Ok(true) || socket.state() == tcp::State::CloseWait {
                socket.close();
            }
        }
    }
}

impl Device for Line {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _now: Time) -> Option<(Received, Sending<'_>)> {
        let frame = self.received.pop()?;
        Some((Received(frame), Sending(&mut self.sent)))
    }

    fn transmit(&mut self, _now: Time) -> Option<Sending<'_>> {
        Some(Sending(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        (capabilities.medium, capabilities.max_transmission_unit) = (Medium::Ethernet, 1514);
        capabilities
    }
}

struct Received(Vec<u8>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

struct Sending<'a>(&'a mut Vec<Vec<u8>>);

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.push(frame);
        result
    }
}
