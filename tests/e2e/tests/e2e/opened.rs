//! Recordings that are opened: the secrets of their sessions, got out of an image that gives them away, beside what curl itself wrote down; and nobody else will have that image.

use core::net::SocketAddr;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;

use e2e::eye::ADMIN;
use e2e::{Config, Outcome, Place, Running, backend, bountybox, ensure, image, images, keys_dir};
use rustix::process::Signal;

use crate::replays::{Operator, PATIENCE, mixed_load, text};

/// One of each version.
const CURLS: [&[&str]; 2] = [&["--tlsv1.3"], &["--tls-max", "1.2"]];

/// Whatever curl says of its secrets, the replay says to the byte; every frame is as recorded; and the capture holds them, before the frames that they open.
pub(crate) fn secrets(place: &Place) -> Outcome {
    let keylog = images::keylog()?;
    let keylog = keylog.to_str().unwrap_or_default();
    let operator = Operator::new()?;
    let page = serve_pages(CURLS.len())?;
    let mut running = Running::start(place, &Config::one_route(&[page]).more(&operator.section("")))?;
    let own = operator.dir.path().join("curl.keys");
    for arguments in CURLS {
        curl(&running, &own, arguments)?;
    }
    running.signal(Signal::TERM)?;
    running.ended(PATIENCE)?;

    let (keys, capture) = (operator.dir.path().join("box.keys"), operator.dir.path().join("box.pcapng"));
    let (keys, capture) = (keys.to_str().unwrap_or_default(), capture.to_str().unwrap_or_default());
    let report = operator.same(&operator.file(), &["--image", keylog, "--secrets", "--key-log", keys, "--pcap", capture])?;
    let ours = fs::read_to_string(keys)?;
    ensure(fs::metadata(keys)?.permissions().mode() & 0o777 == 0o600, "others may read the key log")?;
    let given = u64::try_from(ours.lines().count())?;
    ensure(report["secrets"]["given"] == given && report["secrets"]["lost"] == 0, report.to_string())?;
    let theirs = fs::read_to_string(own)?;
    let lines: Vec<&str> = theirs.lines().filter(|line| !line.starts_with('#')).collect();
    // Of TLS 1.3 four traffic secrets and the exporter's, of TLS 1.2 the master secret.
    ensure(lines.len() >= 5 && theirs.contains("CLIENT_TRAFFIC_SECRET_0 ") && theirs.contains("CLIENT_RANDOM "), &theirs)?;
    for line in lines {
        ensure(ours.lines().any(|own| own == line), format!("{line} is not in\n{ours}"))?;
    }
    in_capture(&fs::read(capture)?, &ours)?;
    // A file that is there stays as it is.
    operator.refused(&operator.file(), &["--image", keylog, "--secrets", "--key-log", keys], 17, keys)?;
    let new = operator.dir.path().join("new.keys");
    operator.refused(&operator.file(), &["--secrets", "--key-log", new.to_str().unwrap_or_default()], 13, "gives no secrets away")?;
    ensure(!new.exists(), "a refused replay left a file")
}

/// Everything that a box does, status letters with their numbers of bytes among it, comes again from the image that gives secrets away; the log alone is another.
pub(crate) fn load(place: &Place) -> Outcome {
    let keylog = images::keylog()?;
    let operator = Operator::new()?;
    let (answer, echo) = (backend::answer()?, backend::echo()?);
    let config = Config::default().route(&["ask.example.test"], &[answer.address()]).route(&[], &[echo.address()]);
    let mut running = Running::start(place, &config.more(ADMIN).more(&operator.section("")))?;
    mixed_load(&running)?;
    running.signal(Signal::TERM)?;
    running.ended(PATIENCE)?;
    let keys = operator.dir.path().join("box.keys").display().to_string();
    let report = operator.same(&operator.file(), &["--image", keylog.to_str().unwrap_or_default(), "--secrets", "--key-log", &keys])?;
    ensure(report["end"] == "guest" && report["secrets"]["given"].as_u64() > Some(100), report.to_string())
}

/// Blocks of secrets hold these lines, each before the frames from the guest that it opens.
fn in_capture(file: &[u8], lines: &str) -> Outcome {
    const SECRETS: u32 = 0x0a;
    let word = |at: usize| file.get(at..at + 4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let (mut at, mut found) = (0, String::new());
    while at < file.len() {
        let (kind, len) = (word(at).ok_or("half a block")?, usize::try_from(word(at + 4).ok_or("half a block")?)?);
        if kind == SECRETS {
            ensure(word(at + 8) == Some(0x544c_534b), "secrets of another kind")?;
            let text_len = usize::try_from(word(at + 12).ok_or("half a block")?)?;
            found.push_str(core::str::from_utf8(file.get(at + 16..at + 16 + text_len).ok_or("half a block")?)?);
        }
        at += len;
    }
    ensure(found == lines, format!("the capture has {found:?}"))
}

fn curl(running: &Running, keys: &Path, arguments: &[&str]) -> Outcome {
    let address = running.address();
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--cacert"])
        .arg(keys_dir()?.join("ca.pem"))
        .args(["--resolve", &format!("localhost:{}:{}", address.port(), address.ip())])
        .args(arguments)
        .arg(format!("https://localhost:{}/page", address.port()))
        .env("SSLKEYLOGFILE", keys)
        .output()?;
    ensure(output.status.success() && output.stdout == b"a page\n", text(&output))
}

/// A server of so many pages.
fn serve_pages(count: usize) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || listener.incoming().take(count).try_for_each(|stream| serve_page(stream?)));
    Ok(address)
}

fn serve_page(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16 * 1024 && stream.read(&mut byte)? == 1 {
        head.extend(byte);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\na page\n")
}

/// The image that ships has neither the mark nor the code; the one that has both serves nobody, is fuzzed by nobody, and replays nothing but what it is asked the secrets of.
pub(crate) fn refusals(place: &Place) -> Outcome {
    let keylog = images::keylog()?;
    let has = |image: &Path, words: &str| images::symbols(&fs::read(image)?).map(|names| names.iter().any(|name| name.contains(words)));
    for words in ["bountybox_gives_its_secrets_away", "keylog", "secret {=[u8]}"] {
        ensure(has(&keylog, words)?, format!("{words}: it is not to be seen where it is"))?;
        ensure(!has(&image(), words)?, format!("{words}: the shipped image has it"))?;
    }
    let words = "gives its secrets away; it is for replay alone";
    let mut running = Running::launch(place, &Config::one_route(&[backend::nobody()?]).image(&keylog))?;
    let status = running.ended(PATIENCE)?;
    ensure(status.code() == Some(13) && running.said().contains(words), format!("{status}: {}", running.said()))?;
    for verb in [&["target", "--image"][..], &["fuzz", "x", "--image"]] {
        let output = Command::new(bountybox()).args(verb).arg(&keylog).output()?;
        ensure(
            output.status.code() == Some(13) && text(&output).contains(words),
            format!("{verb:?}: {}: {}", output.status, text(&output)),
        )?;
    }
    let operator = Operator::new()?;
    let mut recorded = Running::start(place, &Config::one_route(&[backend::nobody()?]).more(&operator.section("")))?;
    recorded.signal(Signal::TERM)?;
    recorded.ended(PATIENCE)?;
    operator.refused(&operator.file(), &["--image", keylog.to_str().unwrap_or_default(), "--other-image"], 13, words)
}
