//! Where attackers below TLS stand: a link with one target on it, and hosts of the attacker's that exist only in their frames.
//!
//! Silence is proven, not waited for: behind what is sent goes a question that every host on a link must answer, from an address that nobody used before.
//! Everything that came before its answer was provoked, and nothing else was.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, Weak};
use std::thread;
use std::time::Instant;

use e2e::{Outcome, ensure};
use rawnet::{End, Mac, Path, Peer, Seen, Segment, Tcp, Wire, arp, flag, icmp, wire};

use crate::target::Target;

/// Who attacks.
pub(super) const ATTACKER: Mac = [2, 0, 0, 0, 0x66, 0x66];
pub(super) const ATTACKER_V4: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 66);
pub(super) const ATTACKER_V6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 0x66);
/// Who is attacked.
pub(super) const TARGET_V4: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
pub(super) const TARGET_V6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2);
/// A port that nobody listens at.
pub(super) const CLOSED: u16 = 8444;

/// From this port on nobody connects: a connection of an earlier attack that is not over yet would answer a SYN otherwise than with a cookie.
pub(super) const SAMPLED_PORTS: u16 = 20_000;

/// A frame that the device has no room for is tried again after this.
const BREATH: Duration = Duration::from_micros(200);
/// A question without an answer is asked again after this.
const ASK_AGAIN: Duration = Duration::from_millis(300);
/// Answers of a flow of its own may come this much later than those of the doorman.
const DELAYED: Duration = Duration::from_millis(40);
/// And those of something naive so much later than its answers to ARP.
const NAIVELY: Duration = Duration::from_millis(4);

/// A version of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

/// Connections that began, by their own end. What the target still says to one that was given up (its FIN, time and again) is no answer to anything.
static PEERS: Mutex<BTreeMap<SocketAddr, Weak<()>>> = Mutex::new(BTreeMap::new());

fn is_over(end: SocketAddr) -> bool {
    let peers = PEERS.lock().unwrap_or_else(PoisonError::into_inner);
    peers.get(&end).is_some_and(|life| life.strong_count() == 0)
}

/// See the module.
pub(super) struct Field<'t> {
    pub(super) target: &'t Target,
    pub(super) family: Family,
    wire: Wire,
    /// The attacker, with no port.
    pub(super) me: End,
    /// The target, with its listening port.
    pub(super) it: End,
    /// The kernel's own end of the link, where honest clients are.
    host: Mac,
}

impl<'t> Field<'t> {
    /// Finds the target on its link.
    pub(super) fn open(target: &'t Target, family: Family) -> Outcome<Self> {
        let interface = target.interface();
        let (mine, its): (IpAddr, IpAddr) = match family {
            Family::V4 => (ATTACKER_V4.into(), TARGET_V4.into()),
            Family::V6 => (ATTACKER_V6.into(), TARGET_V6.into()),
        };
        let mut wire = Wire::open(interface)?;
        let mac = find(&mut wire, target.patience())?;
        let end = |mac, address, port| End { mac, address, port };
        let mut field = Self {
            target,
            family,
            wire,
            me: end(ATTACKER, mine, 0),
            it: end(mac, its, target.address().port()),
            host: wire::mac(interface)?,
        };
        if family == Family::V6 {
            field.solicit()?;
        }
        Ok(field)
    }

    /// Asks for the target's address and is asked for its own, so that a host that wants to know whom it answers does.
    fn solicit(&mut self) -> Outcome {
        let (group, mac) = icmp::solicited_node(TARGET_V6);
        let question =
            icmp::v6(ATTACKER_V6, group, icmp::NEIGHBOR_SOLICITATION, 0, 0, &icmp::about(TARGET_V6, icmp::SOURCE_LINK, ATTACKER));
        let header = rawnet::ipv6::Header { hop_limit: 255, ..rawnet::ipv6::Header::new(ATTACKER_V6, group, rawnet::protocol::ICMPV6) };
        let frame = rawnet::ethernet(mac, ATTACKER, rawnet::ethertype::IPV6, &header.packet(&question));
        let answers = self.provoke(&[frame])?;
        let advert = |seen: &Seen| seen.icmp().is_some_and(|icmp| icmp.kind == icmp::NEIGHBOR_ADVERTISEMENT);
        ensure(answers.iter().any(advert), format!("it is not there: {answers:?}"))
    }

    /// From a port that nobody has used, to the listener.
    pub(super) fn fresh(&self) -> Path {
        static PORT: AtomicU16 = AtomicU16::new(0);
        let port = 1024 + PORT.fetch_add(1, Ordering::Relaxed) % (SAMPLED_PORTS - 1024);
        let path = Path { from: self.me.at(port), to: self.it };
        PEERS.lock().unwrap_or_else(PoisonError::into_inner).remove(&path.from.socket());
        path
    }

    /// Sends frames, whatever it takes.
    pub(super) fn send(&self, frames: &[Vec<u8>]) -> Outcome {
        for frame in frames {
            while !self.wire.send(frame)? {
                thread::sleep(BREATH);
            }
        }
        Ok(())
    }

    /// Sends frames, and gives everything that the target sends the attacker until it has seen them all.
    pub(super) fn provoke(&mut self, frames: &[Vec<u8>]) -> Outcome<Vec<Seen>> {
        self.forget()?;
        self.send(frames)?;
        if self.target.is_naive() {
            // It may answer ARP first.
            thread::sleep(NAIVELY);
        }
        self.fence()
    }

    /// The same, and what a flow says a little later.
    pub(super) fn provoke_flow(&mut self, frames: &[Vec<u8>]) -> Outcome<Vec<Seen>> {
        self.forget()?;
        self.send(frames)?;
        thread::sleep(DELAYED);
        self.fence()
    }

    /// What came before does not count.
    pub(super) fn forget(&mut self) -> Outcome {
        while self.wire.receive(Instant::now())?.is_some() {}
        Ok(())
    }

    /// Everything that comes until the target has answered a question of now.
    pub(super) fn fence(&mut self) -> Outcome<Vec<Seen>> {
        static TURN: AtomicU8 = AtomicU8::new(0);
        let asker = Ipv4Addr::new(10, 77, 0, 100 + TURN.fetch_add(1, Ordering::Relaxed) % 150);
        let (end, mut answers) = (Instant::now() + self.target.patience(), Vec::new());
        while Instant::now() < end {
            // It may get lost like any other frame.
            self.send(&[arp::request((ATTACKER, asker), TARGET_V4)])?;
            let again = end.min(Instant::now() + ASK_AGAIN);
            while let Some(frame) = self.wire.receive(again)? {
                let Some(seen) = Seen::parse(frame).filter(|seen| self.concerns_us(seen)) else { continue };
                if seen.arp.is_some_and(|arp| arp.operation == arp::REPLY && arp.target.1 == asker) {
                    return Ok(answers);
                }
                answers.push(seen);
            }
        }
        Err("it does not even answer ARP any more".into())
    }

    /// From the target, and not to the honest clients. A general host has something to say to groups now and then; the box has not.
    fn concerns_us(&self, seen: &Seen) -> bool {
        let group = seen.to[0] & 1 == 1;
        let late = seen.tcp().is_some_and(|tcp| is_over(tcp.to));
        seen.from == self.it.mac && seen.to != self.host && !(group && self.target.is_naive()) && !late
    }

    /// Fails if any of these frames is answered.
    pub(super) fn silence(&mut self, what: &str, frames: &[Vec<u8>]) -> Outcome {
        let answers = self.provoke(frames)?;
        ensure(answers.is_empty(), format!("{what} is answered: {answers:?}"))
    }

    /// Fails unless these frames are answered by exactly one segment.
    pub(super) fn one_segment(&mut self, what: &str, frames: &[Vec<u8>]) -> Outcome<Tcp> {
        let answers = self.provoke(frames)?;
        match (&answers[..], answers.first().and_then(Seen::tcp)) {
            ([_], Some(tcp)) => Ok(tcp),
            _ => Err(format!("{what} is not answered by one segment but by {answers:?}").into()),
        }
    }

    /// A connection that is still closed.
    pub(super) fn peer(&self) -> Outcome<Peer> {
        let mut peer = Peer::new(Wire::open(self.target.interface())?, self.fresh(), 0x1000_0000);
        peer.patience = self.target.patience();
        PEERS.lock().unwrap_or_else(PoisonError::into_inner).insert(peer.path().from.socket(), peer.life());
        Ok(peer)
    }

    /// An established connection.
    pub(super) fn established(&mut self) -> Outcome<Peer> {
        let mut peer = self.peer()?;
        peer.connect()?;
        self.fence()?;
        Ok(peer)
    }

    /// Fails unless the connection still carries every byte to the right place: a whole conversation over it, with all that TLS would notice.
    pub(super) fn holds(&self, mut peer: Peer) -> Outcome {
        let held = if self.target.is_naive() { peer.say(&[0x16]).map_err(Into::into) } else { self.target.visitor()?.ask_over(&mut peer) };
        held.map_err(|fault: Box<dyn core::error::Error + Send + Sync>| format!("the connection does not hold: {fault}").into())
    }

    /// Fails unless a newcomer is served.
    pub(super) fn serves(&mut self) -> Outcome {
        let peer = self.established()?;
        self.holds(peer)
    }

    /// What it has allocated, apart from what the honest client takes at the moment.
    pub(super) fn heap(&self) -> Outcome<u64> {
        let mut least = u64::MAX;
        for _ in 0..4 {
            least = least.min(self.target.figures()?.heap);
            thread::sleep(DELAYED / 2);
        }
        Ok(least)
    }

    /// Waits until the target has nothing more to say on its own.
    pub(super) fn settle(&self) {
        thread::sleep(DELAYED);
    }
}

/// A challenge: where it stands, and nothing more (RFC 5961).
pub(super) fn is_challenge(tcp: &Tcp, victim: &Peer) -> Outcome {
    let right = tcp.flags == flag::ACK && tcp.sequence == victim.expected && tcp.ack == victim.next && tcp.payload.is_empty();
    ensure(right, format!("no challenge ACK of {}, {}: {tcp:?}", victim.expected, victim.next))
}

/// A segment of this connection as one who guesses makes it.
pub(super) fn forged(victim: &Peer, flags: u8, ahead: u32) -> Vec<u8> {
    let sequence = victim.next.wrapping_add(ahead);
    victim.path().tcp(&Segment { flags, sequence, ..victim.here() })
}

fn find(wire: &mut Wire, patience: Duration) -> Outcome<Mac> {
    let end = Instant::now() + patience;
    // Something naive may not be there yet.
    while Instant::now() < end {
        wire.send(&arp::request((ATTACKER, ATTACKER_V4), TARGET_V4))?;
        let again = Instant::now() + Duration::from_millis(100);
        while let Some(frame) = wire.receive(again)? {
            let arp = Seen::parse(frame).and_then(|seen| seen.arp);
            if let Some(arp) = arp.filter(|arp| arp.operation == arp::REPLY && arp.sender.1 == TARGET_V4 && arp.target.0 == ATTACKER) {
                return Ok(arp.sender.0);
            }
        }
    }
    Err("nobody has the target's address".into())
}
