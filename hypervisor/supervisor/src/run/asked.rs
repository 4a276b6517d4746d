//! Who waits for an answer of a contest's guest. An answer finds its asker by the question's number: it was asked of a tender, which may say anything, in any order, or nothing.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;

use tender::mailbox::Number;

use crate::admin::board::Answer;
use crate::limits::ASKED_MAX;

/// See the module. Of one cell: with it go those who wait, and hear that nobody serves.
#[derive(Debug, Default)]
pub(super) struct Asked {
    next: u64,
    waiting: BTreeMap<Number, SyncSender<Answer>>,
}

impl Asked {
    /// The number of the next question.
    pub(super) fn number(&mut self) -> Number {
        let number = Number(self.next);
        self.next = self.next.wrapping_add(1);
        number
    }

    /// Somebody has asked. Where too many wait, the one who has waited for longest has lost patience: their answer was lost.
    pub(super) fn wait(&mut self, number: Number, asker: SyncSender<Answer>) {
        self.waiting.insert(number, asker);
        if self.waiting.len() > ASKED_MAX {
            self.waiting.pop_first();
        }
    }

    /// An answer has come. What nobody has asked for is nobody's.
    pub(super) fn answered(&mut self, number: Number, answer: Answer) {
        if let Some(asker) = self.waiting.remove(&number) {
            // Whoever asked may have lost patience.
            let _gone = asker.try_send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

    use super::*;

    fn ask(asked: &mut Asked) -> (Number, Receiver<Answer>) {
        let (sender, answer) = sync_channel(1);
        let number = asked.number();
        asked.wait(number, sender);
        (number, answer)
    }

    #[test]
    fn each_answer_reaches_who_asked_for_it_in_whatever_order_they_come() {
        let mut asked = Asked::default();
        let askers: Vec<_> = (0..5).map(|_| ask(&mut asked)).collect();
        asked.answered(askers[4].0, Err("full".into()));
        // The second is never answered, one is made up, and one comes twice.
        asked.answered(Number(77), Ok(b"made up".to_vec()));
        for at in [0, 2, 3, 3] {
            asked.answered(askers[at].0, Ok(vec![u8::try_from(at).unwrap()]));
        }
        let heard: Vec<_> = askers.iter().map(|(_, answer)| answer.try_recv()).collect();
        assert_eq!(heard, [Ok(Ok(vec![0])), Err(TryRecvError::Empty), Ok(Ok(vec![2])), Ok(Ok(vec![3])), Ok(Err("full".into()))]);
    }

    #[test]
    fn those_whose_answers_were_lost_are_bounded_and_who_asked_last_waits_on() {
        let mut asked = Asked::default();
        let askers: Vec<_> = (0..=ASKED_MAX).map(|_| ask(&mut asked)).collect();
        assert_eq!(askers[0].1.try_recv(), Err(TryRecvError::Disconnected));
        assert!(askers[1..].iter().all(|(_, answer)| answer.try_recv() == Err(TryRecvError::Empty)));
        assert_eq!(asked.waiting.len(), ASKED_MAX);
    }

    #[test]
    fn with_its_cell_those_who_wait_are_told() {
        let mut asked = Asked::default();
        let (_, answer) = ask(&mut asked);
        drop(asked);
        assert_eq!(answer.try_recv(), Err(TryRecvError::Disconnected));
    }
}
