//! Evidence stays within its bounds, whatever is kept, and whatever is there when it is opened.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use arbiter::Digest;
use keeper::evidence::{Bounds, Evidence, EvidenceFault, EvidenceKind};
use proptest::prelude::*;

const TRACES: Bounds = Bounds { files: 8, bytes: 4000 };
const RESTARTS: Bounds = Bounds { files: 3, bytes: 9000 };
const CAPTURES: Bounds = Bounds { files: 5, bytes: 12_000 };
const ALL: [(EvidenceKind, Bounds, &str); 3] =
    [(EvidenceKind::Trace, TRACES, "trace-"), (EvidenceKind::Restart, RESTARTS, "restart-"), (EvidenceKind::Capture, CAPTURES, "capture-")];

/// Number and bytes of the files of a kind, as the disk has them.
fn on_disk(dir: &Path, prefix: &str) -> (usize, u64) {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let files = files.filter(|entry| entry.file_name().to_str().unwrap().starts_with(prefix));
    files.fold((0, 0), |(count, bytes), entry| (count + 1, bytes + entry.metadata().unwrap().len()))
}

fn assert_bounded(dir: &Path) {
    for (kind, bounds, prefix) in ALL {
        let (files, bytes) = on_disk(dir, prefix);
        assert!(files <= bounds.files && bytes <= bounds.bytes, "{kind:?}: {files} files, {bytes} bytes");
    }
    assert_eq!(on_disk(dir, "draft").0, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Against a plain list: what is kept is the newest that fit, in order, byte for byte.
    #[test]
    fn the_newest_that_fit_are_kept(steps in prop::collection::vec((0..3_usize, 0..5000_usize, 0..20_u8), 1..120)) {
        let dir = tempfile::tempdir().unwrap();
        let mut evidence = Evidence::open(dir.path(), CAPTURES, TRACES, RESTARTS).unwrap();
        let mut wanted: [VecDeque<(String, usize)>; 3] = Default::default();
        for (step, (which, len, again)) in steps.into_iter().enumerate() {
            if again == 0 {
                evidence = Evidence::open(dir.path(), CAPTURES, TRACES, RESTARTS).unwrap();
            }
            let (kind, bounds, _) = ALL[which];
            let bytes = vec![u8::try_from(step % 251).unwrap(); len];
            let kept = evidence.keep(kind, 1_800_000_000, &bytes);
            if len as u64 > bounds.bytes {
                let refused = matches!(kept, Err(EvidenceFault::TooLong { max }) if max == bounds.bytes);
                prop_assert!(refused);
            } else {
                let kept = kept.unwrap();
                prop_assert_eq!(kept.digest, Digest::of(&[&bytes]));
                prop_assert_eq!(fs::read(dir.path().join(&kept.name)).unwrap(), bytes);
                let list = &mut wanted[which];
                list.push_back((kept.name, len));
                while list.len() > bounds.files || list.iter().map(|(_, len)| *len as u64).sum::<u64>() > bounds.bytes {
                    list.pop_front();
                }
            }
            assert_bounded(dir.path());
            for ((kind, _, _), wanted) in ALL.into_iter().zip(&wanted) {
                let names: Vec<&str> = evidence.names(kind).collect();
                prop_assert_eq!(names, wanted.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
                prop_assert!(wanted.iter().all(|(name, len)| fs::metadata(dir.path().join(name)).unwrap().len() == *len as u64));
            }
        }
    }
}

#[test]
fn sessions_do_not_push_out_what_led_to_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut evidence = Evidence::open(dir.path(), CAPTURES, TRACES, RESTARTS).unwrap();
    let kept = evidence.keep(EvidenceKind::Restart, 5, b"what led to it").unwrap();
    for _ in 0..500 {
        evidence.keep(EvidenceKind::Trace, 6, &[0; 900]).unwrap();
        assert_bounded(dir.path());
    }
    assert_eq!(fs::read(dir.path().join(kept.name)).unwrap(), b"what led to it");
}

#[test]
fn what_is_too_much_goes_when_it_is_opened_and_what_is_not_ours_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut evidence = Evidence::open(dir.path(), CAPTURES, Bounds { files: 50, bytes: 50_000 }, RESTARTS).unwrap();
    for _ in 0..50 {
        evidence.keep(EvidenceKind::Trace, 5, &[0; 100]).unwrap();
    }
    // A writer that was killed, somebody's own file, and names that are nearly ours.
    for name in ["draft.new", "notes.txt", "trace-1-5", "trace-00000000000000000001-5-6", "trace-00000000000000000001-05"] {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let mut evidence = Evidence::open(dir.path(), CAPTURES, TRACES, RESTARTS).unwrap();
    let names: Vec<String> = evidence.names(EvidenceKind::Trace).map(str::to_owned).collect();
    assert_eq!(names.len(), 8);
    assert_eq!(names.last().unwrap(), "trace-00000000000000000049-5");
    assert!(dir.path().join("notes.txt").exists() && dir.path().join("trace-1-5").exists() && !dir.path().join("draft.new").exists());
    assert_eq!(evidence.keep(EvidenceKind::Restart, 7, b"").unwrap().name, "restart-00000000000000000050-7", "numbers go on");
}

#[test]
fn where_nothing_is_to_be_kept_nothing_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut evidence = Evidence::open(dir.path(), CAPTURES, Bounds { files: 0, bytes: 100 }, RESTARTS).unwrap();
    assert!(matches!(evidence.keep(EvidenceKind::Trace, 5, b"x"), Err(EvidenceFault::NoRoom)));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    fs::write(dir.path().join(format!("trace-{}-5", u64::MAX)), "x").unwrap();
    assert!(matches!(Evidence::open(dir.path(), CAPTURES, TRACES, RESTARTS), Err(EvidenceFault::Numbers)));
}

#[test]
fn what_cannot_be_written_is_said_and_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("evidence");
    let mut evidence = Evidence::open(&path, CAPTURES, TRACES, RESTARTS).unwrap();
    fs::remove_dir(&path).unwrap();
    assert!(matches!(evidence.keep(EvidenceKind::Restart, 5, b"x"), Err(EvidenceFault::Io(..))));
    fs::create_dir(&path).unwrap();
    evidence.keep(EvidenceKind::Restart, 5, b"x").unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
}
