//! What a server says in place of an answer when the handshake is over: keys, tickets, requests, alerts, the end (RFC 8446 sections 4.6 and 6).

use super::after;
use crate::misbehaviour::Misbehaviour;
use crate::v13::new_ticket;
use crate::wire::Fault;
use crate::wire::bytes::message;
use crate::wire::registry::alert::{
    BAD_RECORD_MAC, DECODE_ERROR, FATAL, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE, WARNING,
};
use crate::wire::registry::content::{ALERT, DATA, HANDSHAKE};
use crate::wire::registry::extension;
use crate::wire::registry::handshake::{CLIENT_HELLO, FINISHED, HELLO_REQUEST, KEY_UPDATE, NEW_SESSION_TICKET};

use super::finishing::{request, ticket};

/// As if it had length to its end: only close_notify says where that is (RFC 9112 section 9.8).
const UNENDED: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npay 100";

pub(super) const ALL: &[Misbehaviour] = &[
    after("key-update-of-2", "a KeyUpdate whose request is neither 0 nor 1", "RFC 8446 4.6.3", &[ILLEGAL_PARAMETER, DECODE_ERROR], |it| {
        it.peer.send(HANDSHAKE, &message(KEY_UPDATE, &[2]))?;
        it.turn_own_key()
    }),
    after("key-update-empty", "a KeyUpdate of no length", "RFC 8446 6.2", &[DECODE_ERROR], |it| {
        it.peer.send(HANDSHAKE, &message(KEY_UPDATE, &[]))
    }),
    after("key-update-and-more", "a KeyUpdate with another message behind it in its record", "RFC 8446 5.1", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HANDSHAKE, &[message(KEY_UPDATE, &[0]), ticket()].concat())?;
        it.turn_own_key()
    }),
    after("key-not-updated", "a KeyUpdate, and then data under the old key", "RFC 8446 4.6.3", &[BAD_RECORD_MAC], |it| {
        it.peer.send(HANDSHAKE, &message(KEY_UPDATE, &[0]))?;
        it.peer.send(DATA, crate::conversation::ANSWER)
    }),
    after("key-updated-unsaid", "data under the next key, and no KeyUpdate", "RFC 8446 4.6.3", &[BAD_RECORD_MAC], |it| {
        it.turn_own_key()?;
        it.peer.send(DATA, crate::conversation::ANSWER)
    }),
    after(
        "request-late",
        "a CertificateRequest behind the handshake, and the client did not allow it",
        "RFC 8446 4.6.2",
        &[UNEXPECTED_MESSAGE],
        |it| {
            // Whoever sends the extension may be asked.
            let is_allowed = it.client.extension(extension::POST_HANDSHAKE_AUTH).is_some();
            if is_allowed { Err(Fault::PeerOffer) } else { it.peer.send(HANDSHAKE, &request()) }
        },
    ),
    after("finished-late", "a Finished behind the handshake", "RFC 8446 4.6", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HANDSHAKE, &message(FINISHED, &[7; 32]))
    }),
    after("renegotiation", "a HelloRequest in TLS 1.3", "RFC 8446 4.1.2", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HANDSHAKE, &message(HELLO_REQUEST, &[]))
    }),
    after("hello-of-a-client", "a ClientHello from the server", "RFC 8446 4", &[UNEXPECTED_MESSAGE, DECODE_ERROR], |it| {
        it.peer.send(HANDSHAKE, &message(CLIENT_HELLO, &[0; 48]))
    }),
    after("ticket-empty", "a ticket without a ticket in it", "RFC 8446 4.6.1", &[DECODE_ERROR, ILLEGAL_PARAMETER], |it| {
        it.peer.send(HANDSHAKE, &new_ticket(7200, &[0], &[]))
    }),
    after("ticket-cut", "a ticket that ends within itself", "RFC 8446 6.2", &[DECODE_ERROR], |it| {
        it.peer.send(HANDSHAKE, &message(NEW_SESSION_TICKET, &[0, 0, 28, 32, 1, 2, 3, 4, 9]))
    }),
    after("ticket-cut-by-data", "data within a ticket", "RFC 8446 5.1", &[UNEXPECTED_MESSAGE], |it| {
        let ticket = ticket();
        let (head, tail) = ticket.split_at(12);
        it.peer.send(HANDSHAKE, head)?;
        it.peer.send(DATA, b"H")?;
        it.peer.send(HANDSHAKE, tail)
    }),
    after("error-as-warning", "handshake_failure at the level of a warning: the level does not count", "RFC 8446 6", &[], |it| {
        it.peer.send(ALERT, &[WARNING, HANDSHAKE_FAILURE])
    }),
    after("unknown-alert", "an alert that nobody knows: it is an error", "RFC 8446 6", &[], |it| it.peer.send(ALERT, &[FATAL, 200])),
    after("truncated", "the answer ends with the connection, without close_notify", "RFC 8446 6.1, RFC 9112 9.8", &[], |it| {
        it.peer.send(DATA, UNENDED)?;
        it.peer.finish();
        Ok(())
    })
    .told_by_exit_code(),
    after("truncated-record", "the connection ends within a record of the answer", "RFC 8446 6.1, RFC 9112 9.8", &[], |it| {
        it.peer.send(DATA, UNENDED)?;
        let sealed = it.peer.sealer.as_mut().ok_or(Fault::OwnKey)?.seal(DATA, b"00")?;
        it.peer.write(sealed.get(..9).unwrap_or_default());
        it.peer.finish();
        Ok(())
    })
    .told_by_exit_code(),
];
