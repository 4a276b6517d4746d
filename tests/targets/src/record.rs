//! Boundary: a client's records after its handshake, sealed with its own keys, so that they get past the encryption to what reads them.

use tls::{Alert, Event, Fault, Session, Version};

use crate::draws;
use crate::peer::{Established, records, transmit};
use crate::script::Script;
use crate::sealing::{ALERT, DATA, HANDSHAKE, Sealing};

/// Records that one input has at most.
const RECORDS_MAX: usize = 64;
/// KeyUpdate, with its request at its end.
const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 0];

/// The first byte chooses the version, and whether hands are shaken anew or by a ticket.
pub fn record(data: &[u8]) {
    let mut script = Script(data);
    let how = script.byte();
    let version = if how & 1 == 0 { Version::Tls13 } else { Version::Tls12 };
    draws::rewind();
    let Established { session, sealer, opener } = Established::new(version, how & 2 != 0);
    Course::new(session, version, opener).run(&mut script, sealer);
}

/// What has been said to an established session, and what came of it. The names are those of a server's session; a client's is no different, but that it reads over tickets.
pub(crate) struct Course {
    session: Session,
    version: Version,
    opener: Sealing,
    /// Data that the client has sealed properly.
    said: Vec<u8>,
    heard: Vec<u8>,
    /// How much of it came before a record that was not sealed properly.
    sound_len: Option<usize>,
    /// The client has done nothing so far that might end the session.
    blameless: bool,
    updates: usize,
    /// What the server has been given to say, and what the client has heard of it.
    given: Vec<u8>,
    told: Vec<u8>,
    /// The server has said that it has nothing more to say.
    is_closed: bool,
    events: Vec<Event>,
}

impl Course {
    /// `opener` opens what the session says.
    pub(crate) fn new(session: Session, version: Version, opener: Sealing) -> Self {
        Self {
            session,
            version,
            opener,
            said: vec![],
            heard: vec![],
            sound_len: None,
            blameless: true,
            updates: 0,
            given: vec![],
            told: vec![],
            is_closed: false,
            events: vec![],
        }
    }

    /// The peer says what the script says, sealed with his keys.
    pub(crate) fn run(mut self, script: &mut Script<'_>, mut peer: Sealing) {
        for _ in 0..RECORDS_MAX {
            if script.is_over() {
                break;
            }
            self.act(script, &mut peer);
        }
        self.end(&mut peer);
    }

    fn act(&mut self, script: &mut Script<'_>, client: &mut Sealing) {
        let (what, how) = (script.byte(), script.byte());
        let padding = usize::from(how >> 4);
        self.blameless &= matches!(what % 8, 0 | 3 | 6);
        let mut record = match what % 8 {
            0 => self.data(script.text(), padding, client),
            1 => client.seal(ALERT, script.text(), padding),
            2 => client.seal(HANDSHAKE, script.text(), padding),
            3 => self.key_update(how, client),
            4 => self.broken(script, client),
            5 => self.bare(script),
            6 => return self.answer(how),
            _ => {
                let kind = script.byte();
                let (kind, text) = self.inner(kind, script.text());
                if kind == DATA { self.data(text, padding, client) } else { client.seal(kind, text, padding) }
            }
        };
        // In one piece, or in two.
        let cut = if how & 1 == 0 { record.len() } else { usize::from(how >> 1).min(record.len()) };
        self.receive(&mut record, cut);
    }

    fn receive(&mut self, record: &mut [u8], cut: usize) {
        let (head, tail) = record.split_at_mut(cut);
        for part in [head, tail] {
            let taken = self.session.receive(part, &mut self.heard);
            assert_eq!(taken, part.len(), "a session with room takes everything");
        }
        self.listen();
    }

    /// TLS 1.3 takes the last byte that is not zero for the type (RFC 8446 section 5.4): behind a type of 0, one of the text.
    fn inner<'t>(&self, kind: u8, text: &'t [u8]) -> (u8, &'t [u8]) {
        if kind != 0 || self.version == Version::Tls12 {
            return (kind, text);
        }
        let end = text.iter().rposition(|byte| *byte != 0);
        end.map_or((0, &[]), |end| (text[end], &text[..end]))
    }

    fn data(&mut self, text: &[u8], padding: usize, client: &mut Sealing) -> Vec<u8> {
        self.said.extend_from_slice(text);
        self.blameless &= !text.is_empty();
        client.seal(DATA, text, padding)
    }

    /// Our keys change with the message, if it is one.
    fn key_update(&mut self, how: u8, client: &mut Sealing) -> Vec<u8> {
        let [a, b, c, d, _] = KEY_UPDATE;
        let record = client.seal(HANDSHAKE, &[a, b, c, d, how >> 4 & 1], 0);
        if self.version == Version::Tls13 {
            client.turn();
        }
        self.updates += 1;
        self.blameless &= self.version == Version::Tls13 && self.updates <= usize::from(tls::limits::KEY_UPDATES_MAX);
        record
    }

    /// Data with one byte of its record changed.
    fn broken(&mut self, script: &mut Script<'_>, client: &mut Sealing) -> Vec<u8> {
        let (at, change) = (usize::from(script.short()), script.byte() | 1);
        let mut record = client.seal(DATA, script.text(), 0);
        // The header says how long the record is, and is left alone.
        let at = 5 + at % (record.len() - 5);
        record[at] ^= change;
        self.is_unsound();
        record
    }

    /// A record without protection.
    fn bare(&mut self, script: &mut Script<'_>) -> Vec<u8> {
        let (kind, text) = (script.byte(), script.text());
        self.is_unsound();
        [&[kind, 3, 3, 0, u8::try_from(text.len()).unwrap_or(u8::MAX)], text].concat()
    }

    /// Nothing that comes behind this may be believed.
    fn is_unsound(&mut self) {
        self.sound_len.get_or_insert(self.said.len());
    }

    /// The server says something, or that it has nothing more to say.
    fn answer(&mut self, how: u8) {
        if how == u8::MAX {
            self.session.close();
            self.is_closed = true;
        } else {
            let (mut out, plain) = ([0; 512], vec![how; how.into()]);
            let sent = self.session.send(&plain, &mut out);
            self.given.extend_from_slice(&plain[..sent.consumed]);
            self.hear(&out[..sent.produced]);
        }
        self.listen();
    }

    fn listen(&mut self) {
        self.events.extend(core::iter::from_fn(|| self.session.poll_event()));
        let bytes = transmit(&mut self.session);
        self.hear(&bytes);
    }

    /// What the server sends is sealed, in order, under the keys of its turn.
    fn hear(&mut self, bytes: &[u8]) {
        for record in records(bytes) {
            let (kind, content) = self.opener.open(record).expect("a record that opens");
            match kind {
                HANDSHAKE => {
                    assert_eq!(content, KEY_UPDATE);
                    self.opener.turn();
                }
                ALERT => assert_eq!(content.len(), 2),
                DATA => {
                    assert!(!content.is_empty());
                    self.told.extend(content);
                }
                other => unreachable!("a record of type {other}"),
            }
        }
    }

    fn end(mut self, client: &mut Sealing) {
        assert!(self.said.starts_with(&self.heard), "what was heard was never said");
        assert!(self.sound_len.is_none_or(|len| self.heard.len() <= len), "a broken record was passed over");
        let ended = self.events.iter().any(|event| matches!(event, Event::Fault(_) | Event::PeerClosed));
        assert!(ended || self.sound_len.is_none(), "a broken record ends the session");
        assert!(ended || self.heard == self.said, "something is missing");
        assert!(!ended || !self.blameless, "an end that nobody has brought about: {:?}", self.events);
        assert!(self.events.len() <= 2, "{:?}", self.events);
        assert!(self.session.buffered() <= tls::limits::RECORD_LEN_MAX);
        let wrong = Event::Fault(Fault::Peer(Alert::INTERNAL_ERROR));
        assert!(!self.events.contains(&wrong) && !self.events.contains(&Event::Fault(Fault::Internal)));
        if !ended {
            self.works(client);
        }
        assert!(self.given == self.told, "what was told is not what was given");
    }

    /// Both directions still work, unless the server has ended its own.
    fn works(&mut self, client: &mut Sealing) {
        let given = self.given.len();
        self.answer(7);
        assert_eq!(self.given.len() - given, if self.is_closed { 0 } else { 7 });
        // A message of the handshake may have begun, and data has no place in it.
        if !self.blameless {
            return;
        }
        let mut record = self.data(b"still there?", 0, client);
        let len = record.len();
        self.receive(&mut record, len);
        assert!(self.heard == self.said, "nothing is heard any more");
    }
}
