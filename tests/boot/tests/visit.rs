//! Clients that speak real TCP to the shipped image under the harness, on both machines: what they hear, and that the visit can be tried again.

use boot::harnessed::{ENDS, MACHINES, order, start};
use boot::image_file;
use harness::limits::ACTS_MAX;
use harness::subject::{Order, Stage, Subject};
use harness::verdict::{Secrets, Verdict};
use harness::visit::{Client, Link, Links, Standing, Visit};
use harness::wire::Ends;

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
    assert!(!record.is_input_cut && !record.are_frames_cut && !record.is_beyond_acts && !record.frames.is_empty());
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

#[test]
fn a_deaf_guest_is_deaf_again_to_who_asks_and_waits_for_nothing() {
    for kind in MACHINES {
        // Where nobody listens.
        let ends = Ends { guest: (ENDS.guest.0, ENDS.guest.1 + 1), ..ENDS };
        let order = Order { ends, ..order(kind, Stage::Sealed) };
        let mut subject = Subject::start(order, &image_file(), Secrets::default()).expect("the image comes to its stage");
        let mut visit = Visit::begin(&mut subject, &links()).expect("it stands at its stage");
        visit.connect().expect("there is room");
        assert!(visit.deadline().is_some(), "{kind:?}");
        assert_eq!(visit.probe(), Ok(&Verdict::Deaf), "{kind:?}");
        assert_eq!(visit.deadline(), None, "{kind:?}");
        let (_, record) = visit.end();
        assert!(record.is_beyond_acts, "{kind:?}");
        assert_eq!(subject.run(&record.input, ACTS_MAX), Ok(Verdict::Sound), "{kind:?}");
        assert_eq!(subject.run_and_ask(&record.input, ACTS_MAX), Ok(Verdict::Deaf), "{kind:?}");
    }
}

#[test]
fn a_visit_is_full_when_no_port_is_left_for_its_next_client() {
    let mut subject = start(MACHINES[1], Stage::Sealed, Secrets::default());
    let mut visit = Visit::begin(&mut subject, &links()).expect("it stands at its stage");
    for _ in ENDS.client.1..=u16::MAX {
        assert!(!visit.is_full());
        let client = visit.connect().expect("there is room");
        visit.hang_up(client);
    }
    assert!(visit.is_full() && visit.connect().is_none());
}
