//! How a guest of our platform ends when it finds itself wrong: the code it exits with, and its last words. On both machines.
//!
//! The guest is `appliance/platform/examples/endings.rs`: the appliance's platform, with something on top that ends as its bundle says.

use core::time::Duration;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use abi::hypercall::exit;
use abi::limits::{HEAP_LEN_MIN, SEED_LEN};
use boot::{Guest, image_path};
use machine::{Cause, Contest, Exit, Kind, Parcel};
use zeroize::Zeroizing;

const MACHINES: [Kind; 2] = [Kind::Kvm, Kind::Process];

/// The image's file, built once.
fn image() -> &'static [u8] {
    static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../appliance/build-image");
        let status = Command::new(script).arg("endings").status().expect("the script runs");
        assert!(status.success(), "the guest does not build");
        std::fs::read(image_path().with_file_name("endings.elf")).expect("the image can be read")
    })
}

/// How a guest with this bundle ends, and its log.
fn end(kind: Kind, ending: u8) -> (Exit, String) {
    let mut guest = Guest::load_file(image(), kind, HEAP_LEN_MIN, [0x51; SEED_LEN], &[ending], Duration::from_secs(1));
    let exit = guest.turn();
    (exit, guest.log.join("\n"))
}

#[test]
fn a_guest_that_ends_well_ends_with_done() {
    for kind in MACHINES {
        let (exit, log) = end(kind, b'd');
        assert_eq!(exit, Exit::Exit(exit::DONE), "{kind:?}: {log}");
        assert!(log.contains("ending 100"), "{kind:?}: {log}");
    }
}

#[test]
fn a_panic_ends_with_its_code_and_its_words_stand_in_the_log() {
    for kind in MACHINES {
        let (exit, log) = end(kind, b'p');
        assert_eq!(exit, Exit::Exit(exit::PANIC), "{kind:?}: {log}");
        assert!(log.contains("panic at ") && log.contains("examples/endings.rs:"), "{kind:?}: {log}");
        assert!(log.contains("the last words of a guest"), "{kind:?}: {log}");
    }
}

#[test]
fn an_exhausted_heap_ends_with_a_code_of_its_own_and_says_how_much_was_asked_for() {
    for kind in MACHINES {
        let (exit, log) = end(kind, b'o');
        assert_eq!(exit, Exit::Exit(exit::OUT_OF_MEMORY), "{kind:?}: {log}");
        assert!(log.contains("out of memory: memory allocation of ") && log.contains(" bytes failed"), "{kind:?}: {log}");
    }
}

#[test]
fn an_impossible_length_is_a_panic_and_not_an_exhausted_heap() {
    for kind in MACHINES {
        let (exit, log) = end(kind, b'x');
        assert_eq!(exit, Exit::Exit(exit::PANIC), "{kind:?}: {log}");
        assert!(log.contains("capacity overflow"), "{kind:?}: {log}");
    }
}

#[test]
fn a_boot_info_of_another_version_is_refused_through_the_gate() {
    for kind in MACHINES {
        let (exit, log) = end(kind, b'v');
        assert_eq!(exit, Exit::Exit(exit::BAD_BOOT), "{kind:?}: {log}");
    }
}

/// Without its magic nothing in the boot info is to be believed, the gate's address neither: `ud2` is all that is left.
#[test]
fn a_boot_info_without_its_magic_ends_with_an_invalid_opcode() {
    for kind in MACHINES {
        let (exit, log) = end(kind, b'm');
        let Exit::Crash(crash) = exit else { unreachable!("{kind:?}: {exit:?}: {log}") };
        assert_eq!(crash.cause, Cause::Exception { vector: 6, error_code: 0 }, "{kind:?}: {log}");
    }
}

/// A guest of our platform on a machine with a contest, sealed and run to its end; and its log.
fn won(kind: Kind, contest: Option<Contest>) -> (Exit, Exit, Vec<String>) {
    let bundle = Zeroizing::new(vec![b'c']);
    let parcel = Parcel { heap_len: HEAP_LEN_MIN, seed: Zeroizing::new([0x51; SEED_LEN]), bundle, draw: None, contest };
    let mut guest = Guest::load_parcel(image(), kind, parcel, Duration::from_secs(1));
    (guest.turn(), guest.turn(), guest.log)
}

/// Before and after `sealed`; and a word that was written where nobody is to write is seen at once. Where there is no contest there is nothing.
#[test]
fn a_contests_flag_and_word_are_what_the_platform_reads() {
    for kind in MACHINES {
        let contest = Contest {
            flag: Zeroizing::new([0xf1; 32]),
            flag_address: 0x1337_0000_0000,
            word_address: 0x4242_4242_0000,
            prize: Zeroizing::new([0xe7; 32]),
        };
        let (sealed, end, log) = won(kind, Some(contest));
        assert_eq!((sealed, end), (Exit::Sealed, Exit::Exit(exit::DONE)), "{kind:?}: {log:?}");
        let flag = vec!["241"; 32].join(", ");
        for wanted in [format!("unsealed flag Some([{flag}]) words Some([0, 0])"), format!("sealed flag Some([{flag}]) words Some([0, 0])")]
        {
            assert!(log.iter().any(|line| line.contains(&wanted)), "{kind:?}: {wanted}: {log:?}");
        }
        let written = format!("written flag Some([{flag}]) words Some([7, 9])");
        assert!(log.iter().any(|line| line.contains(&written)), "{kind:?}: {log:?}");
        let (sealed, end, log) = won(kind, None);
        assert_eq!((sealed, end), (Exit::Sealed, Exit::Exit(exit::DONE)), "{kind:?}: {log:?}");
        assert!(log.iter().any(|line| line.contains("sealed flag None words None")), "{kind:?}: {log:?}");
    }
}
