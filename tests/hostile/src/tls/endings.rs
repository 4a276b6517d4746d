//! How streams end (T13): close_notify, FIN, RST, each with something behind or something missing. What counts is what the backend is left to believe.

use core::time::Duration;
use std::thread;

use e2e::{Outcome, ensure};

use super::alert::{CLOSE_NOTIFY, FATAL};
use super::hello::random;
use super::peer::{ALERT, DATA, Peer};
use super::{v12, v13};
use crate::attack::{Attack, Layer};
use crate::naive::Naive;
use crate::target::Target;
use crate::witness::Ending;

/// A session whose backend has heard a line of its own and answered it.
struct Begun {
    peer: Peer,
    line: String,
}

#[derive(Debug, Clone, Copy)]
enum Version {
    Tls12,
    Tls13,
}

impl Version {
    fn begin(self, target: &Target) -> Outcome<Begun> {
        let line = format!("stay {:032x}", u128::from_be_bytes(random()?));
        let asked = format!("{line}\n");
        let peer = match self {
            Self::Tls13 => {
                let mut established = v13::establish(target)?;
                established.asks(&asked)?;
                established.peer
            }
            Self::Tls12 => {
                let mut established = v12::establish(target)?;
                established.asks(&asked)?;
                established.peer
            }
        };
        Ok(Begun { peer, line })
    }
}

/// How the client ends, and what its backend must see: name, what it does, the act, the ending.
type Row = (&'static str, &'static str, fn(&mut Peer) -> Outcome, Ending);

const ROWS: &[Row] = &[
    ("close_notify_is_an_orderly_end", "close_notify", |peer| peer.send(ALERT, &[1, CLOSE_NOTIFY]), Ending::Orderly),
    (
        "fin_alone_is_a_visible_cut",
        "a FIN without close_notify: truncation",
        |peer| {
            peer.send(DATA, b"half a ")?;
            peer.finish();
            Ok(())
        },
        Ending::Broken,
    ),
    (
        "fin_within_a_record_is_a_visible_cut",
        "a FIN in the middle of a record",
        |peer| {
            let record = peer.sealer.as_mut().ok_or("no keys")?.seal(DATA, b"half a record")?;
            peer.write(&record[..record.len() / 2]);
            peer.finish();
            Ok(())
        },
        Ending::Broken,
    ),
    (
        "rst_is_a_visible_cut",
        "a RST",
        |peer| {
            socket2::SockRef::from(&peer.tcp).set_linger(Some(Duration::ZERO))?;
            peer.tcp = replaced()?;
            Ok(())
        },
        Ending::Broken,
    ),
    ("fatal_alert_is_a_visible_cut", "a fatal alert", |peer| peer.send(ALERT, &[FATAL, 80]), Ending::Broken),
];

/// A socket to nobody, so that another can be dropped in its place.
fn replaced() -> Outcome<std::net::TcpStream> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(std::net::TcpStream::connect(listener.local_addr()?)?)
}

pub(super) fn attacks() -> Vec<Attack> {
    let endings = [Version::Tls13, Version::Tls12].into_iter().flat_map(|version| ROWS.iter().map(move |row| ending(version, *row)));
    endings.chain(quiet()).collect()
}

fn ending(version: Version, (name, does, act, wanted): Row) -> Attack {
    let (name, does) = match version {
        Version::Tls13 => (name.to_owned(), does.to_owned()),
        Version::Tls12 => (format!("{name}_in_1_2"), format!("{does}, TLS 1.2")),
    };
    let naive = if wanted == Ending::Orderly { Naive::Deaf } else { Naive::Untroubled };
    Attack::new("T13", name, does, Layer::Terminator, naive, move |target| {
        let mut begun = version.begin(target)?;
        act(&mut begun.peer)?;
        let heard = target.witness.of(&begun.line)?;
        ensure(heard.end == wanted, format!("the backend saw an end that is {:?}", heard.end))
    })
}

/// What must not keep the box busy: name, what it does, the act.
type Quiet = (&'static str, &'static str, fn(&mut Peer) -> Outcome);

const QUIET: &[Quiet] = &[
    ("data_behind_close_notify_is_dropped_without_a_spin", "close_notify, then data (RUSTSEC-2024-0336)", |peer| {
        peer.send(ALERT, &[1, CLOSE_NOTIFY])?;
        peer.send(DATA, b"behind the end")
    }),
    ("close_notify_and_silence_do_not_spin", "close_notify, and then nothing: the connection stays half-open", |peer| {
        peer.send(ALERT, &[1, CLOSE_NOTIFY])
    }),
    ("half_a_record_and_silence_do_not_spin", "half a record, and then nothing", |peer| {
        let record = peer.sealer.as_mut().ok_or("no keys")?.seal(DATA, b"half a record")?;
        peer.write(&record[..record.len() / 2]);
        Ok(())
    }),
];

fn quiet() -> impl Iterator<Item = Attack> {
    QUIET.iter().map(|(name, does, act)| {
        Attack::new("T13", *name, *does, Layer::Terminator, Naive::Spinning, |target| {
            let mut peer = v13::establish(target)?.peer;
            act(&mut peer)?;
            thread::sleep(Duration::from_millis(30));
            target.is_quiet()?;
            Ok(())
        })
    })
}
