//! A server of TLS 1.2 (RFC 5246, 5288, 7627, 8422) that says what a [`Script`] wants: ECDHE, ECDSA, AES-128-GCM.

use rcgen::SigningKey;

use crate::authority::{Authority, Made, Shown};
use crate::greeting::{GROUPS, Half, ServerHello, random};
use crate::hello::ClientHello;
use crate::session::Session;
use crate::v13::Said;
use crate::wire::Fault;
use crate::wire::bytes::{Reader, message, vec8, vec16, vec24};
use crate::wire::flight::Flight;
use crate::wire::peer::{Peer, record};
use crate::wire::protection::Protection;
use crate::wire::registry::content::{CHANGE_CIPHER_SPEC, HANDSHAKE};
use crate::wire::registry::handshake::{
    CERTIFICATE, CLIENT_KEY_EXCHANGE, FINISHED, NEW_SESSION_TICKET, SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE,
};
use crate::wire::registry::{extension, group, scheme, suite};
use crate::wire::schedule::{Randoms, hash, master, prf, protections};

/// What a server says, each part as an honest one does unless it is changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    /// Whom it shows.
    pub(crate) chain: fn(&Authority) -> Made<Shown>,
    /// What is changed in its ServerHello.
    pub(crate) greet: fn(&mut ServerHello, &ClientHello),
    /// What it says behind that.
    pub(crate) flight: fn(&mut Speaker<'_>) -> Said,
    /// What it says when it has heard the client's Finished.
    pub(crate) end: fn(&mut Speaker<'_>) -> Said,
}

/// Nothing is wrong.
pub(crate) const HONEST: Script =
    Script { chain: |it| it.chain(&it.leaf()?), greet: |_, _| {}, flight: |it| it.honest(), end: |it| it.end() };

/// Nothing is wrong, and the client gets a session to come back with: a ticket if it wants one (RFC 5077), else an id.
pub(crate) const GIVING: Script = Script {
    greet: |hello, client| {
        if client.extension(extension::TICKET).is_some() {
            hello.set(extension::TICKET, &[]);
        } else {
            hello.session = hash(&hello.random).to_vec();
        }
    },
    end: |it| {
        it.give()?;
        it.end()
    },
    ..HONEST
};

/// Nothing is wrong, and the client has come back with it: its id is said again, and the server ends first (RFC 5246 section 7.3).
pub(crate) const RESUMED: Script = Script {
    greet: |hello, client| hello.session.clone_from(&client.session),
    flight: |it| {
        it.resume()?;
        it.end()
    },
    end: |_| Ok(()),
    ..HONEST
};

/// A named curve follows (RFC 8422 section 5.4).
const NAMED_CURVE: u8 = 3;

/// A server that has greeted.
#[derive(Debug)]
pub(crate) struct Speaker<'a> {
    pub(crate) peer: &'a mut Peer,
    client: ClientHello,
    hello: ServerHello,
    session: Option<&'a Session>,
    ticket: Option<Vec<u8>>,
    shown: Shown,
    transcript: Vec<u8>,
    incoming: Flight,
    outgoing: Vec<u8>,
    half: Option<Half>,
    pub(crate) master: Vec<u8>,
    sealer: Option<Protection>,
}

impl<'a> Speaker<'a> {
    /// Greets, with the client's hello before it.
    pub(crate) fn greet(
        peer: &'a mut Peer,
        incoming: Flight,
        hello: (ClientHello, Vec<u8>),
        script: &Script,
        shown: Shown,
        session: Option<&'a Session>,
    ) -> Result<Self, Fault> {
        let (client, mut transcript) = hello;
        if !session.is_none_or(|session| session.is_offered(&client)) {
            return Err(Fault::PeerOffer);
        }
        if !client.suites.contains(&suite::ECDHE_ECDSA_AES_128_GCM_SHA256) || !client.groups().iter().any(|group| GROUPS.contains(group)) {
            return Err(Fault::PeerOffer);
        }
        let mut hello = ServerHello::tls12(&client)?;
        (script.greet)(&mut hello, &client);
        let said = hello.message();
        peer.send(HANDSHAKE, &said)?;
        transcript.extend(said);
        let (outgoing, master) = (Vec::new(), Vec::new());
        let (ticket, half, sealer) = (None, None, None);
        Ok(Self { peer, client, hello, session, ticket, shown, transcript, incoming, outgoing, half, master, sealer })
    }

    /// What is behind the greeting, to its end.
    pub(crate) fn handshake(&mut self, script: &Script) -> Said {
        (script.flight)(self)?;
        self.hear()?;
        (script.end)(self)
    }

    /// All that an honest server says before the client must answer.
    pub(crate) fn honest(&mut self) -> Said {
        self.show();
        self.exchange(&Exchange::default())?;
        self.done();
        Ok(())
    }

    /// Certificate.
    pub(crate) fn show(&mut self) {
        let entries: Vec<u8> = self.shown.chain.iter().flat_map(|one| vec24(one)).collect();
        self.say(&message(CERTIFICATE, &vec24(&entries)));
    }

    /// ServerKeyExchange, which is signed together with both randoms.
    pub(crate) fn exchange(&mut self, change: &Exchange) -> Said {
        let known = if self.prefers(group::SECP256R1) { group::SECP256R1 } else { group::X25519 };
        let half = Half::new(known)?;
        let named = change.group.unwrap_or(known).to_be_bytes();
        let params = [&[NAMED_CURVE][..], &named, &vec8(&half.public)].concat();
        let mut signed = [&self.client.random[..], &self.hello.random, &params].concat();
        signed[0] ^= change.random;
        let mut signature = self.shown.key.sign(&signed).map_err(|_| Fault::OwnKey)?;
        flip_last(&mut signature, change.signature);
        self.half = Some(half);
        let scheme = change.scheme.unwrap_or(scheme::ECDSA_P256_SHA256).to_be_bytes();
        self.say(&message(SERVER_KEY_EXCHANGE, &[&params[..], &scheme, &vec16(&signature)].concat()));
        Ok(())
    }

    /// Whether the client would rather have this group than the other one that we know.
    pub(crate) fn prefers(&self, group: u16) -> bool {
        self.client.groups().into_iter().find(|group| GROUPS.contains(group)) == Some(group)
    }

    /// ServerHelloDone.
    pub(crate) fn done(&mut self) {
        self.say(&message(SERVER_HELLO_DONE, &[]));
    }

    /// Says a message and remembers it.
    pub(crate) fn say(&mut self, message: &[u8]) {
        self.transcript.extend(message);
        self.outgoing.extend(message);
    }

    /// Sends what was said.
    pub(crate) fn flush(&mut self) -> Said {
        let said = core::mem::take(&mut self.outgoing);
        if said.is_empty() { Ok(()) } else { self.peer.send(HANDSHAKE, &said) }
    }

    /// Has said all of its first flight, and hears the client's up to its Finished.
    fn hear(&mut self) -> Said {
        self.flush()?;
        loop {
            let message = self.incoming.next(self.peer)?;
            let wanted = prf(&self.master, "client finished", &hash(&self.transcript), 12);
            self.transcript.extend(&message.0);
            match message.kind() {
                CLIENT_KEY_EXCHANGE => self.agree(message.body())?,
                FINISHED if message.body() == wanted => return Ok(()),
                FINISHED => return Err(Fault::PeerFinished),
                _ => {}
            }
        }
    }

    fn agree(&mut self, body: &[u8]) -> Said {
        let half = self.half.take().ok_or(Fault::OwnKey)?;
        let shared = half.agree(Reader(body).vec(1)?)?;
        let randoms = Randoms { client: &self.client.random, server: &self.hello.random };
        let extended = self.hello.extensions.iter().any(|(kind, _)| *kind == extension::MASTER_SECRET);
        self.master = master(&shared, extended.then_some(&self.transcript[..]), randoms);
        self.key()
    }

    /// Takes the master secret of the session that the client has come back with.
    pub(crate) fn resume(&mut self) -> Said {
        self.master = self.session.ok_or(Fault::PeerOffer)?.secret.clone();
        self.key()
    }

    /// The same of a client that knows extended_master_secret.
    pub(crate) fn resume_extended(&mut self) -> Said {
        self.client.extension(extension::MASTER_SECRET).ok_or(Fault::PeerOffer)?;
        self.resume()
    }

    /// Makes keys of the master secret.
    pub(crate) fn key(&mut self) -> Said {
        let randoms = Randoms { client: &self.client.random, server: &self.hello.random };
        let [client, server] = protections(&self.master, randoms)?;
        self.peer.awaited = Some(client);
        self.sealer = Some(server);
        Ok(())
    }

    /// NewSessionTicket (RFC 5077 section 3.3), if one was promised.
    fn give(&mut self) -> Said {
        if self.hello.session.is_empty() {
            let ticket = random()?;
            self.say(&message(NEW_SESSION_TICKET, &[&7200_u32.to_be_bytes()[..], &vec16(&ticket)].concat()));
            self.ticket = Some(ticket.to_vec());
        }
        self.flush()
    }

    /// What the client may come back with, now that the handshake is over.
    pub(crate) fn session(self) -> Session {
        Session::new(self.ticket.unwrap_or(self.hello.session), self.master)
    }

    /// ChangeCipherSpec and Finished.
    pub(crate) fn end(&mut self) -> Said {
        self.change_cipher();
        let finished = self.finished("server finished");
        self.say(&finished);
        self.flush()
    }

    /// ChangeCipherSpec: from here on our records are sealed.
    pub(crate) fn change_cipher(&mut self) {
        self.peer.write(&record(CHANGE_CIPHER_SPEC, &[1]));
        self.peer.sealer = self.sealer.take();
    }

    /// Finished, by this label.
    pub(crate) fn finished(&self, label: &str) -> Vec<u8> {
        message(FINISHED, &prf(&self.master, label, &hash(&self.transcript), 12))
    }
}

/// What is changed in a ServerKeyExchange.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Exchange {
    /// The group that it names; the key is of another.
    pub(crate) group: Option<u16>,
    /// The scheme that it names.
    pub(crate) scheme: Option<u16>,
    /// Flipped in the last byte of its signature.
    pub(crate) signature: u8,
    /// Flipped in the client's random before it is signed.
    pub(crate) random: u8,
}

/// Flips bits in the last byte.
pub(crate) fn flip_last(bytes: &mut [u8], bits: u8) {
    if let Some(last) = bytes.last_mut() {
        *last ^= bits;
    }
}
