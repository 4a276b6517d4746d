//! A hello that is given back is what the client sent, however it was cut, and nothing else is taken from its stream.

use alloc::vec;
use alloc::vec::Vec;

use crate::limits::HELLO_CUTS_MAX;
use crate::testing::{Client, Pair, Server};
use crate::{Alert, Event, Fault, Refusal, Session, Version};

/// A whole ClientHello in one record.
fn hello() -> Vec<u8> {
    Pair::new(&Server::default().config(), &Client::of(Version::Tls13).config()).client_bytes()
}

/// The same message in records of these lengths, over and over.
fn cut(record: &[u8], lens: &[usize]) -> Vec<u8> {
    let (header, mut message) = record.split_at(5);
    let mut cut = Vec::new();
    for len in lens.iter().cycle() {
        let (piece, rest) = message.split_at((*len).min(message.len()));
        if piece.is_empty() {
            break;
        }
        cut.extend(&header[..3]);
        cut.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
        cut.extend(piece);
        message = rest;
    }
    cut
}

/// Feeds `stream` in pieces of `step`, the tail included as long as anything is taken; how many bytes were.
fn feed(session: &mut Session, stream: &[u8], step: usize) -> usize {
    let mut taken = 0;
    while taken < stream.len() {
        let end = stream.len().min(taken + step);
        match session.receive(&mut stream[taken..end].to_vec(), &mut Vec::new()) {
            0 => break,
            len => taken += len,
        }
    }
    taken
}

fn replayed(session: &mut Session) -> Vec<u8> {
    let mut replay = session.give_back().expect("a hello that waits");
    let (mut out, mut piece) = (Vec::new(), vec![0; 100]);
    while !replay.is_empty() {
        let len = replay.read(&mut piece);
        out.extend(&piece[..len]);
    }
    out
}

#[test]
fn a_hello_comes_back_in_the_records_in_which_it_came() {
    let whole = hello();
    for lens in [vec![whole.len()], vec![1], vec![7], vec![1, 200, 3], vec![whole.len() - 6, 1]] {
        let sent = cut(&whole, &lens);
        for step in [1, 5, 64, 4096] {
            let mut session = Session::new();
            let stream = [sent.as_slice(), b"\x14\x03\x03\0\x01\x01 and more"].concat();
            assert_eq!(feed(&mut session, &stream, step), sent.len(), "what follows the hello stays where it came in");
            assert!(matches!(session.poll_event(), Some(Event::Hello(_))));
            assert_eq!(replayed(&mut session), sent, "{lens:?} by {step}");
            assert!(session.is_over() && session.give_back().is_none());
        }
    }
}

#[test]
fn before_the_hello_is_whole_and_after_an_answer_there_is_nothing_to_give() {
    let whole = hello();
    let mut session = Session::new();
    assert_eq!(feed(&mut session, &whole[..whole.len() - 1], 4096), whole.len() - 1);
    assert!(session.give_back().is_none());
    assert_eq!(feed(&mut session, &whole[whole.len() - 1..], 1), 1);
    session.refuse(Refusal::UnrecognizedName);
    assert!(session.give_back().is_none());
}

#[test]
fn a_hello_in_more_kinds_of_records_than_are_remembered_may_still_be_answered() {
    let whole = hello();
    let sent = cut(&whole, &[1, 2]);
    assert!(whole.len() > 3 * HELLO_CUTS_MAX / 2, "a hybrid key share is long");
    let mut session = Session::new();
    assert_eq!(feed(&mut session, &sent, 4096), sent.len());
    assert!(session.give_back().is_none());
    session.refuse(Refusal::Internal);
    assert_eq!(session.poll_event().map(|event| matches!(event, Event::Hello(_))), Some(true));
    assert_eq!(session.poll_event(), Some(Event::Fault(Fault::Refused(Alert::INTERNAL_ERROR))));
}
