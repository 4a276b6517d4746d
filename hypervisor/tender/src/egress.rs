//! Egress: what a guest may say on a TAP.
//!
//! The filter reads one frame at a time. It lets through what a TLS endpoint needs, under the guest's own addresses, and nothing
//! else: no fragments, no tunnels, no UDP, and on the public link no connection of the guest's own, but for a call-back ([`Calls`]), which is all that it
//! keeps state for. What it cannot read it drops.
//!
//! ```
//! use core::time::Duration;
//! use tender::egress::{Egress, Link};
//! use tender::order::Wire;
//! let mut egress = Egress::new(Wire { mac: [2; 6], addresses: vec![] }, Link::Front { ports: vec![443], calls: None });
//! assert!(!egress.allows(b"not a frame", Duration::ZERO));
//! ```

mod calls;
pub(crate) mod packet;
#[cfg(test)]
mod tests;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use crate::limits::RETIRED_MAX;
use crate::order::Wire;
pub use calls::Calls;
use calls::Ends;
use packet::{Body, Icmp, Kind, Packet, Payload, Tcp};

/// The filter of one link.
#[derive(Debug)]
pub struct Egress {
    wire: Wire,
    link: Link,
}

/// Which of the two links.
#[derive(Debug)]
pub enum Link {
    /// The public one: the guest answers on these ports.
    Front {
        /// Where the guest listens.
        ports: Vec<u16>,
        /// Whom it calls back, if anybody.
        calls: Option<Calls>,
    },
    /// The private one: the guest connects to these.
    Back {
        /// As the guest sees them.
        backends: Vec<SocketAddr>,
        /// Those that a reload has left out, with the time until which the guest may still reach them.
        retired: Vec<(SocketAddr, Duration)>,
    },
}

impl Egress {
    /// The filter for a guest of this identity.
    #[must_use]
    pub fn new(wire: Wire, link: Link) -> Self {
        Self { wire, link }
    }

    /// Lets the guest connect to these from now on, and to those that it could reach so far for `linger` more. Nothing on the public link.
    pub fn reload(&mut self, new: &[SocketAddr], linger: Duration, now: Duration) {
        let Link::Back { backends, retired } = &mut self.link else { return };
        let until = now.saturating_add(linger);
        retired.extend(backends.iter().map(|backend| (*backend, until)));
        retired.retain(|(backend, until)| *until > now && !new.contains(backend));
        retired.truncate(RETIRED_MAX);
        *backends = new.to_vec();
    }

    /// Lets go of what a reload has left out, when its time has come.
    pub fn forget_retired(&mut self, now: Duration) {
        if let Link::Back { retired, .. } = &mut self.link {
            retired.retain(|(_, until)| *until > now);
        }
    }

    /// Looks at a frame on its way to the guest: whoever connects may be called back.
    pub fn hears(&mut self, frame: &[u8], now: Duration) {
        let Link::Front { calls: Some(calls), .. } = &mut self.link else { return };
        let Some(Packet { body: Body::Ip { source, destination, payload: Payload::Tcp(tcp) }, .. }) = Packet::parse(frame) else { return };
        let (guest, peer) = (SocketAddr::new(destination, tcp.destination_port), SocketAddr::new(source, tcp.source_port));
        calls.heard(Ends { guest, peer }, &tcp, now);
    }

    /// Whether the guest may send this frame.
    pub fn allows(&mut self, frame: &[u8], now: Duration) -> bool {
        Packet::parse(frame).is_some_and(|packet| packet.source_mac == self.wire.mac && self.allows_body(&packet.body, now))
    }

    fn allows_body(&mut self, body: &Body, now: Duration) -> bool {
        match body {
            Body::Arp { sender_mac, sender } => {
                *sender_mac == self.wire.mac && (sender.is_unspecified() || self.wire.owns((*sender).into()))
            }
            Body::Ip { source, destination, payload } => match payload {
                Payload::Icmp(Icmp::NeighborSolicitation) => source.is_unspecified() || self.wire.owns(*source),
                Payload::Icmp(Icmp::NeighborAdvertisement) => self.wire.owns(*source),
                Payload::Icmp(Icmp::EchoReply | Icmp::TooBig) => self.wire.owns(*source) && matches!(self.link, Link::Front { .. }),
                Payload::Tcp(tcp) => self.wire.owns(*source) && self.link.allows(*source, *destination, tcp, now),
            },
        }
    }
}

impl Link {
    fn allows(&mut self, source: IpAddr, destination: IpAddr, tcp: &Tcp, now: Duration) -> bool {
        let peer = SocketAddr::new(destination, tcp.destination_port);
        match self {
            Self::Front { ports, calls } => {
                let ends = Ends { guest: SocketAddr::new(source, tcp.source_port), peer };
                let answers = tcp.kind != Kind::Syn && ports.contains(&tcp.source_port);
                match calls {
                    Some(calls) if answers => calls.answered(ends, tcp),
                    Some(calls) => return calls.allows(ends, tcp, now),
                    None => {}
                }
                answers
            }
            Self::Back { backends, retired } => backends.contains(&peer) || retired.iter().any(|(backend, _)| *backend == peer),
        }
    }
}

impl Wire {
    /// Link-local addresses are derived from the link address, which is checked; the guest may speak neighbour discovery under them.
    fn owns(&self, source: IpAddr) -> bool {
        let link_local = matches!(source, IpAddr::V6(address) if address.is_unicast_link_local());
        link_local || self.addresses.contains(&source)
    }
}
