//! Whom the list is asked of, and who asks: a host that exists in its frames only.

use core::any::Any;
use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicU16, Ordering};
use core::time::Duration;
use std::time::Instant;

use e2e::Outcome;
use rawnet::{End, Mac, Path, Peer, Seen, Segment, Wire, arp};

/// Who asks.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 66);
const MAC: Mac = [2, 0, 0, 0, 0x66, 0x66];
/// An answer that has not come by then does not come; a delayed ACK takes half of it at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// See the module.
pub(crate) struct Opposite {
    interface: &'static str,
    it: End,
    _keep: Box<dyn Any>,
}

impl Opposite {
    /// Finds it on its link; `keep` lives as long.
    pub(crate) fn find(interface: &'static str, address: Ipv4Addr, port: u16, keep: Box<dyn Any>) -> Outcome<Self> {
        let mut wire = Wire::open(interface)?;
        let end = Instant::now() + 5 * PATIENCE;
        while Instant::now() < end {
            wire.send(&arp::request((MAC, ADDRESS), address))?;
            let again = Instant::now() + PATIENCE / 5;
            while let Some(frame) = wire.receive(again)? {
                let arp = Seen::parse(frame).and_then(|seen| seen.arp);
                if let Some(arp) = arp.filter(|arp| arp.sender.1 == address && arp.target.0 == MAC) {
                    return Ok(Self { interface, it: End { mac: arp.sender.0, address: address.into(), port }, _keep: keep });
                }
            }
        }
        Err("nobody is opposite".into())
    }

    /// From a port that nobody has used.
    pub(crate) fn path(&self) -> Path {
        static PORT: AtomicU16 = AtomicU16::new(0);
        let port = 10_000 + PORT.fetch_add(1, Ordering::Relaxed) % 50_000;
        Path { from: End { mac: MAC, address: ADDRESS.into(), port }, to: self.it }
    }

    /// A connection that is still closed.
    pub(crate) fn peer(&self) -> Outcome<Peer> {
        self.peer_on(self.path())
    }

    /// The same with other ends.
    pub(crate) fn peer_on(&self, path: Path) -> Outcome<Peer> {
        let mut peer = Peer::new(Wire::open(self.interface)?, path, 0x2000_0000);
        peer.patience = PATIENCE;
        Ok(peer)
    }

    /// An established connection.
    pub(crate) fn established(&self) -> Outcome<Peer> {
        let mut peer = self.peer()?;
        peer.connect()?;
        peer.hear_for(Duration::from_millis(20))?;
        Ok(peer)
    }

    /// A connection that it has ended, and whose end we have acknowledged.
    pub(crate) fn ended_by_it(&self) -> Outcome<Peer> {
        let mut peer = self.established()?;
        peer.say(b"GET / HTTP/1.0\r\n\r\n")?;
        peer.await_end()?;
        peer.hear_for(Duration::from_millis(20))?;
        Ok(peer)
    }

    /// What a segment brings, in a while.
    pub(crate) fn brings(&self, peer: &mut Peer, segment: &Segment) -> Outcome<Vec<rawnet::Tcp>> {
        peer.forget()?;
        peer.send(segment)?;
        Ok(peer.hear_for(Duration::from_millis(120))?)
    }
}
