//! A whole tender with something to be won from its guest: what it is given arrives, nothing of it is ever said, and a recording of it replays.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, ExitCode};

use abi::hypercall::PRIZE;
use recording::event::Over;
use recording::key::Identity;
use tender::contest::Files;
use tender::ending::Ending;
use tender::order::{Contest, Machine, Order, Record};
use tender::replay::{Damage, End, Task};

use super::attack::{Attack, Kind, SURVIVED, fold};
use super::{order, say, tend, tend_by};

/// How many there are.
pub(crate) const CASES: usize = 5;

const READ: [u8; 32] = [0x3d; 32];
const EXEC: [u8; 32] = [0x7b; 32];
const ESCAPE: [u8; 32] = [0xe9; 32];

/// How many of the cases are not as they must be.
pub(crate) fn failed(machine: Machine, image: &Path) -> usize {
    let files = Files::new(&READ, &EXEC, &ESCAPE).unwrap();
    let short = File::from(rustix::fs::memfd_create("short", rustix::fs::MemfdFlags::CLOEXEC).unwrap());
    let [flags, escape] = files.descriptors();
    let prize = Attack { kind: Kind::Hypercall, target: PRIZE, offset: 0 };
    let (recording, replayed) = recorded(machine, image, &files);
    let cases: [(&str, bool); CASES] = [
        (
            "the prize, where there is one",
            ended(&tend_by(&contested(machine), image, prize, &[flags, escape]), Ending::GuestExit, &SURVIVED.to_string()),
        ),
        ("the prize, where there is none", ended(&tend(machine, image, prize), Ending::GuestCrash, "registers")),
        (
            "flags of another length",
            ended(
                &tend_by(&contested(machine), image, prize, &[short.as_fd(), escape]),
                Ending::Usage,
                "the contest's files are refused: Len(0)",
            ),
        ),
        ("all that there is, recorded", recording),
        ("all that there is, replayed", replayed),
    ];
    cases.iter().for_each(|(what, good)| say(&format!("{} {machine:?}: {what}\n", if *good { "ok  " } else { "FAIL" })));
    cases.iter().filter(|(_, good)| !good).count()
}

fn contested(machine: Machine) -> Order {
    Order { contest: Some(Contest { flag_address: 0x1337_0000_0000, word_address: 0x4242_4242_0000 }), ..order(machine) }
}

/// Whether a cell has ended like this, in these words, and without a flag among them.
fn ended((found, heard): &(Ending, String), ending: Ending, words: &str) -> bool {
    let is_told = |flag: &[u8; 32]| {
        let hex: String = flag[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        heard.contains(&hex) || heard.contains(&format!("{:?}", &flag[..8]))
    };
    let good = *found == ending && heard.contains(words) && ![READ, EXEC, ESCAPE].iter().any(is_told);
    if !good {
        say(&format!("{found:?}: {heard}\n"));
    }
    good
}

/// Whether the guest was given all of it, and whether it is again when it is replayed.
fn recorded(machine: Machine, image: &Path, files: &Files) -> (bool, bool) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("contest-{machine:?}.age"));
    let record = Record { recipient: identity().recipient().to_bytes(), len_max: 16 << 20 };
    let order = Order { record: Some(record), ..contested(machine) };
    let [flags, escape] = files.descriptors();
    let attack = Attack { kind: Kind::Fold, target: 0, offset: 0 };
    let found = tend_by(&order, image, attack, &[File::create(&path).unwrap().as_fd(), flags, escape]);
    let mut pages = READ.to_vec();
    pages.resize(4096, 0);
    pages.extend(EXEC);
    pages.resize(4096 + 32 + 4096, 0);
    let recorded = ended(&found, Ending::GuestExit, &fold(pages.into_iter()).to_string());
    let replay = Command::new(std::env::current_exe().unwrap()).arg("replay").args([image, &path]).status().unwrap();
    (recorded, replay.success())
}

fn identity() -> Identity {
    Identity::from_bytes([7; 32])
}

/// Replays a recording, which must go as it went.
pub(crate) fn replay(image: &Path, recording: &Path) -> ExitCode {
    let (image, recording) = (std::fs::read(image).unwrap(), File::open(recording).unwrap());
    let task = Task {
        recording,
        identity: identity(),
        image: &image,
        image_may_differ: false,
        damage: Damage::Refuse,
        until: None,
        pcap: None,
        watch: None,
        secrets: None,
    };
    let report = tender::replay::replay(task).unwrap();
    let same = report.end == End::Over(Over::Guest) && report.difference_count == 0 && report.turns >= 3;
    if !same {
        say(&format!("{report:?}\n"));
    }
    if same { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
