//! `bountybox challenge init` as an operator holds it: on a terminal, where it asks and shows, and without one, where it does as it is told or says what is missing.

use core::time::Duration;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use arbiter::{Manifest, Tier};
use bountybox::exit::Exit;
use ceremony::Folder;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// The command on a terminal of its own, and what it wrote there.
struct Session {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    seen: usize,
}

impl Session {
    /// `setsid` makes the terminal the command's own, and `env` has it hear SIGINT and SIGQUIT, which who starts tests in the background may have turned off: so Ctrl-C and Ctrl-\ are what they are at home.
    fn start(dir: &Path, flags: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("its other end");
        let name = ptsname(&master, Vec::new()).expect("its name").into_string().expect("text");
        let end = || File::options().read(true).write(true).open(&name).expect("the other end");
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", "env", "--default-signal=INT,QUIT", env!("CARGO_BIN_EXE_bountybox"), "challenge", "init"])
            .args(flags)
            .args(["--image", &image()]);
        let child = command.current_dir(dir).stdin(end()).stdout(end()).stderr(end()).spawn().expect("setsid of util-linux");
        let keyboard = File::from(master);
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut reading, shown) = (keyboard.try_clone().expect("a descriptor"), Arc::clone(&screen));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It ends with EIO, once nobody has the other end.
            while let Ok(len @ 1..) = reading.read(&mut bytes) {
                shown.lock().expect("a screen").push_str(&String::from_utf8_lossy(&bytes[..len]));
            }
        });
        Self { child, keyboard, screen, seen: 0 }
    }

    /// Waits until this stands there, behind what was waited for before. Gives all between.
    fn wait_for(&mut self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen.lock().expect("a screen").clone();
            if let Some(at) = screen[self.seen..].find(text) {
                let between = screen[self.seen..self.seen + at].to_owned();
                self.seen += at + text.len();
                return between;
            }
            assert!(Instant::now() < end, "{text:?} does not come: {screen}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("a keyboard");
    }

    /// Answers one prompt.
    fn answer(&mut self, prompt: &str, line: &str) -> String {
        let before = self.wait_for(prompt);
        self.press(&format!("{line}\n"));
        before
    }

    fn ended(&mut self) -> (ExitStatus, String) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                thread::sleep(Duration::from_millis(100));
                return (status, self.screen.lock().expect("a screen").clone());
            }
            assert!(Instant::now() < end, "it does not end: {}", self.screen.lock().expect("a screen"));
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The guest's image, as the end-to-end tests take it.
fn image() -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = std::env::var_os("BOUNTYBOX_IMAGE").map_or_else(|| root.join("target/image/bountybox.elf"), PathBuf::from);
    assert!(built.is_file(), "build the guest image first: make image");
    built.display().to_string()
}

fn code(status: ExitStatus) -> Option<Exit> {
    status.code().and_then(|code| u8::try_from(code).ok()).and_then(Exit::from_code)
}

/// Everything that is in a folder.
fn names(dir: &TempDir) -> Vec<String> {
    fs::read_dir(dir.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

const SOURCE: &str = "0123456789abcdef0123456789abcdef01234567";

fn manifest<'a>(folder: &'a Folder) -> Manifest<'a> {
    folder.manifest()
}

/// Up to the pause before the authorities.
fn answer_all(session: &mut Session) {
    session.answer("name> ", "Break it");
    session.answer("host> ", "contest.example 192.0.2.1");
    session.answer("listen [127.0.0.1:8443]> ", "192.0.2.1:443");
    session.answer("ports [10000]> ", "");
    session.answer("start [now]> ", "");
    session.answer("days [365]> ", "30");
    session.answer("rules [built-in]> ", "");
    session.answer("prize [done]> ", "auth=1,000 EUR");
    session.answer("prize [done]> ", "auth=2,000 EUR");
    session.answer("prize [done]> ", "");
    session.answer("network [testnet]> ", "regtest");
    session.answer("source> ", SOURCE);
    session.answer("dir [challenge]> ", "");
}

#[test]
fn who_answers_is_led_through_a_ceremony() {
    let dir = TempDir::new().unwrap();
    let mut session = Session::start(dir.path(), &[]);
    answer_all(&mut session);
    let before = session.wait_for("go on [yes]> ");
    // What is about to happen, then what came of it, up to the authorities and no further.
    let order = [
        "Step 1 of 5",
        "made the operator's key: contest.example/operator+",
        "made the flag of wallet",
        "Step 2 of 5",
        "Nothing is on a disk yet",
    ];
    let found: Vec<Option<usize>> = order.iter().map(|text| before.find(text)).collect();
    assert!(found.iter().all(Option::is_some) && found.is_sorted(), "{found:?}: {before}");
    assert!(!before.contains("made the authority") && names(&dir).is_empty(), "{before}");
    session.press("yes\n");
    let middle = session.wait_for("go on [yes]> ");
    for text in [
        "destroyed the key of the authority of the door server",
        "Step 5 of 5",
        "signed the manifest with the operator's key: ",
        "Read these aloud",
    ] {
        assert!(middle.contains(text), "{text}: {middle}");
    }
    assert!(names(&dir).is_empty(), "until the fingerprints are written down nothing is on the disk");
    session.press("\n");
    let (status, screen) = session.ended();
    assert!(status.success(), "{screen}");
    let folder = Folder::open(&dir.path().join("challenge/contest")).unwrap_or_else(|fault| panic!("{fault}"));
    let digest = folder.digest().to_string();
    let groups: Vec<&str> = (0..32).step_by(4).map(|at| &digest[at..at + 4]).collect();
    assert!(middle.contains(&groups.join(" ")), "the manifest's fingerprint: {middle}");
    let manifest = manifest(&folder);
    assert_eq!((manifest.name, manifest.source, manifest.end - manifest.start), ("Break it", SOURCE, 30 * 86_400));
    assert_eq!((manifest.flag(Tier::Auth).prize, manifest.flag(Tier::Read).prize), ("2,000 EUR", "honour"));
    assert_eq!(folder.names(), ["contest.example", "192.0.2.1"]);
    for line in folder.transcript().lines().filter(|line| line.starts_with("step ")) {
        assert!(screen.contains(line), "{line} was not shown: {screen}");
    }
    for text in [
        "Witnesses sign challenge/contest/public/ceremony",
        "openssl pkeyutl -sign -rawin -inkey witness.pem -in ceremony",
        "bountybox run --config challenge/bountybox.toml",
    ] {
        assert!(screen.contains(text), "{text}: {screen}");
    }
    let configuration = fs::read_to_string(dir.path().join("challenge/bountybox.toml")).unwrap();
    assert!(
        configuration.contains("address = \"192.0.2.1:443\"") && configuration.contains("base = \"https://contest.example\""),
        "{configuration}"
    );
}

#[test]
fn a_wrong_answer_is_told_why_and_asked_for_again() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("taken/contest")).unwrap();
    fs::write(dir.path().join("empty"), "").unwrap();
    let mut session = Session::start(dir.path(), &["--start", "4102444800", "--network", "regtest"]);
    let mut ask = |prompt: &str, wrong: &[(&str, &str)], right: &str| {
        for (answer, why) in wrong {
            session.answer(prompt, answer);
            session.wait_for(&format!("not that: {why}"));
        }
        session.answer(prompt, right);
    };
    ask("name> ", &[("", "name: 1 to 128"), ("größe", "name: 1 to 128")], "Break it");
    ask("host> ", &[("", "names: 1 to 64"), ("good.example bad_/name", "names: the one at 1")], "good.example");
    ask("listen [127.0.0.1:8443]> ", &[("443", "an address and a port")], "");
    ask("ports [10000]> ", &[("0", "a number from 1 to 65530"), ("65531", "a number")], "20000");
    ask("days [365]> ", &[("0", "a number from 1 to 3650"), ("x", "a number"), ("365", "end: must be after the start")], "365");
    drop(session);
    assert_eq!(names(&dir).len(), 2);
    let mut session = Session::start(
        dir.path(),
        &["--name", "Break it", "--host", "good.example", "--listen", "127.0.0.1:1", "--ports", "7", "--start", "1800000000"],
    );
    let mut ask = |prompt: &str, wrong: &[(&str, &str)], right: &str| {
        for (answer, why) in wrong {
            session.answer(prompt, answer);
            session.wait_for(&format!("not that: {why}"));
        }
        session.answer(prompt, right);
    };
    ask("days [365]> ", &[], "");
    ask("rules [built-in]> ", &[("no such file", "another file is wanted"), ("empty", "rules: 1 to 60000 bytes")], "");
    ask("prize [done]> ", &[("auth", "a tier and a text"), ("gold=1", "gold is none of"), ("auth=", "prize of auth: 1 to 256")], "done");
    ask("network [testnet]> ", &[("dogecoin", "bitcoin, testnet or regtest")], "");
    ask("source> ", &[("main", "source: a revision"), (&SOURCE.to_uppercase(), "source: a revision")], SOURCE);
    ask("dir [challenge]> ", &[("taken", "taken/contest stands there already")], "other");
    ask("go on [yes]> ", &[("perhaps", "yes or no is wanted")], "yes");
    session.answer("go on [yes]> ", "yes");
    let (status, screen) = session.ended();
    assert!(status.success(), "{screen}");
    assert!(Folder::open(&dir.path().join("other/contest")).is_ok());
}

/// What the command line has wrong is said before anybody answers a dozen questions for nothing.
#[test]
fn a_folder_that_is_taken_is_refused_before_anything_is_asked() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("taken/contest")).unwrap();
    let mut session = Session::start(dir.path(), &["--dir", "taken"]);
    let (status, screen) = session.ended();
    assert_eq!(code(status), Some(Exit::Output), "{screen}");
    assert!(screen.contains("taken/contest stands there already") && !screen.contains("> "), "{screen}");
}

/// By the end of what is read, by Ctrl-C, and by a "no", at each place where it waits.
#[test]
fn who_ends_it_leaves_nothing_behind() {
    /// How it is ended, and what that ends with.
    type End = (&'static str, fn(&mut Session), Option<Exit>);
    let ends: [End; 5] = [
        ("the end at a question", |session| session.press("\u{4}"), Some(Exit::Usage)),
        ("Ctrl-C at a question", |session| session.press("\u{3}"), None),
        (
            "the end at the authorities",
            |session| {
                answer_rest(session);
                session.wait_for("go on [yes]> ");
                session.press("\u{4}");
            },
            Some(Exit::Challenge),
        ),
        (
            "no at the authorities",
            |session| {
                answer_rest(session);
                session.answer("go on [yes]> ", "no");
            },
            Some(Exit::Challenge),
        ),
        (
            "Ctrl-C at the fingerprints",
            |session| {
                answer_rest(session);
                session.answer("go on [yes]> ", "yes");
                session.wait_for("go on [yes]> ");
                session.press("\u{3}");
            },
            None,
        ),
    ];
    for (what, end, wanted) in ends {
        let dir = TempDir::new().unwrap();
        let mut session = Session::start(dir.path(), &[]);
        session.answer("name> ", "Break it");
        session.wait_for("host> ");
        end(&mut session);
        let (status, screen) = session.ended();
        assert_eq!(code(status), wanted, "{what}: {status}: {screen}");
        assert!(wanted.is_none() || screen.contains("nothing was"), "{what}: {screen}");
        assert!(names(&dir).is_empty(), "{what} leaves {:?}", names(&dir));
    }
}

/// Where it waits before the fingerprints, every flag and the operator's key are in its memory: Ctrl-\ must not put them on a disk.
#[test]
fn a_ceremony_that_is_ended_leaves_no_core() {
    let dir = TempDir::new().unwrap();
    let mut session = Session::start(dir.path(), &[]);
    session.answer("name> ", "Break it");
    session.wait_for("host> ");
    answer_rest(&mut session);
    session.answer("go on [yes]> ", "yes");
    session.wait_for("go on [yes]> ");
    let pid = session.child.id();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"]);
    // Who may, lifts the limit again: even then there is none, for the process cannot be dumped.
    let _lifted = Command::new("prlimit").args(["--pid", &pid.to_string(), "--core=unlimited:unlimited"]).output();
    session.press("\u{1c}");
    let (status, screen) = session.ended();
    assert_eq!((status.signal(), status.core_dumped()), (Some(3), false), "{screen}");
    assert!(names(&dir).is_empty(), "it leaves {:?}", names(&dir));
}

/// All behind the prompt for the host.
fn answer_rest(session: &mut Session) {
    session.press("contest.example\n");
    for prompt in [
        "listen [127.0.0.1:8443]> ",
        "ports [10000]> ",
        "start [now]> ",
        "days [365]> ",
        "rules [built-in]> ",
        "prize [done]> ",
        "network [testnet]> ",
    ] {
        session.answer(prompt, "");
    }
    session.answer("source> ", SOURCE);
    session.answer("dir [challenge]> ", "");
}

#[test]
fn with_all_flags_nothing_is_asked_on_a_terminal() {
    let dir = TempDir::new().unwrap();
    let mut session = Session::start(dir.path(), &["--name", "Quiet", "--host", "contest.example", "--source", SOURCE]);
    let (status, screen) = session.ended();
    assert!(status.success() && !screen.contains("> ") && !screen.contains("Step 1"), "{screen}");
    assert!(screen.contains("bountybox-ceremony 1") && screen.contains("bountybox run --config challenge/bountybox.toml"), "{screen}");
    assert!(Folder::open(&dir.path().join("challenge/contest")).is_ok());
}

/// A script hears which flag is missing, and is never asked anything.
#[test]
fn without_a_terminal_the_missing_flag_is_named() {
    let all = [("--name", "Quiet"), ("--host", "contest.example"), ("--source", SOURCE)];
    for missing in 0..all.len() {
        let dir = TempDir::new().unwrap();
        let flags = all.iter().enumerate().filter(|(index, _)| *index != missing).flat_map(|(_, (flag, value))| [*flag, *value]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_bountybox"));
        command.args(["challenge", "init"]).args(flags).args(["--image", &image()]).current_dir(dir.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _closed = child.stdin.take().unwrap().write_all(b"Break it\ncontest.example\n");
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(code(output.status), Some(Exit::Usage), "{said}");
        assert!(said.contains("required arguments were not provided") && said.contains(all[missing].0), "{said}");
        assert!(!said.contains("> \n") && output.stdout.is_empty() && names(&dir).is_empty(), "{said}");
    }
    let dir = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bountybox"));
    command.args(["challenge", "init"]).args(all.iter().flat_map(|(flag, value)| [*flag, *value])).args(["--image", &image()]);
    let output = command.current_dir(dir.path()).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.starts_with("bountybox-ceremony 1\n"), "{said}");
    let folder = Folder::open(&dir.path().join("challenge/contest")).unwrap();
    assert_eq!(said, folder.transcript(), "standard output has the transcript and nothing else");
}

/// What the guest begins by itself needs a way there.
#[test]
fn a_contest_on_a_tap_needs_a_gateway_for_its_call_backs() {
    let dir = TempDir::new().unwrap();
    let bountybox =
        |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_bountybox")).args(arguments).current_dir(dir.path()).output().unwrap();
    let flags = ["--name", "Quiet", "--host", "contest.example", "--source", SOURCE, "--listen", "192.0.2.2:443", "--image", &image()];
    assert!(bountybox(&[&["challenge", "init"][..], &flags].concat()).status.success());
    let file = dir.path().join("challenge/bountybox.toml");
    let words = fs::read_to_string(&file).unwrap();
    let check = |gateways: &str| {
        let net = format!("[net]\nmode = \"tap\"\ndevice = \"bb0\"\naddresses = [\"192.0.2.2/24\", \"2001:db8::2/64\"]\n{gateways}\n");
        fs::write(&file, format!("{net}{words}")).unwrap();
        let output = bountybox(&["check", "--config", "challenge/bountybox.toml"]);
        (code(output.status), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    for none in ["", "gateways = [\"2001:db8::1\"]"] {
        let (code, said) = check(none);
        assert_eq!(code, Some(Exit::Config), "{said}");
        assert!(said.contains("error[missing-key]") && said.contains("call_back") && said.contains("none of IPv4"), "{said}");
    }
    let (code, said) = check("gateways = [\"192.0.2.1\"]");
    assert_eq!(code, Some(Exit::Success), "{said}");
}
