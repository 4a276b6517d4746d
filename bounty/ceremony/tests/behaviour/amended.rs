//! Later versions of a promise: what may be another, who can make one, and what a folder with some of them is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use arbiter::note::VerifierKey;
use arbiter::{Digest, Tier};
use bounty_log::change::ChangeFault;
use ceremony::files::{self, WriteFault};
use ceremony::{AmendFault, Folder, FolderWrong, Mode, OrderFault, Wish, amend};

use crate::written::{END, START, Written, written};

/// When the operator changes something.
const LATER: u64 = START + 86_400;

fn key(written: &Written) -> Vec<u8> {
    fs::read(written.path.join(files::OPERATOR_KEY)).unwrap()
}

fn wish() -> Wish<'static> {
    let mut prizes = [None; Tier::ALL.len()];
    prizes[1] = Some("2,000 EUR");
    Wish { rules: Some("Break it twice.\n"), prizes, end: Some(END + 86_400) }
}

#[test]
fn a_new_version_is_in_force_and_the_first_stays_what_witnesses_signed() {
    let written = written(Mode::Sealed);
    let (before, first) = (written.files(), written.open());
    let made = amend(&written.path, &key(&written), &wish(), LATER).unwrap();
    assert_eq!((made.change.version, made.change.time, &made.file), (2, LATER, &written.path.join("public/change-2")));
    assert_eq!(fs::metadata(&made.file).unwrap().permissions().mode() & 0o777, 0o600);
    let after: Vec<_> = written.files().into_iter().filter(|(name, _)| name != "public/change-2").collect();
    assert_eq!(before, after, "nothing of before is another");
    let folder = written.open();
    assert_eq!((folder.version_number(), folder.digest(), folder.rules()), (2, made.change.to, "Break it twice.\n"));
    assert_eq!((made.change.from, made.change.from_rules), (first.digest(), first.manifest().rules));
    let (old, new) = (first.manifest(), folder.manifest());
    assert_eq!((new.end, new.flag(Tier::Read).prize, new.flag(Tier::Auth).prize), (END + 86_400, "2,000 EUR", "honour"));
    assert_eq!((new.start, new.name, &new.log, &new.certificates), (old.start, old.name, &old.log, &old.certificates));
    assert_eq!(folder.contest(&places()).manifest, made.change.to.0, "the guest proves the version in force");
    assert!(core::str::from_utf8(folder.prize().expose()).unwrap().contains(&made.change.to.to_string()));
    let versions: Vec<Digest> = folder.versions().map(ceremony::versions::Version::digest).collect();
    assert_eq!(versions, [first.digest(), folder.digest()]);
    assert!(folder.version(&first.digest()).is_some_and(|version| version.note() == first.manifest_note()));
    // And on from there, with nothing but what is published.
    let third = amend(&written.path, &key(&written), &Wish { end: Some(END), ..Wish::default() }, LATER + 1).unwrap();
    assert_eq!((third.change.version, third.change.from, third.change.from_rules), (3, folder.digest(), third.change.to_rules));
    let folder = written.open();
    assert_eq!((folder.manifest().end, folder.rules(), folder.manifest().flag(Tier::Read).prize), (END, "Break it twice.\n", "2,000 EUR"));
}

fn places() -> ceremony::PerDoor<ceremony::Place> {
    let place = |listener| ceremony::Place { listener, certificate: listener };
    ceremony::PerDoor { server: place(1), call_back: place(2), reverse: place(3) }
}

/// The operator's key lies elsewhere, with a copy of what is published: no secret of the box is wanted.
#[test]
fn a_version_is_made_where_the_operators_key_is() {
    let written = written(Mode::Sealed);
    let key = key(&written);
    for folder in ["secret", "operator.key"] {
        let path = written.path.join(folder);
        fs::rename(&path, written.path.with_file_name(folder)).unwrap();
    }
    let made = amend(&written.path, &key, &wish(), LATER).unwrap();
    fs::rename(written.path.with_file_name("secret"), written.path.join("secret")).unwrap();
    assert_eq!(written.open().digest(), made.change.to);
}

#[test]
fn what_may_not_be_wished_for_is_refused_and_nothing_is_written() {
    let written = written(Mode::Sealed);
    let (key, before) = (key(&written), written.files());
    let refused = |key: &[u8], wish: &Wish<'_>, now| amend(&written.path, key, wish, now).unwrap_err();
    let prize = |text| {
        let mut prizes = [None; Tier::ALL.len()];
        prizes[0] = Some(text);
        Wish { prizes, ..Wish::default() }
    };
    let other = crate::written::written(Mode::Sealed);
    let others = fs::read(other.path.join(files::OPERATOR_KEY)).unwrap();
    assert!(matches!(refused(&others, &wish(), LATER), AmendFault::Key));
    assert!(matches!(refused(b"no key", &wish(), LATER), AmendFault::Key));
    assert!(matches!(refused(&key, &Wish { rules: Some(""), ..Wish::default() }, LATER), AmendFault::Order(OrderFault::Rules)));
    assert!(matches!(refused(&key, &prize("größer"), LATER), AmendFault::Order(OrderFault::Prize(Tier::Auth))));
    assert!(matches!(refused(&key, &prize(""), LATER), AmendFault::Order(OrderFault::Prize(Tier::Auth))));
    let late = END + 30 * 86_400;
    assert!(matches!(refused(&key, &Wish { end: Some(late + 1), ..Wish::default() }, LATER), AmendFault::End { latest } if latest == late));
    assert!(matches!(refused(&key, &Wish::default(), LATER), AmendFault::Change(ChangeFault::Nothing)));
    assert!(matches!(refused(&key, &wish(), START - 1), AmendFault::Change(ChangeFault::Early)));
    assert!(matches!(refused(&key, &wish(), END), AmendFault::Change(ChangeFault::Over)));
    assert!(matches!(refused(&key, &Wish { end: Some(LATER), ..Wish::default() }, LATER), AmendFault::Change(ChangeFault::End)));
    assert!(matches!(refused(&key, &Wish { end: Some(START), ..Wish::default() }, LATER), AmendFault::Manifest(_)));
    assert_eq!(written.files(), before);
    // One that stands there is never written over.
    fs::write(written.path.join("public/change-3"), "x").unwrap();
    assert!(
        matches!(refused(&key, &wish(), LATER), AmendFault::Folder(fault) if fault.wrong == FolderWrong::Missing && fault.file.ends_with("public/change-2"))
    );
    fs::remove_file(written.path.join("public/change-3")).unwrap();
    amend(&written.path, &key, &Wish { end: Some(late), ..Wish::default() }, LATER).unwrap();
}

#[test]
fn a_folder_with_a_version_that_does_not_follow_is_refused_by_the_files_name() {
    let written = written(Mode::Sealed);
    let made = amend(&written.path, &key(&written), &wish(), LATER).unwrap();
    let third = amend(&written.path, &key(&written), &Wish { rules: Some("Thrice.\n"), ..Wish::default() }, LATER + 5).unwrap();
    let sound = fs::read(&made.file).unwrap();
    for (bytes, wrong) in [
        ([&sound[..], b"more"].concat(), ChangeFault::ToRules),
        (fs::read(&third.file).unwrap(), ChangeFault::Version { wanted: 2 }),
        (b"bountybox-change 1\n".to_vec(), ChangeFault::Parts),
    ] {
        fs::write(&made.file, bytes).unwrap();
        let fault = Folder::open(&written.path).unwrap_err();
        assert_eq!(fault.wrong, FolderWrong::Change(wrong), "{fault}");
        assert_eq!(fault.file, made.file);
    }
    fs::remove_file(&made.file).unwrap();
    let fault = Folder::open(&written.path).unwrap_err();
    assert!(fault.wrong == FolderWrong::Missing && fault.file == made.file, "the third stands there without the second: {fault}");
    fs::write(&made.file, sound).unwrap();
    assert_eq!(written.open().version_number(), 3);
}

/// Of two who make a version at once, one does.
#[test]
fn a_version_that_came_meanwhile_is_not_replaced() {
    let written = written(Mode::Sealed);
    fs::create_dir(written.path.join("public/change-2.new")).unwrap();
    let fault = amend(&written.path, &key(&written), &wish(), LATER).unwrap_err();
    assert!(matches!(fault, AmendFault::Write(WriteFault::Io(..))), "{fault}");
    fs::remove_dir(written.path.join("public/change-2.new")).unwrap();
    // What a writer has left that was stopped is no version, and in nobody's way.
    fs::write(written.path.join("public/change-2.new"), "half").unwrap();
    assert_eq!(written.open().version_number(), 1);
    amend(&written.path, &key(&written), &wish(), LATER).unwrap();
    assert!(!written.path.join("public/change-2.new").exists());
}

#[test]
fn the_key_of_another_name_is_another_key() {
    let written = written(Mode::Sealed);
    let operator = written.open().operator().clone();
    let renamed = VerifierKey::new("somebody.example/operator", operator.key()).unwrap();
    fs::write(written.path.join(files::OPERATOR), format!("{renamed}\n")).unwrap();
    let fault = amend(&written.path, &key(&written), &wish(), LATER).unwrap_err();
    assert!(matches!(fault, AmendFault::Folder(_)), "{fault}");
}
