//! A log of a contest whose keys are known, and all that may be done to it.

use std::fs;
use std::path::Path;

use arbiter::receipt::Receipt;
use arbiter::{Tier, possession};
use bounty_log::append::{Log, LogFault};
use bounty_log::check::{Report, Trust, check, check_at};
use bounty_log::checkpoint::Checkpoint;
use bounty_log::entry::{Entry, Kind};
use bounty_log::store::{Folder, Source};
use bounty_log::{bundle, names};
use contest::START;
use tempfile::TempDir;

fn entry(kind: Kind, time: u64, document: &[u8]) -> Entry<'_> {
    Entry { time, kind, document }
}

/// The answers of all flags to the log's root.
fn heartbeat(log: &Log<contest::Holder>, time: u64) -> Vec<u8> {
    heartbeat_of(&Tier::ALL, log, time)
}

fn heartbeat_of(tiers: &[Tier], log: &Log<contest::Holder>, time: u64) -> Vec<u8> {
    let nonce = log.tree().root(log.tree().size()).expect("a root").0;
    let proof =
        |tier: &Tier| contest::seal(tier.name(), &possession::Body { manifest: contest::manifest_digest(), tier: *tier, nonce, time });
    tiers.iter().flat_map(proof).collect()
}

/// A log whose box serves since ten seconds behind the start.
fn begun(folder: &Path) -> Log<contest::Holder> {
    let first = contest::manifest_note();
    let mut log = Log::begin(Folder::new(folder), contest::holder("log"), &entry(Kind::Manifest, START, &first)).expect("begun");
    log.append(&entry(Kind::Start, START + 10, b"")).expect("appended");
    log
}

/// Two days of a contest.
fn days(folder: &Path) -> Log<contest::Holder> {
    let mut log =
        Log::begin(Folder::new(folder), contest::holder("log"), &entry(Kind::Manifest, START, &contest::manifest_note())).expect("begun");
    let add = |log: &mut Log<contest::Holder>, kind, time, document: &[u8]| {
        log.append(&entry(kind, time, document)).expect("appended");
    };
    add(&mut log, Kind::Start, START + 10, b"");
    for hour in 1..=48 {
        let time = START + hour * 3600;
        let proofs = heartbeat(&log, time);
        add(&mut log, Kind::Heartbeat, time, &proofs);
        match hour {
            24 => {
                let claim = contest::claim(Tier::Read);
                let receipt = contest::receipt_body(&claim);
                let document = contest::note(&receipt.to_string(), &["log"]);
                add(&mut log, Kind::Commitment, receipt.time, &document);
                add(&mut log, Kind::Claim, receipt.time + 60, &claim);
            }
            30 => {
                let claimant = contest::claimant("claimant");
                add(&mut log, Kind::Restart, time + 5, &contest::seal("down", &contest::crash_body(&claimant)));
            }
            40 => add(&mut log, Kind::Start, time + 5, b""),
            _ => {}
        }
    }
    add(&mut log, Kind::Stop, START + 48 * 3600 + 60, b"");
    log
}

fn checked(folder: &Path, earlier: &[(&str, Vec<u8>)]) -> Report {
    let (log, operator) = (contest::named("log"), contest::named("operator"));
    let earlier = earlier.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect();
    check(&Folder::new(folder), &Trust { log: &log, operator: Some(&operator), earlier })
}

/// What is wrong at this time, each by its code and place.
fn at(now: u64, folder: &Path) -> Vec<String> {
    let (log, operator) = (contest::named("log"), contest::named("operator"));
    let report = check_at(&Folder::new(folder), &Trust { log: &log, operator: Some(&operator), earlier: vec![] }, now);
    report.findings.iter().map(|finding| format!("{} {}", finding.code, finding.place)).collect()
}

/// The codes of what is found, each once.
fn codes(report: &Report) -> Vec<&'static str> {
    let mut codes: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
    codes.dedup();
    codes
}

fn head(folder: &Path) -> Vec<u8> {
    fs::read(folder.join(names::CHECKPOINT)).expect("a head")
}

/// Lets `change` have the entries of the first bundle as they are, and writes them back.
fn tamper(folder: &Path, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let size = checked(folder, &[]).head.expect("a head").size;
    let tile = names::bundles(size).next().expect("a bundle");
    let path = folder.join(names::of(&tile));
    let bytes = fs::read(&path).expect("a bundle");
    let mut entries: Vec<Vec<u8>> =
        bundle::decode(&bytes, tile.width() as usize).expect("entries").into_iter().map(<[u8]>::to_vec).collect();
    change(&mut entries);
    fs::write(path, bundle::encode(&entries).expect("short entries")).expect("written");
}

#[test]
fn a_log_that_was_kept_well_holds() {
    let dir = TempDir::new().unwrap();
    let log = days(dir.path());
    let report = checked(dir.path(), &[("now", head(dir.path()))]);
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.entries.len(), report.head.unwrap().size), (55, log.tree().size()));
}

#[test]
fn what_was_altered_removed_added_or_moved_is_found() {
    let changes: [fn(&mut Vec<Vec<u8>>); 5] = [
        |entries| entries[3][60] ^= 1,
        |entries| entries.swap(4, 5),
        |entries| {
            let last = entries.len() - 1;
            let other = entries[1].clone();
            entries[last] = other;
        },
        |entries| {
            entries.remove(7);
        },
        |entries| entries.push(b"bountybox-entry 1\ntime 1\nkind stop\n\n".to_vec()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let dir = TempDir::new().unwrap();
        days(dir.path());
        tamper(dir.path(), change);
        let report = checked(dir.path(), &[]);
        let wanted = if number < 3 { "root" } else { "bundle" };
        assert_eq!(codes(&report).first(), Some(&wanted), "{number}: {:?}", report.findings);
    }
}

/// A head that was signed anew hides nothing from who has seen an earlier one, and an entry's document is still what it was signed as.
#[test]
fn a_past_that_was_rewritten_and_signed_anew_is_found_by_an_earlier_head() {
    let (honest, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut log =
        Log::begin(Folder::new(honest.path()), contest::holder("log"), &entry(Kind::Manifest, START, &contest::manifest_note())).unwrap();
    log.append(&entry(Kind::Start, START + 1, b"")).unwrap();
    log.append(&entry(Kind::Start, START + 2, b"")).unwrap();
    let seen = head(honest.path());
    log.append(&entry(Kind::Start, START + 3, b"")).unwrap();
    let mut log =
        Log::begin(Folder::new(other.path()), contest::holder("log"), &entry(Kind::Manifest, START, &contest::manifest_note())).unwrap();
    log.append(&entry(Kind::Start, START + 1, b"")).unwrap();
    assert_eq!(codes(&checked(other.path(), &[("seen", seen.clone())])), ["rolled-back"]);
    log.append(&entry(Kind::Stop, START + 2, b"")).unwrap();
    assert_eq!(codes(&checked(other.path(), &[("seen", seen.clone())])), ["forked"]);
    log.append(&entry(Kind::Start, START + 3, b"")).unwrap();
    let report = checked(other.path(), &[("seen", seen.clone())]);
    assert_eq!((codes(&report), report.findings[0].place.as_str()), (vec!["forked"], "seen"));
    assert!(checked(other.path(), &[]).is_sound(), "by itself it holds");
    assert!(checked(honest.path(), &[("seen", seen)]).is_sound());
}

#[test]
fn a_size_that_was_rolled_back_in_place_is_found() {
    let dir = TempDir::new().unwrap();
    let mut log =
        Log::begin(Folder::new(dir.path()), contest::holder("log"), &entry(Kind::Manifest, START, &contest::manifest_note())).unwrap();
    let old = head(dir.path());
    log.append(&entry(Kind::Start, START + 1, b"")).unwrap();
    let new = head(dir.path());
    fs::write(dir.path().join(names::CHECKPOINT), old).unwrap();
    assert_eq!(codes(&checked(dir.path(), &[("new", new)])), ["rolled-back"]);
}

#[test]
fn a_head_of_another_key_or_name_and_files_that_are_gone_are_found() {
    let dir = TempDir::new().unwrap();
    days(dir.path());
    let sound = head(dir.path());
    let text = String::from_utf8(sound.clone()).unwrap();
    let body = text.split_once("\n\n").unwrap().0;
    for (bytes, line) in [
        (contest::note(&format!("{body}\n"), &["operator"]), None),
        (contest::note(&format!("{body}\n").replace("55", "54"), &["log"]), None),
        (contest::note(&format!("{body}\n").replacen("contest", "content", 1), &["log"]), Some("checkpoint:1")),
        (contest::note("contest.example/log\n055\nAAAA\n", &["log"]), None),
        (b"no note".to_vec(), None),
        (vec![], None),
    ] {
        fs::write(dir.path().join(names::CHECKPOINT), &bytes).unwrap();
        let report = checked(dir.path(), &[]);
        assert!(!report.is_sound(), "{}", String::from_utf8_lossy(&bytes));
        if let Some(line) = line {
            assert_eq!(report.findings[0].place, line);
        }
    }
    fs::write(dir.path().join(names::CHECKPOINT), sound).unwrap();
    for name in names::hashes(55).iter().map(names::of).chain(names::bundles(55).map(|tile| names::of(&tile))) {
        let kept = fs::read(dir.path().join(&name)).unwrap();
        fs::remove_file(dir.path().join(&name)).unwrap();
        let report = checked(dir.path(), &[]);
        assert_eq!((codes(&report), report.findings[0].place.clone()), (vec!["missing"], name.clone()));
        let mut lie = kept.clone();
        lie[0] ^= 1;
        fs::write(dir.path().join(&name), lie).unwrap();
        assert!(!checked(dir.path(), &[]).is_sound(), "{name}");
        fs::write(dir.path().join(&name), kept).unwrap();
    }
    assert!(checked(dir.path(), &[]).is_sound());
}

/// Every document must be whose it claims to be, and every hour has its sign of life.
#[test]
fn a_story_that_does_not_hold_together_is_told() {
    let claim = contest::claim(Tier::Read);
    let receipt = contest::receipt_body(&claim);
    let note = contest::note(&receipt.to_string(), &["log"]);
    let claimant = contest::claimant("claimant");
    let crash = contest::seal("down", &contest::crash_body(&claimant));
    let forged = contest::seal("exec", &contest::crash_body(&claimant));
    let stale = contest::possession(Tier::Read);
    for (kind, time, document, code) in [
        (Kind::Manifest, START + 20, &contest::manifest_note()[..], "manifest"),
        (Kind::Start, START + 20, b"x", "start"),
        (Kind::Heartbeat, START + 20, b"", "heartbeat"),
        (Kind::Heartbeat, START + 20, &stale, "heartbeat"),
        (Kind::Restart, START + 20, &forged, "restart"),
        (Kind::Restart, START + 20, b"", "restart"),
        (Kind::Commitment, receipt.time + 1, &note, "silent commitment"),
        (Kind::Claim, START + 20, b"bountybox-claim 1\n", "claim"),
        (Kind::Rules, START + 20, b"The prize for `read` is doubled.\n", "rules"),
        (Kind::Start, START + 10 + 3901, b"", "silent"),
    ] {
        let dir = TempDir::new().unwrap();
        let mut log =
            Log::begin(Folder::new(dir.path()), contest::holder("log"), &entry(Kind::Manifest, START, &contest::manifest_note())).unwrap();
        log.append(&entry(Kind::Start, START + 10, b"")).unwrap();
        log.append(&entry(kind, time, document)).unwrap();
        let report = checked(dir.path(), &[]);
        assert_eq!(codes(&report).join(" "), code, "{:?}", report.findings);
        assert!(report.findings.iter().all(|finding| finding.place == "entry 2"), "{:?}", report.findings);
    }
    let dir = TempDir::new().unwrap();
    let mut log =
        Log::begin(Folder::new(dir.path()), contest::holder("log"), &entry(Kind::Manifest, START, &contest::manifest_note())).unwrap();
    log.append(&entry(Kind::Restart, START + 5, &crash)).unwrap();
    log.append(&entry(Kind::Restart, START + 6, &crash)).unwrap();
    assert_eq!(codes(&checked(dir.path(), &[])), ["restart"], "the same cell twice");
}

/// A box that proves one flag an hour lives, and shows nothing of the others.
#[test]
fn a_heartbeat_that_lacks_a_flag_is_told_and_is_a_sign_of_life() {
    let dir = TempDir::new().unwrap();
    let mut log = begun(dir.path());
    for (hour, tiers) in [(1, &Tier::ALL[..]), (2, &[Tier::Auth]), (3, &Tier::ALL[1..]), (4, &Tier::ALL)] {
        let time = START + hour * 3600;
        let proofs = heartbeat_of(tiers, &log, time);
        log.append(&entry(Kind::Heartbeat, time, &proofs)).unwrap();
    }
    let report = checked(dir.path(), &[]);
    let told: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "entry 3: it has no proof of `read`, `write`, `key`, `exec`, `escape`, `down`, `wallet` [incomplete]",
            "entry 4: it has no proof of `auth` [incomplete]"
        ]
    );
}

/// Every entry of it holds. That nothing follows is for who knows the time to see.
#[test]
fn a_log_that_is_frozen_is_silent_from_when_a_sign_of_life_was_due() {
    let dir = TempDir::new().unwrap();
    let mut log = begun(dir.path());
    let proofs = heartbeat(&log, START + 3600);
    log.append(&entry(Kind::Heartbeat, START + 3600, &proofs)).unwrap();
    // What anybody can have entered is no sign of life.
    let receipt = arbiter::receipt::Receipt { time: START + 7000, ..contest::receipt_body(&contest::claim(Tier::Read)) };
    log.append(&entry(Kind::Commitment, START + 7000, &contest::note(&receipt.to_string(), &["log"]))).unwrap();
    let report = checked(dir.path(), &[]);
    assert!(report.is_sound() && report.last_time() == Some(START + 7000), "{:?}", report.findings);
    assert_eq!(at(START + 7500, dir.path()), [""; 0]);
    assert_eq!(at(START + 7501, dir.path()), ["silent checkpoint"]);
    assert_eq!(at(START + 21 * 86_400, dir.path()), ["silent checkpoint"]);
    let key = contest::named("log");
    let alone = check_at(&Folder::new(dir.path()), &Trust { log: &key, operator: None, earlier: vec![] }, START + 7501);
    assert_eq!(codes(&alone), ["silent"], "without the operator's key too");
    log.append(&entry(Kind::Stop, START + 7100, b"")).unwrap();
    assert_eq!(at(START + 21 * 86_400, dir.path()), [""; 0], "it was stopped on purpose");
    // Of what cannot be read nothing is said.
    fs::remove_file(dir.path().join("tile/entries/000.p/5")).unwrap();
    assert_eq!(at(START + 21 * 86_400, dir.path()), ["missing tile/entries/000.p/5"]);
    assert_eq!(checked(dir.path(), &[]).last_time(), None);
}

/// Heartbeats of tomorrow, made today, would cover tomorrow's silence.
#[test]
fn entries_of_a_time_that_is_yet_to_come_are_told() {
    let dir = TempDir::new().unwrap();
    let mut log = begun(dir.path());
    for hour in 1..4 {
        let time = START + hour * 3600;
        let proofs = heartbeat(&log, time);
        log.append(&entry(Kind::Heartbeat, time, &proofs)).unwrap();
    }
    assert_eq!(at(START + 3 * 3600, dir.path()), [""; 0]);
    assert_eq!(at(START + 3 * 3600 - 300, dir.path()), [""; 0], "clocks differ");
    assert_eq!(at(START + 3 * 3600 - 301, dir.path()), ["ahead entry 4"]);
    assert_eq!(at(START + 60, dir.path()), ["ahead entry 2"], "the first of them");
}

#[test]
fn a_log_without_its_manifest_means_nothing() {
    let first = [
        (Kind::Start, vec![]),
        (Kind::Manifest, b"no manifest".to_vec()),
        (Kind::Manifest, contest::note(&contest::manifest(&contest::address()).to_string(), &["log"])),
    ];
    for (kind, document) in first {
        let dir = TempDir::new().unwrap();
        Log::begin(Folder::new(dir.path()), contest::holder("log"), &entry(kind, START, &document)).unwrap();
        assert!(matches!(codes(&checked(dir.path(), &[]))[..], ["first" | "manifest"]));
    }
    let dir = TempDir::new().unwrap();
    Log::begin(Folder::new(dir.path()), contest::holder("exec"), &entry(Kind::Manifest, START, &contest::manifest_note())).unwrap();
    let (log, operator) = (contest::named("exec"), contest::named("operator"));
    let report = check(&Folder::new(dir.path()), &Trust { log: &log, operator: Some(&operator), earlier: vec![] });
    assert_eq!(codes(&report), ["manifest"], "it names another log");
}

#[test]
fn a_log_goes_on_where_it_was_and_takes_no_step_back() {
    let dir = TempDir::new().unwrap();
    let folder = || Folder::new(dir.path());
    let first = contest::manifest_note();
    let mut log = Log::begin(folder(), contest::holder("log"), &entry(Kind::Manifest, START, &first)).unwrap();
    let mut heads = vec![("0".to_owned(), head(dir.path()))];
    for number in 1..300_u64 {
        if number % 100 == 0 {
            log = Log::open(folder(), contest::holder("log")).unwrap();
            heads.push((number.to_string(), head(dir.path())));
        }
        assert_eq!(log.append(&entry(Kind::Start, START + number, b"")).unwrap(), number);
    }
    assert!(matches!(log.append(&entry(Kind::Start, START, b"")), Err(LogFault::Time { last }) if last == START + 299));
    assert!(matches!(Log::begin(folder(), contest::holder("log"), &entry(Kind::Manifest, START, &first)), Err(LogFault::Exists)));
    assert!(matches!(Log::open(folder(), contest::holder("operator")), Err(LogFault::Head(_))));
    let earlier: Vec<(&str, Vec<u8>)> = heads.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let report = checked(dir.path(), &earlier);
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.entries.len(), 300);
    // A writer that was stopped before its head leaves files that nobody asks for.
    let old = heads.pop().unwrap().1;
    fs::write(dir.path().join(names::CHECKPOINT), old).unwrap();
    let mut log = Log::open(folder(), contest::holder("log")).unwrap();
    assert_eq!(log.append(&entry(Kind::Stop, START + 300, b"")).unwrap(), 200);
    assert!(checked(dir.path(), &[]).is_sound());
    assert_eq!(folder().read("no such file", 1).unwrap(), None);
    assert!(folder().read(names::CHECKPOINT, 3).is_err(), "too long");
}

/// The log's key signs heads and receipts, and neither is ever the other.
#[test]
fn a_receipt_is_no_head_and_a_head_no_receipt() {
    let dir = TempDir::new().unwrap();
    Log::begin(Folder::new(dir.path()), contest::holder("log"), &entry(Kind::Manifest, START, &contest::manifest_note())).unwrap();
    let (key, receipt) = (contest::named("log"), contest::receipt(&contest::claim(Tier::Read)));
    assert!(Receipt::read(&receipt, &key).is_ok() && Checkpoint::read(&head(dir.path()), &key).is_ok());
    assert!(Receipt::read(&head(dir.path()), &key).is_err() && Checkpoint::read(&receipt, &key).is_err());
}
