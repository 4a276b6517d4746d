//! What a contest's manifest promises of the program and of the configuration, held against what runs; and that neither flags nor keys get into a core file.

use core::time::Duration;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Instant;

use arbiter::Digest;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
/// Nothing else of the tests listens here, or behind it.
const PAGE: &str = "127.0.0.1:18489";
const DOORS: &str = "18490";

/// The guest's image, as the end-to-end tests take it.
fn image() -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = std::env::var_os("BOUNTYBOX_IMAGE").map_or_else(|| root.join("target/image/bountybox.elf"), PathBuf::from);
    assert!(built.is_file(), "build the guest image first: make image");
    built.display().to_string()
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_bountybox");

/// A contest in earnest.
fn sealed() -> TempDir {
    let dir = TempDir::new().expect("a folder");
    let flags = ["--name", "Promised", "--host", "localhost", "--source", "0123456789abcdef0123456789abcdef01234567"];
    let output = bountybox(PROGRAM.as_ref(), &dir, &[&["challenge", "init", "--image", &image()][..], &flags].concat());
    assert!(output.status.success(), "{}", said(&output));
    dir
}

fn bountybox(program: &Path, dir: &TempDir, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).current_dir(dir.path()).stdin(Stdio::null()).output().expect("the command")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The same program in a file that has one byte more: it does the same, and has another digest.
fn upgraded(dir: &TempDir) -> PathBuf {
    let file = dir.path().join("upgraded");
    fs::write(&file, [&fs::read(PROGRAM).expect("the command")[..], &[0]].concat()).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("changed");
    file
}

fn digest(file: &Path) -> String {
    Digest::of(&[&fs::read(file).expect("a file")]).to_string()
}

#[test]
fn another_program_than_the_manifest_names_is_refused() {
    let dir = sealed();
    let other = upgraded(&dir);
    let mut running = Running::start(&other, &dir, &["run", "--config", "challenge/bountybox.toml"]);
    let (code, said) = running.ended();
    assert_eq!(code, Some(34), "{said}");
    let wanted = [
        "error: challenge/contest: the manifest names another program: ",
        &digest(PROGRAM.as_ref()),
        &digest(&other),
        &other.display().to_string(),
        "run the program that was promised, or mint another contest",
    ];
    assert!(wanted.iter().all(|words| said.contains(words)), "{said}");
    assert!(!dir.path().join("challenge/contest/log").exists(), "nothing was entered into a log");
}

#[test]
fn another_configuration_than_the_manifest_names_is_told() {
    let dir = sealed();
    let file = dir.path().join("challenge/bountybox.toml");
    let check = || {
        let output = bountybox(PROGRAM.as_ref(), &dir, &["check", "--config", "challenge/bountybox.toml"]);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let told = "warning[challenge-configuration] challenge/bountybox.toml: is not the configuration that the manifest names";
    let (before, as_written) = (digest(&file), check());
    assert!(!as_written.contains("challenge-configuration"), "{as_written}");
    fs::write(&file, fs::read_to_string(&file).unwrap() + "capture_mib = 8\n").unwrap();
    let changed = check();
    assert!([told, &before, &digest(&file)].iter().all(|words| changed.contains(words)), "{changed}");
}

/// A box that runs, and what it says.
struct Running {
    child: Child,
    stderr: PathBuf,
}

impl Running {
    fn start(program: &Path, dir: &TempDir, arguments: &[&str]) -> Self {
        let stderr = dir.path().join("stderr");
        let file = File::create(&stderr).expect("made");
        let mut command = Command::new(program);
        command.args(arguments).current_dir(dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        Self { child: command.spawn().expect("the command"), stderr }
    }

    /// Waits until it has said this so many times.
    fn says(&mut self, words: &str, times: usize) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let said = fs::read_to_string(&self.stderr).expect("what it said");
            if said.matches(words).count() >= times {
                return said;
            }
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < end, "{words:?} is not said, {ended:?}: {said}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end.
    fn ended(&mut self) -> (Option<i32>, String) {
        let end = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait().expect("a child");
            let said = fs::read_to_string(&self.stderr).expect("what it said");
            if let Some(status) = ended {
                return (status.code(), said);
            }
            assert!(Instant::now() < end, "it does not end: {said}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _gone = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _status = self.child.wait();
    }
}

/// A laboratory is built anew all day: there the same is told, at each start and each reload, and it goes on. It leaves no core either.
#[test]
fn a_laboratory_is_told_of_another_program_and_configuration() {
    let dir = TempDir::new().unwrap();
    let image = image();
    let minted = ["challenge", "--lab", "--listen", PAGE, "--ports", DOORS, "--dir", "lab", "--image", &image];
    drop_when_ready(Running::start(PROGRAM.as_ref(), &dir, &minted));
    let mut lab = Running::start(&upgraded(&dir), &dir, &["run", "--config", "lab/bountybox.toml"]);
    let said = lab.says("ready", 1);
    assert!(said.contains("warning: lab/contest: the manifest names another program: "), "{said}");
    assert!(!said.contains("challenge-configuration"), "{said}");
    let limits = fs::read_to_string(format!("/proc/{}/limits", lab.child.id())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"]);
    let mut file = File::options().append(true).open(dir.path().join("lab/bountybox.toml")).unwrap();
    file.write_all(b"# A word more.\n").unwrap();
    lab.signal(Signal::HUP);
    let said = lab.says("reloaded: ", 1);
    assert!(said.contains("warning[challenge-configuration] lab/bountybox.toml: "), "{said}");
}

fn drop_when_ready(mut lab: Running) {
    lab.says("ready", 1);
}
