//! A process that runs out of descriptors while a head is written. It is a test by itself, since the limit is the process's.

use core::cell::Cell;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::rc::Rc;

use arbiter::note::VerifierKey;
use bounty_log::append::{Log, LogFault, Signer};
use bounty_log::check::{Trust, check};
use bounty_log::entry::{Entry, Kind};
use bounty_log::names;
use bounty_log::store::Folder;
use contest::START;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

/// A key whose holder leaves so many descriptors to whoever is to write what he has signed.
struct Short {
    holder: contest::Holder,
    left: Rc<Cell<Option<u64>>>,
}

impl Signer for Short {
    fn key(&self) -> &VerifierKey {
        self.holder.key()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        if let Some(left) = self.left.get() {
            let next = File::open("/dev/null").expect("a descriptor").as_raw_fd();
            limit(u64::try_from(next).expect("a number") + left);
        }
        self.holder.sign(message)
    }
}

fn limit(current: u64) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum }).expect("a limit");
}

/// Once the head had its name, there was no descriptor left to bring the name to the disk; the log took the entry for refused, and signed another head of the same size with the next.
#[test]
fn a_head_that_was_written_without_a_descriptor_left_is_not_signed_otherwise() {
    let all = getrlimit(Resource::Nofile).current.expect("a limit");
    for free in 0..4 {
        let dir = TempDir::new().unwrap();
        let left = Rc::new(Cell::new(None));
        let signer = || Short { holder: contest::holder("log"), left: Rc::clone(&left) };
        let note = contest::manifest_note();
        let first = Entry { time: START, kind: Kind::Manifest, document: &note };
        let mut log = Log::begin(Folder::new(dir.path()), signer(), &first).unwrap();
        let start = |time| Entry { time, kind: Kind::Start, document: b"" };
        log.append(&start(START + 1)).unwrap();
        left.set(Some(free));
        let short = log.append(&start(START + 2));
        limit(all);
        left.set(None);
        // Whoever reads the log now keeps this head.
        let seen = fs::read(dir.path().join(names::CHECKPOINT)).unwrap();
        let next = log.append(&start(START + 3));
        let mut log = Log::open(Folder::new(dir.path()), signer()).unwrap();
        log.append(&start(START + 4)).unwrap();
        let key = contest::named("log");
        let report = check(&Folder::new(dir.path()), &Trust { log: &key, operator: None, earlier: vec![("seen".into(), seen)] });
        assert!(report.is_sound(), "{free} left: {:?}", report.findings);
        assert_eq!(short.is_err(), matches!(next, Err(LogFault::Torn)), "{free} left: {short:?}, then {next:?}");
        assert!(free > 0 || short.is_err(), "there was none");
    }
}
