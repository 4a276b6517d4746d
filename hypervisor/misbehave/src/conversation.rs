//! One connection: what is said to a client, and the verdict on what it does.

use core::time::Duration;
use std::net::TcpStream;
use std::time::Instant;

use crate::authority::{Authority, Made, Shown};
use crate::hello::ClientHello;
use crate::limits::{DRAIN, PATIENCES_MAX, RECORDS_MAX};
use crate::misbehaviour::{Misbehaviour, Script};
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

/// Says it, and judges. A client that does nothing for as long as `patience` has gone on.
///
/// # Errors
/// What was to be said could not be made.
pub(crate) fn converse(tcp: TcpStream, misbehaviour: &Misbehaviour, authority: &Authority, patience: Duration) -> Result<Verdict, Fault> {
    let Ok(mut peer) = Peer::over(tcp, patience) else { return Ok(Verdict::NoClient(Absence::NoHello)) };
    peer.end_at(Instant::now() + patience * PATIENCES_MAX);
    let mut incoming = Flight::default();
    let Ok(hello) = hears_hello(&mut peer, &mut incoming) else { return Ok(Verdict::NoClient(Absence::NoHello)) };
    let mut stage = Stage::Wrong;
    let said = match misbehaviour.script {
        Script::Tls13(script) => tls13(&mut peer, incoming, hello, &script, authority, &mut stage),
        Script::Tls12(script) => tls12(&mut peer, incoming, hello, &script, authority),
    };
    match said {
        Err(fault @ (Fault::OwnKey | Fault::OwnForm)) => return Err(fault),
        Err(Fault::PeerOffer) => return Ok(Verdict::Untried),
        Err(_) if stage == Stage::Sound => return Ok(Verdict::NoClient(Absence::Left)),
        Err(Fault::PeerUnexpected(came)) => {
            if let Some(verdict) = reaction(&Ok(came)) {
                return Ok(verdict);
            }
        }
        Err(Fault::PeerCut | Fault::PeerGone(_)) => return Ok(Verdict::Noticed(Notice::Closed)),
        // What else is wrong with what it says shows nothing; what it does next may.
        Ok(()) | Err(_) => {}
    }
    Ok(settle(&mut peer))
}

/// Whether anything wrong was said yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Sound,
    Wrong,
}

type Hello = (ClientHello, Vec<u8>);

fn tls13(peer: &mut Peer, incoming: Flight, hello: Hello, script: &v13::Script, authority: &Authority, stage: &mut Stage) -> Said {
    if script.after.is_some() {
        *stage = Stage::Sound;
    }
    let mut speaker = v13::Speaker::greet(peer, incoming, hello, script, shown(script.chain, authority)?)?;
    (script.flight)(&mut speaker)?;
    let mut established = speaker.establish()?;
    let Some(say) = script.after else { return Ok(()) };
    asked(established.peer)?;
    *stage = Stage::Wrong;
    say(&mut established)
}

fn tls12(peer: &mut Peer, incoming: Flight, hello: Hello, script: &v12::Script, authority: &Authority) -> Said {
    let mut speaker = v12::Speaker::greet(peer, incoming, hello, script, shown(script.chain, authority)?)?;
    (script.flight)(&mut speaker)?;
    speaker.hear()?;
    (script.end)(&mut speaker)
}

fn shown(chain: fn(&Authority) -> Made<Shown>, authority: &Authority) -> Result<Shown, Fault> {
    chain(authority).map_err(|_| Fault::OwnKey)
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
