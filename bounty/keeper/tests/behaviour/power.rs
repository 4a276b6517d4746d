//! The power goes between a head that was shown and its name on the disk.

use std::fs;

use arbiter::Digest;
use bounty_log::names;
use bounty_log::store::staged;

use crate::contest::{Contest, START};

/// Whoever has seen the head has seen what is in it: a keeper that did not would hand out the same number again, and forget whom it gave a receipt.
#[test]
fn what_the_keeper_has_shown_it_knows_after_a_power_cut() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START + 1).unwrap();
    let head = contest.log().join(names::CHECKPOINT);
    let before = fs::read(&head).unwrap();
    keeper.commit(START + 2, Digest([7; 32])).unwrap();
    let shown = fs::read(&head).unwrap();
    drop(keeper);
    fs::write(&head, before).unwrap();
    fs::write(contest.log().join(staged(names::CHECKPOINT)), &shown).unwrap();
    let mut keeper = contest.keeper(START + 3);
    assert_eq!((keeper.tree().size(), keeper.time()), (3, START + 2));
    assert_eq!(fs::read(&head).unwrap(), shown);
    let proofs = contest.proofs(keeper.nonce(), START + 4);
    keeper.heartbeat(START + 4, &proofs).unwrap();
    assert!(contest.checked().is_sound());
}
