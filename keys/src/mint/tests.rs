//! Behaviours of the mint.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::{Algorithm, MintFault, Minted, Order, Overwrite, mint};
use crate::limits::VALIDITY_S_MAX;

const DAY: Duration = Duration::from_secs(86_400);

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn order(names: &[String]) -> Order<'_> {
    Order { names, algorithm: Algorithm::EcdsaP256, now: Duration::from_secs(1_800_000_000), validity: DAY }
}

fn minted() -> Minted {
    mint(&order(&names(&["localhost"]))).unwrap()
}

#[test]
fn names_that_are_none_are_refused() {
    for bad in ["", "a b", "*", "w*.org", "1.2.3", "a_b\n", "-a"] {
        assert!(matches!(mint(&order(&names(&["ok.example", bad]))), Err(MintFault::Name(name)) if name == bad), "{bad:?}");
    }
    assert!(matches!(mint(&order(&[])), Err(MintFault::TooManyNames)));
}

#[test]
fn impossible_validities_are_refused() {
    let names = names(&["localhost"]);
    for validity in [Duration::ZERO, Duration::from_secs(VALIDITY_S_MAX + 1), Duration::MAX] {
        assert!(matches!(mint(&Order { validity, ..order(&names) }), Err(MintFault::Validity)));
    }
    assert!(matches!(mint(&Order { now: Duration::MAX, ..order(&names) }), Err(MintFault::Validity)));
    assert!(mint(&Order { validity: Duration::from_secs(VALIDITY_S_MAX), ..order(&names) }).is_ok());
}

#[test]
fn files_are_for_their_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let files = minted().write(&dir.path().join("pki"), Overwrite::Refuse).unwrap();
    assert_eq!(files.len(), 4);
    assert!(files.iter().all(|file| fs::metadata(file).unwrap().mode() & 0o7777 == 0o600));
    assert_eq!(fs::metadata(dir.path().join("pki")).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(fs::read_dir(dir.path().join("pki")).unwrap().count(), 4, "no drafts stay");
}

#[test]
fn nothing_is_written_over_unless_asked() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key.pem");
    fs::write(&key, "precious").unwrap();
    assert!(matches!(minted().write(dir.path(), Overwrite::Refuse), Err(MintFault::Exists(path)) if path == key));
    assert_eq!(fs::read_to_string(&key).unwrap(), "precious");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the others were not begun");
    minted().write(dir.path(), Overwrite::Replace).unwrap();
    assert!(fs::read_to_string(&key).unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
}

#[test]
fn a_symbolic_link_is_replaced_and_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("target");
    fs::write(&target, "precious").unwrap();
    symlink(&target, dir.path().join("key.pem")).unwrap();
    assert!(matches!(minted().write(dir.path(), Overwrite::Refuse), Err(MintFault::Exists(_))));
    minted().write(dir.path(), Overwrite::Replace).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

#[test]
fn a_directory_that_cannot_be_made_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(minted().write(&file.join("pki"), Overwrite::Refuse), Err(MintFault::Write(..))));
}
