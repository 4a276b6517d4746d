//! Each verb by itself: what it enters, and what it refuses.

use core::net::IpAddr;
use std::fs;

use arbiter::commitment::{Opening, commit};
use arbiter::crash::{Crash, Ending};
use arbiter::receipt::Receipt;
use arbiter::{Context, Digest, Tier, Verdict, verify};
use bounty_log::append::Signer;
use bounty_log::reveal::Reveal;
use keeper::limits::{ANNOUNCED_MAX, CLAIMS_IN_ALL_MAX, CLAIMS_MAX, COMMITMENTS_MAX, RESTARTS_MAX};
use keeper::{By, Ended, Keeper, OpenFault, Refused};

use crate::contest::{Contest, END, START, claimant};

const CRASHED: Ended<'_> = Ended { ending: Ending::Crash, by: By::Guest, detail: "vector 14", evidence: Digest([7; 32]) };

#[test]
fn a_day_of_a_box_holds() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START + 1).unwrap();
    for hour in 1..24 {
        let now = keeper.heartbeat_due().unwrap();
        assert_eq!(now, START + 1 + hour * 3600);
        let proofs = contest.proofs(keeper.nonce(), now);
        assert_eq!(keeper.heartbeat(now, &proofs).unwrap(), Tier::ALL);
    }
    keeper.stopped(START + 86_400).unwrap();
    let report = contest.checked();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.head.unwrap().size, 26);
}

#[test]
fn a_box_that_was_not_started_has_no_life() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    let proof = contest.proof(Tier::Auth, keeper.nonce(), START);
    assert!(matches!(keeper.heartbeat(START, &proof), Err(Refused::NotRunning)));
    assert!(matches!(keeper.stopped(START), Err(Refused::NotRunning)));
    assert!(matches!(keeper.ended(START, &CRASHED), Err(Refused::NotRunning)));
    assert_eq!((keeper.tree().size(), keeper.heartbeat_due()), (1, None));
}

#[test]
fn a_proof_of_before_is_none_of_now() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    let nonce = keeper.nonce();
    keeper.started(START).unwrap();
    let stale = contest.proof(Tier::Auth, nonce, START + 5);
    assert!(matches!(keeper.heartbeat(START + 5, &stale), Err(Refused::Proof(_))));
    let early = contest.proof(Tier::Auth, keeper.nonce(), START + 6);
    assert!(matches!(keeper.heartbeat(START + 5, &early), Err(Refused::Proof(_))), "made in the future");
    let late = contest.proof(Tier::Auth, keeper.nonce(), START - 1);
    assert!(matches!(keeper.heartbeat(START + 5, &late), Err(Refused::Proof(_))), "made before the last entry");
    assert!(matches!(keeper.heartbeat(START + 5, b""), Err(Refused::Proofs)));
    assert!(matches!(keeper.heartbeat(START + 5, &vec![b'a'; 10_000]), Err(Refused::ProofsLength)));
    let good = contest.proofs(keeper.nonce(), START + 5);
    assert!(matches!(keeper.heartbeat(START + 5, &good.repeat(2)), Err(Refused::Proofs)));
    assert_eq!(keeper.heartbeat(START + 5, &good).unwrap(), Tier::ALL);
    assert!(contest.checked().is_sound());
}

#[test]
fn a_crash_is_claimed_by_who_announced_it_and_by_nobody_else() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START).unwrap();
    assert_eq!(keeper.announce(START + 10, &claimant(1), IpAddr::from([192, 0, 2, 1])).unwrap(), START + 910);
    let record = keeper.ended(START + 20, &CRASHED).unwrap();
    let crash = Crash::parse(&record).unwrap();
    assert_eq!((crash.body.cell, crash.body.detail, crash.body.evidence), (0, "vector 14", Digest([7; 32])));
    assert_eq!(crash.body.claimants, [claimant(1)]);
    let thief = keeper.claim(START + 30, &contest.crash_claim(&record, 2, START + 30));
    assert!(matches!((thief.verdict, thief.entry), (Verdict::NotFalsified { .. }, Err(Refused::Unfounded))));
    assert_eq!(keeper.won(Tier::Down), None);
    let winner = keeper.claim(START + 30, &contest.crash_claim(&record, 1, START + 30));
    assert!(matches!((winner.verdict, winner.entry), (Verdict::Falsified { .. }, Ok(3))));
    assert_eq!(keeper.won(Tier::Down).unwrap().claimant, claimant(1));
    // The next cell, and nobody is named who was named before.
    let second = keeper.ended(START + 40, &CRASHED).unwrap();
    let crash = Crash::parse(&second).unwrap();
    assert_eq!((crash.body.cell, crash.body.claimants.len()), (1, 0));
    assert!(contest.checked().is_sound());
}

/// The host fails, the kernel has no memory left, somebody sends a signal: the rules reward who ends the guest.
#[test]
fn an_ending_that_is_not_the_guests_is_recorded_and_names_nobody() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START).unwrap();
    keeper.announce(START + 10, &claimant(1), IpAddr::from([192, 0, 2, 1])).unwrap();
    let record = keeper.ended(START + 20, &Ended { by: By::Other, detail: "Unknown", ..CRASHED }).unwrap();
    let crash = Crash::parse(&record).unwrap();
    assert_eq!((crash.body.cell, crash.body.detail, crash.body.claimants.len()), (0, "Unknown", 0));
    let claimed = keeper.claim(START + 30, &contest.crash_claim(&record, 1, START + 30));
    assert!(matches!((claimed.verdict, claimed.entry), (Verdict::NotFalsified { .. }, Err(Refused::Unfounded))));
    // It was not what they had announced: the guest's next crash still names them.
    let record = keeper.ended(START + 40, &CRASHED).unwrap();
    assert_eq!(Crash::parse(&record).unwrap().body.claimants, [claimant(1)]);
    assert!(contest.checked().is_sound());
}

/// Two who announced themselves share, and both are told of.
#[test]
fn claims_that_hold_are_counted_and_the_first_four_are_known() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START).unwrap();
    for who in 1..=2 {
        keeper.announce(START + 10, &claimant(who), IpAddr::from([192, 0, 2, who])).unwrap();
    }
    let record = keeper.ended(START + 20, &CRASHED).unwrap();
    for who in 1..=2 {
        assert!(keeper.claim(START + 30, &contest.crash_claim(&record, who, START + 30)).entry.is_ok());
    }
    let names: Vec<&str> = keeper.wins(Tier::Down).map(|win| win.claimant.as_str()).collect();
    assert_eq!((keeper.holding(Tier::Down), names), (2, vec![&*claimant(1), &*claimant(2)]));
    for number in 0..9 {
        let claim = contest.claim(Tier::Read, Tier::Read, &format!("{number}"), START);
        assert!(keeper.claim(START + 40 + number, &claim).entry.is_ok());
    }
    let told = |keeper: &Keeper| (keeper.holding(Tier::Read), keeper.wins(Tier::Read).map(|win| win.text.clone()).collect::<Vec<_>>());
    assert_eq!(told(&keeper), (9, ["0", "1", "2", "3"].map(String::from).into()));
    drop(keeper);
    assert_eq!(told(&contest.keeper(START + 60)), (9, ["0", "1", "2", "3"].map(String::from).into()));
}

/// As a failure in the log it would be known, and refused for ever.
#[test]
fn a_claim_of_a_time_to_come_is_handed_in_again_when_it_has_come() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    let size = keeper.tree().size();
    let claim = contest.claim(Tier::Read, Tier::Read, "my clock is fast", START + 5);
    let early = keeper.claim(START + 4, &claim);
    let why = early.entry.unwrap_err();
    assert!(matches!((early.verdict, &why), (Verdict::NotFalsified { .. }, Refused::Early { from }) if *from == START + 5));
    assert!(why.to_string().contains(&format!("from second {} on", START + 5)), "{why}");
    assert_eq!((keeper.tree().size(), keeper.won(Tier::Read)), (size, None));
    let judged = keeper.claim(START + 5, &claim);
    assert!(matches!((judged.verdict, judged.entry), (Verdict::Falsified { .. }, Ok(_))));
    assert_eq!(keeper.won(Tier::Read).map(|win| win.entered), Some(START + 5));
    // Nobody else's flag gets an answer that it does not deserve; and what can never hold is a failure as before.
    let forged = contest.claim(Tier::Read, Tier::Auth, "not mine", START + 9);
    assert!(matches!(keeper.claim(START + 6, &forged).entry, Err(Refused::Unfounded)));
    let never = contest.claim(Tier::Read, Tier::Read, "behind the end", END);
    assert!(keeper.claim(START + 6, &never).entry.is_ok());
    assert!(contest.checked().is_sound());
}

/// A sign of life is one, whoever is silent; that all flags have answered is another thing.
#[test]
fn one_proof_is_a_sign_of_life_and_no_answer_of_all_flags() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START).unwrap();
    let beat = |keeper: &mut Keeper, tiers: &[Tier], now| {
        let proofs: Vec<u8> = tiers.iter().flat_map(|tier| contest.proof(*tier, keeper.nonce(), now)).collect();
        keeper.heartbeat(now, &proofs).unwrap();
    };
    beat(&mut keeper, &Tier::ALL[..7], START + 10);
    assert_eq!((keeper.heartbeat_due(), keeper.answered()), (Some(START + 3610), None));
    beat(&mut keeper, &Tier::ALL, START + 20);
    beat(&mut keeper, &[Tier::Down], START + 30);
    assert_eq!((keeper.heartbeat_due(), keeper.answered()), (Some(START + 3630), Some(START + 20)));
    drop(keeper);
    assert_eq!(contest.keeper(START + 40).answered(), Some(START + 20));
}

#[test]
fn what_a_guest_said_last_does_not_keep_its_crash_from_being_told() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START).unwrap();
    for (said, wanted) in [
        ("", "nothing more is known"),
        ("   ", "nothing more is known"),
        ("a\nsignature b\x1b[2J\u{e9}", "a?signature b?[2J?"),
        (&" x".repeat(400), &" x".repeat(400).trim()[..255]),
    ] {
        let record = keeper.ended(START + 1, &Ended { detail: said, ..CRASHED }).unwrap();
        assert_eq!(Crash::parse(&record).unwrap().body.detail, wanted);
    }
    assert!(contest.checked().is_sound());
}

#[test]
fn a_claim_that_anybody_can_make_is_judged_and_not_entered() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    let size = keeper.tree().size();
    for claim in [
        b"garbage".to_vec(),
        vec![b'a'; 100_000],
        contest.claim(Tier::Read, Tier::Auth, "not mine", START),
        contest.claim(Tier::Wallet, Tier::Auth, "not mine", START),
    ] {
        let judged = keeper.claim(START, &claim);
        assert!(matches!(judged.verdict, Verdict::NotFalsified { .. }) && matches!(judged.entry, Err(Refused::Unfounded)));
    }
    assert_eq!(keeper.tree().size(), size);
}

#[test]
fn a_claim_with_the_flag_is_entered_once_and_so_often_in_an_hour() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    // Somebody who knows the flag and fills the hour with what does not hold.
    for number in 0..CLAIMS_MAX {
        let claim = contest.claim(Tier::Read, Tier::Read, &format!("{number}"), START - 1);
        assert_eq!(keeper.claim(START, &claim).entry.unwrap(), number as u64 + 1);
        assert!(matches!(keeper.claim(START, &claim).entry, Err(Refused::Known)));
    }
    let more = contest.claim(Tier::Read, Tier::Read, "more", START - 1);
    assert!(matches!(keeper.claim(START, &more).entry, Err(Refused::Claims(Tier::Read))));
    assert_eq!(keeper.won(Tier::Read), None);
    let good = contest.claim(Tier::Read, Tier::Read, "good", START);
    let judged = keeper.claim(START, &good);
    assert!(matches!(judged.verdict, Verdict::Falsified { .. }) && judged.entry.is_ok(), "the first win finds room");
    assert_eq!(keeper.won(Tier::Read).map(|win| win.time), Some(START));
    let second = contest.claim(Tier::Read, Tier::Read, "second", START);
    assert!(matches!(keeper.claim(START, &second).entry, Err(Refused::Claims(Tier::Read))));
    assert!(keeper.claim(START, &contest.claim(Tier::Exec, Tier::Exec, "other tier", START)).entry.is_ok());
    assert!(keeper.claim(START + 3600, &second).entry.is_ok());
    // All of it is remembered.
    drop(keeper);
    let mut keeper = contest.keeper(START + 3600);
    assert!(matches!(keeper.claim(START + 3600, &second).entry, Err(Refused::Known)));
    assert_eq!(keeper.won(Tier::Read).map(|win| win.entry), Some(CLAIMS_MAX as u64 + 1));
    assert!(contest.checked().is_sound());
}

#[test]
fn a_commitment_opens_behind_the_end_and_the_win_outlives_a_restart() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    let claim = contest.claim(Tier::Key, Tier::Key, "early", START + 5);
    let opening = Opening { write_up: Digest::of(&[b"how"]), salt: [9; 32] };
    let commitment = commit(&claim, &opening.write_up, &opening.salt);
    let receipt = keeper.commit(START + 10, commitment).unwrap();
    let read = Receipt::read(&receipt, contest.folder.log().key()).unwrap();
    assert_eq!((read.commitment, read.time, read.manifest), (commitment, START + 10, contest.folder.digest()));
    // Without what opens it, it is late, and is not entered: it could not be told from one that was not committed to.
    let late = keeper.claim(END + 5, &claim);
    assert!(matches!((late.verdict, late.entry), (Verdict::NotFalsified { .. }, Err(Refused::Unfounded))));
    let opened = opening.to_string();
    let handed = Reveal { claim: &claim, commitment: Some((&receipt, opened.as_bytes())) }.document();
    let judged = keeper.claim(END + 5, &handed);
    assert!(matches!(judged.verdict, Verdict::Falsified { committed: Some(_), .. }) && judged.entry.is_ok());
    let won = keeper.won(Tier::Key).cloned();
    assert!(won.is_some());
    drop(keeper);
    let mut keeper = contest.keeper(END + 5);
    assert_eq!(keeper.won(Tier::Key).cloned(), won);
    assert!(matches!(keeper.commit(END + 5, commitment), Err(Refused::Over)));
    assert!(contest.checked().is_sound());
}

#[test]
fn commitments_are_so_many_in_an_hour() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    for number in 0..COMMITMENTS_MAX {
        keeper.commit(START + number as u64, Digest([1; 32])).unwrap();
    }
    assert!(matches!(keeper.commit(START + 60, Digest([1; 32])), Err(Refused::Commitments { until }) if until == START + 3600));
    drop(keeper);
    let mut keeper = contest.keeper(START + 60);
    assert!(keeper.commit(START + 3599, Digest([1; 32])).is_err(), "a restart gives no room");
    keeper.commit(START + 3600, Digest([1; 32])).unwrap();
    assert!(contest.checked().is_sound());
}

#[test]
fn a_clock_that_is_set_back_a_little_waits_and_a_lot_is_refused() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START + 1000).unwrap();
    let receipt = keeper.commit(START + 700, Digest([1; 32])).unwrap();
    assert_eq!(Receipt::read(&receipt, contest.folder.log().key()).unwrap().time, START + 1000);
    assert!(matches!(keeper.commit(START + 699, Digest([1; 32])), Err(Refused::Clock { last }) if last == START + 1000));
    assert!(matches!(keeper.started(u64::MAX), Err(Refused::Clock { .. })));
    assert!(contest.checked().is_sound());
}

#[test]
fn an_outage_is_found_and_nothing_else_is() {
    let contest = Contest::new();
    contest.keeper(START).started(START).unwrap();
    // The host dies, and comes back much later.
    let mut keeper = contest.keeper(START + 100_000);
    keeper.started(START + 100_000).unwrap();
    let report = contest.checked();
    assert_eq!(report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["silent"]);
}

#[test]
fn a_log_that_was_altered_or_is_of_another_is_not_kept() {
    let (one, other) = (Contest::new(), Contest::new());
    one.keeper(START).started(START).unwrap();
    other.keeper(START).started(START).unwrap();
    let entries = one.log().join("tile/entries/000.p/2");
    let sound = fs::read(&entries).unwrap();
    let mut altered = sound.clone();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(&entries, altered).unwrap();
    let fault = Keeper::open(&one.folder, START).unwrap_err();
    assert!(matches!(fault, OpenFault::Unsound(..)) && fault.to_string().contains("log verify"), "{fault}");
    fs::write(&entries, sound).unwrap();
    one.keeper(START);
    fs::remove_dir_all(one.log()).unwrap();
    fs::rename(other.log(), one.log()).unwrap();
    let fault = Keeper::open(&one.folder, START).unwrap_err();
    assert!(matches!(fault, OpenFault::Unsound(..)), "another key's: {fault}");
}

#[test]
fn two_keepers_of_one_log_would_fork_it() {
    let contest = Contest::new();
    let keeper = contest.keeper(START);
    assert!(matches!(Keeper::open(&contest.folder, START), Err(OpenFault::Kept)));
    drop(keeper);
    contest.keeper(START);
}

#[test]
fn full_files_take_the_place_of_partial_ones() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    for second in 0..260 {
        keeper.started(START + second).unwrap();
    }
    let names = |folder: &str| {
        let mut names: Vec<String> =
            fs::read_dir(contest.log().join(folder)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    for folder in ["tile/entries", "tile/0"] {
        assert_eq!(names(folder), ["000", "001.p"], "{folder}");
    }
    assert!(contest.checked().is_sound());
    drop(keeper);
    contest.keeper(START + 300).started(START + 300).unwrap();
    assert!(contest.checked().is_sound());
}

#[test]
fn the_verdict_is_the_arbiters() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    for flag in [Tier::Auth, Tier::Read] {
        let claim = contest.claim(Tier::Auth, flag, "x", START);
        let folder = &contest.folder;
        let alone = verify(folder.manifest_note(), &folder.operator().to_string(), &claim, &Context { now: START, commitment: None });
        assert_eq!(keeper.claim(START, &claim).verdict, alone);
    }
}

#[test]
fn a_proof_that_is_altered_anywhere_is_refused() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START).unwrap();
    let proof = contest.proof(Tier::Write, keeper.nonce(), START);
    for at in 0..proof.len() {
        let mut altered = proof.clone();
        altered[at] ^= 1;
        assert!(keeper.heartbeat(START, &altered).is_err(), "at {at}");
        assert!(keeper.heartbeat(START, &proof[..at]).is_err(), "up to {at}");
    }
    assert_eq!(keeper.tree().size(), 2);
    assert!(keeper.heartbeat(START, &proof).is_ok());
}

#[test]
fn the_page_has_the_numbers() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ceremony.md");
    let page = fs::read_to_string(page).unwrap();
    for wanted in [
        format!("more than {RESTARTS_MAX} in an hour"),
        format!("more than {COMMITMENTS_MAX} in an hour"),
        format!("at most {CLAIMS_MAX} in an hour and {},{:03} in all", CLAIMS_IN_ALL_MAX / 1000, CLAIMS_IN_ALL_MAX % 1000),
        format!("(IPv6: each /48), at most {ANNOUNCED_MAX};"),
    ] {
        assert!(page.contains(&wanted), "{wanted}");
    }
}
