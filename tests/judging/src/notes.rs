//! Why a careful client may be fooled: what the RFC says, and whose fault it is then.

use misbehave::catalogue::CONTROLS;

use crate::client::Care;
use crate::judgement::{Cell, Judgement};

const UNASKED: &str = "RFC 8446 4.2: a client MUST abort with `unsupported_extension` on a response to an extension that it did not send. The client is at fault; it ignores what it does not know.";
const MISPLACED: &str = "RFC 8446 4.2: an extension that is recognized and not specified for the message MUST be answered with `illegal_parameter`. The client is at fault.";
const REPEATED: &str = "RFC 8446 4.2 forbids the sender to repeat an extension; no MUST says what a receiver does. Lenient, not at fault.";
const MASTER_SECRET: &str = "RFC 7627 5.3: a client MUST abort when the session had the extension and the hello does not, or the other way round. The client is at fault.";

/// By misbehaviour.
const NOTES: &[(&str, &str)] = &[
    (
        "common-name-only",
        "RFC 9525 2 says that the common name is not used; RFC 6125 6.4.4, which it replaced in 2023, let a client fall back to it where there is no DNS name. At fault by the new RFC only.",
    ),
    (
        "key-may-not-sign",
        "RFC 8446 4.4.2.2 has the bit set by the server; what a client must do is written nowhere, beyond RFC 5280 4.2.1.3 (the bits say what a key is for). Our expectation is stricter than the RFCs' MUSTs.",
    ),
    (
        "issuer-may-not-sign",
        "RFC 5280 6.1.4 (n) is part of path validation: if there is key usage, keyCertSign has to be verified. The client is at fault.",
    ),
    ("unasked-in-certificate", UNASKED),
    ("retry-with-unasked", UNASKED),
    ("unknown-in-hello", UNASKED),
    ("unknown-extension", UNASKED),
    ("extension-not-asked", UNASKED),
    ("early-data-not-asked", UNASKED),
    ("cookie-in-hello", MISPLACED),
    (
        "unasked-in-hello-1.2",
        "RFC 5246 7.4.1.4: an extension that was not asked for MUST be answered with `unsupported_extension`. The client is at fault.",
    ),
    ("share-in-extensions", MISPLACED),
    ("version-in-extensions", MISPLACED),
    ("protocol-in-hello", MISPLACED),
    ("version-twice", REPEATED),
    ("extension-twice", REPEATED),
    (
        "cut-by-alert",
        "RFC 8446 5.1 forbids the sender to put other records between the parts of a message; no MUST says what a receiver does. Lenient, not at fault.",
    ),
    (
        "bytes-behind-finished",
        "RFC 8446 5.1: messages MUST NOT span key changes, and who finds that one does MUST abort with `unexpected_message`. The client is at fault.",
    ),
    (
        "request-without-schemes",
        "RFC 8446 4.3.2: signature_algorithms MUST be specified, and 9.2 has its absence answered with `missing_extension`. The client has no certificate to show, and does not look.",
    ),
    (
        "request-behind-certificate",
        "RFC 8446 4: messages in another order MUST be answered with `unexpected_message`. The client is at fault.",
    ),
    (
        "certificate-before-extensions",
        "RFC 8446 4: messages in another order MUST be answered with `unexpected_message`. The client is at fault.",
    ),
    (
        "extensions-left-out",
        "RFC 8446 4.3.1: EncryptedExtensions MUST be sent, and 4 has another order answered with `unexpected_message`. The client is at fault.",
    ),
    (
        "session-altered",
        "RFC 8446 4.1.3: a client MUST abort with `illegal_parameter` when the echo does not match. The client is at fault.",
    ),
    (
        "retry-without-change",
        "RFC 8446 4.1.4: a client MUST abort with `illegal_parameter` when the request would not change its hello. The client is at fault.",
    ),
    (
        "retry-for-same-group",
        "RFC 8446 4.2.8: a client MUST verify that the group is none of its shares', and else abort. The client is at fault.",
    ),
    (
        "suite-of-1.2",
        "RFC 8446 B.4: suites of TLS 1.2 cannot be used with TLS 1.3, and 4.1.3 has a suite that was not offered (for this version) answered with `illegal_parameter`. The client is at fault.",
    ),
    (
        "protocol-not-offered",
        "RFC 7301 3.2 has the server choose from the client's list; no MUST says that a client looks. Lenient, not at fault.",
    ),
    ("protocols", "RFC 7301 3.1: the list MUST contain exactly one name; no MUST says what a client does. Lenient, not at fault."),
    ("protocol-empty", "RFC 7301 3.1: empty names MUST NOT be included; no MUST says what a client does. Lenient, not at fault."),
    (
        "server-name-with-name",
        "RFC 6066 3: the field of a server SHALL be empty; RFC 8446 6.2 has what does not decode answered with `decode_error`. Lenient.",
    ),
    (
        "change-cipher-sealed",
        "RFC 8446 5: a protected ChangeCipherSpec MUST be answered with `unexpected_message`. The client is at fault.",
    ),
    (
        "change-cipher-late",
        "RFC 8446 5: ChangeCipherSpec behind the peer's Finished MUST be treated as an unexpected record type. The client is at fault.",
    ),
    (
        "key-update-and-more",
        "RFC 8446 5.1: a message before a key change MUST align with a record's end, or be answered with `unexpected_message`. The client is at fault.",
    ),
    (
        "ticket-empty",
        "RFC 8446 4.6.1: a ticket has 1 byte at least, and 6.2 has what is out of its range answered with `decode_error`. The client is at fault, for a ticket that it may throw away.",
    ),
    (
        "unknown-alert",
        "RFC 8446 6: unknown alerts MUST be treated as errors. The connection is dead to the client by OpenSSL's word, but the program waits on.",
    ),
    (
        "truncated",
        "RFC 9112 9.8: a response without a length is complete only if close_notify came. The client, or what it is built from, takes the end for one.",
    ),
    (
        "truncated-record",
        "RFC 9112 9.8: a response without a length is complete only if close_notify came. The client, or what it is built from, takes the end for one.",
    ),
    (
        "empty-handshake-record",
        "RFC 8446 5.4: a handshake record of no content MUST be answered with `unexpected_message`. The client is at fault; it bears a bounded number of them.",
    ),
    ("content-too-long", "RFC 8446 5.1: content of more than 2^14 bytes MUST be answered with `record_overflow`. The client is at fault."),
    ("error-as-warning", "RFC 8446 6: errors MUST be treated as such, whatever level is said. The client is at fault; it waits on."),
    (
        "resumed-with-certificate",
        "RFC 8446 2.2: a server that is proven by a pre-shared key shows no certificate, and 4 has messages in another order answered with `unexpected_message`. The client is at fault.",
    ),
    (
        "resumed-with-request",
        "RFC 8446 4.3.2: a server that is proven by a pre-shared key MUST NOT ask for a certificate in the handshake, and 4 has messages in another order answered with `unexpected_message`. The client is at fault.",
    ),
    (
        "ticket-expired",
        "RFC 8446 4.2.11.1: a client MUST NOT attempt to use a ticket that is older than its lifetime. The client is at fault.",
    ),
    (
        "resumed-suite-1.2",
        "RFC 5246 7.4.1.3 has the server say the session's suite; no MUST says that a client looks. Lenient, not at fault.",
    ),
    ("resumed-without-master-secret", MASTER_SECRET),
    ("resumed-with-master-secret", MASTER_SECRET),
    (
        "downgrade-to-1.1",
        "RFC 8446 4.1.3: a client of TLS 1.3 that is answered with TLS 1.2 or below MUST check for both signs. The client is at fault; a server that says this one and TLS 1.2 contradicts itself.",
    ),
    (
        "renegotiation-info-filled",
        "RFC 5746 3.4: a client MUST abort unless the field is empty. The client is at fault; it never renegotiates.",
    ),
];

/// Of what nobody has decided yet.
pub(crate) const UNDECIDED: &str = "Not decided yet: what the RFC asks of a client here has not been looked into.";

/// What is written about a misbehaviour.
pub(crate) fn of(name: &str) -> Option<&'static str> {
    NOTES.iter().find(|(noted, _)| *noted == name).map(|(_, note)| *note)
}

/// What must not stand on the page.
pub(crate) fn complaints(judgements: &[Judgement]) -> Vec<String> {
    let mut complaints = Vec::new();
    for one in judgements.iter().filter(|one| one.version.is_ok()) {
        for (name, cell) in &one.cells {
            if let Cell::Other(text) = cell {
                complaints.push(format!("{}: {name}: {text}", one.name));
            }
        }
        for control in CONTROLS.iter().filter(|control| one.cells.get(control.name) != Some(&Cell::Accepted)) {
            complaints.push(format!("{} did not accept the honest server: {}", one.name, control.name));
        }
        if one.care == Care::Careless && !one.fooled().contains(&"self-signed") {
            complaints.push(format!("{} looks at no certificate, and was not caught", one.name));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use misbehave::catalogue;

    use super::*;

    #[test]
    fn notes_are_of_what_there_is_and_one_of_each() {
        let names: BTreeSet<&str> = NOTES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), NOTES.len());
        assert!(names.iter().all(|name| catalogue::find(name).is_some()), "{names:?}");
    }

    #[test]
    fn who_accepts_each_control_and_is_caught_where_it_is_careless_is_not_complained_of() {
        let cells = CONTROLS.iter().map(|one| (one.name.to_owned(), Cell::Accepted)).collect();
        let mut one = Judgement { name: "one", care: Care::Careless, version: Ok(String::new()), cells, exit_codes: vec![26] };
        let of = |one: &Judgement| complaints(core::slice::from_ref(one)).len();
        assert_eq!(of(&one), 1, "it was not caught");
        one.cells.insert("self-signed".to_owned(), Cell::Fooled(String::new()));
        assert_eq!(of(&one), 0);
        one.cells.insert("honest-resumed".to_owned(), Cell::Untried);
        assert_eq!(of(&one), 1, "it did not come back");
        one.cells.insert("expired".to_owned(), Cell::Other("no client".to_owned()));
        assert_eq!(of(&one), 2);
    }
}
