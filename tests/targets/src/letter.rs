//! Boundary: the mailbox. A guest may leave anything in its outbox for the tender, and a tender anything in the inbox for the guest.

use abi::limits::REASON_LEN_MAX;
use abi::mailbox::{DONE, RELOAD};
use keys::bundle::Bundle;
use status::Status;
use tender::limits::ANSWER_LEN_MAX;
use tender::mailbox::{Answer, Ask, Letter, Mailbox, Number};
use tender::order::Update;

use crate::script::Script;
use crate::setting::{self, appliance, now};

/// Room for a letter to the guest, far below what the window has: what is used of it matters.
const INBOX_LEN: usize = 4 * 1024;
/// Room for an answer: enough for the longest reason and for whatever a fuzzer leaves.
const OUTBOX_LEN: usize = 16 * 1024;

/// The first byte says who is hostile, and what the tender has asked.
pub fn letter(data: &[u8]) {
    let mut script = Script(data);
    match script.byte() % 8 {
        0 | 4 => to_tender(script.0, Asked::Reload),
        1 => to_tender(script.0, Asked::Status),
        5 => to_tender(script.0, Asked::Contest),
        2 | 6 => to_guest(script.0.to_vec()),
        _ => to_guest(with_header(script.0)),
    }
}

/// What the tender has asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Reload,
    Status,
    Contest,
}

/// The bytes behind a header that is true of them: a bundle is reached.
fn with_header(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&RELOAD.to_le_bytes()[..], &len.to_le_bytes(), bytes].concat()
}

/// An answer is bounded, comes once, is wiped, and is an answer to what was asked.
fn to_tender(left: &[u8], asked: Asked) {
    let mut inbox = vec![0; INBOX_LEN];
    let mut outbox = vec![0; OUTBOX_LEN];
    let mut mailbox = Mailbox::default();
    let update = Update { backends: Vec::new(), linger_ms: 1, drain_ms: 2 };
    let letter = match asked {
        Asked::Reload => Letter::Reload(update, b"secret".to_vec().into()),
        Asked::Status => Letter::Status,
        Asked::Contest => Letter::Contest(Number(7), Ask::Prove([7; 32])),
    };
    mailbox.take(letter).expect("room for one");
    mailbox.post(&mut inbox, &mut outbox);
    let len = left.len().min(OUTBOX_LEN);
    outbox[..len].copy_from_slice(&left[..len]);
    let claimed = queue::letter(&outbox).ok().flatten().map(|letter| (letter.kind, letter.bytes.to_vec()));
    match mailbox.answer(&mut inbox, &mut outbox).expect("an answer to every letter") {
        Answer::Reloaded(_) => assert!(asked == Asked::Reload && claimed.is_some_and(|(kind, _)| kind == DONE)),
        Answer::Refused(why) => assert!(asked == Asked::Reload && why.len() <= 3 * REASON_LEN_MAX),
        Answer::Status(bytes) => {
            let _status = Status::decode(&bytes);
            assert!(asked == Asked::Status && (bytes.is_empty() || claimed == Some((DONE, bytes))));
        }
        Answer::Contest(Number(7), Ok(bytes)) => {
            assert!(asked == Asked::Contest && bytes.len() <= ANSWER_LEN_MAX && claimed == Some((DONE, bytes)));
        }
        Answer::Contest(Number(7), Err(why)) => assert!(asked == Asked::Contest && why.len() <= 3 * REASON_LEN_MAX),
        Answer::Contest(..) => unreachable!("an answer to another question"),
    }
    assert_eq!(queue::letter(&outbox), Ok(None));
    assert!(inbox.iter().all(|byte| *byte == 0), "a letter that was not wiped");
    assert_eq!(mailbox.answer(&mut inbox, &mut outbox), None);
}

/// A letter lies within its window; a bundle that is refused changes nothing.
fn to_guest(inbox: Vec<u8>) {
    let Ok(Some(letter)) = queue::letter(&inbox) else { return };
    assert!(letter.bytes.len() + 8 <= inbox.len() && letter.kind != 0);
    let Ok(bundle) = Bundle::decode(letter.bytes) else { return };
    let mut appliance = appliance(setting::bundle());
    let before = appliance.status();
    let outcome = appliance.reload(&bundle, now(core::time::Duration::ZERO));
    if outcome.is_err() {
        assert_eq!(appliance.status(), before, "{outcome:?}");
    }
}
