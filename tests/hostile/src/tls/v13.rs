//! A client of TLS 1.3 that does as it is told (RFC 8446). It verifies nothing: it is the attacker.

use e2e::{Outcome, ensure};

use super::bytes::{Reader, message, vec24};
use super::flight::{
    CERTIFICATE, CERTIFICATE_REQUEST, ENCRYPTED_EXTENSIONS, FINISHED, Flight, KEY_UPDATE, MESSAGE_HASH, NEW_SESSION_TICKET, ServerHello,
};
use super::hello::{Hello, extension};
use super::peer::{CHANGE_CIPHER_SPEC, Came, DATA, HANDSHAKE, Peer};
use super::schedule::{Secret, derive, expand_label, extract, finished, hash, protection};
use crate::target::Target;

/// A handshake in which the server has said all that it has to say before we finish. What we send is sealed under the handshake's keys; what we read, under the traffic's.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) peer: Peer,
    /// All messages so far.
    pub(crate) transcript: Vec<u8>,
    client_secret: Secret,
    master: Secret,
    /// Up to the server's Finished.
    traffic: [Secret; 2],
    /// Whether a certificate is asked for, and the request's context.
    pub(crate) request: Option<Vec<u8>>,
    /// No certificate was shown: the server took our ticket.
    pub(crate) resumed: bool,
    /// The server takes early data.
    pub(crate) early: bool,
}

/// After the handshake.
#[derive(Debug)]
pub(crate) struct Established {
    pub(crate) peer: Peer,
    client: Secret,
    server: Secret,
    resumption: Secret,
}

/// A ticket with its key.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) identity: Vec<u8>,
    pub(crate) key: Secret,
    pub(crate) age_add: u32,
}

impl Handshake {
    /// Says the hello in one record.
    pub(crate) fn begin(target: &Target, hello: &Hello) -> Outcome<Self> {
        let mut peer = Peer::connect(target)?;
        let said = hello.message();
        peer.send(HANDSHAKE, &said)?;
        Self::go_on(peer, hello, said, None)
    }

    /// A handshake that the server begins and must not end: what it is told, once there are keys.
    pub(crate) fn is_told(peer: Peer, hello: &Hello, transcript: Vec<u8>, alerts: &[u8]) -> Outcome {
        let (mut handshake, _) = Self::greet(peer, hello, transcript, None)?;
        handshake.peer.is_told(alerts)
    }

    /// Reads the server's flight; `transcript` is what was said so far, `psk` what we offered.
    pub(crate) fn go_on(peer: Peer, hello: &Hello, transcript: Vec<u8>, psk: Option<&Secret>) -> Outcome<Self> {
        let (mut handshake, mut flight) = Self::greet(peer, hello, transcript, psk)?;
        handshake.read_flight(&mut flight)?;
        handshake.traffic = ["c ap traffic", "s ap traffic"].map(|label| derive(&handshake.master, label, &handshake.transcript));
        handshake.peer.opener = Some(protection(&handshake.traffic[1])?);
        Ok(handshake)
    }

    /// Reads the ServerHello, and takes the handshake's keys into use.
    fn greet(mut peer: Peer, hello: &Hello, mut transcript: Vec<u8>, psk: Option<&Secret>) -> Outcome<(Self, Flight)> {
        let mut flight = Flight::default();
        let first = flight.next(&mut peer)?;
        let server = ServerHello::parse(&first)?;
        ensure(server.is_tls13() && !server.is_retry(), "not a ServerHello of TLS 1.3")?;
        transcript.extend(&first.0);
        let mut share = Reader(server.extension(extension::KEY_SHARE).ok_or("no key share")?);
        share.take(2)?;
        let shared = hello.agree(share.vec(2)?)?;
        let psk = psk.filter(|_| server.extension(extension::PRE_SHARED_KEY).is_some()).copied().unwrap_or_default();
        let secret = extract(&derive(&extract(&[], &psk), "derived", &[]), &shared);
        let client_secret = derive(&secret, "c hs traffic", &transcript);
        let server_secret = derive(&secret, "s hs traffic", &transcript);
        peer.opener = Some(protection(&server_secret)?);
        peer.sealer = Some(protection(&client_secret)?);
        let master = extract(&derive(&secret, "derived", &[]), &[0; 32]);
        let traffic = [[0; 32]; 2];
        Ok((Self { peer, transcript, client_secret, master, traffic, request: None, resumed: true, early: false }, flight))
    }

    fn read_flight(&mut self, flight: &mut Flight) -> Outcome {
        loop {
            let message = flight.next(&mut self.peer)?;
            self.transcript.extend(&message.0);
            match message.kind() {
                CERTIFICATE_REQUEST => self.request = Some(Reader(message.body()).vec(1)?.to_vec()),
                CERTIFICATE => self.resumed = false,
                ENCRYPTED_EXTENSIONS => self.early = has_early_data(message.body())?,
                FINISHED => return Ok(()),
                _ => {}
            }
        }
    }

    /// Our Finished, as it would be right now.
    pub(crate) fn finished(&self) -> Vec<u8> {
        message(FINISHED, &finished(&self.client_secret, &self.transcript))
    }

    /// Sends a message, sealed, and remembers it.
    pub(crate) fn say(&mut self, message: &[u8]) -> Outcome {
        self.transcript.extend(message);
        self.peer.send(HANDSHAKE, message)
    }

    /// Ends the handshake as it should be; who is asked for a certificate has none.
    pub(crate) fn finish(mut self) -> Outcome<Established> {
        self.peer.write(&super::peer::record(CHANGE_CIPHER_SPEC, &[1]));
        if let Some(context) = self.request.clone() {
            self.say(&message(CERTIFICATE, &[&super::bytes::vec8(&context)[..], &vec24(&[])].concat()))?;
        }
        let finished = self.finished();
        self.say(&finished)?;
        self.established()
    }

    /// Takes the traffic's keys into use: all has been said.
    pub(crate) fn established(self) -> Outcome<Established> {
        let Self { mut peer, transcript, master, traffic: [client, server], .. } = self;
        peer.sealer = Some(protection(&client)?);
        Ok(Established { peer, client, server, resumption: derive(&master, "res master", &transcript) })
    }
}

fn has_early_data(body: &[u8]) -> Outcome<bool> {
    let mut list = Reader(Reader(body).vec(2)?);
    while !list.0.is_empty() {
        if list.number(2)? == usize::from(extension::EARLY_DATA) {
            return Ok(true);
        }
        list.vec(2)?;
    }
    Ok(false)
}

/// A whole handshake.
pub(crate) fn establish(target: &Target) -> Outcome<Established> {
    Handshake::begin(target, &Hello::tls13()?)?.finish()
}

impl Established {
    /// Takes our next keys into use.
    pub(crate) fn turn_own_key(&mut self) -> Outcome {
        self.client = expand_label(&self.client, "traffic upd", &[]);
        self.peer.sealer = Some(protection(&self.client)?);
        Ok(())
    }

    /// Takes the server's next keys into use.
    pub(crate) fn turn_their_key(&mut self) -> Outcome {
        self.server = expand_label(&self.server, "traffic upd", &[]);
        self.peer.opener = Some(protection(&self.server)?);
        Ok(())
    }

    /// Says that our keys change, and changes them.
    pub(crate) fn update_key(&mut self, request: u8) -> Outcome {
        self.peer.send(HANDSHAKE, &message(KEY_UPDATE, &[request]))?;
        self.turn_own_key()
    }

    /// The first ticket; what else comes before it is an error.
    pub(crate) fn ticket(&mut self) -> Outcome<Ticket> {
        let ticket = Flight::default().next(&mut self.peer)?;
        ensure(ticket.kind() == NEW_SESSION_TICKET, format!("message {} instead of a ticket", ticket.kind()))?;
        let mut reader = Reader(ticket.body());
        reader.take(4)?;
        let age_add = u32::try_from(reader.number(4)?)?;
        let key = expand_label(&self.resumption, "resumption", reader.vec(1)?);
        Ok(Ticket { identity: reader.vec(2)?.to_vec(), key, age_add })
    }

    /// Asks, and reads the whole answer.
    pub(crate) fn asks(&mut self, line: &str) -> Outcome {
        self.peer.send(DATA, line.as_bytes())?;
        self.hears(line)
    }

    /// Reads the answer to a line.
    pub(crate) fn hears(&mut self, line: &str) -> Outcome {
        let wanted = format!("answer to {line}");
        let mut answer = Vec::new();
        while answer.len() < wanted.len() {
            match self.peer.hear()? {
                Came::Record(DATA, content) => answer.extend(content),
                Came::Record(HANDSHAKE, content) if content.first() == Some(&KEY_UPDATE) => self.turn_their_key()?,
                Came::Record(HANDSHAKE, _) => {}
                other => return Err(format!("{other:?} instead of an answer").into()),
            }
        }
        ensure(answer == wanted.as_bytes(), format!("a wrong answer: {:?}", String::from_utf8_lossy(&answer)))
    }
}

/// What stands in the transcript for the first hello once there was a HelloRetryRequest (RFC 8446 section 4.4.1).
pub(crate) fn folded(first: &[u8]) -> Vec<u8> {
    message(MESSAGE_HASH, &hash(first))
}
