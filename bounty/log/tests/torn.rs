//! A writer whose head may or may not have been written: it never signs another of the same size, and nobody is shown a head that is taken back.

use core::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use arbiter::note::VerifierKey;
use bounty_log::append::{Log, LogFault, Signer};
use bounty_log::check::{Report, Trust, check};
use bounty_log::checkpoint::Checkpoint;
use bounty_log::entry::{Entry, Kind};
use bounty_log::names;
use bounty_log::store::{Folder, staged};
use contest::START;
use tempfile::TempDir;

/// A key whose holder puts something in the way of the head that he has just signed.
struct Obstructed {
    holder: contest::Holder,
    at: PathBuf,
    is_in_the_way: Rc<Cell<bool>>,
}

impl Signer for Obstructed {
    fn key(&self) -> &VerifierKey {
        self.holder.key()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        if self.is_in_the_way.get() {
            fs::remove_file(&self.at).expect("a head");
            fs::create_dir(&self.at).expect("made");
        }
        self.holder.sign(message)
    }
}

fn start(time: u64) -> Entry<'static> {
    Entry { time, kind: Kind::Start, document: b"" }
}

fn folder(dir: &TempDir) -> Folder {
    Folder::new(dir.path().join("log"))
}

fn head(dir: &TempDir) -> PathBuf {
    folder(dir).path().join(names::CHECKPOINT)
}

fn begun(dir: &TempDir) -> Log<contest::Holder> {
    let note = contest::manifest_note();
    Log::begin(folder(dir), contest::holder("log"), &Entry { time: START, kind: Kind::Manifest, document: &note }).expect("begun")
}

/// The log, by who has seen these heads.
fn checked(dir: &TempDir, seen: &[Vec<u8>]) -> Report {
    let key = contest::named("log");
    let earlier = seen.iter().map(|head| ("seen".to_owned(), head.clone())).collect();
    check(&folder(dir), &Trust { log: &key, operator: None, earlier })
}

fn size(head: &Path) -> u64 {
    Checkpoint::read(&fs::read(head).expect("a head"), &contest::named("log")).expect("a head").size
}

#[test]
fn a_log_whose_head_could_not_be_written_takes_nothing_before_it_is_opened_anew() {
    let dir = TempDir::new().unwrap();
    begun(&dir);
    let is_in_the_way = Rc::new(Cell::new(false));
    let signer = || Obstructed { holder: contest::holder("log"), at: head(&dir), is_in_the_way: Rc::clone(&is_in_the_way) };
    let mut log = Log::open(folder(&dir), signer()).unwrap();
    let before = fs::read(head(&dir)).unwrap();
    is_in_the_way.set(true);
    assert!(matches!(log.append(&start(START + 1)), Err(LogFault::Io(name, _)) if name == names::CHECKPOINT));
    is_in_the_way.set(false);
    fs::remove_dir(head(&dir)).unwrap();
    fs::write(head(&dir), before).unwrap();
    // A head of this size is signed. Another entry would make another one.
    let signed = fs::read(folder(&dir).path().join(staged(names::CHECKPOINT))).unwrap();
    let fault = log.append(&start(START + 2)).unwrap_err();
    assert!(matches!(fault, LogFault::Torn) && fault.to_string().contains("opened anew"), "{fault}");
    assert!(matches!(log.append(&start(START + 3)), Err(LogFault::Torn)), "and stays so");
    let mut log = Log::open(folder(&dir), signer()).unwrap();
    assert_eq!(log.append(&start(START + 4)).unwrap(), 2, "the entry is in the log");
    let report = checked(&dir, &[signed]);
    assert!(report.is_sound(), "{:?}", report.findings);
}

/// The head was shown, and its name was not on the disk when the power went.
#[test]
fn a_head_that_was_shown_is_not_taken_back_by_a_power_cut() {
    let dir = TempDir::new().unwrap();
    let mut log = begun(&dir);
    let mut old = None;
    for number in 1..4 {
        log.append(&start(START + number)).unwrap();
        let shown = fs::read(head(&dir)).unwrap();
        if let Some(old) = old.replace(shown.clone()) {
            fs::write(head(&dir), old).unwrap();
            fs::write(folder(&dir).path().join(staged(names::CHECKPOINT)), &shown).unwrap();
            log = Log::open(folder(&dir), contest::holder("log")).unwrap();
            assert_eq!(log.tree().size(), number + 1);
            assert_eq!(fs::read(head(&dir)).unwrap(), shown);
        }
    }
    // The very first head too: it is begun.
    let dir = TempDir::new().unwrap();
    begun(&dir);
    fs::rename(head(&dir), folder(&dir).path().join(staged(names::CHECKPOINT))).unwrap();
    let note = contest::manifest_note();
    let again = Log::begin(folder(&dir), contest::holder("log"), &Entry { time: START + 9, kind: Kind::Manifest, document: &note });
    assert!(matches!(again, Err(LogFault::Exists)));
    assert_eq!(size(&head(&dir)), 1);
}

#[test]
fn what_is_no_longer_head_of_this_log_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let mut log = begun(&dir);
    let old = fs::read(head(&dir)).unwrap();
    log.append(&start(START + 1)).unwrap();
    let shown = fs::read(head(&dir)).unwrap();
    let foreign = Checkpoint { origin: "contest.example/exec".into(), size: 9, root: arbiter::Digest([7; 32]) };
    let foreign = contest::note(&foreign.to_string(), &["exec"]);
    for staged_head in [&b""[..], &shown[..shown.len() / 2], &old, &foreign, b"no head"] {
        fs::write(folder(&dir).path().join(staged(names::CHECKPOINT)), staged_head).unwrap();
        let log = Log::open(folder(&dir), contest::holder("log")).unwrap();
        assert_eq!((log.tree().size(), fs::read(head(&dir)).unwrap()), (2, shown.clone()), "{}", String::from_utf8_lossy(staged_head));
    }
}
