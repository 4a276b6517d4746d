//! The mailbox: the supervisor's letters to the guest, one at a time, and the guest's answers.
//!
//! A letter is with the guest for one turn: it is posted before the guest goes on, and answered or not when the guest comes back to `wait`. Then
//! it is wiped, whatever the guest has made of it. What a guest says unasked is never read. An answer is bytes that a hostile guest may have
//! made: its length is held against the window, a reason is cut, and nothing here looks into the rest.

use std::collections::VecDeque;

use abi::limits::REASON_LEN_MAX;
use abi::mailbox::{DONE, PROVE, REFUSED, RELOAD, SIGN, STATUS};
use zeroize::{Zeroize, Zeroizing};

use crate::limits::{ANSWER_LEN_MAX, LETTERS_WAITING_MAX};
use crate::order::Update;

/// See the module.
#[derive(Debug, Default)]
pub struct Mailbox {
    waiting: VecDeque<Letter>,
    with_guest: Option<Posted>,
}

/// What the supervisor wants of the guest.
#[derive(Debug)]
pub enum Letter {
    /// Serve by this bundle. The update is the tender's own, once the guest has agreed.
    Reload(Update, Zeroizing<Vec<u8>>),
    /// Say how you stand.
    Status,
    /// What a contest's guest alone can answer, and the number of the question.
    Contest(Number, Ask),
}

/// Whose question it is: the supervisor's, which gives each its own, and finds it in the answer. Many wait for one guest, some are refused at once and some never answered, so no order tells whose an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub u64);

/// What the guest of a contest is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Proofs that it holds its flags, to this nonce.
    Prove([u8; abi::mailbox::NONCE_LEN]),
    /// A signature of this message by the flag of `write`.
    Sign(Vec<u8>),
}

#[derive(Debug)]
struct Posted {
    question: Question,
    /// Bytes of the inbox that are in use.
    len: usize,
}

#[derive(Debug)]
enum Question {
    Reload(Update),
    Status,
    Contest(Number),
}

/// What came of a letter.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The guest serves by its new bundle, so this holds for the tender.
    Reloaded(Update),
    /// The guest goes on as it was. It says why, or has said nothing that makes sense.
    Refused(String),
    /// How the guest says it stands; nothing, where it has not answered.
    Status(Vec<u8>),
    /// What the guest of a contest has made of the question of this number, or why it has not.
    Contest(Number, Result<Vec<u8>, String>),
}

/// There are too many letters already.
#[derive(Debug)]
pub struct Full(pub Letter);

impl Mailbox {
    /// Takes a letter that is to be posted.
    ///
    /// # Errors
    /// [`Full`].
    pub fn take(&mut self, letter: Letter) -> Result<(), Full> {
        if self.waiting.len() >= LETTERS_WAITING_MAX {
            return Err(Full(letter));
        }
        self.waiting.push_back(letter);
        Ok(())
    }

    /// Whether a letter waits to be posted.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether a letter is with the guest.
    #[must_use]
    pub fn is_with_guest(&self) -> bool {
        self.with_guest.is_some()
    }

    /// Posts the next letter, if there is one; what stands in the outbox so far is no answer to it.
    pub fn post(&mut self, inbox: &mut [u8], outbox: &mut [u8]) {
        let Some(letter) = self.waiting.pop_front() else { return };
        queue::discard(outbox);
        let (question, kind, bytes) = match letter {
            Letter::Reload(update, bundle) => (Question::Reload(update), RELOAD, bundle),
            Letter::Status => (Question::Status, STATUS, Zeroizing::default()),
            Letter::Contest(number, Ask::Prove(nonce)) => (Question::Contest(number), PROVE, Zeroizing::new(nonce.to_vec())),
            Letter::Contest(number, Ask::Sign(message)) => (Question::Contest(number), SIGN, Zeroizing::new(message)),
        };
        let posted = queue::post(inbox, kind, |space| {
            if let Some(place) = space.get_mut(..bytes.len()) {
                place.copy_from_slice(&bytes);
            }
            bytes.len()
        });
        // One that does not fit was not posted, and finds no answer.
        self.with_guest = Some(Posted { question, len: posted.unwrap_or(0) });
    }

    /// Takes the answer to the letter that was with the guest, and the letter away from it.
    pub fn answer(&mut self, inbox: &mut [u8], outbox: &mut [u8]) -> Option<Answer> {
        let Posted { question, len } = self.with_guest.take()?;
        if let Some(used) = inbox.get_mut(..len) {
            used.zeroize();
        }
        let answer = of_guest(question, outbox);
        queue::discard(outbox);
        Some(answer)
    }
}

/// What the guest has left in its outbox, as an answer to this.
fn of_guest(question: Question, outbox: &[u8]) -> Answer {
    let letter = queue::letter(outbox).ok().flatten();
    match (question, letter.map(|letter| (letter.kind, letter.bytes))) {
        (Question::Reload(update), Some((DONE, _))) => Answer::Reloaded(update),
        (Question::Reload(_), Some((REFUSED, why))) => Answer::Refused(reason(why)),
        (Question::Reload(_), _) => Answer::Refused("the guest gave no answer".into()),
        (Question::Status, Some((DONE, bytes))) => Answer::Status(bytes.to_vec()),
        (Question::Status, _) => Answer::Status(Vec::new()),
        (Question::Contest(number), Some((DONE, bytes))) => {
            let fits = bytes.len() <= ANSWER_LEN_MAX;
            Answer::Contest(number, if fits { Ok(bytes.to_vec()) } else { Err("the guest's answer is too long".into()) })
        }
        (Question::Contest(number), Some((REFUSED, why))) => Answer::Contest(number, Err(reason(why))),
        (Question::Contest(number), _) => Answer::Contest(number, Err("the guest gave no answer".into())),
    }
}

/// The guest's reason, cut to its bound.
fn reason(why: &[u8]) -> String {
    String::from_utf8_lossy(why.get(..REASON_LEN_MAX).unwrap_or(why)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::limits::{INBOX_WINDOW_LEN, OUTBOX_WINDOW_LEN};
    use proptest::prelude::*;

    fn windows() -> (Vec<u8>, Vec<u8>) {
        (vec![0; INBOX_WINDOW_LEN], vec![0; OUTBOX_WINDOW_LEN])
    }

    fn update() -> Update {
        Update { backends: Vec::new(), linger_ms: 1, drain_ms: 2 }
    }

    fn reload() -> Letter {
        Letter::Reload(update(), Zeroizing::new(b"secret".to_vec()))
    }

    fn say(outbox: &mut [u8], kind: u32, bytes: &[u8]) {
        queue::post(outbox, kind, |space| {
            space[..bytes.len()].copy_from_slice(bytes);
            bytes.len()
        })
        .unwrap();
    }

    #[test]
    fn a_letter_is_with_the_guest_for_one_turn_and_is_wiped_then() {
        let (mut inbox, mut outbox) = windows();
        let mut mailbox = Mailbox::default();
        mailbox.take(reload()).unwrap();
        mailbox.post(&mut inbox, &mut outbox);
        let letter = queue::letter(&inbox).unwrap().unwrap();
        assert_eq!((letter.kind, letter.bytes), (RELOAD, &b"secret"[..]));
        say(&mut outbox, DONE, b"");
        assert_eq!(mailbox.answer(&mut inbox, &mut outbox), Some(Answer::Reloaded(update())));
        assert!(inbox.iter().all(|byte| *byte == 0));
        assert_eq!(mailbox.answer(&mut inbox, &mut outbox), None);
    }

    #[test]
    fn a_refusal_carries_its_reason_cut_to_its_bound() {
        let (mut inbox, mut outbox) = windows();
        let mut mailbox = Mailbox::default();
        mailbox.take(reload()).unwrap();
        mailbox.post(&mut inbox, &mut outbox);
        say(&mut outbox, REFUSED, &[b'x'; 5000]);
        let Some(Answer::Refused(why)) = mailbox.answer(&mut inbox, &mut outbox) else { panic!("no refusal") };
        assert_eq!(why.len(), REASON_LEN_MAX);
    }

    #[test]
    fn a_contests_guest_is_asked_and_answers_or_says_why_not() {
        let (mut inbox, mut outbox) = windows();
        let mut mailbox = Mailbox::default();
        let mut ask = |ask: Ask, kind: u32, bytes: &[u8]| {
            mailbox.take(Letter::Contest(Number(7), ask)).unwrap();
            mailbox.post(&mut inbox, &mut outbox);
            let letter = queue::letter(&inbox).unwrap().map(|letter| (letter.kind, letter.bytes.to_vec())).unwrap();
            say(&mut outbox, kind, bytes);
            let Some(Answer::Contest(Number(7), answer)) = mailbox.answer(&mut inbox, &mut outbox) else { panic!("no answer") };
            (letter, answer)
        };
        assert_eq!(ask(Ask::Prove([7; 32]), DONE, b"proofs"), ((PROVE, vec![7; 32]), Ok(b"proofs".to_vec())));
        assert_eq!(ask(Ask::Sign(b"claim".to_vec()), REFUSED, b"no").1, Err("no".into()));
        assert_eq!(ask(Ask::Sign(b"claim".to_vec()), 77, b"").1, Err("the guest gave no answer".into()));
        let long = vec![0; ANSWER_LEN_MAX + 1];
        assert!(ask(Ask::Sign(b"claim".to_vec()), DONE, &long).1.is_err());
    }

    #[test]
    fn what_was_said_before_the_question_is_no_answer() {
        let (mut inbox, mut outbox) = windows();
        let mut mailbox = Mailbox::default();
        say(&mut outbox, DONE, b"early");
        assert_eq!(mailbox.answer(&mut inbox, &mut outbox), None);
        mailbox.take(Letter::Status).unwrap();
        mailbox.post(&mut inbox, &mut outbox);
        assert_eq!(mailbox.answer(&mut inbox, &mut outbox), Some(Answer::Status(vec![])));
    }

    #[test]
    fn letters_are_posted_one_at_a_time_in_order_and_a_bounded_number_waits() {
        let (mut inbox, mut outbox) = windows();
        let mut mailbox = Mailbox::default();
        mailbox.take(Letter::Status).unwrap();
        (1..LETTERS_WAITING_MAX).for_each(|_| mailbox.take(reload()).unwrap());
        assert!(matches!(mailbox.take(Letter::Status), Err(Full(Letter::Status))));
        mailbox.post(&mut inbox, &mut outbox);
        say(&mut outbox, DONE, b"well");
        assert_eq!(mailbox.answer(&mut inbox, &mut outbox), Some(Answer::Status(b"well".to_vec())));
        mailbox.post(&mut inbox, &mut outbox);
        assert!(matches!(mailbox.answer(&mut inbox, &mut outbox), Some(Answer::Refused(_))));
        assert!(mailbox.is_waiting());
    }

    proptest! {
        /// A guest may leave anything; nothing panics, and what is taken lies within the window.
        #[test]
        fn any_outbox_is_an_answer_of_bounded_length(kind in prop_oneof![0_u32..4, any::<u32>()], len in prop_oneof![any::<u32>(), 0_u32..600_000], asked_to_reload in any::<bool>()) {
            let (mut inbox, mut outbox) = windows();
            let mut mailbox = Mailbox::default();
            mailbox.take(if asked_to_reload { reload() } else { Letter::Status }).unwrap();
            mailbox.post(&mut inbox, &mut outbox);
            outbox[..4].copy_from_slice(&kind.to_le_bytes());
            outbox[4..8].copy_from_slice(&len.to_le_bytes());
            let fits = (len as usize) <= OUTBOX_WINDOW_LEN - 8;
            match mailbox.answer(&mut inbox, &mut outbox).unwrap() {
                Answer::Reloaded(_) => prop_assert!(asked_to_reload && fits && kind == DONE),
                Answer::Refused(why) => prop_assert!(asked_to_reload && why.len() <= REASON_LEN_MAX),
                Answer::Status(bytes) => prop_assert!(!asked_to_reload && (bytes.is_empty() || bytes.len() == len as usize)),
                Answer::Contest(..) => prop_assert!(false, "nobody asked"),
            }
            prop_assert_eq!(queue::letter(&outbox), Ok(None));
            prop_assert!(inbox.iter().all(|byte| *byte == 0));
        }
    }
}
