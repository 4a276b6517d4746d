//! Boundary: what a server says to the box where the box is the client, as behind the doors of a contest that call out: bytes of any kind, or the flights of a
//! real server, changed where the input says, beneath the encryption; and once hands are shaken, records as in the target `record`.
//!
//! What must hold: nobody is let in but who shows a certificate of the one authority, proves that its key is his, and ends a handshake in which nothing
//! was changed; until then nothing is heard of anybody and nothing is said but the handshake; how the stream is cut changes nothing; there is no end without a
//! reason; and what we say and keep is bounded.

use rustls_std::ServerConnection;
use tls::{Caller, Event, Fault, Sent, Session, Version};

use crate::callee::{self, CALLED, Manner, callers};
use crate::draws;
use crate::flight::{Flight, Verdict};
use crate::peer::{forget_secrets, traffic_secrets, transmit};
use crate::record::Course;
use crate::script::Script;
use crate::sealing::Sealing;

/// Two hellos, a certificate, and what goes with it.
const SAID_LEN_MAX: usize = 4096;
/// Flights of a server: a hello that asks for another, the handshake, its end, an alert.
const FLIGHTS_MAX: usize = 4;

/// The first byte says what the server is like, the second what it shows, the third how the stream is cut for the second of two sessions that hear the same.
pub fn dial(data: &[u8]) {
    let mut script = Script(data);
    let (how, shown, step) = (script.byte(), script.byte(), usize::from(script.byte()) + 1);
    draws::rewind();
    forget_secrets();
    let callers = callers();
    let [one, other] = [(&callers[0], usize::MAX), (&callers[1], step)].map(|(caller, step)| End::new(caller, step));
    let mut call = Call { one, other: Some(other) };
    assert!(call.one.said.len() > 100, "a hello");
    if how & 8 != 0 {
        call.hear(script.0);
        assert!(!call.one.is_let_in(), "hands are shaken by nobody");
        return call.end();
    }
    let manner = Manner::new(how, shown);
    let mut server = manner.server();
    let verdict = call.run(&mut server, manner, &mut script);
    call.judge(manner, verdict);
    let goes_on = call.one.is_let_in() && call.one.faults() == 0 && !script.is_over();
    match goes_on.then(|| keys(server, manner.version)).flatten() {
        Some([sealer, opener]) => {
            call.other.into_iter().for_each(End::end);
            Course::new(call.one.session, manner.version, opener).run(&mut script, sealer);
        }
        None => call.end(),
    }
}

/// The server's keys and ours, of the traffic behind a handshake that is done at both ends.
fn keys(server: ServerConnection, version: Version) -> Option<[Sealing; 2]> {
    if server.is_handshaking() {
        return None;
    }
    Some(match version {
        Version::Tls13 => traffic_secrets().map(|secret| Sealing::of_secret(&secret)),
        Version::Tls12 => callee::keys(server)?,
    })
}

/// Two sessions that hear the same, cut in different ways. The second is given up once they may differ: where a share of P-256 is drawn.
struct Call {
    one: End,
    other: Option<End>,
}

impl Call {
    fn hear(&mut self, bytes: &[u8]) {
        self.one.hear(bytes);
        if let Some(other) = &mut self.other {
            other.hear(bytes);
            assert_eq!(
                (&self.one.events, &self.one.said, &self.one.heard),
                (&other.events, &other.said, &other.heard),
                "cut in another way"
            );
        }
    }

    /// Server and sessions speak until one of them has nothing more to say. How much like itself the server was.
    fn run(&mut self, server: &mut ServerConnection, manner: Manner, script: &mut Script<'_>) -> Verdict {
        let (mut verdict, mut said_len) = (Verdict::Sound, 0);
        let hello = self.one.said.clone();
        for _ in 0..FLIGHTS_MAX {
            let bytes = answer(server, &self.one.said[said_len..]);
            said_len = self.one.said.len();
            let mut flight = Flight::of(&bytes, manner.version);
            if flight.is_empty() {
                break;
            }
            verdict = verdict.max(flight.change(script, &hello));
            if manner.retries || flight.asks_again {
                self.other = None;
            }
            self.hear(&flight.records());
        }
        verdict
    }

    fn judge(&self, manner: Manner, verdict: Verdict) {
        let is_let_in = self.one.is_let_in();
        assert!(!is_let_in || manner.is_good(), "let in with a certificate that is not good");
        assert!(!is_let_in || verdict != Verdict::Broken, "let in after another handshake");
        assert!(is_let_in || !manner.is_good() || verdict != Verdict::Sound, "not let in: {:?}", self.one.events);
        if let Some(Event::Established(summary)) = self.one.events.first() {
            assert_eq!(summary.server.as_ref().map(|shown| &shown.der[..]), Some(manner.leaf()));
            assert_eq!((summary.version, summary.server_name.as_deref()), (manner.version, Some(CALLED)));
            assert!(!summary.resumed && summary.client.is_none());
        }
    }

    fn end(self) {
        self.one.end();
        self.other.into_iter().for_each(End::end);
    }
}

/// What a server says to this.
fn answer(server: &mut ServerConnection, mut heard: &[u8]) -> Vec<u8> {
    while !heard.is_empty() && server.read_tls(&mut heard).is_ok_and(|len| len > 0) {
        if server.process_new_packets().is_err() {
            break;
        }
    }
    let mut bytes = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut bytes).expect("room");
    }
    bytes
}

/// One session with all that it has heard and said.
struct End {
    session: Session,
    step: usize,
    events: Vec<Event>,
    said: Vec<u8>,
    heard: Vec<u8>,
}

impl End {
    fn new(caller: &Caller, step: usize) -> Self {
        let mut end = Self { session: Session::dial(caller), step, events: vec![], said: vec![], heard: vec![] };
        end.listen();
        end
    }

    fn hear(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(self.step) {
            let taken = self.session.receive(&mut piece.to_vec(), &mut self.heard);
            assert_eq!(taken, piece.len(), "a session with room takes everything");
            self.listen();
        }
    }

    fn listen(&mut self) {
        self.events.extend(core::iter::from_fn(|| self.session.poll_event()));
        self.said.extend(transmit(&mut self.session));
        assert!(self.said.len() <= SAID_LEN_MAX && self.session.buffered() <= tls::limits::RECORD_LEN_MAX);
        if !self.is_let_in() {
            assert!(self.heard.is_empty(), "heard of somebody who was not let in");
            assert_eq!(self.session.send(b"prize", &mut [0; 64]), Sent::default(), "said to somebody who was not let in");
        }
    }

    fn is_let_in(&self) -> bool {
        matches!(self.events.first(), Some(Event::Established(_)))
    }

    fn faults(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Fault(_))).count()
    }

    /// The stream ends.
    fn end(mut self) {
        assert_eq!(self.session.is_established(), self.is_let_in() && self.faults() == 0);
        self.session.finish();
        self.listen();
        let is_closed = self.events.contains(&Event::PeerClosed);
        assert_eq!(self.faults(), usize::from(!is_closed), "{:?}", self.events);
        assert!(self.events.len() <= 2 && !self.events.contains(&Event::Fault(Fault::Internal)), "{:?}", self.events);
        assert!(is_closed || self.session.is_over());
    }
}
