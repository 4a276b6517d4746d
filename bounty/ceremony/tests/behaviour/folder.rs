//! The folder: written whole or not at all, and read with a word for everything that is wrong.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::written::{END, NOW, START, minted, names, order, written};
use arbiter::Tier;
use arbiter::wallet::Network;
use ceremony::{Folder, FolderWrong, MintFault, Mode, OrderFault, WriteFault, mint};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn nobody_else_may_read_it() {
    let written = written(Mode::Lab);
    assert_eq!(mode(&written.path), 0o700);
    for folder in ["public", "secret", "lab"] {
        assert_eq!(mode(&written.path.join(folder)), 0o700, "{folder}");
    }
    for (name, _) in written.files() {
        assert_eq!(mode(&written.path.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn what_stands_there_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("contest");
    fs::create_dir(&path).unwrap();
    let minted = minted(Mode::Sealed);
    assert!(matches!(minted.write(&path), Err(WriteFault::Exists(_))), "even an empty folder");
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    fs::remove_dir(&path).unwrap();
    minted.write(&path).unwrap();
    let before = fs::read(path.join("public/manifest")).unwrap();
    assert!(matches!(crate::written::minted(Mode::Sealed).write(&path), Err(WriteFault::Exists(_))));
    assert_eq!(fs::read(path.join("public/manifest")).unwrap(), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn what_a_stopped_ceremony_left_is_named_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let left = dir.path().join("contest.unfinished");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("secret"), "of somebody").unwrap();
    let fault = minted(Mode::Sealed).write(&dir.path().join("contest")).unwrap_err();
    assert!(matches!(&fault, WriteFault::Unfinished(path) if *path == left), "{fault}");
    assert!(left.join("secret").exists() && !dir.path().join("contest").exists());
}

#[test]
fn where_nothing_can_be_written_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("missing/contest");
    assert!(matches!(minted(Mode::Sealed).write(&nowhere), Err(WriteFault::Io(..))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    assert!(matches!(minted(Mode::Sealed).write(Path::new("/")), Err(WriteFault::Exists(_))));
}

#[test]
fn it_works_when_the_operators_key_is_gone() {
    let written = written(Mode::Sealed);
    assert!(written.open().has_operator_key());
    fs::remove_file(written.path.join("operator.key")).unwrap();
    assert!(!written.open().has_operator_key());
}

#[test]
fn every_file_that_is_missing_is_named() {
    let optional = ["operator.key"];
    let (mut missed, whole) = (0, written(Mode::Sealed));
    for (name, bytes) in whole.files() {
        let path = whole.path.join(&name);
        fs::remove_file(&path).unwrap();
        let opened = Folder::open(&whole.path);
        if optional.contains(&name.as_str()) {
            assert!(opened.is_ok(), "{name}");
        } else {
            let fault = opened.unwrap_err();
            assert_eq!((&fault.file, &fault.wrong), (&path, &FolderWrong::Missing), "{name}");
            missed += 1;
        }
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(missed, 25);
    whole.open();
}

#[test]
fn every_file_of_another_contest_is_named() {
    let (one, other) = (written(Mode::Sealed), written(Mode::Sealed));
    // Rules are the same text, and what is not read cannot be wrong.
    let unseen = ["operator.key", "public/rules"];
    for ((name, bytes), (_, foreign)) in
        one.files().into_iter().zip(other.files()).filter(|((name, _), _)| !unseen.contains(&name.as_str()))
    {
        let path = one.path.join(&name);
        fs::write(&path, foreign).unwrap();
        let fault = Folder::open(&one.path).map(|_| ()).unwrap_err();
        let blamed = match name.as_str() {
            // The key does not fit any more: which of the two is wrong cannot be seen.
            "public/operator" => "public/manifest",
            "secret/page.pem" => "public/page.pem",
            name => name,
        };
        assert_eq!(fault.file, one.path.join(blamed), "{name}: {fault}");
        assert!(fault.to_string().contains(": "), "{fault}");
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn every_file_of_garbage_is_named() {
    let written = written(Mode::Sealed);
    for (name, bytes) in written.files() {
        let path = written.path.join(&name);
        for garbage in [&b""[..], b"\xff\xfe", &[b'a'; (1 << 20) + 1]] {
            fs::write(&path, garbage).unwrap();
            match Folder::open(&written.path) {
                Ok(_) => assert_eq!(name, "operator.key"),
                Err(fault) => assert!(fault.file == path || name == "secret/page.pem", "{name}: {fault}"),
            }
        }
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn flags_in_each_others_place_are_named() {
    let written = written(Mode::Sealed);
    let path = |tier: Tier| written.path.join(format!("secret/{tier}.pem"));
    fs::copy(path(Tier::Auth), path(Tier::Escape)).unwrap();
    let fault = Folder::open(&written.path).unwrap_err();
    assert_eq!((fault.file, fault.wrong), (path(Tier::Escape), FolderWrong::OtherKey));
}

#[test]
fn a_contest_that_others_can_read_is_refused_and_a_lab_is_not() {
    for (mode, wanted) in [(Mode::Sealed, Some(FolderWrong::Open)), (Mode::Lab, None)] {
        let written = written(mode);
        fs::set_permissions(&written.path, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(Folder::open(&written.path).err().map(|fault| fault.wrong), wanted);
    }
}

#[test]
fn a_lab_gives_everybody_everything() {
    let written = written(Mode::Lab);
    let folder = written.open();
    for tier in Tier::ALL {
        let published = fs::read_to_string(written.path.join(format!("lab/{tier}.pem"))).unwrap();
        assert_eq!(&published, folder.flags().pem(tier).expose(), "{tier}");
    }
    assert!(written.path.join("lab/page-authority.pem").exists());
    assert!(folder.transcript().contains("published the key of the authority of the door server"));
    assert!(!folder.transcript().contains("destroyed the key"));
    assert!(crate::written::written(Mode::Sealed).files().iter().all(|(name, _)| !name.starts_with("lab")));
}

#[test]
fn an_order_that_cannot_be_is_refused_with_its_field() {
    let names = names();
    let good = order(&names, Mode::Sealed);
    let refused = |change: &dyn Fn(&mut ceremony::Order<'_>)| {
        let mut order = good;
        change(&mut order);
        match mint(&order) {
            Err(MintFault::Order(fault)) => fault,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&|order| order.name = " x"), OrderFault::Name);
    assert_eq!(refused(&|order| order.name = "caf\u{e9}"), OrderFault::Name);
    assert_eq!(refused(&|order| order.names = &[]), OrderFault::Names);
    assert_eq!(refused(&|order| order.ports.dials = 0), OrderFault::Ports);
    assert_eq!(refused(&|order| order.ports.reverse = order.ports.server), OrderFault::Ports);
    assert_eq!(refused(&|order| order.end = START), OrderFault::Period);
    assert_eq!(refused(&|order| order.now = END), OrderFault::Period);
    assert_eq!(refused(&|order| order.end = NOW + 3651 * 86_400), OrderFault::Period);
    assert_eq!(refused(&|order| order.prizes[3] = ""), OrderFault::Prize(Tier::Key));
    assert_eq!(refused(&|order| order.rules = ""), OrderFault::Rules);
    assert_eq!(refused(&|order| order.source = "main"), OrderFault::Source);
    assert_eq!(refused(&|order| order.program.version = "0 1"), OrderFault::Program);
    let long = [format!("{}.example", ["a"; 60].join("."))];
    let mut order = good;
    order.names = &long;
    assert_eq!(mint(&order).unwrap_err(), MintFault::Order(OrderFault::FirstName));
    let bad = [names[0].clone(), "no name".into()];
    let mut order = good;
    order.names = &bad;
    assert_eq!(mint(&order).unwrap_err(), MintFault::Order(OrderFault::NameOf(1)));
    let mut lab = crate::written::order(&names, Mode::Lab);
    lab.network = Network::Main;
    assert_eq!(mint(&lab).unwrap_err(), MintFault::Order(OrderFault::LabWallet));
    assert!(mint(&good).is_ok());
}
