//! Running the hostile guest: build it once, load it with one attack, see how it ends.

#[path = "../../../../tests/hostile-guest/src/attack.rs"]
#[expect(dead_code, reason = "the guest's half of what both share")]
pub(crate) mod attack;

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use machine::{Cell, Contest, Exit, Image, Jailed, Kind, Parcel};
use zeroize::Zeroizing;

use attack::Attack;

/// What a guest's turn may take. A good one takes microseconds.
pub(crate) const BUDGET: Duration = Duration::from_secs(2);

/// The hostile guest's image, built on first use.
pub(crate) fn image() -> &'static Image {
    static IMAGE: OnceLock<Image> = OnceLock::new();
    IMAGE.get_or_init(|| Image::parse(&file()).expect("the hostile guest is a good image"))
}

/// The bytes of the hostile guest's file.
pub(crate) fn file() -> Vec<u8> {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    std::fs::read(FILE.get_or_init(build)).expect("the image can be read")
}

fn build() -> PathBuf {
    const TARGET: &str = "x86_64-unknown-linux-gnu";
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile-guest");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-guest");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", TARGET, "--target-dir"])
        .arg(&folder)
        .current_dir(guest)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the hostile guest builds");
    folder.join(TARGET).join("release/hostile-guest")
}

/// What the guest is given: the attack is its bundle.
pub(crate) fn parcel(attack: Attack) -> Parcel {
    let bundle = Zeroizing::new(attack.encode().to_vec());
    Parcel { heap_len: 8 << 20, seed: Zeroizing::new([0x5e; 32]), bundle, draw: None, contest: None }
}

/// The same, where there is something to be won.
pub(crate) fn contested(attack: Attack) -> Parcel {
    Parcel { contest: Some(contest()), ..parcel(attack) }
}

/// Where the flag's page was published to lie.
pub(crate) const FLAG_ADDRESS: u64 = 0x1337_0000_0000;
/// Where the word's was.
pub(crate) const WORD_ADDRESS: u64 = 0x4242_4242_0000;

/// A contest whose flags are as unlike each other as can be told.
pub(crate) fn contest() -> Contest {
    let bytes = |first: u8| Zeroizing::new(core::array::from_fn(|at| first.wrapping_add(u8::try_from(at).expect("at most 31"))));
    Contest { flag: bytes(0x40), flag_address: FLAG_ADDRESS, word_address: WORD_ADDRESS, prize: bytes(0xa0) }
}

/// A cell that will try `attack`, ready to run.
pub(crate) fn load(kind: Kind, attack: Attack) -> Cell<Jailed> {
    load_parcel(kind, parcel(attack))
}

/// A cell with this parcel, ready to run.
pub(crate) fn load_parcel(kind: Kind, parcel: Parcel) -> Cell<Jailed> {
    let cell = Cell::load(kind, image(), parcel).expect("the cell loads");
    // The test is its own jail: what a guest can do to it is what is tested.
    cell.jailed(|| Ok::<(), ()>(())).expect("no jail")
}

/// Runs a cell to its end, answering as a tender does.
pub(crate) fn finish(cell: &mut Cell<Jailed>, budget: Duration) -> Exit {
    for turn in 0..100_u64 {
        let now = Duration::from_millis(turn);
        cell.set_time(now, now);
        match cell.run(budget).expect("the host plays along") {
            Exit::Wait => {}
            Exit::Sealed => cell.seal().expect("the secrets can be closed"),
            end => return end,
        }
    }
    Exit::Wait
}

/// Whatever a guest did to its cell, the next one is none the worse for it.
pub(crate) fn good_guest_runs(kind: Kind) {
    let mut cell = load(kind, Attack { kind: attack::Kind::Behave, target: 0, offset: 0 });
    assert_eq!(cell.run(BUDGET), Ok(Exit::Sealed));
    cell.seal().expect("the secrets can be closed");
    for _ in 0..3 {
        assert_eq!(cell.run(BUDGET), Ok(Exit::Wait));
    }
    assert_eq!(cell.run(BUDGET), Ok(Exit::Exit(0)));
}

/// Whether `/dev/kvm` is there. Where it is not, says so.
pub(crate) fn kvm_or_skip() -> bool {
    let there = Path::new("/dev/kvm").exists();
    if !there {
        eprintln!("skipped: no /dev/kvm");
    }
    there
}
