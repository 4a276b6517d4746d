//! One connection: what is said to a client, and the verdict on what it does; and the honest one before, for what is said to a client that comes back.

use core::time::Duration;
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use crate::authority::{Authority, Made, Shown};
use crate::hello::ClientHello;
use crate::limits::{DRAIN, EXPIRED, PATIENCES_MAX, RECORDS_MAX};
use crate::misbehaviour::{Evidence, First, Misbehaviour, Script};
use crate::session::Session;
use crate::v13::{Said, hears_hello};
use crate::verdict::{Absence, Folly, Notice, Verdict, reaction};
use crate::wire::Fault;
use crate::wire::flight::Flight;
use crate::wire::peer::{Came, Peer};
use crate::wire::registry::alert::{CLOSE_NOTIFY, WARNING};
use crate::wire::registry::content::{ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE};
use crate::{v12, v13};

/// What an honest server answers.
pub(crate) const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

/// What a client meets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Host<'a> {
    pub(crate) authority: &'a Authority,
    /// A client that does nothing for so long has gone on.
    pub(crate) patience: Duration,
}

type Hello = (ClientHello, Vec<u8>);

impl Host<'_> {
    /// Says it, and judges. A client that is to come back comes with this session.
    ///
    /// # Errors
    /// What was to be said could not be made; here and below.
    pub(crate) fn converse(self, tcp: TcpStream, misbehaviour: &Misbehaviour, session: Option<&Session>) -> Result<Verdict, Fault> {
        let Some((mut peer, incoming, hello)) = self.meet(tcp) else { return Ok(Verdict::NoClient(Absence::NoHello)) };
        if misbehaviour.evidence == Evidence::Offer {
            return Ok(session.map_or(Verdict::Untried, |session| offered(session, &hello.0)));
        }
        let mut stage = Stage::Wrong;
        let said = match misbehaviour.script {
            Script::Tls13(script) => self.tls13(&mut peer, incoming, hello, &script, session, &mut stage),
            Script::Tls12(script) => self.tls12(&mut peer, incoming, hello, &script, session),
        };
        match said {
            Ok(()) => Ok(settle(&mut peer)),
            Err(fault) => outcome(fault, &mut peer, stage),
        }
    }

    /// Serves a client honestly, and gives it a session; or says why it has none. Nothing wrong is said, unless what is honest is what is judged.
    pub(crate) fn acquaint(self, tcp: TcpStream, first: &First, stage: Stage) -> Result<Result<Session, Verdict>, Fault> {
        let Some((mut peer, incoming, hello)) = self.meet(tcp) else { return Ok(Err(Verdict::NoClient(Absence::NoHello))) };
        let given = match first.script {
            Script::Tls13(script) => self.give13(&mut peer, incoming, hello, &script, first.lifetime_s),
            Script::Tls12(script) => self.give12(&mut peer, incoming, hello, &script),
        };
        match given {
            Ok(session) => {
                // Some leave without asking for anything, to come back.
                if asked(&mut peer).is_ok() {
                    thread::sleep(first.pause);
                    answer(&mut peer)?;
                }
                Ok(Ok(session))
            }
            Err(fault) => outcome(fault, &mut peer, stage).map(Err),
        }
    }

    fn meet(self, tcp: TcpStream) -> Option<(Peer, Flight, Hello)> {
        let mut peer = Peer::over(tcp, self.patience).ok()?;
        peer.end_at(Instant::now() + self.patience * PATIENCES_MAX);
        let mut incoming = Flight::default();
        let hello = hears_hello(&mut peer, &mut incoming).ok()?;
        Some((peer, incoming, hello))
    }

    fn tls13(
        self,
        peer: &mut Peer,
        incoming: Flight,
        hello: Hello,
        script: &v13::Script,
        session: Option<&Session>,
        stage: &mut Stage,
    ) -> Said {
        if script.after.is_some() {
            *stage = Stage::Sound;
        }
        let mut speaker = v13::Speaker::greet(peer, incoming, hello, script, self.shown(script.chain)?, session)?;
        (script.flight)(&mut speaker)?;
        let mut established = speaker.establish()?;
        let Some(say) = script.after else { return Ok(()) };
        asked(established.peer)?;
        *stage = Stage::Wrong;
        say(&mut established)
    }

    fn give13(self, peer: &mut Peer, incoming: Flight, hello: Hello, script: &v13::Script, lifetime_s: u32) -> Result<Session, Fault> {
        let mut speaker = v13::Speaker::greet(peer, incoming, hello, script, self.shown(script.chain)?, None)?;
        (script.flight)(&mut speaker)?;
        speaker.establish()?.give(lifetime_s)
    }

    fn tls12(self, peer: &mut Peer, incoming: Flight, hello: Hello, script: &v12::Script, session: Option<&Session>) -> Said {
        v12::Speaker::greet(peer, incoming, hello, script, self.shown(script.chain)?, session)?.handshake(script)
    }

    fn give12(self, peer: &mut Peer, incoming: Flight, hello: Hello, script: &v12::Script) -> Result<Session, Fault> {
        let mut speaker = v12::Speaker::greet(peer, incoming, hello, script, self.shown(script.chain)?, None)?;
        speaker.handshake(script)?;
        Ok(speaker.session())
    }

    fn shown(self, chain: fn(&Authority) -> Made<Shown>) -> Result<Shown, Fault> {
        chain(self.authority).map_err(|_| Fault::OwnKey)
    }
}

/// Whether anything wrong was said yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Sound,
    Wrong,
}

/// What it means that something was not said to its end.
fn outcome(fault: Fault, peer: &mut Peer, stage: Stage) -> Result<Verdict, Fault> {
    match fault {
        Fault::OwnKey | Fault::OwnForm => Err(fault),
        Fault::PeerOffer => Ok(Verdict::Untried),
        _ if stage == Stage::Sound => Ok(Verdict::NoClient(Absence::Left)),
        Fault::PeerUnexpected(came) => Ok(reaction(&Ok(came)).unwrap_or_else(|| settle(peer))),
        Fault::PeerCut | Fault::PeerGone(_) => Ok(Verdict::Noticed(Notice::Closed)),
        // What else is wrong with what it says shows nothing; what it does next may.
        _ => Ok(settle(peer)),
    }
}

/// Whether a client comes back with what has expired; one that is back before that shows nothing.
fn offered(session: &Session, client: &ClientHello) -> Verdict {
    if session.given.elapsed() < EXPIRED {
        return Verdict::Untried;
    }
    if session.is_offered(client) { Verdict::Fooled(Folly::Offered) } else { Verdict::Noticed(Notice::NotOffered) }
}

/// Reads a request: whatever is said, up to an empty line or a pause.
fn asked(peer: &mut Peer) -> Said {
    let mut request = Vec::new();
    for _ in 0..RECORDS_MAX {
        match peer.hear()? {
            Came::Record(DATA, content) => request.extend(content),
            Came::Record(HANDSHAKE | CHANGE_CIPHER_SPEC, _) => {}
            Came::Silence if !request.is_empty() => return Ok(()),
            other => return Err(Fault::PeerUnexpected(other)),
        }
        if request.windows(4).any(|four| four == b"\r\n\r\n") {
            return Ok(());
        }
    }
    Ok(())
}

/// What the client does now, and an honest answer for one that asks.
fn settle(peer: &mut Peer) -> Verdict {
    let verdict = (0..RECORDS_MAX).find_map(|_| reaction(&peer.hear())).unwrap_or(Verdict::Fooled(Folly::WentOn));
    if verdict == Verdict::Fooled(Folly::Data) {
        // Whether it is heard is no longer the question.
        let _ = answer(peer);
    }
    verdict
}

/// An orderly answer, and an orderly end.
pub(crate) fn answer(peer: &mut Peer) -> Said {
    peer.send(DATA, ANSWER)?;
    peer.send(ALERT, &[WARNING, CLOSE_NOTIFY])?;
    peer.finish();
    peer.set_patience(DRAIN);
    let _ = (0..RECORDS_MAX).find(|_| !matches!(peer.hear(), Ok(Came::Record(..))));
    Ok(())
}
