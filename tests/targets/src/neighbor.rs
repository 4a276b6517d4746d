//! Boundary: whoever is on the wire over which a box dials. They answer for link addresses, asked or not; they send ICMP errors about what was sent; they stand
//! in for the peers. Each does so honestly, or with lies that have names, or with a byte that is another.
//!
//! What may be believed follows from what was put on the wire: a link address that somebody gave for a hop that the box had asked for; an error that quotes the
//! segment that is on its way; an answer that acknowledges it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::collections::BTreeSet;

use net::{Cidr, CloseReason, Config, Event, FlowId, Gateway, Limits, Net, Offload, Trust};
use rawnet::{End, Mac, Path, Seen, Segment, Tcp, arp, ethernet, ethertype, flag, icmp, ipv4, ipv6, protocol};

use crate::script::Script;

const MAC: Mac = [2, 0, 0, 0, 0, 1];
const OURS: (Ipv4Addr, Ipv6Addr) = (Ipv4Addr::new(192, 0, 2, 1), Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1));
/// Peers on the link and behind a gateway, and each one's hop.
const HOSTS: [(IpAddr, IpAddr); 4] = [
    (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))),
    (IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9)), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2))),
    (IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 7)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 7))),
    (IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 9)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2))),
];
/// The host whose gateway may be pinned, and to what.
const PINNED: (usize, Mac) = (1, [2, 0, 0, 0, 0, 99]);
const PEER_PORT: u16 = 80;
/// Our port of the first flow; each has the next.
const FIRST_PORT: u16 = 40_000;
/// Every peer's first number.
const PEER_SEQUENCE: u32 = 5000;
const FLOWS_MAX: u16 = 8;
/// Acts that one input has at most.
const ACTS_MAX: usize = 64;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much later than it should a timer may go off.
const TIMER_SLACK: Duration = Duration::from_millis(100);
/// Segments are never smaller than these, whatever is said about a path (ATTACKS N13).
const SMALLEST: (u16, u16) = (536, 1220);

/// The first byte says whether a gateway is pinned, and whether super-frames pass.
pub fn neighbor(data: &[u8]) {
    let mut script = Script(data);
    let choice = script.byte();
    let mut link = Link::new(choice & 1 != 0, choice & 2 != 0);
    for _ in 0..ACTS_MAX {
        if script.is_over() {
            break;
        }
        link.act(&mut script);
    }
    link.end();
}

/// A box, what it has asked and begun, and what it was told.
struct Link {
    net: Net,
    now: Duration,
    buf: Vec<u8>,
    hops: [Hop; HOSTS.len()],
    flows: Vec<Flow>,
}

#[derive(Debug, Default)]
struct Hop {
    is_pinned: bool,
    /// A question for it was on the wire, and no honest answer since.
    is_asked: bool,
    /// All link addresses that it may be at.
    macs: BTreeSet<Mac>,
}

#[derive(Debug)]
struct Flow {
    /// None once it has ended.
    id: Option<FlowId>,
    host: usize,
    port: u16,
    begun: Duration,
    /// The number of its SYN, once that was seen, and the number behind all that it has sent.
    first: Option<u32>,
    next: u32,
    is_open: bool,
    has_crossed: bool,
    may: May,
}

/// What was said of a flow by somebody who may be believed.
#[derive(Debug, Default)]
struct May {
    open: bool,
    be_refused: bool,
    be_unreachable: bool,
    be_reset: bool,
}

/// What may be wrong about an answer.
#[derive(Debug, Clone, Copy)]
enum Lie {
    /// The link address inside is another than the sender's.
    OtherInside,
    /// It does not say that it is an answer.
    Unasked,
    NotForUs,
    /// Its sender is a group.
    FromGroup,
    /// It has passed a router: of IPv6 only.
    FromAfar,
}

/// What an error says about a connection that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Complaint {
    Refused,
    Unreachable,
    Nothing,
}

const COMPLAINTS: [(u8, u8, Complaint); 8] = [
    (icmp::UNREACHABLE, 4, Complaint::Nothing),
    (icmp::UNREACHABLE, 3, Complaint::Refused),
    (icmp::UNREACHABLE, 2, Complaint::Refused),
    (icmp::UNREACHABLE, 1, Complaint::Unreachable),
    (icmp::UNREACHABLE, 13, Complaint::Unreachable),
    (icmp::TIME_EXCEEDED, 0, Complaint::Nothing),
    (icmp::REDIRECT, 1, Complaint::Nothing),
    (icmp::QUENCH, 0, Complaint::Nothing),
];
const COMPLAINTS_V6: [(u8, u8, Complaint); 6] = [
    (icmp::TOO_BIG_V6, 0, Complaint::Nothing),
    (icmp::UNREACHABLE_V6, 4, Complaint::Refused),
    (icmp::UNREACHABLE_V6, 0, Complaint::Unreachable),
    (icmp::UNREACHABLE_V6, 3, Complaint::Unreachable),
    (3, 0, Complaint::Nothing),
    (icmp::REDIRECT_V6, 0, Complaint::Nothing),
];

/// A byte of a message that is another, if one is.
struct Change {
    at: usize,
    by: u8,
}

impl Change {
    fn of(script: &mut Script<'_>) -> Self {
        Self { at: script.byte().into(), by: script.byte() }
    }

    fn is_none(&self) -> bool {
        self.by == 0
    }

    fn apply(&self, mut message: Vec<u8>) -> Vec<u8> {
        let len = message.len().max(1);
        message.iter_mut().skip(self.at % len).take(1).for_each(|byte| *byte ^= self.by);
        message
    }
}

impl Link {
    fn new(has_pinned_gateway: bool, offload: bool) -> Self {
        let now = Duration::from_secs(1000);
        let mut hops: [Hop; HOSTS.len()] = Default::default();
        if has_pinned_gateway {
            hops[PINNED.0] = Hop { is_pinned: true, is_asked: false, macs: BTreeSet::from([PINNED.1]) };
        }
        let config = Config {
            mac: MAC,
            addresses: vec![Cidr { address: OURS.0.into(), prefix_len: 24 }, Cidr { address: OURS.1.into(), prefix_len: 64 }],
            gateways: vec![
                Gateway { address: HOSTS[PINNED.0].1, mac: has_pinned_gateway.then_some(PINNED.1) },
                Gateway { address: HOSTS[3].1, mac: None },
            ],
            mtu: 1500,
            offload,
            trust: Trust::Private,
            listen: Vec::new(),
            limits: Limits { connect_timeout: CONNECT_TIMEOUT, ..Limits::default() },
        };
        let net = Net::new(config, [9; 32], now).expect("a configuration that works");
        Self { net, now, buf: vec![0; net::limits::FRAME_LEN_MAX], hops, flows: Vec::new() }
    }

    fn act(&mut self, script: &mut Script<'_>) {
        match script.byte() % 8 {
            0 => self.dial(script.byte()),
            1 => self.answer(script),
            2 => self.complain(script),
            3 => self.speak(script.byte(), script.byte()),
            4 => self.wait(script.byte()),
            5 => self.write(script.byte(), script.short()),
            6 => self.leave(script.byte()),
            _ => self.ask(script.byte()),
        }
        self.settle();
    }

    fn dial(&mut self, host: u8) {
        let host = usize::from(host) % HOSTS.len();
        let number = u16::try_from(self.flows.len()).ok().filter(|number| *number < FLOWS_MAX);
        let Some(port) = number.map(|number| FIRST_PORT + number) else { return };
        let (ours, peer) = (SocketAddr::new(ours_towards(HOSTS[host].0), port), SocketAddr::new(HOSTS[host].0, PEER_PORT));
        let id = self.net.connect(peer, Some(ours), self.now).expect("a way there, and room for a few");
        let flow = Flow {
            id: Some(id),
            host,
            port,
            begun: self.now,
            first: None,
            next: 0,
            is_open: false,
            has_crossed: false,
            may: May::default(),
        };
        self.flows.push(flow);
    }

    /// Somebody says where a hop is.
    fn answer(&mut self, script: &mut Script<'_>) {
        let (who, lies, change) = (script.byte(), script.byte(), Change::of(script));
        let (host, number) = (usize::from(who) % HOSTS.len(), who >> 2);
        let lies_about = |lie: Lie| lies & 1 << lie as u8 != 0;
        let sender = [if lies_about(Lie::FromGroup) { 3 } else { 2 }, 0, 0, 0, 1, number];
        let inside = if lies_about(Lie::OtherInside) { [2, 0, 0, 0, 2, number] } else { sender };
        let (kind, packet, is_honest) = match HOSTS[host].1 {
            IpAddr::V4(hop) => {
                let operation = if lies_about(Lie::Unasked) { arp::REQUEST } else { arp::REPLY };
                let to = if lies_about(Lie::NotForUs) { Ipv4Addr::new(192, 0, 2, 200) } else { OURS.0 };
                (ethertype::ARP, change.apply(arp::message(operation, (inside, hop), (MAC, to))), lies & 0b1111 == 0)
            }
            IpAddr::V6(hop) => {
                let to = if lies_about(Lie::NotForUs) { Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1) } else { OURS.1 };
                let flags = if lies_about(Lie::Unasked) { icmp::OVERRIDE } else { icmp::OVERRIDE | icmp::SOLICITED };
                let about = change.apply(icmp::about(hop, icmp::TARGET_LINK, inside));
                let message = icmp::v6(hop, to, icmp::NEIGHBOR_ADVERTISEMENT, 0, flags, &about);
                let hop_limit = if lies_about(Lie::FromAfar) { 64 } else { 255 };
                let header = ipv6::Header { hop_limit, ..ipv6::Header::new(hop, to, protocol::ICMPV6) };
                (ethertype::IPV6, header.packet(&message), lies & 0b1_1111 == 0)
            }
        };
        if !change.is_none() {
            // Which hop it is about now nobody looks: any that is asked for.
            self.hops.iter_mut().filter(|hop| hop.is_asked).for_each(|hop| _ = hop.macs.insert(sender));
        } else if is_honest && core::mem::take(&mut self.hops[host].is_asked) {
            self.hops[host].macs.insert(sender);
        }
        self.hear(&ethernet(MAC, sender, kind, &packet));
    }

    /// A router, or who says that it is one, tells of a segment.
    fn complain(&mut self, script: &mut Script<'_>) {
        let (which, what, form, word, change) =
            (script.byte(), usize::from(script.byte()), script.byte(), script.short(), Change::of(script));
        let Some(flow) = pick(&mut self.flows, which) else { return };
        let ahead = if form & 1 == 0 { 0 } else { u32::from(word) };
        let is_swapped = form & 2 != 0;
        let (from, to) = if is_swapped { (PEER_PORT, flow.port) } else { (flow.port, PEER_PORT) };
        let sequence = flow.first.unwrap_or_default().wrapping_add(ahead);
        let segment = [&from.to_be_bytes()[..], &to.to_be_bytes(), &sequence.to_be_bytes()].concat();
        let (peer, hop) = HOSTS[flow.host];
        let (protocol, message, complaint) = match (peer, hop) {
            (IpAddr::V6(peer), IpAddr::V6(hop)) => {
                let (kind, code, complaint) = COMPLAINTS_V6[what % COMPLAINTS_V6.len()];
                let quote = change.apply(ipv6::Header::new(OURS.1, peer, protocol::TCP).packet(&segment));
                (protocol::ICMPV6, icmp::v6(hop, OURS.1, kind, code, word.into(), &quote), complaint)
            }
            (IpAddr::V4(peer), _) => {
                let (kind, code, complaint) = COMPLAINTS[what % COMPLAINTS.len()];
                let quote = change.apply(ipv4::Header::new(OURS.0, peer, protocol::TCP).packet(&segment));
                (protocol::ICMP, icmp::v4(kind, code, word.into(), &quote), complaint)
            }
            (IpAddr::V6(_), IpAddr::V4(_)) => return,
        };
        let is_sound = change.is_none() && ahead == 0 && !is_swapped && flow.first.is_some();
        flow.may.be_refused |= is_sound && complaint == Complaint::Refused;
        flow.may.be_unreachable |= is_sound && complaint == Complaint::Unreachable;
        if !change.is_none() {
            // Which flow it is about now nobody looks.
            let may = self.flows.iter_mut().map(|flow| &mut flow.may);
            may.for_each(|may| (may.be_refused, may.be_unreachable) = (true, true));
        }
        self.hear(&towards_us(hop).ip(protocol, &message));
    }

    /// A peer, or who says that it is one, sends a segment.
    fn speak(&mut self, which: u8, what: u8) {
        let Some(flow) = pick(&mut self.flows, which) else { return };
        let Some(first) = flow.first else { return };
        let (ack, behind) = (first.wrapping_add(1), PEER_SEQUENCE + 1);
        let syn = |flags, ack| Segment { flags: flag::SYN | flags, ack, ..Segment::syn(PEER_SEQUENCE) };
        let reset = |flags, ack| Segment { flags: flag::RST | flags, sequence: behind, ack, ..Segment::default() };
        let (segment, may) = match what % 8 {
            0 => (syn(flag::ACK, ack), May { open: true, ..May::default() }),
            1 => (syn(flag::ACK, ack.wrapping_add(1)), May::default()),
            2 => {
                flow.has_crossed = true;
                (syn(0, 0), May::default())
            }
            3 => (Segment { sequence: behind, ack, ..Segment::default() }, May { open: flow.has_crossed, ..May::default() }),
            4 => (reset(flag::ACK, ack), May { be_refused: true, be_reset: true, ..May::default() }),
            5 => (reset(0, 0), May { be_reset: true, ..May::default() }),
            6 => (Segment { sequence: behind + 1000, ..reset(flag::ACK, ack.wrapping_add(7)) }, May::default()),
            _ => (Segment { sequence: behind, ack: flow.next, ..Segment::default() }, May { open: flow.has_crossed, ..May::default() }),
        };
        flow.may.open |= may.open;
        flow.may.be_refused |= may.be_refused;
        flow.may.be_reset |= may.be_reset;
        let mut path = towards_us(HOSTS[flow.host].0);
        (path.from.port, path.to.port) = (PEER_PORT, flow.port);
        self.hear(&path.tcp(&segment));
    }

    fn wait(&mut self, time: u8) {
        self.now += Duration::from_millis(60) * u32::from(time);
        self.net.handle_timeout(self.now);
    }

    fn write(&mut self, which: u8, len: u16) {
        let Some(id) = pick(&mut self.flows, which).and_then(|flow| flow.id.filter(|_| flow.is_open)) else { return };
        let write = |space: &mut [u8]| {
            let len = space.len().min(len.into());
            space[..len].fill(7);
            (len, ())
        };
        self.net.send(id, write).expect("a flow that is there");
    }

    fn leave(&mut self, which: u8) {
        if let Some(id) = pick(&mut self.flows, which).and_then(|flow| flow.id.take()) {
            self.net.abort(id);
        }
    }

    /// Somebody asks for us.
    fn ask(&mut self, host: u8) {
        let (number, sender) = (usize::from(host) % HOSTS.len(), [2, 0, 0, 0, 1, host >> 2]);
        match HOSTS[number].1 {
            IpAddr::V4(asker) => self.hear(&arp::request((sender, asker), OURS.0)),
            IpAddr::V6(asker) => {
                let (group, mac) = icmp::solicited_node(OURS.1);
                let about = icmp::about(OURS.1, icmp::SOURCE_LINK, sender);
                let message = icmp::v6(asker, group, icmp::NEIGHBOR_SOLICITATION, 0, 0, &about);
                let header = ipv6::Header { hop_limit: 255, ..ipv6::Header::new(asker, group, protocol::ICMPV6) };
                self.hear(&ethernet(mac, sender, ethertype::IPV6, &header.packet(&message)));
            }
        }
    }

    fn hear(&mut self, frame: &[u8]) {
        self.net.receive(frame, Offload::default(), self.now);
    }

    /// What the box says and tells by now.
    fn settle(&mut self) {
        while let Some((len, offload)) = self.net.poll_transmit(&mut self.buf, self.now) {
            let seen = Seen::parse(&self.buf[..len]).expect("a frame");
            self.look(&seen, offload);
        }
        while let Some(event) = self.net.poll_event() {
            self.judge(event);
        }
        let is_late = |flow: &Flow| flow.id.is_some() && !flow.is_open && self.now > flow.begun + CONNECT_TIMEOUT + TIMER_SLACK;
        assert!(!self.flows.iter().any(is_late), "a connection that is begun for too long");
    }

    fn look(&mut self, seen: &Seen, offload: Offload) {
        assert_eq!(seen.from, MAC);
        if let Some(question) = seen.arp.filter(|arp| arp.operation == arp::REQUEST) {
            assert_eq!((seen.to, question.sender), (rawnet::BROADCAST, (MAC, OURS.0)));
            self.note_question(question.target.1.into());
        }
        if let Some(message) = seen.icmp().filter(|message| message.kind == icmp::NEIGHBOR_SOLICITATION) {
            let target = message.rest.get(4..20).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).expect("a target");
            self.note_question(IpAddr::from(target));
        }
        if let Some(tcp) = seen.tcp().filter(|tcp| tcp.flags & flag::RST == 0) {
            self.note_segment(seen.to, &tcp, offload);
        }
    }

    fn note_question(&mut self, hop: IpAddr) {
        let host = HOSTS.iter().position(|(_, other)| *other == hop).expect("a question for a hop");
        assert!(!self.hops[host].is_pinned && self.flows.iter().any(|flow| flow.host == host), "a question that nobody needs");
        self.hops[host].is_asked = true;
    }

    /// What resets goes where it came from; all else to its hop.
    fn note_segment(&mut self, to: Mac, tcp: &Tcp, offload: Offload) {
        let flow = usize::from(tcp.from.port().saturating_sub(FIRST_PORT));
        let flow = self.flows.get_mut(flow).expect("a segment of a flow");
        assert!(self.hops[flow.host].macs.contains(&to), "a segment to where nobody said that its hop is");
        if tcp.flags & flag::SYN != 0 {
            assert!(flow.first.is_none_or(|first| first == tcp.sequence), "another first number");
            flow.first = Some(tcp.sequence);
        }
        flow.next = tcp.sequence.wrapping_add(tcp.span());
        let smallest = if tcp.from.is_ipv4() { SMALLEST.0 } else { SMALLEST.1 };
        assert!(offload.gso_size == 0 || offload.gso_size >= smallest, "pieces that are too small");
    }

    fn judge(&mut self, event: Event) {
        let (Event::Connected(id) | Event::Closed { flow: id, .. }) = event else { return };
        let flow = self.flows.iter_mut().find(|flow| flow.id == Some(id)).expect("a flow that was begun");
        let Event::Closed { reason, .. } = event else {
            assert!(flow.may.open, "connected by what nobody acknowledged");
            flow.is_open = true;
            return;
        };
        flow.id = None;
        let May { be_refused, be_unreachable, be_reset, .. } = flow.may;
        let is_due = match reason {
            CloseReason::PeerRefused => !flow.is_open && be_refused,
            // Or nobody says where the hop is.
            CloseReason::Unreachable => !flow.is_open && (be_unreachable || flow.first.is_none()),
            CloseReason::ConnectTimeout => !flow.is_open && self.now >= flow.begun + CONNECT_TIMEOUT,
            CloseReason::PeerReset => flow.is_open && be_reset,
            CloseReason::PeerSilent | CloseReason::PeerStalled => flow.is_open,
            CloseReason::Done => false,
        };
        assert!(is_due, "ended by who may not: {reason:?}, {flow:?}");
    }

    fn end(&mut self) {
        for id in self.flows.iter_mut().filter_map(|flow| flow.id.take()) {
            self.net.abort(id);
        }
        self.settle();
        let counters = self.net.counters();
        assert_eq!((counters.flows, counters.ring_bytes), (0, 0), "left of nobody");
    }
}

fn pick(flows: &mut [Flow], which: u8) -> Option<&mut Flow> {
    let number = usize::from(which).checked_rem(flows.len())?;
    flows.get_mut(number)
}

fn ours_towards(address: IpAddr) -> IpAddr {
    if address.is_ipv4() { OURS.0.into() } else { OURS.1.into() }
}

fn towards_us(from: IpAddr) -> Path {
    let end = |mac, address| End { mac, address, port: 0 };
    Path { from: end([2, 0, 0, 0, 3, 1], from), to: end(MAC, ours_towards(from)) }
}
