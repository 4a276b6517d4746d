//! What the operator changes on the way: it is entered once, and those who were promised something before it are not left out.

use std::fs;
use std::sync::Arc;

use arbiter::commitment::{Opening, commit};
use arbiter::crash::{Crash, Ending};
use arbiter::{Digest, Tier, Verdict};
use bounty_log::change::ChangeFault;
use bounty_log::entry::{Entry, Kind};
use bounty_log::reveal::Reveal;
use ceremony::{Folder, Wish, amend, files};
use keeper::{By, Changed, Ended, Keeper, OpenFault, Refused};

use crate::contest::{Contest, END, START, claimant};

const LATER: u64 = START + 3600;

/// The operator makes a version, and the box is started anew with it.
fn change(contest: &mut Contest, rules: &str, now: u64) {
    let path = contest.folder.path().to_owned();
    let key = fs::read(path.join(files::OPERATOR_KEY)).unwrap();
    amend(&path, &key, &Wish { rules: Some(rules), ..Wish::default() }, now).unwrap();
    contest.folder = Arc::new(Folder::open(&path).unwrap());
}

fn kinds(contest: &Contest) -> Vec<Kind> {
    contest.checked().entries.iter().map(|entry| Entry::parse(entry).unwrap().kind).collect()
}

#[test]
fn a_change_is_entered_once_and_proofs_name_the_version_in_force() {
    let mut contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START + 1).unwrap();
    keeper.stopped(START + 2).unwrap();
    drop(keeper);
    let old = contest.folder.digest();
    change(&mut contest, "Other rules.\n", LATER);
    let mut keeper = contest.keeper(LATER + 5);
    assert_eq!(keeper.changes(), [Changed { entered: LATER + 5, entry: 3 }]);
    keeper.started(LATER + 6).unwrap();
    let proofs = contest.proofs(keeper.nonce(), LATER + 7);
    assert!(proofs.starts_with(format!("bountybox-possession 1\nmanifest {}\n", contest.folder.digest()).as_bytes()));
    keeper.heartbeat(LATER + 7, &proofs).unwrap();
    drop(keeper);
    // Opened again and again it stays one entry; a second change is a second.
    drop(contest.keeper(LATER + 8));
    change(&mut contest, "Yet others.\n", LATER + 9);
    let keeper = contest.keeper(LATER + 10);
    assert_eq!(keeper.changes().iter().map(|changed| changed.entry).collect::<Vec<_>>(), [3, 6]);
    let report = contest.checked();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(kinds(&contest), [Kind::Manifest, Kind::Start, Kind::Stop, Kind::Rules, Kind::Start, Kind::Heartbeat, Kind::Rules]);
    let entry = String::from_utf8(report.entries[3].clone()).unwrap();
    for wanted in
        [format!("\nfrom {old}\n"), "\nversion 2\n".into(), "\n\nOther rules.\n".into(), "\nfrom-rules ".into(), "\nto-rules ".into()]
    {
        assert!(entry.contains(&wanted), "{wanted}: {entry}");
    }
}

#[test]
fn two_changes_before_the_first_start_are_entered_in_order() {
    let mut contest = Contest::new();
    change(&mut contest, "Two.\n", START + 1);
    change(&mut contest, "Three.\n", START + 2);
    let keeper = contest.keeper(START + 3);
    assert_eq!((kinds(&contest), keeper.changes().len()), (vec![Kind::Manifest, Kind::Rules, Kind::Rules], 2));
    assert!(contest.checked().is_sound());
}

#[test]
fn a_change_that_may_not_follow_keeps_the_log_shut() {
    let mut contest = Contest::new();
    drop(contest.keeper(START));
    change(&mut contest, "Two.\n", LATER);
    // The clock is before the change, or behind the end: what a stranger would find is not written.
    for now in [LATER - 1, END] {
        let fault = Keeper::open(&contest.folder, now).unwrap_err();
        assert!(matches!(&fault, OpenFault::Change(file, ChangeFault::Entered) if file == "public/change-2"), "{fault}");
    }
    assert_eq!(kinds(&contest), [Kind::Manifest]);
    drop(contest.keeper(LATER));
    // A folder that has lost a version which the log has, or has another.
    let path = contest.folder.path().to_owned();
    let file = path.join("public/change-2");
    let kept = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    contest.folder = Arc::new(Folder::open(&path).unwrap());
    assert!(matches!(Keeper::open(&contest.folder, LATER + 1), Err(OpenFault::Version(1))));
    change(&mut contest, "Two, but others.\n", LATER);
    assert!(matches!(Keeper::open(&contest.folder, LATER + 1), Err(OpenFault::Version(1))));
    fs::write(&file, kept).unwrap();
    contest.folder = Arc::new(Folder::open(&path).unwrap());
    drop(contest.keeper(LATER + 1));
    assert!(contest.checked().is_sound());
}

#[test]
fn what_was_made_under_an_earlier_version_stays_good_and_a_bare_claim_is_signed_anew() {
    let mut contest = Contest::new();
    let mut keeper = contest.keeper(START);
    keeper.started(START).unwrap();
    let committed = contest.claim(Tier::Key, Tier::Key, "early", START + 5);
    let opening = Opening { write_up: Digest::of(&[b"how"]), salt: [9; 32] };
    let receipt = keeper.commit(START + 10, commit(&committed, &opening.write_up, &opening.salt)).unwrap();
    let bare = contest.claim(Tier::Read, Tier::Read, "bare", START + 5);
    keeper.announce(START + 11, &claimant(1), [192, 0, 2, 1].into()).unwrap();
    let crashed = Ended { ending: Ending::Crash, by: By::Guest, detail: "vector 14", evidence: Digest([7; 32]) };
    let record = keeper.ended(START + 12, &crashed).unwrap();
    let down = contest.crash_claim(&record, 1, START + 13);
    drop(keeper);
    change(&mut contest, "Other rules.\n", LATER);
    let mut keeper = contest.keeper(LATER + 1);
    // It holds by what was promised; but nothing shows that it was won before.
    let judged = keeper.claim(LATER + 2, &bare);
    assert!(matches!((judged.verdict, judged.entry), (Verdict::Falsified { tier: Tier::Read, .. }, Err(Refused::Superseded))));
    let anew = contest.claim(Tier::Read, Tier::Read, "anew", LATER + 2);
    assert!(keeper.claim(LATER + 2, &anew).entry.is_ok());
    let document = Reveal { claim: &committed, commitment: Some((&receipt, opening.to_string().as_bytes())) }.document();
    let judged = keeper.claim(LATER + 3, &document);
    assert!(matches!((&judged.verdict, &judged.entry), (Verdict::Falsified { committed: Some(_), .. }, Ok(_))), "{}", judged.verdict);
    assert_eq!(keeper.won(Tier::Key).unwrap().since(), START + 10);
    assert_eq!(Crash::parse(&record).unwrap().body.claimants, [claimant(1)]);
    assert!(keeper.claim(LATER + 4, &down).entry.is_ok());
    let wins = [Tier::Read, Tier::Key, Tier::Down].map(|tier| keeper.won(tier).cloned());
    assert!(wins.iter().all(Option::is_some));
    drop(keeper);
    let keeper = contest.keeper(LATER + 5);
    assert_eq!([Tier::Read, Tier::Key, Tier::Down].map(|tier| keeper.won(tier).cloned()), wins, "all of it is remembered");
    assert!(contest.checked().is_sound(), "{:?}", contest.checked().findings);
}

/// Rule 4 of the rules: a commitment counts from when the log took it.
#[test]
fn who_committed_first_has_won_whoever_was_entered_first() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    let early = contest.claim(Tier::Exec, Tier::Exec, "early", START + 1);
    let opening = Opening { write_up: Digest::of(&[b"how"]), salt: [9; 32] };
    let receipt = keeper.commit(START + 10, commit(&early, &opening.write_up, &opening.salt)).unwrap();
    let quick = contest.claim(Tier::Exec, Tier::Exec, "quick", START + 20);
    keeper.claim(START + 20, &quick).entry.unwrap();
    assert_eq!(keeper.won(Tier::Exec).unwrap().text, "quick");
    // The bare claim may be in the log before what it was committed to.
    keeper.claim(START + 25, &early).entry.unwrap();
    assert_eq!(keeper.won(Tier::Exec).unwrap().text, "quick");
    assert_eq!(keeper.holding(Tier::Exec), 2);
    let document = Reveal { claim: &early, commitment: Some((&receipt, opening.to_string().as_bytes())) }.document();
    let entry = keeper.claim(START + 30, &document).entry.unwrap();
    let won = keeper.won(Tier::Exec).unwrap().clone();
    assert_eq!((won.text.as_str(), won.committed, won.entry, won.entered), ("early", Some(START + 10), entry, START + 30));
    assert!(matches!(keeper.claim(START + 31, &document).entry, Err(Refused::Known)));
    let texts: Vec<&str> = keeper.wins(Tier::Exec).map(|win| win.text.as_str()).collect();
    assert_eq!((keeper.holding(Tier::Exec), texts), (2, vec!["early", "quick"]), "with what it was committed to it is the same claim");
    let number = usize::try_from(entry).unwrap();
    assert!(contest.checked().entries[number].ends_with(&document), "what shows it stands in the log");
    drop(keeper);
    assert_eq!(contest.keeper(START + 40).won(Tier::Exec), Some(&won));
    assert!(contest.checked().is_sound());
}

#[test]
fn a_receipt_that_the_log_has_lost_is_not_entered() {
    let contest = Contest::new();
    let mut keeper = contest.keeper(START);
    let claim = contest.claim(Tier::Read, Tier::Read, "x", START);
    let opening = Opening { write_up: Digest::of(&[b"how"]), salt: [9; 32] };
    let receipt = keeper.commit(START + 1, commit(&claim, &opening.write_up, &opening.salt)).unwrap();
    drop(keeper);
    // Put back to what it was before: a stranger with a kept head finds that, and the keeper does not make it worse.
    fs::remove_dir_all(contest.log()).unwrap();
    let mut keeper = contest.keeper(START + 2);
    let document = Reveal { claim: &claim, commitment: Some((&receipt, opening.to_string().as_bytes())) }.document();
    let judged = keeper.claim(START + 3, &document);
    assert!(matches!((judged.verdict, judged.entry), (Verdict::Falsified { .. }, Err(Refused::Receipt))));
    assert!(keeper.claim(START + 3, &claim).entry.is_ok());
    assert!(contest.checked().is_sound());
}
