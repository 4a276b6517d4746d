//! A client of TLS 1.2 that does as it is told (RFC 5246, 5288, 7627): ECDHE, AES-128-GCM. It verifies nothing.

use e2e::{Outcome, ensure};

use super::bytes::{Reader, message, vec8};
use super::flight::{CLIENT_KEY_EXCHANGE, FINISHED, Flight, NEW_SESSION_TICKET, SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE, ServerHello};
use super::hello::{Hello, extension};
use super::peer::{CHANGE_CIPHER_SPEC, Came, DATA, HANDSHAKE, Peer};
use super::schedule::{Randoms, hash, master, prf, protections};
use crate::target::Target;

/// The server has said its first flight; we have said nothing but our hello.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) peer: Peer,
    pub(crate) hello: Hello,
    pub(crate) transcript: Vec<u8>,
    pub(crate) server: ServerHello,
    server_share: Vec<u8>,
    /// None until the exchange is said.
    master: Option<Vec<u8>>,
    /// The server took our ticket, and its flight was another.
    pub(crate) resumed: bool,
    pub(crate) ticket: Vec<u8>,
}

impl Handshake {
    pub(crate) fn begin(target: &Target, hello: Hello) -> Outcome<Self> {
        let mut peer = Peer::connect(target)?;
        let transcript = hello.message();
        peer.send(HANDSHAKE, &transcript)?;
        Self::go_on(peer, hello, transcript)
    }

    /// Reads the server's first flight.
    pub(crate) fn go_on(mut peer: Peer, hello: Hello, mut transcript: Vec<u8>) -> Outcome<Self> {
        let mut flight = Flight::default();
        let first = flight.next(&mut peer)?;
        let server = ServerHello::parse(&first)?;
        ensure(!server.is_tls13(), "TLS 1.3 was not offered")?;
        transcript.extend(&first.0);
        let resumed = !hello.session.is_empty() && server.session == hello.session;
        let mut handshake = Self { peer, hello, transcript, server, server_share: Vec::new(), master: None, resumed, ticket: Vec::new() };
        if !resumed {
            handshake.read_flight(&mut flight)?;
        }
        Ok(handshake)
    }

    fn read_flight(&mut self, flight: &mut Flight) -> Outcome {
        loop {
            let message = flight.next(&mut self.peer)?;
            self.transcript.extend(&message.0);
            match message.kind() {
                SERVER_KEY_EXCHANGE => {
                    let mut reader = Reader(message.body());
                    reader.take(3)?;
                    self.server_share = reader.vec(1)?.to_vec();
                }
                SERVER_HELLO_DONE => return Ok(()),
                _ => {}
            }
        }
    }

    /// Our ClientKeyExchange.
    pub(crate) fn exchange(&self) -> Outcome<Vec<u8>> {
        Ok(message(CLIENT_KEY_EXCHANGE, &vec8(&self.hello.public()?)))
    }

    /// Says a message and remembers it.
    pub(crate) fn say(&mut self, message: &[u8]) -> Outcome {
        self.transcript.extend(message);
        self.peer.send(HANDSHAKE, message)
    }

    /// ChangeCipherSpec, and from here on our records are sealed.
    pub(crate) fn change_cipher_spec(&mut self) -> Outcome {
        self.peer.write(&super::peer::record(CHANGE_CIPHER_SPEC, &[1]));
        self.take_keys()
    }

    /// The keys that follow from what was said; the master secret from what was said when it was first asked for.
    pub(crate) fn take_keys(&mut self) -> Outcome {
        let master = self.master.take().map_or_else(|| self.master_secret(), Ok)?;
        let [client, server] = protections(&master, self.randoms())?;
        self.peer.sealer = Some(client);
        // Theirs are in use from their ChangeCipherSpec on.
        self.peer.awaited = Some(server);
        self.master = Some(master);
        Ok(())
    }

    fn master_secret(&self) -> Outcome<Vec<u8>> {
        let shared = self.hello.agree(&self.server_share)?;
        let extended = self.server.extension(extension::MASTER_SECRET).is_some();
        Ok(master(&shared, extended.then_some(&self.transcript[..]), self.randoms()))
    }

    fn randoms(&self) -> Randoms<'_> {
        Randoms { client: &self.hello.random, server: &self.server.random }
    }

    /// Our Finished, as it would be right now.
    pub(crate) fn finished(&self) -> Vec<u8> {
        let master = self.master.as_deref().unwrap_or_default();
        message(FINISHED, &prf(master, "client finished", &hash(&self.transcript), 12))
    }

    /// Exchange, change of ciphers, Finished, and the server's.
    pub(crate) fn finish(mut self) -> Outcome<Self> {
        let exchange = self.exchange()?;
        self.say(&exchange)?;
        self.change_cipher_spec()?;
        let finished = self.finished();
        self.say(&finished)?;
        self.read_finished()?;
        Ok(self)
    }

    fn read_finished(&mut self) -> Outcome {
        let mut flight = Flight::default();
        loop {
            let message = flight.next(&mut self.peer)?;
            match message.kind() {
                NEW_SESSION_TICKET => self.ticket = message.body().get(6..).unwrap_or_default().to_vec(),
                FINISHED => return Ok(()),
                other => return Err(format!("message {other} instead of a Finished").into()),
            }
        }
    }

    /// Reads the server's Finished, asks, and reads the answer.
    pub(crate) fn asks_behind_finished(&mut self, line: &str) -> Outcome {
        self.read_finished()?;
        self.asks(line)
    }

    /// Asks, and reads the answer.
    pub(crate) fn asks(&mut self, line: &str) -> Outcome {
        self.peer.send(DATA, line.as_bytes())?;
        let wanted = format!("answer to {line}");
        let mut answer = Vec::new();
        while answer.len() < wanted.len() {
            match self.peer.hear()? {
                Came::Record(DATA, content) => answer.extend(content),
                other => return Err(format!("{other:?} instead of an answer").into()),
            }
        }
        ensure(answer == wanted.as_bytes(), format!("a wrong answer: {:?}", String::from_utf8_lossy(&answer)))
    }
}

/// A whole handshake.
pub(crate) fn establish(target: &Target) -> Outcome<Handshake> {
    Handshake::begin(target, Hello::tls12()?)?.finish()
}
