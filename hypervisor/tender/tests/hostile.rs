//! A whole tender, jail included, with a guest that attacks: it reports, ends with the right code, and never panics. Without a harness, for the
//! tender is this program itself, started anew.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test without the harness")]

#[path = "../../../tests/hostile-guest/src/attack.rs"]
#[expect(dead_code, reason = "the guest's half of what both share")]
mod attack;
#[path = "hostile/contest.rs"]
mod contest;

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use attack::{Attack, Kind};
use tender::channel::{Heard, Supervised};
use tender::ending::Ending;
use tender::order::{AccessLog, AccessTo, Back, Ends, Front, JailWish, Lines, Machine, Order, Update};

/// An attack, how the tender ends, and what its report says.
const TABLE: &[(&str, Kind, u32, i64, Ending, &str)] = &[
    ("behave, then end unasked", Kind::Behave, 0, 0, Ending::GuestExit, "the guest is done"),
    ("a count beyond the queue", Kind::Queue, 0, 0x7fff_ffff, Ending::GuestCrash, "hostile queue"),
    ("lengths beyond the window", Kind::Queue, 1, 256, Ending::GuestCrash, "hostile queue"),
    ("hang", Kind::Hang, 0, 0, Ending::GuestHung, "hung"),
    ("a stack overflow", Kind::Overflow, 0, 0, Ending::GuestCrash, "image_sha256"),
    ("a hypercall that there is not", Kind::Hypercall, 0x1234, 0, Ending::GuestCrash, "registers"),
    ("a letter beyond its window", Kind::Letter, abi::mailbox::DONE, 0xffff_ffff, Ending::Ended, LETTER_SENT),
    ("a letter that fills its window", Kind::Letter, abi::mailbox::DONE, OUTBOX_ROOM, Ending::Ended, LETTER_SENT),
    ("a letter of no kind", Kind::Letter, 77, 16, Ending::Ended, LETTER_SENT),
    ("a refusal of unprintable text", Kind::Letter, abi::mailbox::REFUSED, OUTBOX_ROOM, Ending::Ended, LETTER_SENT),
    ("an exit code that means nothing", Kind::Hypercall, abi::hypercall::EXIT, 77, Ending::GuestExit, "means nothing"),
];

/// An image that says of itself that it gives secrets away is not even loaded, whoever sends it.
const MARKED: (&str, Kind, u32, i64, Ending, &str) =
    ("an image that gives its secrets away", Kind::Behave, 0, 0, Ending::Image, "it gives its secrets away");

/// As much as a letter may hold, in bytes.
#[expect(clippy::cast_possible_wrap, reason = "a window of a few hundred KiB, far below what an i64 holds")]
const OUTBOX_ROOM: i64 = (abi::limits::OUTBOX_WINDOW_LEN - abi::mailbox::HEADER_LEN) as i64;
/// What stands in the log of a cell that was asked to stop, and whose guest does not.
const LETTER_SENT: &str = "did not drain in time";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "tender"] => return tender::tend().code().into(),
        [_, "replay", image, recording] => return contest::replay(Path::new(image), Path::new(recording)),
        _ => {}
    }
    let image = build();
    let bytes = std::fs::read(&image).unwrap();
    let marked = image.with_file_name("marked.elf");
    std::fs::write(&marked, mark(&bytes)).unwrap();
    let mut failed = 0;
    for machine in [Machine::Kvm, Machine::Process] {
        if let Err(fault) = tender::probe(machine, &bytes) {
            say(&format!("FAIL {machine:?} is not to be had here: {fault:?}\n"));
            failed += 1;
            continue;
        }
        failed += TABLE.iter().filter(|row| !holds(machine, &image, row)).count();
        failed += usize::from(!holds(machine, &marked, &MARKED));
        failed += contest::failed(machine, &image);
    }
    say(&format!("hostile: {failed} of {} not as expected\n", 2 * (TABLE.len() + 1 + contest::CASES)));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(text: &str) {
    let _gone = std::io::stderr().write_all(text.as_bytes());
}

fn holds(machine: Machine, image: &Path, (what, kind, target, offset, ending, words): &(&str, Kind, u32, i64, Ending, &str)) -> bool {
    let attack = Attack { kind: *kind, target: *target, offset: *offset };
    let (found, heard) = tend(machine, image, attack);
    let json = heard.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
    // What is refused before there is a jail says nothing of one.
    let jailed = heard.contains("seccomp") == (*ending != Ending::Image);
    let good = found == *ending && heard.contains(words) && jailed && !heard.contains("panicked") && json;
    say(&format!("{} {machine:?}: {what}: {found:?}\n", if good { "ok  " } else { "FAIL" }));
    if !good {
        say(&heard);
    }
    good
}

fn tend(machine: Machine, image: &Path, attack: Attack) -> (Ending, String) {
    tend_by(&order(machine), image, attack, &[])
}

fn order(machine: Machine) -> Order {
    let ends = Ends {
        guest_mac: [2; 6],
        guest: vec!["10.0.2.15".parse().unwrap()],
        host_mac: [4; 6],
        host: vec!["10.0.2.2".parse().unwrap()],
        mtu: 1500,
    };
    Order {
        machine,
        heap_len: 8 << 20,
        front: Front::User { ends: ends.clone(), doors: Vec::new(), call_back: None },
        back: Back::User { ends, backends: Vec::new(), later_ports: Vec::new() },
        lines: Lines::Json,
        access: AccessLog { to: AccessTo::Stderr, lines: Lines::Json },
        capture: false,
        record: None,
        drain_ms: 100,
        jail: JailWish::Full,
        contest: None,
    }
}

fn tend_by(order: &Order, image: &Path, attack: Attack, descriptors: &[BorrowedFd<'_>]) -> (Ending, String) {
    let (mut channel, theirs) = Supervised::pair().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("tender").stdin(theirs).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    drop(command);
    channel.send(order, &attack.encode(), File::open(image).unwrap().as_fd(), descriptors).unwrap();
    if attack.kind == Kind::Letter {
        correspond(&mut channel);
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code().map_or(Ending::Unknown, Ending::from_code), String::from_utf8(output.stderr).unwrap())
}

/// Asks and reloads, as often as the guest pleases; each letter has one answer, which is within its bounds. Then the cell is asked to stop.
fn correspond(channel: &mut Supervised) {
    let update = Update { backends: Vec::new(), linger_ms: 0, drain_ms: 100 };
    await_one(channel, |heard| matches!(heard, Heard::Serving));
    for _ in 0..20 {
        channel.ask_status().unwrap();
        await_one(channel, |heard| matches!(heard, Heard::Status(bytes) if bytes.len() <= abi::limits::OUTBOX_WINDOW_LEN));
        channel.reload(&update, b"no bundle").unwrap();
        await_one(channel, |heard| match heard {
            Heard::Reloaded => true,
            Heard::Refused(why) => why.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && why.len() < 4096,
            _ => false,
        });
    }
    channel.drain().unwrap();
}

fn await_one(channel: &mut Supervised, is_expected: impl Fn(&Heard) -> bool) {
    let patience = std::time::Instant::now() + core::time::Duration::from_secs(30);
    loop {
        match channel.hear() {
            Heard::Nothing if std::time::Instant::now() < patience => std::thread::sleep(core::time::Duration::from_millis(1)),
            heard if is_expected(&heard) => return,
            heard => panic!("{heard:?}"),
        }
    }
}

/// The image with the mark in place of some symbol's name.
fn mark(image: &[u8]) -> Vec<u8> {
    const MARK: &[u8] = b"bountybox_gives_its_secrets_away\0";
    let name = |at: &usize| image[*at..].starts_with(b"\0_ZN") && !image[at + 1..at + 1 + MARK.len()].contains(&0);
    let at = (0..image.len() - 2 * MARK.len()).find(name).expect("a symbol with a long name") + 1;
    [&image[..at], MARK, &image[at + MARK.len()..]].concat()
}

/// The hostile guest's image.
fn build() -> PathBuf {
    const TARGET: &str = "x86_64-unknown-linux-gnu";
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile-guest");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-guest");
    let cargo = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", TARGET, "--target-dir"])
        .arg(&folder)
        .current_dir(guest)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status();
    if !cargo.is_ok_and(|status| status.success()) {
        panic!("the hostile guest does not build");
    }
    folder.join(TARGET).join("release/hostile-guest")
}
