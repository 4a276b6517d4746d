//! Boundary: a peer's segments on a flow that it has made, whatever their flags, numbers, lengths and times.
//!
//! The peer's stream is one text that goes on for ever: whatever it sends says where in the text it stands. So what comes out at the other end can be
//! held against the text, whatever overlaps, is lost, or comes twice.

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use net::{Cidr, CloseReason, Config, Event, FlowId, Limits, Listen, Net, Offload, Trust};

use crate::script::Script;
use crate::tcp::{ACK, End, FIN, OPTIONS, RST, SYN, Segment};

const SERVER: End = (Ipv4Addr::new(192, 0, 2, 1), [2, 0, 0, 0, 0, 1]);
const PEER: End = (Ipv4Addr::new(192, 0, 2, 2), [2, 0, 0, 0, 0, 2]);
const PORTS: (u16, u16) = (50_000, 443);
/// Acts that one input has at most.
const ACTS_MAX: usize = 128;
/// The window that the peer announces in its SYN and, scaled, until it says otherwise.
const WINDOW: u16 = 1000;
/// No input's text reaches so far, and no window.
const FAR: u32 = 1 << 24;

/// The byte of either text at this place.
fn letter(at: u32) -> u8 {
    (at.wrapping_mul(0x9e37_79b1) >> 24).to_le_bytes()[0]
}

fn text(at: u32, len: usize) -> Vec<u8> {
    (0..u32::try_from(len).unwrap_or(0)).map(|n| letter(at.wrapping_add(n))).collect()
}

fn config() -> Config {
    Config {
        mac: SERVER.1,
        addresses: vec![Cidr { address: IpAddr::V4(SERVER.0), prefix_len: 24 }],
        gateways: vec![],
        mtu: 1500,
        offload: false,
        trust: Trust::Public,
        listen: vec![Listen { address: None, port: PORTS.1 }],
        limits: Limits { first_rx_ring: 2048, first_tx_ring: 2048, rx_ring: 8192, tx_ring: 8192, ..Limits::default() },
    }
}

/// The first byte places the peer's numbers, some of them close to where they wrap.
pub fn segment(data: &[u8]) {
    let mut script = Script(data);
    let isn = u32::from(script.byte()).wrapping_mul(0x0101_0101).wrapping_sub(600);
    let mut course = Course::begin(isn);
    for _ in 0..ACTS_MAX {
        if script.is_over() || course.flow.is_none() {
            break;
        }
        course.act(&mut script);
    }
    course.end();
}

/// One flow: its server, and the hands that hold the other end.
struct Course {
    net: Net,
    now: Duration,
    buf: Vec<u8>,
    /// None once the server's user has heard or brought about its end.
    flow: Option<FlowId>,
    /// The number of the first byte of the peer's text, and of the server's.
    first: (u32, u32),
    /// Up to where the peer has ever sent, its FIN counted; what the server may acknowledge.
    sent: u32,
    fin_at: Option<u32>,
    received: u32,
    answered: u32,
    finished: bool,
    /// A reset was sent that fits.
    reset: bool,
}

impl Course {
    /// A handshake as everybody makes it.
    fn begin(isn: u32) -> Self {
        let now = Duration::from_secs(1000);
        let net = Net::new(config(), [9; 32], now).expect("a configuration that works");
        let buf = vec![0; net::limits::FRAME_LEN_MAX];
        let first = (isn.wrapping_add(1), 0);
        let mut course =
            Self { net, now, buf, flow: None, first, sent: 0, fin_at: None, received: 0, answered: 0, finished: false, reset: false };
        let syn = Segment { flags: SYN, seq: isn, options: OPTIONS.to_vec(), ..course.bare() };
        course.say(&syn);
        let answer = course.transmit().pop().expect("a SYN-ACK");
        assert_eq!((answer.flags, answer.ack), (SYN | ACK, course.first.0));
        course.first.1 = answer.seq.wrapping_add(1);
        course.say(&course.bare());
        let Some(Event::Accepted { flow, .. }) = course.net.poll_event() else { unreachable!("a flow that nobody made") };
        course.flow = Some(flow);
        course
    }

    /// The next bare ACK.
    fn bare(&self) -> Segment {
        let (seq, ack) = (self.first.0.wrapping_add(self.sent), self.first.1.wrapping_add(self.answered));
        Segment { ports: PORTS, flags: ACK, seq, ack, window: WINDOW, options: vec![], payload: vec![] }
    }

    fn act(&mut self, script: &mut Script<'_>) {
        match script.byte() % 8 {
            0..4 => self.segment(script),
            4 => self.read(),
            5 => self.write(script.short()),
            6 => self.wait(script.byte()),
            _ => self.leave(script.byte()),
        }
        self.settle();
    }

    /// A segment, placed around what the server waits for.
    fn segment(&mut self, script: &mut Script<'_>) {
        let (flags, place, len) = (script.byte(), script.byte(), usize::from(script.byte()) * 6);
        let (offset, ack_offset, window) = (script.short(), script.short(), script.short());
        let expected = self.expected();
        let at = match place % 4 {
            0 => expected,
            1 => expected.wrapping_add(u32::from(offset)),
            2 => expected.wrapping_sub(u32::from(offset)),
            _ => expected.wrapping_add(u32::from(offset) << 16),
        };
        let ack = if place & 4 == 0 { self.answered } else { self.answered.wrapping_add_signed(i32::from(ack_offset.cast_signed())) };
        // The text ends with the FIN, and stays so.
        let room = self.fin_at.map_or(len, |fin| len.min(usize::try_from(fin.saturating_sub(at)).unwrap_or(0)));
        let payload = if flags & SYN == 0 { text(at, room) } else { vec![] };
        let end = at.wrapping_add(u32::try_from(payload.len()).unwrap_or(0));
        let mut flags = flags | if place & 8 == 0 { ACK } else { 0 };
        if flags & FIN != 0 && self.fin_at.is_some_and(|fin| fin != end) {
            flags &= !FIN;
        }
        // What lies further off is in nobody's window.
        if flags & (SYN | RST) == 0 && end < FAR {
            let is_fin = flags & FIN != 0;
            if is_fin {
                // Nothing was sent from beyond it.
                if self.sent > end { flags &= !FIN } else { self.fin_at = Some(end) }
            }
            self.sent = self.sent.max(end.saturating_add(u32::from(flags & FIN != 0)));
        }
        let seq = self.first.0.wrapping_add(at);
        let options = if place & 16 == 0 { vec![] } else { vec![1, 1, 1, 0] };
        let sound = Segment { flags, seq, ack: self.first.1.wrapping_add(ack), window, options, payload, ..self.bare() };
        self.say(&sound);
        self.reset |= flags & RST != 0 && at == expected;
        self.settle();
    }

    /// What the server waits for, as a place in the peer's text.
    fn expected(&self) -> u32 {
        let there = self.flow.map_or(0, |flow| self.net.readable(flow));
        let next = self.received.wrapping_add(u32::try_from(there).unwrap_or(0));
        if self.finished { next.wrapping_add(1) } else { next }
    }

    fn read(&mut self) {
        let Some(flow) = self.flow else { return };
        while let Ok(bytes) = self.net.recv(flow, |bytes| (bytes.len(), bytes.to_vec())) {
            if bytes.is_empty() {
                break;
            }
            assert_eq!(bytes, text(self.received, bytes.len()), "not what was sent, at {}", self.received);
            self.received = self.received.wrapping_add(u32::try_from(bytes.len()).unwrap_or(0));
        }
    }

    fn write(&mut self, len: u16) {
        let Some(flow) = self.flow else { return };
        let at = self.answered;
        let sent = self.net.send(flow, |room| {
            let len = room.len().min(len.into());
            room[..len].copy_from_slice(&text(at, len));
            (len, len)
        });
        self.answered = at.wrapping_add(sent.map_or(0, |len| u32::try_from(len).unwrap_or(0)));
    }

    /// From a millisecond to a minute and more.
    fn wait(&mut self, byte: u8) {
        let end = self.now + Duration::from_millis(1 << (byte % 17));
        for _ in 0..64 {
            let Some(at) = self.net.deadline().filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            self.net.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
        self.net.handle_timeout(end);
    }

    fn leave(&mut self, how: u8) {
        let Some(flow) = self.flow else { return };
        match how % 8 {
            0 => self.net.abort(flow),
            1 => self.net.close(flow, self.now),
            2 => return self.net.shutdown(flow),
            3 => return self.net.want_room(flow, 8192),
            _ => return,
        }
        self.flow = None;
    }

    fn say(&mut self, segment: &Segment) {
        self.net.receive(&segment.frame(PEER, SERVER), Offload::default(), self.now);
    }

    /// Frames and news, until there are none.
    fn settle(&mut self) {
        self.transmit();
        self.hear();
    }

    /// What the server sends: acknowledgements of nothing that was not sent, and its own text.
    fn transmit(&mut self) -> Vec<Segment> {
        let mut segments = Vec::new();
        while let Some((len, _)) = self.net.poll_transmit(&mut self.buf, self.now) {
            let Some(segment) = Segment::parse(&self.buf[..len]) else { continue };
            if segment.flags & (SYN | RST) == 0 {
                let acked = segment.ack.wrapping_sub(self.first.0);
                assert!(acked <= self.sent, "{acked} acknowledged of {}", self.sent);
                let at = segment.seq.wrapping_sub(self.first.1);
                assert_eq!(segment.payload, text(at, segment.payload.len()), "not what was written, at {at}");
            }
            segments.push(segment);
        }
        segments
    }

    /// News. A reset counts only at the very place that the server waits for (RFC 5961 section 3).
    fn hear(&mut self) {
        while let Some(event) = self.net.poll_event() {
            match event {
                Event::Finished(_) => {
                    assert!(self.fin_at.is_some(), "an end that nobody has sent");
                    self.finished = true;
                }
                Event::Closed { reason, .. } => {
                    assert!(reason != CloseReason::PeerReset || self.reset, "a reset that does not fit");
                    self.flow = None;
                }
                Event::Accepted { .. } | Event::Connected(_) => unreachable!("{event:?}"),
                Event::Readable(_) | Event::Writable(_) => {}
            }
        }
    }

    /// All that may be read is; then the peer is silent for long, and nothing is left of the flow but what its user holds.
    fn end(mut self) {
        self.read();
        self.settle();
        let counters = *self.net.counters();
        assert!(counters.flows <= 1 && counters.ring_bytes <= 4 * 8192, "{counters:?}");
        if let Some(flow) = self.flow.take() {
            self.net.close(flow, self.now);
        }
        for _ in 0..8 {
            self.wait(16);
        }
        assert_eq!((self.net.counters().flows, self.net.counters().ring_bytes), (0, 0), "a flow that never ends");
    }
}
