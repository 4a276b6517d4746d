//! The two ends of an appliance's wires: a stack that speaks for all clients, and one that speaks for all backends, with frames that may be lost, doubled or
//! spoilt between.

use core::cell::RefCell;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::LazyLock;

use appliance::{Filled, Link, Room, Wires};
use memchr::memmem::Finder;
use net::{Net, Offload, Trust};

use crate::setting::{BACK, FRONT, IDENTITY, MACS, backends};

/// A frame in flight.
pub(crate) type Frame = (Vec<u8>, Offload);

/// The far end of one link.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) net: Net,
    /// Frames to the appliance, and from it.
    pub(crate) lanes: [VecDeque<Frame>; 2],
    /// What befalls the next frames to the appliance.
    pub(crate) fault: Fault,
}

thread_local! {
    /// Room for a frame. It is made once: zeros for three of them in each input would take a fuzzer's time.
    static ROOM: RefCell<Vec<u8>> = RefCell::new(vec![0; net::limits::FRAME_LEN_MAX]);
}

/// What befalls frames, and how many.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fault {
    pub(crate) lost: u8,
    pub(crate) doubled: u8,
    /// One bit of it is another.
    pub(crate) spoilt: u8,
}

impl Host {
    /// Everybody in front of it.
    pub(crate) fn clients() -> Self {
        Self::new(FRONT, vec![], 11)
    }

    /// Everybody behind it.
    pub(crate) fn backends() -> Self {
        let listen = backends().into_iter().take(2).map(|at| net::Listen { address: Some(at.ip()), port: at.port() });
        Self::new(BACK, listen.collect(), 12)
    }

    fn new([cell, own]: [Ipv4Addr; 2], listen: Vec<net::Listen>, seed: u8) -> Self {
        let config = net::Config {
            mac: MACS[1],
            addresses: vec![net::Cidr { address: IpAddr::from(own), prefix_len: 24 }],
            gateways: vec![net::Gateway { address: cell.into(), mac: Some(MACS[0]) }],
            mtu: 1500,
            offload: false,
            trust: Trust::Private,
            listen,
            limits: net::Limits {
                first_rx_ring: 4096,
                first_tx_ring: 4096,
                rx_ring: 32 << 10,
                tx_ring: 32 << 10,
                ..net::Limits::default()
            },
        };
        let net = Net::new(config, [seed; 32], Duration::ZERO).expect("a configuration that works");
        Self { net, lanes: Default::default(), fault: Fault::default() }
    }

    /// Takes what the appliance has sent, and sends what there is to send. Whether anything moved.
    pub(crate) fn turn(&mut self, now: Duration) -> bool {
        let mut moved = false;
        while let Some((bytes, offload)) = self.lanes[1].pop_front() {
            assert!(!holds_secret(&bytes), "a key on the wire");
            self.net.receive(&bytes, offload, now);
            moved = true;
        }
        self.net.handle_timeout(now);
        let mut next =
            || ROOM.with_borrow_mut(|room| self.net.poll_transmit(room, now).map(|(len, offload)| (room[..len].to_vec(), offload)));
        let frames: Vec<Frame> = core::iter::from_fn(&mut next).collect();
        moved |= !frames.is_empty();
        frames.into_iter().for_each(|frame| self.send(frame));
        moved
    }

    /// Puts a frame on its way to the appliance, as far as it gets there.
    pub(crate) fn send(&mut self, mut frame: Frame) {
        let Fault { lost, doubled, spoilt } = &mut self.fault;
        if *lost > 0 {
            *lost -= 1;
            return;
        }
        if *spoilt > 0 {
            let at = (usize::from(*spoilt) * 5).checked_rem(frame.0.len());
            if let Some(byte) = at.and_then(|at| frame.0.get_mut(at)) {
                *byte ^= 1 << (*spoilt % 8);
            }
            *spoilt -= 1;
        }
        if *doubled > 0 {
            *doubled -= 1;
            self.lanes[0].push_back(frame.clone());
        }
        self.lanes[0].push_back(frame);
    }
}

fn holds_secret(bytes: &[u8]) -> bool {
    static SECRET: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(IDENTITY.secret()).into_owned());
    SECRET.find(bytes).is_some()
}

/// Vectors for wires.
pub(crate) struct Batches<'h> {
    hosts: [&'h mut Host; 2],
    taken: Option<Frame>,
}

/// Frames that one step may send on one link before it must hand them over.
const BATCH: usize = 64;

impl<'h> Batches<'h> {
    pub(crate) fn new(front: &'h mut Host, back: &'h mut Host) -> Self {
        Self { hosts: [front, back], taken: None }
    }

    fn host(&mut self, link: Link) -> &mut Host {
        self.hosts[usize::from(link == Link::Back)]
    }
}

impl Wires for Batches<'_> {
    fn receive(&mut self, link: Link) -> Option<(&[u8], Offload)> {
        self.taken = self.host(link).lanes[0].pop_front();
        self.taken.as_ref().map(|(bytes, offload)| (&bytes[..], *offload))
    }

    fn transmit(&mut self, link: Link, fill: &mut dyn FnMut(&mut [u8]) -> Filled) -> Room {
        if self.host(link).lanes[1].len() >= BATCH {
            return Room::Full;
        }
        let frame = ROOM.with_borrow_mut(|room| fill(room).map(|(len, offload)| (room[..len].to_vec(), offload)));
        if let Some(frame) = frame {
            self.host(link).lanes[1].push_back(frame);
        }
        Room::Left
    }
}

/// Where clients connect to, at the listener with this port.
pub(crate) fn service(port: u16) -> SocketAddr {
    SocketAddr::new(FRONT[0].into(), port)
}
