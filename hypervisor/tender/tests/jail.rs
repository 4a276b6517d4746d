//! The jail from inside: a child puts it up and then tries what it must not be able to do. Without a harness, for a jail needs a process of one thread.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test without the harness")]

use core::net::SocketAddr;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Output};

use machine::Allow;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use tender::contest::Files;
use tender::jail::{self, Crew, Needs, Readiness, Sockets};
use tender::order::{JailWish, Machine};
use tender::poller::Poller;

const SIGSYS: i32 = 31;
const FIONBIO: u64 = 0x5421;

/// What a child tries, and how it must end.
const TABLE: &[(&str, Outcome)] = &[
    ("nothing", Outcome::Goes),
    ("without namespaces", Outcome::Goes),
    ("connect to a backend", Outcome::Goes),
    ("call back", Outcome::Goes),
    ("connect elsewhere", Outcome::Refused),
    ("the allowed ioctl on the allowed descriptor", Outcome::Goes),
    ("another ioctl on the allowed descriptor", Outcome::Killed),
    ("the allowed ioctl on another descriptor", Outcome::Killed),
    ("open a file", Outcome::Killed),
    ("start a program", Outcome::Killed),
    ("start a thread", Outcome::Killed),
    ("a packet socket", Outcome::Killed),
    ("a datagram socket", Outcome::Killed),
    ("listen", Outcome::Killed),
    ("write to another descriptor", Outcome::Killed),
    ("write to the recording", Outcome::Goes),
    ("read the recording", Outcome::Killed),
    ("take the flag of escape", Outcome::Goes),
    ("take the flag of escape, where there is none", Outcome::Killed),
    ("take it by read(2)", Outcome::Killed),
    ("write over it", Outcome::Killed),
    ("take from another descriptor what was meant for it", Outcome::Killed),
    ("become root again", Outcome::Killed),
    ("signal the parent", Outcome::Killed),
    ("crew: nothing", Outcome::Goes),
    ("crew: without namespaces", Outcome::Goes),
    ("crew: serve from another thread", Outcome::Goes),
    ("crew: give memory back from another thread", Outcome::Goes),
    ("crew: give memory back where each thread has its own", Outcome::Killed),
    ("crew: open a file", Outcome::Killed),
    ("crew: open a file from another thread", Outcome::Killed),
    ("crew: start a program", Outcome::Killed),
    ("crew: start a thread", Outcome::Killed),
    ("crew: connect to a backend", Outcome::Killed),
    ("crew: a datagram socket", Outcome::Killed),
    ("crew: listen", Outcome::Killed),
    ("crew: accept what was not given to it", Outcome::Killed),
    ("crew: become root again", Outcome::Killed),
    ("crew: signal the parent", Outcome::Killed),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It works.
    Goes,
    /// The call returns an error.
    Refused,
    /// The process ends by SIGSYS.
    Killed,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, verb, what, addresses @ ..] = &arguments[..]
        && verb == "try"
        && let [backend, caller, elsewhere] = addresses
    {
        return child(what, [backend, caller, elsewhere].map(|address| address.parse().unwrap()));
    }
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = listeners.each_ref().map(|listener| listener.local_addr().unwrap().to_string());
    let mut failed = 0;
    for (what, expected) in TABLE {
        let mut command = Command::new("/proc/self/exe");
        // The second of two by which the variable is seen to be needed.
        let (variable, value) = if what.ends_with("has its own") { ("MALLOC_ARENA_MAX", "8") } else { Crew::ENVIRONMENT };
        let output = command.args(["try", what]).args(&addresses).env(variable, value).output().unwrap();
        if !is_as_expected(what, *expected, &output) {
            failed += 1;
        }
    }
    say(&format!("jail: {} attempts, {failed} not as expected\n", TABLE.len()));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn is_as_expected(what: &str, expected: Outcome, output: &Output) -> bool {
    let heard = String::from_utf8_lossy(&output.stderr);
    // Landlock may be missing in the host's kernel; then the jail has said so, and only then may this connection succeed.
    let no_landlock = expected == Outcome::Refused && heard.contains("landlock: not in this kernel");
    let found = match (output.status.code(), output.status.signal()) {
        (Some(0), _) => Some(Outcome::Goes),
        (Some(7), _) => Some(Outcome::Refused),
        (_, Some(SIGSYS)) => Some(Outcome::Killed),
        _ => None,
    };
    let jailed = heard.contains("seccomp") && heard.contains("no-new-privs") && heard.contains("no-dump");
    let reported = !what.ends_with("without namespaces") || heard.contains("namespaces: not wanted");
    let good = jailed && reported && (found == Some(expected) || no_landlock && found == Some(Outcome::Goes));
    say(&format!("{} {what}: {found:?}, expected {expected:?}\n", if good { "ok  " } else { "FAIL" }));
    if !good {
        say(&heard);
    }
    good
}

fn say(text: &str) {
    let _gone = std::io::stderr().write_all(text.as_bytes());
}

fn child(what: &str, addresses: [SocketAddr; 3]) -> ExitCode {
    if let Some(what) = what.strip_prefix("crew: ") {
        return if crew(what, addresses) { ExitCode::SUCCESS } else { ExitCode::from(7) };
    }
    let [backend, caller, _] = addresses;
    // As both links say it, one after the other.
    let mut sockets = Sockets::None;
    sockets.connect_to([caller.port()]);
    sockets.connect_to([backend.port()]);
    let poller = Poller::new().unwrap();
    let recording = memfd();
    let contest = Files::new(&[1; 32], &[2; 32], &FLAG).unwrap();
    let [_, escape] = contest.descriptors();
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let ioctl = Allow { number: libc::SYS_ioctl, args: vec![(0, u64::try_from(ours.as_raw_fd()).unwrap()), (1, FIONBIO)] };
    let needs = Needs {
        wish: if what == "without namespaces" { JailWish::WithoutNamespaces } else { JailWish::Full },
        machine: Machine::Kvm,
        machine_calls: vec![ioctl],
        readiness: Some(Readiness { epoll: poller.as_fd().as_raw_fd(), channel: ours.as_raw_fd() }),
        listeners: Vec::new(),
        taps: Vec::new(),
        access_pipe: None,
        reads: Vec::new(),
        escape: (!what.ends_with("where there is none")).then(|| escape.as_raw_fd()),
        writes: vec![recording.as_raw_fd()],
        file_len_max: RECORDING_LEN_MAX,
        sockets,
        descriptors_max: 64,
    };
    let applied = jail::close(&needs).unwrap();
    say(&applied.line().render(tender::order::Lines::Text));
    if attempt(what, &ours, &recording, escape, addresses) { ExitCode::SUCCESS } else { ExitCode::from(7) }
}

fn attempt(
    what: &str,
    ours: &std::os::unix::net::UnixStream,
    recording: &std::fs::File,
    escape: BorrowedFd<'_>,
    addresses: [SocketAddr; 3],
) -> bool {
    let [backend, caller, elsewhere] = addresses;
    match what {
        "nothing" | "without namespaces" => true,
        "connect to a backend" => connect(backend),
        "call back" => connect(caller),
        "connect elsewhere" => connect(elsewhere),
        "the allowed ioctl on the allowed descriptor" => rustix::io::ioctl_fionbio(ours, true).is_ok(),
        "another ioctl on the allowed descriptor" => rustix::io::ioctl_fionread(ours).is_ok(),
        "the allowed ioctl on another descriptor" => rustix::io::ioctl_fionbio(std::io::stderr(), true).is_ok(),
        "open a file" => std::fs::File::open("/etc/passwd").is_ok(),
        "start a program" => Command::new("/bin/true").spawn().is_ok(),
        "start a thread" => std::thread::Builder::new().spawn(|| ()).is_ok(),
        "a packet socket" => rustix::net::socket(AddressFamily::PACKET, SocketType::RAW, None).is_ok(),
        "a datagram socket" => rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).is_ok(),
        "listen" => TcpListener::bind("127.0.0.1:0").is_ok(),
        "write to the recording" => (&mut &*recording).write_all(b"x").is_ok(),
        "read the recording" => std::io::Read::read(&mut &*recording, &mut [0]).is_ok(),
        "take the flag of escape" | "take the flag of escape, where there is none" => {
            let mut flag = [0; 33];
            rustix::io::pread(escape, &mut flag, 0) == Ok(32) && flag[..32] == FLAG
        }
        "take it by read(2)" => rustix::io::read(escape, &mut [0; 32]).is_ok(),
        "write over it" => rustix::io::write(escape, &FLAG).is_ok(),
        "take from another descriptor what was meant for it" => rustix::io::pread(recording, &mut [0; 32], 0).is_ok(),
        "write to another descriptor" => rustix::io::write(ours, b"x").is_ok(),
        "become root again" => rustix::thread::set_thread_uid(rustix::process::Uid::ROOT).is_ok(),
        "signal the parent" => rustix::process::test_kill_process(rustix::process::Pid::INIT).is_ok(),
        _ => false,
    }
}

/// The other jail: a process with a second thread, which takes connections and whatever else it is told to.
fn crew(what: &str, addresses: [SocketAddr; 3]) -> bool {
    let given = TcpListener::bind("127.0.0.1:0").unwrap();
    let not_given = TcpListener::bind("127.0.0.1:0").unwrap();
    let (given_at, not_given_at) = (given.local_addr().unwrap(), not_given.local_addr().unwrap());
    let _wait = [std::net::TcpStream::connect(given_at).unwrap(), std::net::TcpStream::connect(not_given_at).unwrap()];
    let crew = Crew {
        wish: if what == "without namespaces" { JailWish::WithoutNamespaces } else { JailWish::Full },
        listeners: vec![given.as_raw_fd()],
        descriptors_max: 64,
    };
    let walled = crew.wall_in().unwrap();
    let (tell, told) = std::sync::mpsc::channel::<fn(&TcpListener) -> bool>();
    let there = std::sync::Arc::new(std::sync::Barrier::new(2));
    let here = std::sync::Arc::clone(&there);
    let (answer, answered) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        here.wait();
        for work in told {
            answer.send(work(&given)).unwrap();
        }
    });
    there.wait();
    let applied = walled.seal().unwrap();
    say(&applied.line().render(tender::order::Lines::Text));
    let elsewhere = |work| {
        tell.send(work).unwrap();
        answered.recv().unwrap()
    };
    match what {
        "nothing" | "without namespaces" => true,
        "serve from another thread" => elsewhere(|given| given.accept().is_ok_and(|(mut stream, _)| stream.write_all(b"x").is_ok())),
        "open a file from another thread" => elsewhere(|_| std::fs::File::open("/etc/passwd").is_ok()),
        "give memory back from another thread" | "give memory back where each thread has its own" => elsewhere(|_| {
            let taken: Vec<Vec<u8>> = (0..64_usize).map(|at| vec![1; 100_000 + at]).collect();
            taken.iter().all(|piece| piece.last() == Some(&1))
        }),
        "accept what was not given to it" => not_given.accept().is_ok(),
        "open a file" => std::fs::File::open("/etc/passwd").is_ok(),
        "start a program" => Command::new("/bin/true").spawn().is_ok(),
        "start a thread" => std::thread::Builder::new().spawn(|| ()).is_ok(),
        "connect to a backend" => connect(addresses[0]),
        "a datagram socket" => rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).is_ok(),
        "listen" => TcpListener::bind("127.0.0.1:0").is_ok(),
        "become root again" => rustix::thread::set_thread_uid(rustix::process::Uid::ROOT).is_ok(),
        "signal the parent" => rustix::process::test_kill_process(rustix::process::Pid::INIT).is_ok(),
        _ => false,
    }
}

/// A flag of `escape`.
const FLAG: [u8; 32] = [0xe5; 32];

const RECORDING_LEN_MAX: u64 = 4096;

/// A file that stands for the recording's.
fn memfd() -> std::fs::File {
    rustix::fs::memfd_create("recording", rustix::fs::MemfdFlags::CLOEXEC).unwrap().into()
}

/// As the user net does it. A connection under way is one that was not refused.
fn connect(to: SocketAddr) -> bool {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, Some(rustix::net::ipproto::TCP)).unwrap();
    matches!(rustix::net::connect(&socket, &to), Ok(()) | Err(rustix::io::Errno::INPROGRESS))
}
