//! Recorded cells, run again by `bountybox replay`: real sessions turn by turn, crashes, and files that somebody had their hands on.

use core::time::Duration;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use e2e::eye::{ADMIN, Eye};
use e2e::running::CELL;
use e2e::{Config, Outcome, Place, Running, backend, bountybox, client, ensure, image, images};
use recording::key::Identity;
use recording::limits::SEALED_LEN;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::hostile::{Kind, TEXT, When, attacker};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// 4 MiB each way.
const BULK: usize = 4 << 20;

/// An operator: a key, and a folder for recordings.
pub(crate) struct Operator {
    pub(crate) dir: TempDir,
    identity: Identity,
}

impl Operator {
    pub(crate) fn new() -> Outcome<Self> {
        let operator = Self { dir: tempfile::tempdir()?, identity: Identity::from_bytes([0x42; 32]) };
        fs::write(operator.key(), operator.identity.to_line().as_bytes())?;
        Ok(operator)
    }

    fn key(&self) -> PathBuf {
        self.dir.path().join("operator.key")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("box.rec")
    }

    /// The lines that have a box recorded.
    pub(crate) fn section(&self, more: &str) -> String {
        format!("[record]\nfile = \"{}\"\nrecipient = \"{}\"\n{more}", self.file().display(), self.identity.recipient())
    }

    fn replay(&self, file: &Path, arguments: &[&str]) -> Outcome<Output> {
        let mut command = Command::new(bountybox());
        command.arg("replay").arg(file).arg("--key").arg(self.key()).args(arguments);
        if !arguments.contains(&"--image") {
            command.arg("--image").arg(image());
        }
        Ok(command.output()?)
    }

    /// The report of a replay that went as recorded.
    pub(crate) fn same(&self, file: &Path, arguments: &[&str]) -> Outcome<Value> {
        let output = self.replay(file, &[&["--json"][..], arguments].concat())?;
        let said = text(&output);
        ensure(output.status.code() == Some(0), format!("ended with {}: {said}", output.status))?;
        let report: Value = serde_json::from_slice(&output.stdout)?;
        ensure(report["same"] == true && report["difference_count"] == 0, report.to_string())?;
        Ok(report)
    }

    /// A replay that is refused with this code and these words.
    pub(crate) fn refused(&self, file: &Path, arguments: &[&str], code: i32, words: &str) -> Outcome {
        let output = self.replay(file, arguments)?;
        let said = text(&output);
        ensure(
            output.status.code() == Some(code) && said.contains(words),
            format!("{code} and {words:?} were wanted; {}: {said}", output.status),
        )
    }
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn count(report: &Value, field: &str) -> u64 {
    ["front", "back"].iter().filter_map(|link| report[field][link].as_u64()).sum()
}

/// Requests, bulk both ways, half-closes, refusals, and the operator's letters.
pub(crate) fn mixed_load(running: &Running) -> Outcome {
    let eye = Eye::new(running)?;
    let config = client::config(None)?;
    for round in 0..20 {
        // From the second on with a ticket.
        let line = format!("round {round}\n");
        let answer = client::ask(&mut client::connect_as(running.address(), "ask.example.test", &config)?, &line)?;
        ensure(answer == format!("answer to {line}"), format!("got {answer:?}"))?;
    }
    for special in [client::tls12_only()?, client::chacha_only()?] {
        client::ask(&mut client::connect_as(running.address(), "ask.example.test", &special)?, "special\n")?;
    }
    bulk(running)?;
    let mut plain = TcpStream::connect(running.address())?;
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
    let _alert = plain.read_to_end(&mut Vec::new());
    for verb in ["status", "reload", "status"] {
        let output = eye.command(&[verb])?;
        ensure(output.status.success(), format!("{verb}: {}", text(&output)))?;
    }
    client::ask(&mut client::connect_as(running.address(), "ask.example.test", &config)?, "after the reload\n").map(drop)
}

/// Sends, half-closes, and reads all of it back.
fn bulk(running: &Running) -> Outcome {
    let mut stream = client::connect(running.address())?;
    let mut reader = stream.sock.try_clone()?;
    let bytes: Vec<u8> = (0..BULK).map(|at| (at % 251).to_le_bytes()[0]).collect();
    let (mut sent, mut back) = (0, Vec::new());
    stream.sock.set_nonblocking(true)?;
    while back.len() < bytes.len() {
        if sent < bytes.len() && !stream.conn.wants_write() {
            sent += stream.conn.writer().write(&bytes[sent..bytes.len().min(sent + 16 * 1024)])?;
            if sent == bytes.len() {
                stream.conn.send_close_notify();
            }
        }
        let mut idle = true;
        match stream.conn.write_tls(&mut stream.sock) {
            Ok(len) => idle &= len == 0,
            Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(fault) => return Err(fault.into()),
        }
        match stream.conn.read_tls(&mut reader) {
            Ok(len) => idle &= len == 0,
            Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(fault) => return Err(fault.into()),
        }
        stream.conn.process_new_packets()?;
        let mut chunk = vec![0; 64 * 1024];
        match stream.conn.reader().read(&mut chunk) {
            Ok(len) => back.extend_from_slice(&chunk[..len]),
            Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(fault) => return Err(fault.into()),
        }
        if idle {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    ensure(back == bytes, "other bytes came back")
}

/// A session of everything, for RECORD_SECONDS where that is set: each turn of the replay gives what was recorded, and every frame of it.
pub(crate) fn session(place: &Place) -> Outcome {
    let operator = Operator::new()?;
    let (answer, echo) = (backend::answer()?, backend::echo()?);
    let config = Config::default().route(&["ask.example.test"], &[answer.address()]).route(&[], &[echo.address()]);
    let mut running = Running::start(place, &config.more(ADMIN).more(&operator.section("max_bytes = 8589934592\n")))?;
    let least = std::env::var("RECORD_SECONDS").map_or(Ok(0), |seconds| seconds.parse())?;
    let until = Instant::now() + Duration::from_secs(least);
    mixed_load(&running)?;
    while Instant::now() < until {
        mixed_load(&running).map_err(|fault| format!("{fault}; the box said: {}", running.said()))?;
    }
    running.signal(Signal::TERM)?;
    running.ended(PATIENCE)?;
    let report = operator.same(&operator.file(), &[])?;
    ensure(report["time_s"].as_f64() >= Some(least as f64), report.to_string())?;
    ensure(report["end"] == "guest" && report["machine"] == place.machine.name(), report.to_string())?;
    let (sent, given) = (count(&report, "frames_sent"), count(&report, "frames_received"));
    ensure(sent > 100 && given > 100 && report["turns"].as_u64() > Some(100), report.to_string())?;

    let capture = operator.dir.path().join("box.pcapng");
    let half = report["time_s"].as_f64().ok_or("no time")? / 2.0;
    let stopped = operator.same(&operator.file(), &["--until", &half.to_string()])?;
    ensure(stopped["end"] == "until" && stopped["turns"].as_u64() < report["turns"].as_u64(), stopped.to_string())?;
    operator.same(&operator.file(), &["--pcap", &capture.display().to_string()])?;
    ensure(captured(&fs::read(capture)?)? == sent + given, "the capture has other frames")
}

/// How many frames a pcapng file holds; each block says its length twice.
fn captured(file: &[u8]) -> Outcome<u64> {
    let word = |at: usize| file.get(at..at + 4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let (mut at, mut frames) = (0, 0);
    while at < file.len() {
        let (kind, len) = (word(at).ok_or("half a block")?, word(at + 4).ok_or("half a block")?);
        let end = at + usize::try_from(len)?;
        ensure(len % 4 == 0 && len >= 12 && word(end - 4) == Some(len), format!("a block at {at} that is none"))?;
        frames += u64::from(kind == 6);
        at = end;
    }
    Ok(frames)
}

/// What TLS was spoken is told: hellos, the certificates of TLS 1.2, alerts in the clear; bulk in a line or two.
pub(crate) fn messages(place: &Place) -> Outcome {
    let operator = Operator::new()?;
    let echo = backend::echo()?;
    let mut running = Running::start(place, &Config::one_route(&[echo.address()]).more(&operator.section("")))?;
    bulk(&running)?;
    drop(client::connect_as(running.address(), "tls12.example.test", &client::tls12_only()?)?);
    let mut plain = TcpStream::connect(running.address())?;
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
    let _alert = plain.read_to_end(&mut Vec::new());
    running.signal(Signal::TERM)?;
    running.ended(PATIENCE)?;
    let report = operator.same(&operator.file(), &["--messages"])?;
    let messages = report["messages"].as_array().ok_or("no messages")?;
    let told = |connection: u64, from: &str, what: &str| {
        let found =
            messages.iter().find(|message| message["connection"] == connection && message["from"] == from && message["what"] == what);
        found.map(|message| message["details"].clone()).ok_or(format!("{what} of {from} is not told: {report}"))
    };
    let (hello, chosen) = (told(1, "client", "ClientHello")?, told(1, "guest", "ServerHello")?);
    ensure(
        hello["server_name"] == "localhost" && hello["versions"].as_array().is_some_and(|all| all.contains(&"TLS1.3".into())),
        hello.to_string(),
    )?;
    ensure(chosen["version"] == "TLS1.3" && chosen["group"] == "X25519MLKEM768", chosen.to_string())?;
    ensure(chosen["suite"].as_str().is_some_and(|suite| suite.starts_with("TLS_")), chosen.to_string())?;
    for from in ["client", "guest"] {
        let bytes: u64 = messages
            .iter()
            .filter(|message| message["connection"] == 1 && message["from"] == from)
            .filter_map(|message| message["details"]["bytes"].as_u64())
            .sum();
        ensure(bytes > u64::try_from(BULK)? - 256 * 1024, format!("{bytes} bytes of {from}"))?;
    }
    ensure(told(2, "client", "ClientHello")?["server_name"] == "tls12.example.test", "another name")?;
    ensure(told(2, "guest", "ServerHello")?["version"] == "TLS1.2", "another version")?;
    ensure(told(2, "guest", "Certificate")?["certificates"].as_u64() > Some(0), "no certificate")?;
    told(3, "client", "not TLS")?;
    ensure(told(3, "guest", "alert")?["description"] == "unexpected_message(10)", "another alert")?;
    ensure(messages.len() < 200 && report["messages_left_out"] == 0, format!("{} messages", messages.len()))?;
    let lines = text(&operator.replay(&operator.file(), &["--messages"])?);
    let wanted = ["connection 1 from ", "client  ClientHello legacy_version=TLS1.2 server_name=localhost ", "connection 3 from "];
    ensure(wanted.iter().all(|words| lines.contains(words)), lines)
}

/// One flipped byte anywhere, another key, another image, another file: refused, each with its reason. A file that its tender did not live to close is replayed.
pub(crate) fn refusals(place: &Place) -> Outcome {
    let operator = Operator::new()?;
    let echo = backend::echo()?;
    let running = Running::start(place, &Config::one_route(&[echo.address()]).more(&operator.section("")))?;
    bulk(&running)?;
    running.kill(CELL)?;
    running.wait_for_count("ready", 2, PATIENCE)?;
    let killed = operator.dir.path().join("box.rec.1");
    let report = operator.same(&killed, &[])?;
    ensure(report["end"] == "cut" && report["turns"].as_u64() > Some(10), report.to_string())?;
    drop(running);
    damaged(&operator, &killed)?;
    let whole = operator.file();
    operator.same(&whole, &[])?;
    damaged_end(&operator, &whole)?;

    operator.refused(&operator.key(), &[], 24, "no recording")?;
    let stranger = Operator { identity: Identity::from_bytes([0x43; 32]), dir: tempfile::tempdir()? };
    fs::write(stranger.key(), stranger.identity.to_line().as_bytes())?;
    stranger.refused(&whole, &[], 24, "another key")?;
    let other = operator.dir.path().join("other.elf");
    fs::write(&other, images::with_traps(&fs::read(image())?, &["chacha20_poly1305_seal"])?)?;
    let other = other.display().to_string();
    operator.refused(&whole, &["--image", &other], 25, "SHA-256")?;
    operator.same(&whole, &["--image", &other, "--other-image"]).map(drop)
}

/// Bytes of a recording without its last chunk.
fn damaged(operator: &Operator, file: &Path) -> Outcome {
    let bytes = fs::read(file)?;
    let scratch = operator.dir.path().join("damaged.rec");
    let chunks = bytes.len() / SEALED_LEN;
    ensure(chunks > 20, format!("{chunks} chunks are too few"))?;
    for at in [30, 100, 200, bytes.len() / 2, bytes.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        fs::write(&scratch, flipped)?;
        operator.refused(&scratch, &[], 24, "")?;
    }
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    fs::write(&scratch, flipped)?;
    let report = operator.same(&scratch, &["--up-to-damage"])?;
    ensure(report["end"] == "damaged" && report["turns"].as_u64() > Some(1), report.to_string())?;
    // Cut between two chunks, and within one.
    fs::write(&scratch, &bytes[..bytes.len() - 3 * SEALED_LEN])?;
    ensure(operator.same(&scratch, &[])?["end"] == "cut", "not cut")?;
    fs::write(&scratch, &bytes[..bytes.len() - 1000])?;
    operator.refused(&scratch, &[], 24, "cut within a chunk")?;
    ensure(operator.same(&scratch, &["--up-to-damage"])?["end"] == "damaged", "not damaged")
}

/// The last chunk is as well held as the others.
fn damaged_end(operator: &Operator, file: &Path) -> Outcome {
    let mut bytes = fs::read(file)?;
    let scratch = operator.dir.path().join("damaged.rec");
    *bytes.last_mut().ok_or("empty")? ^= 1;
    fs::write(&scratch, bytes)?;
    operator.refused(&scratch, &[], 24, "chunk")
}

/// The shipped image with a trap in it, a guest that goes bad with a frame, one that panics, one that leaves a malformed queue: each end comes again.
pub(crate) fn crashes(place: &Place) -> Outcome {
    let trapped = images::with_traps(&fs::read(image())?, &["chacha20_poly1305_seal", "chacha20_poly1305_open"])?;
    let operator = Operator::new()?;
    let file = operator.dir.path().join("trapped.elf");
    fs::write(&file, trapped)?;
    let answer = backend::answer()?;
    let running = Running::start(place, &Config::one_route(&[answer.address()]).image(&file).more(&operator.section("")))?;
    client::ask(&mut client::connect(running.address())?, "well\n")?;
    ensure(client::connect_as(running.address(), "localhost", &client::chacha_only()?).is_err(), "the trap was not sprung")?;
    running.wait_for_count("ready", 2, PATIENCE)?;
    let said = running.said();
    let crash = said.lines().find(|line| line.starts_with("crash ")).ok_or("no crash")?;
    let report = operator.same(&operator.dir.path().join("box.rec.1"), &["--image", &file.display().to_string()])?;
    let last = report["last"].as_str().unwrap_or_default();
    ensure(
        report["end"] == "guest" && place_of(last) == place_of(crash) && last.contains("#UD"),
        format!("{crash} was wanted, {report} came"),
    )?;
    drop(running);
    for (when, kind, target, offset, end) in [
        (When::Frame, Kind::Write, TEXT, 0, "guest"),
        (When::Start, Kind::Hypercall, abi::hypercall::EXIT, i64::from(abi::hypercall::exit::PANIC), "guest"),
        (When::Start, Kind::Queue, 0, 0x7fff_ffff, "hostile_queue"),
        (When::Start, Kind::Hang, 0, 0, "guest"),
    ] {
        let attacker = attacker(when, kind, target, offset)?;
        let config = Config::one_route(&[backend::nobody()?]).limit("drain_timeout_ms", 100).image(attacker.path());
        let mut running = Running::launch(place, &config.more(&operator.section("")).argument("--restart").argument("never"))?;
        if when == When::Frame {
            running.wait_for("ready", PATIENCE)?;
            let _victim = TcpStream::connect(running.address())?;
            running.wait_for("crash error", PATIENCE)?;
        }
        running.ended(PATIENCE)?;
        let report = operator.same(&operator.file(), &["--image", &attacker.path().display().to_string()])?;
        ensure(report["end"] == end, format!("{kind:?}: {report}"))?;
    }
    Ok(())
}

/// The words of a crash report that do not depend on the machine.
fn place_of(line: &str) -> Option<(&str, &str)> {
    let at = line.split(" at=").nth(1)?.split(' ').next()?;
    let rip = line.split(" rip=").nth(1)?.split([' ', ',']).next()?;
    Some((at, rip))
}

/// At its bound a recording ends and is whole; the box goes on, and says so once.
pub(crate) fn bound(place: &Place) -> Outcome {
    let operator = Operator::new()?;
    let echo = backend::echo()?;
    let section = operator.section("max_bytes = 8388608\nkeep = 0\n");
    let running = Running::start(place, &Config::one_route(&[echo.address()]).more(&section))?;
    for _ in 0..3 {
        bulk(&running)?;
    }
    running.wait_for("the recording ends here: its file has reached max_bytes", PATIENCE)?;
    let len = fs::metadata(operator.file())?.len();
    // The turn that does not fit may be a long one.
    ensure(len <= 8_388_608 && len > 5_000_000, format!("{len} bytes"))?;
    bulk(&running)?;
    ensure(running.said().matches("the recording ends here").count() == 1, running.said())?;
    ensure(operator.same(&operator.file(), &[])?["end"] == "full", "not full")
}
