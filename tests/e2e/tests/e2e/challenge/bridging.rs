//! The box talks to itself: a bridge between the server's door and the reverse one, and what comes of a byte that is changed on it.

use core::net::{Ipv4Addr, SocketAddr};

use e2e::contest::{Contest, Door, find};
use e2e::peer::{Record, bridge, connect};
use e2e::{Outcome, Place, ensure};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const HEADER_LEN: usize = 5;
/// A handshake message's header. In plaintext its length is left alone: who waits for the rest of a longer message does just that.
const MESSAGE_HEADER_LEN: usize = 4;
/// supported_versions of a server that has chosen TLS 1.3 (RFC 8446 4.2.1).
const TLS13_CHOSEN: [u8; 6] = [0, 43, 0, 2, 3, 4];

/// What went over a bridge, forth from the reverse door (a client) to the server's; and how each end of the box says that it ended.
struct Bridged {
    records: Vec<Record>,
    ends: [String; 2],
}

fn bridged(contest: &Contest, from: Ipv4Addr, change: impl Fn(&mut Record) + Sync) -> Outcome<Bridged> {
    let (client, server) = (connect(from, contest.door(Door::Reverse))?, connect(from, contest.door(Door::Server))?);
    let sources: [SocketAddr; 2] = [client.local_addr()?, server.local_addr()?];
    let records = bridge(&client, &server, change)?;
    drop((client, server));
    Ok(Bridged { records, ends: [contest.end_of(sources[0])?, contest.end_of(sources[1])?] })
}

/// The box lets itself in, and a bridge sees a whole handshake of TLS 1.3. One byte of it changed, and neither end lets the other in.
pub(crate) fn lets_itself_in(place: &Place) -> Outcome {
    let contest = Contest::lab(place)?;
    let from: Ipv4Addr = place.client().parse()?;
    let Bridged { records, ends } = bridged(&contest, from, |_| ())?;
    ensure(ends == ["released", "released"], format!("{ends:?}"))?;
    is_whole(&records)?;
    // Up to the first of the client's that is encrypted everything is before the client is let in, or lets anybody in.
    let first = |record: &Record| record.forth && record.bytes[0] == DATA;
    let before: Vec<&Record> =
        records.iter().take_while(|record| !first(record)).filter(|record| matches!(record.bytes[0], HANDSHAKE | DATA)).collect();
    let mut changed = 0;
    for record in &before {
        let plain = record.bytes[0] == HANDSHAKE;
        let from_byte = HEADER_LEN + if plain { MESSAGE_HEADER_LEN } else { 0 };
        let len = record.bytes.len() - from_byte;
        for place in [0, len / 3, len / 2, len - 1] {
            let ends = with_a_changed_byte(&contest, from, record, from_byte + place)?;
            ensure(!ends.contains(&"released".into()), format!("byte {place} of {} {}: {ends:?}", record.forth, record.number))?;
            changed += 1;
        }
    }
    ensure(changed >= 12, format!("{changed} bytes changed"))?;
    // Behind that the client has done its part (RFC 8446 4.4.4: it may speak at once), but the server, who hears it wrongly, has not, and what the
    // client said is for a server that is not there.
    let last = records.iter().find(|record| first(record)).ok_or("the client said nothing that was encrypted")?;
    for place in [0, 7, last.bytes.len() - HEADER_LEN - 1] {
        let ends = with_a_changed_byte(&contest, from, last, HEADER_LEN + place)?;
        ensure(ends[1] != "released", format!("byte {place} of the client's last: {ends:?}"))?;
    }
    // And it is the byte that did it.
    let again = bridged(&contest, from, |_| ())?.ends;
    ensure(again == ["released", "released"], format!("{again:?}"))
}

/// The ends of a handshake in which a byte of the record that corresponds to this one was changed.
fn with_a_changed_byte(contest: &Contest, from: Ipv4Addr, like: &Record, at: usize) -> Outcome<[String; 2]> {
    let bridged = bridged(contest, from, |record| {
        if (record.forth, record.number) == (like.forth, like.number) {
            // Signatures differ in length by a byte or two.
            let at = at.min(record.bytes.len() - 1);
            record.bytes[at] ^= 0x10;
        }
    })?;
    Ok(bridged.ends)
}

/// Both hellos in plaintext, TLS 1.3 chosen, then nothing but what is encrypted; both prizes went over it, and nobody on the way could read them.
fn is_whole(records: &[Record]) -> Outcome {
    let of = |forth: bool| records.iter().filter(move |record| record.forth == forth).collect::<Vec<_>>();
    for (records, hello) in [(of(true), CLIENT_HELLO), (of(false), SERVER_HELLO)] {
        let types: Vec<u8> = records.iter().map(|record| record.bytes[0]).collect();
        ensure(types.first() == Some(&HANDSHAKE) && records[0].bytes[HEADER_LEN] == hello, format!("{types:?}"))?;
        // What is neither the hello nor encrypted is the change of ciphers that middleboxes want to see.
        ensure(types.iter().filter(|kind| matches!(**kind, HANDSHAKE | ALERT)).count() == 1, format!("{types:?}"))?;
        let encrypted: usize = records.iter().filter(|record| record.bytes[0] == DATA).map(|record| record.bytes.len()).sum();
        // Certificate, CertificateVerify and Finished; the prize; close_notify.
        ensure(types.iter().filter(|kind| **kind == DATA).count() >= 3 && encrypted > 1000, format!("{types:?}: {encrypted} bytes"))?;
        ensure(records.iter().all(|record| find(&record.bytes, b"bountybox-prize").is_none()), "a prize in plaintext")?;
    }
    let chosen = of(false).first().is_some_and(|record| find(&record.bytes, &TLS13_CHOSEN).is_some());
    ensure(chosen, "TLS 1.3 was not chosen")
}
