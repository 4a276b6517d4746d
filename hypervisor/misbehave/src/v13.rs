//! A server of TLS 1.3 (RFC 8446) that says what a [`Script`] wants. What is said is remembered as it was said, so that a client that does not look
//! at it completes the handshake.

use rcgen::SigningKey;

use crate::authority::{Authority, Made, Shown};
use crate::greeting::{GROUPS, Greeting, Half, ServerHello, TLS13, extensions, random};
use crate::hello::ClientHello;
use crate::session::Session;
use crate::wire::Fault;
use crate::wire::bytes::{message, vec8, vec16, vec24};
use crate::wire::flight::Flight;
use crate::wire::peer::{Came, Peer, record};
use crate::wire::registry::content::{CHANGE_CIPHER_SPEC, HANDSHAKE};
use crate::wire::registry::handshake::{
    CERTIFICATE, CERTIFICATE_VERIFY, CLIENT_HELLO, ENCRYPTED_EXTENSIONS, FINISHED, MESSAGE_HASH, NEW_SESSION_TICKET,
};
use crate::wire::registry::{extension, scheme, suite};
use crate::wire::schedule::{Secret, derive, expand_label, extract, finished, hash, protection};

/// What becomes of saying something.
pub(crate) type Said = Result<(), Fault>;

/// What a server says, each part as an honest one does unless it is changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    /// Whom it shows.
    pub(crate) chain: fn(&Authority) -> Made<Shown>,
    /// The only group in which it agrees; else the first that the client has a share for.
    pub(crate) group: Option<u16>,
    /// It says HelloRetryRequest, changed so.
    pub(crate) retry: Option<fn(&mut ServerHello, &ClientHello)>,
    /// What is changed in its ServerHello.
    pub(crate) greet: fn(&mut Greeting<'_>),
    /// What it says behind that, sealed.
    pub(crate) flight: fn(&mut Speaker<'_>) -> Said,
    /// What it says in place of an answer.
    pub(crate) after: Option<fn(&mut Established<'_>) -> Said>,
}

/// Nothing is wrong.
pub(crate) const HONEST: Script =
    Script { chain: |it| it.chain(&it.leaf()?), group: None, retry: None, greet: |_| {}, flight: |it| it.honest(), after: None };

/// Nothing is wrong, and the client has come back with a session.
pub(crate) const RESUMED: Script = Script { greet: |it| it.resume(), flight: |it| it.unproven(), ..HONEST };

/// The context of a server's CertificateVerify (section 4.4.3), and of a client's.
pub(crate) const SERVER_CONTEXT: &str = "TLS 1.3, server CertificateVerify";
pub(crate) const CLIENT_CONTEXT: &str = "TLS 1.3, client CertificateVerify";
/// A record takes no more.
const CONTENT_LEN_MAX: usize = 1 << 14;

/// A server that has greeted.
#[derive(Debug)]
pub(crate) struct Speaker<'a> {
    pub(crate) peer: &'a mut Peer,
    pub(crate) client: ClientHello,
    pub(crate) shown: Shown,
    /// All messages so far.
    pub(crate) transcript: Vec<u8>,
    pub(crate) client_secret: Secret,
    pub(crate) server_secret: Secret,
    master: Secret,
    incoming: Flight,
    outgoing: Vec<u8>,
}

/// A handshake that both sides have ended.
#[derive(Debug)]
pub(crate) struct Established<'a> {
    pub(crate) peer: &'a mut Peer,
    pub(crate) client: ClientHello,
    server_secret: Secret,
    resumption_secret: Secret,
}

/// Reads the client's hello.
pub(crate) fn hears_hello(peer: &mut Peer, incoming: &mut Flight) -> Result<(ClientHello, Vec<u8>), Fault> {
    let message = incoming.next(peer)?;
    if message.kind() != CLIENT_HELLO {
        return Err(Fault::PeerUnexpected(Came::Record(HANDSHAKE, message.0)));
    }
    Ok((ClientHello::parse(message.body())?, message.0))
}

impl<'a> Speaker<'a> {
    /// Greets, with the client's hello before it.
    pub(crate) fn greet(
        peer: &'a mut Peer,
        mut incoming: Flight,
        hello: (ClientHello, Vec<u8>),
        script: &Script,
        shown: Shown,
        session: Option<&Session>,
    ) -> Result<Self, Fault> {
        let (mut client, mut transcript) = hello;
        let is_back = session.is_none_or(|session| session.place(&client).is_some());
        if !is_back || !client.versions().contains(&TLS13) || !client.suites.contains(&suite::AES_128_GCM_SHA256) {
            return Err(Fault::PeerOffer);
        }
        if let Some(retry) = retry(&client, script)? {
            transcript = [message(MESSAGE_HASH, &hash(&transcript)), retry.message()].concat();
            send_hello(peer, &client, &retry.message())?;
            let (second, said) = hears_hello(peer, &mut incoming)?;
            transcript.extend(said);
            client = second;
        }
        let Common { hello, shared, psk } = greeting(&client, script, session)?;
        transcript.extend(&hello);
        send_hello(peer, &client, &hello)?;
        let secret = extract(&derive(&extract(&[], &psk), "derived", &[]), &shared);
        let [client_secret, server_secret] = ["c hs traffic", "s hs traffic"].map(|label| derive(&secret, label, &transcript));
        peer.opener = Some(protection(&client_secret)?);
        peer.sealer = Some(protection(&server_secret)?);
        let master = extract(&derive(&secret, "derived", &[]), &[0; 32]);
        Ok(Self { peer, client, shown, transcript, client_secret, server_secret, master, incoming, outgoing: Vec::new() })
    }

    /// All that an honest server says.
    pub(crate) fn honest(&mut self) -> Said {
        self.extensions(&[]);
        self.proven()
    }

    /// All that an honest server says whose client has come back: the session is its proof.
    pub(crate) fn unproven(&mut self) -> Said {
        self.extensions(&[]);
        self.finish();
        Ok(())
    }

    /// The certificate and all behind it.
    pub(crate) fn proven(&mut self) -> Said {
        self.show();
        self.prove()?;
        self.finish();
        Ok(())
    }

    /// EncryptedExtensions.
    pub(crate) fn extensions(&mut self, list: &[(u16, Vec<u8>)]) {
        self.say(&message(ENCRYPTED_EXTENSIONS, &vec16(&extensions(list))));
    }

    /// Certificate.
    pub(crate) fn show(&mut self) {
        self.say(&certificate(&self.shown.chain, &[]));
    }

    /// CertificateVerify.
    pub(crate) fn prove(&mut self) -> Said {
        let proof = self.proof(SERVER_CONTEXT, &self.transcript)?;
        self.say(&verify(scheme::ECDSA_P256_SHA256, &proof));
        Ok(())
    }

    /// The signature in it.
    pub(crate) fn proof(&self, context: &str, messages: &[u8]) -> Result<Vec<u8>, Fault> {
        let signed = [&[b' '; 64][..], context.as_bytes(), &[0], &hash(messages)].concat();
        self.shown.key.sign(&signed).map_err(|_| Fault::OwnKey)
    }

    /// Finished.
    pub(crate) fn finish(&mut self) {
        let finished = self.finished();
        self.say(&finished);
    }

    /// The message, as it would be right now.
    pub(crate) fn finished(&self) -> Vec<u8> {
        message(FINISHED, &finished(&self.server_secret, &self.transcript))
    }

    /// Says a message and remembers it.
    pub(crate) fn say(&mut self, message: &[u8]) {
        self.transcript.extend(message);
        self.slip(message);
    }

    /// Says it and does not remember it: a client that lets it pass does not, either.
    pub(crate) fn slip(&mut self, message: &[u8]) {
        self.outgoing.extend(message);
    }

    /// Does not send what was said: whoever calls has sent it some other way.
    pub(crate) fn forget(&mut self) {
        self.outgoing.clear();
    }

    /// Sends what was said, in as few records as it takes.
    pub(crate) fn flush(&mut self) -> Said {
        let said = core::mem::take(&mut self.outgoing);
        said.chunks(CONTENT_LEN_MAX).try_for_each(|part| self.peer.send(HANDSHAKE, part))
    }

    /// Has said all, and hears the client's side of it.
    pub(crate) fn establish(mut self) -> Result<Established<'a>, Fault> {
        self.flush()?;
        let [client, server] = ["c ap traffic", "s ap traffic"].map(|label| derive(&self.master, label, &self.transcript));
        self.peer.sealer = Some(protection(&server)?);
        loop {
            let message = self.incoming.next(self.peer)?;
            let wanted = finished(&self.client_secret, &self.transcript);
            self.transcript.extend(&message.0);
            if message.kind() == FINISHED {
                if message.body() != wanted {
                    return Err(Fault::PeerFinished);
                }
                break;
            }
        }
        self.peer.opener = Some(protection(&client)?);
        let resumption_secret = derive(&self.master, "res master", &self.transcript);
        Ok(Established { peer: self.peer, client: self.client, server_secret: server, resumption_secret })
    }
}

impl Established<'_> {
    /// Takes our next key into use.
    pub(crate) fn turn_own_key(&mut self) -> Said {
        self.server_secret = expand_label(&self.server_secret, "traffic upd", &[]);
        self.peer.sealer = Some(protection(&self.server_secret)?);
        Ok(())
    }

    /// Gives a ticket that is good for so long, and says what it stands for (section 4.6.1).
    pub(crate) fn give(&mut self, lifetime_s: u32) -> Result<Session, Fault> {
        let (ticket, nonce) = (random()?, [0]);
        self.peer.send(HANDSHAKE, &new_ticket(lifetime_s, &nonce, &ticket))?;
        Ok(Session::new(ticket.to_vec(), expand_label(&self.resumption_secret, "resumption", &nonce).to_vec()))
    }
}

/// The HelloRetryRequest, if there has to be one.
fn retry(client: &ClientHello, script: &Script) -> Result<Option<ServerHello>, Fault> {
    let has_share = |group: &u16| client.share(*group).is_some();
    let wanted = match script.group {
        Some(group) => (!has_share(&group)).then_some(group),
        None if GROUPS.iter().any(has_share) => None,
        None => Some(GROUPS.into_iter().find(|known| client.groups().contains(known)).ok_or(Fault::PeerOffer)?),
    };
    if wanted.is_none() && script.retry.is_none() {
        return Ok(None);
    }
    let mut hello = ServerHello::retry(client, wanted)?;
    if let Some(change) = script.retry {
        change(&mut hello, client);
    }
    Ok(Some(hello))
}

/// What the greeting's record holds, and what both sides then have in common.
struct Common {
    hello: Vec<u8>,
    shared: Vec<u8>,
    psk: Secret,
}

fn greeting(client: &ClientHello, script: &Script, session: Option<&Session>) -> Result<Common, Fault> {
    let mut groups = GROUPS.into_iter().filter(|known| script.group.is_none_or(|group| group == *known));
    let (group, theirs) = groups.find_map(|group| Some((group, client.share(group)?))).ok_or(Fault::PeerOffer)?;
    let half = Half::new(group)?;
    let mut hello = ServerHello::tls13(client)?;
    hello.share(group, &half.public);
    let shared = half.agree(&theirs)?;
    let mut greeting = Greeting { client, hello, shared, psk: [0; 32], session, instead: None, behind: Vec::new() };
    (script.greet)(&mut greeting);
    let message = greeting.instead.unwrap_or_else(|| greeting.hello.message());
    Ok(Common { hello: [message, greeting.behind].concat(), shared: greeting.shared, psk: greeting.psk })
}

/// Behind its first message a server says ChangeCipherSpec, once, to a client that shows a session (appendix D.4).
fn send_hello(peer: &mut Peer, client: &ClientHello, message: &[u8]) -> Said {
    peer.send(HANDSHAKE, message)?;
    if !client.session.is_empty() && client.extension(extension::COOKIE).is_none() {
        peer.write(&record(CHANGE_CIPHER_SPEC, &[1]));
    }
    Ok(())
}

/// Certificate; every entry has these extensions.
pub(crate) fn certificate(chain: &[Vec<u8>], extensions: &[u8]) -> Vec<u8> {
    let entries: Vec<u8> = chain.iter().flat_map(|one| [vec24(one), vec16(extensions)].concat()).collect();
    message(CERTIFICATE, &[vec8(&[]), vec24(&entries)].concat())
}

/// CertificateVerify.
pub(crate) fn verify(scheme: u16, signature: &[u8]) -> Vec<u8> {
    message(CERTIFICATE_VERIFY, &[&scheme.to_be_bytes()[..], &vec16(signature)].concat())
}

/// NewSessionTicket.
pub(crate) fn new_ticket(lifetime_s: u32, nonce: &[u8], ticket: &[u8]) -> Vec<u8> {
    let body = [&lifetime_s.to_be_bytes()[..], &[1, 2, 3, 4], &vec8(nonce), &vec16(ticket), &vec16(&[])].concat();
    message(NEW_SESSION_TICKET, &body)
}
