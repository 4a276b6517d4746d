//! Clients that speak real TCP to the shipped image under the harness, on both machines: what they hear, and that the visit can be tried again.

use boot::harnessed::{MACHINES, start};
use harness::subject::{Stage, Subject};
use harness::verdict::{Secrets, Verdict};
use harness::visit::{Client, Link, Links, Standing, Visit};

/// As `boot::bundle` has them.
fn links() -> Links {
    let link = |mac: u8, guest: [u8; 4], gateway: [u8; 4]| Link {
        guest_mac: [2, 0, 0, 0, 0, mac],
        guest: vec![guest.into()],
        mac: [2, 0, 0, 0, 1, mac],
        addresses: vec![gateway.into()],
        mtu: 1500,
    };
    Links { front: link(1, [10, 0, 2, 15], [10, 0, 2, 2]), back: link(2, [10, 0, 3, 15], [10, 0, 3, 2]), backends: vec![] }
}

fn heard(visit: &mut Visit<'_>, client: Client) -> Vec<u8> {
    let mut all = Vec::new();
    while visit.waiting(client) > 0 {
        visit.hear(client, |bytes| {
            all.extend_from_slice(bytes);
            bytes.len()
        });
        visit.settle().expect("the host goes on");
    }
    all
}

fn visited(subject: &mut Subject, talk: impl FnOnce(&mut Visit<'_>, Client)) -> (Verdict, Vec<u8>) {
    let mut visit = Visit::begin(subject, &links()).expect("it stands at its stage");
    let client = visit.connect().expect("there is room");
    visit.settle().expect("the host goes on");
    talk(&mut visit, client);
    visit.probe().expect("the host goes on");
    let (verdict, record) = visit.end();
    assert!(!record.is_cut && !record.frames.is_empty());
    (verdict, record.input)
}

#[test]
fn a_client_is_answered_and_seen_off() {
    for kind in MACHINES {
        let mut subject = start(kind, Stage::Sealed, Secrets::default());
        let (verdict, _) = visited(&mut subject, |visit, client| {
            assert_eq!(visit.standing(client), Standing::Talks, "{kind:?}");
            assert_eq!(visit.say(client, b"GET / HTTP/1.1\r\n\r\n"), 18);
            visit.settle().expect("the host goes on");
            // A fatal alert: unexpected_message, RFC 8446 section 6.
            assert_eq!(heard(visit, client), [21, 3, 3, 0, 2, 2, 10], "{kind:?}");
            assert_ne!(visit.standing(client), Standing::Talks, "{kind:?}");
        });
        assert_eq!(verdict, Verdict::Sound);
    }
}
