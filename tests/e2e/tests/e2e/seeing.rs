//! Metrics, status, health, and the access log's file, through the built command.

use core::time::Duration;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use e2e::eye::{ADMIN, Eye};
use e2e::running::CELL;
use e2e::{Config, Outcome, Place, Running, backend, client, ensure};
use rustix::process::Signal;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(10);

/// Each family moves as what it counts happens.
pub(crate) fn metrics(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let running = Running::start(place, &Config::one_route(&[answer.address()]).more(ADMIN))?;
    let eye = Eye::new(&running)?;
    ensure(eye.metric("bountybox_connections_total", &[])? == 0.0, "a connection before the first")?;

    let config = client::config(None)?;
    for _ in 0..2 {
        // The second one resumes with the first one's ticket.
        let mut stream = client::connect_as(running.address(), "localhost", &config)?;
        ensure(client::ask(&mut stream, "hello\n")? == "answer to hello\n", "no answer")?;
    }
    handshakes(&eye)?;
    let mut plain = TcpStream::connect(running.address())?;
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
    let _alert = plain.read_to_end(&mut Vec::new());
    eye.wait_for("bountybox_handshake_failures_total", &["reason=\"plain_http\""], |count| count == 1.0)?;

    eye.wait_for("bountybox_connections_ended_total", &["reason=\"client_fault\""], |count| count == 1.0)?;
    eye.wait_for("bountybox_connections_total", &[], |count| count == 3.0)?;
    eye.wait_for("bountybox_connections", &[], |count| count == 0.0)?;
    let backend = format!("backend=\"{}\"", answer.address());
    ensure(eye.metric("bountybox_backend_connections_total", &["route=\"default\"", &backend])? == 2.0, "the backend took two")?;
    ensure(eye.metric("bountybox_backend_up", &[&backend])? == 1.0, "the backend is up")?;
    ensure(eye.metric("bountybox_plaintext_bytes_total", &["direction=\"up\""])? == 12.0, "up: hello twice")?;
    ensure(eye.metric("bountybox_plaintext_bytes_total", &["direction=\"down\""])? == 32.0, "down: the answer twice")?;
    own(&eye)
}

fn handshakes(eye: &Eye<'_>) -> Outcome {
    let labels = ["version=\"TLSv1.3\"", "suite=\"TLS_", "group=\"X25519MLKEM768\""];
    eye.wait_for("bountybox_handshakes_total", &labels, |count| count == 2.0)?;
    ensure(eye.metric("bountybox_handshakes_total", &["resumed=\"true\""])? == 1.0, "one was resumed")?;
    ensure(eye.metric("bountybox_handshakes_total", &["resumed=\"false\""])? == 1.0, "one was not")
}

/// What the cell and the supervisor say of themselves.
fn own(eye: &Eye<'_>) -> Outcome {
    for link in ["link=\"front\"", "link=\"back\""] {
        ensure(eye.metric("bountybox_frames_received_total", &[link])? > 0.0, "no frames")?;
    }
    ensure(eye.metric("bountybox_syn_cookies_total", &["link=\"front\"", "accepted"])? >= 3.0, "three clients came by a cookie")?;
    let (used, limit) = (eye.metric("bountybox_heap_used_bytes", &[])?, eye.metric("bountybox_heap_limit_bytes", &[])?);
    ensure(used > 0.0 && used < limit, format!("{used} of {limit}"))?;
    ensure(eye.metric("bountybox_certificate_expiry_timestamp_seconds", &["name=\"localhost\"", "chain.pem"])? > 1.7e9, "no expiry")?;
    ensure(eye.metric("bountybox_up", &[])? == 1.0 && eye.metric("bountybox_cell_restarts_total", &[])? == 0.0, "it is up")?;
    ensure(eye.metric("bountybox_statuses_refused_total", &[])? == 0.0, "the guest's answers are sound")?;
    ensure(eye.metric("bountybox_status_age_seconds", &[])? < 1.0, "and fresh")
}

/// A limit that is reached is counted by its name.
pub(crate) fn limits(place: &Place) -> Outcome {
    let echo = backend::echo()?;
    let config = Config::one_route(&[echo.address()]).limit("connections_per_source", 1).more(ADMIN);
    let running = Running::start(place, &config)?;
    let eye = Eye::new(&running)?;
    let _first = client::connect(running.address())?;
    ensure(client::connect(running.address()).is_err(), "the second is one too many")?;
    // The link counts flows by source as well, and may be the one that turns it away.
    let counted = |limit: &str| eye.metric("bountybox_limit_reached_total", &[limit]);
    let both = counted("limit=\"connections_per_source\"")? + counted("limit=\"flows\"")?;
    ensure(both >= 1.0 && counted("limit=\"connections\"")? == 0.0, format!("{both} refusals were counted"))
}

/// `bountybox status` as a table and as JSON, and what each exit code says.
pub(crate) fn status(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let running = Running::start(place, &Config::one_route(&[answer.address()]).more(ADMIN))?;
    let eye = Eye::new(&running)?;
    client::ask(&mut client::connect(running.address())?, "hello\n")?;
    eye.wait_for("bountybox_connections", &[], |count| count == 0.0)?;
    let table = eye.command(&["status"])?;
    let text = String::from_utf8(table.stdout)?;
    let row = text.lines().find(|line| line.starts_with("default ")).ok_or_else(|| format!("no row in:\n{text}"))?;
    let words: Vec<&str> = row.split_whitespace().collect();
    ensure(words == ["default", &answer.address().to_string(), "up", "0", "1", "0"], row)?;
    ensure(table.status.success() && text.contains("· serving · ready\n") && text.contains("X25519MLKEM768"), text)?;
    let json: Value = serde_json::from_slice(&eye.command(&["status", "--json"])?.stdout)?;
    ensure(json["state"] == "serving" && json["ready"] == true && json["machine"] == place.machine.name(), json.to_string())?;
    ensure(json["guest"]["connections"]["accepted"] == 1 && json["guest"]["bytes_down"] == 16, json.to_string())?;
    let (code, body) = eye.get("/status")?;
    ensure(code == 200 && serde_json::from_str::<Value>(&body)?["version"] == json["version"], body)
}

/// The TCP door changes nothing; the socket is the owner's alone; without a box the command says so.
pub(crate) fn doors(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let mut running = Running::start(place, &Config::one_route(&[answer.address()]).more(ADMIN))?;
    let file = running.config_file();
    let eye = Eye::new(&running)?;
    for (method, path, wanted) in [("POST", "/drain", 404), ("POST", "/reload", 404), ("POST", "/metrics", 405), ("GET", "/healthz", 200)] {
        let (code, body) = eye.ask(method, path)?;
        ensure(code == wanted, format!("{method} {path}: {code} {body}"))?;
    }
    let socket = file.with_file_name("admin.sock");
    ensure(fs::metadata(&socket)?.permissions().mode() & 0o777 == 0o600, "the socket is open to others")?;
    let drained = eye.command(&["drain"])?;
    ensure(drained.status.success(), String::from_utf8_lossy(&drained.stderr))?;
    let status = running.ended(PATIENCE)?;
    ensure(status.code() == Some(0), format!("drain ended with {status}: {}", running.said()))?;
    ensure(!socket.exists(), "the socket's file is left behind")?;
    let gone = Eye::new(&running)?.command(&["status"])?;
    ensure(gone.status.code() == Some(21), format!("{:?}", gone.status))
}

/// `/readyz` turns with a drain, `/healthz` does not.
pub(crate) fn ready_turns_with_a_drain(place: &Place) -> Outcome {
    let echo = backend::echo()?;
    let config = Config::one_route(&[echo.address()]).limit("drain_timeout_ms", 3000).more(ADMIN);
    let mut running = Running::start(place, &config)?;
    let eye = Eye::new(&running)?;
    eye.wait_until_ready_is(200)?;
    let mut held = client::connect(running.address())?;
    held.write_all(b"still here")?;
    held.read_exact(&mut [0; 10])?;
    running.signal(Signal::TERM)?;
    let why = eye.wait_until_ready_is(503)?;
    ensure(why.contains("drained"), why)?;
    ensure(eye.get("/healthz")?.0 == 200 && eye.metric("bountybox_draining", &[])? == 1.0, "it lives, and drains")?;
    drop(held);
    ensure(running.ended(PATIENCE)?.code() == Some(0), running.said())
}

/// A guest that is killed: metrics say so, and the next one serves.
pub(crate) fn restarts(place: &Place) -> Outcome {
    let echo = backend::echo()?;
    let running = Running::start(place, &Config::one_route(&[echo.address()]).more(ADMIN))?;
    let eye = Eye::new(&running)?;
    running.kill(CELL)?;
    eye.wait_for("bountybox_cell_restarts_total", &[], |count| count == 1.0)?;
    eye.wait_for("bountybox_cell_exits_total", &["reason=\"unknown\""], |count| count == 1.0)?;
    eye.wait_until_ready_is(200).map(drop)
}

/// The access log as JSON lines in a file of its own; what a client asked for in vain stands there too.
pub(crate) fn access_file(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let config = Config::default().route(&["localhost"], &[answer.address()]).more("[log]\naccess = \"access.log\"\nformat = \"json\"\n");
    let mut running = Running::start(place, &config)?;
    let file = running.config_file().with_file_name("access.log");
    let mut stream = client::connect(running.address())?;
    let own = stream.sock.local_addr()?;
    client::ask(&mut stream, "hello\n")?;
    drop(stream);
    ensure(client::connect_as(running.address(), "elsewhere.example.test", &client::config(None)?).is_err(), "no such route")?;
    running.signal(Signal::TERM)?;
    running.ended(PATIENCE)?;
    ensure(fs::metadata(&file)?.permissions().mode() & 0o777 == 0o600, "the log is open to others")?;
    let text = fs::read_to_string(&file)?;
    let lines: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let of = |sni: &str| lines.iter().find(|line| line["sni"] == sni).ok_or_else(|| format!("no {sni} in:\n{text}"));
    let (good, bad) = (of("localhost")?, of("elsewhere.example.test")?);
    ensure(good["backend"] == answer.address().to_string() && good["route"] == "localhost" && good["bytes_down"] == 16, good.to_string())?;
    ensure(good["source"].as_str().is_some_and(|source| source.ends_with(&format!(":{}", own.port()))), good.to_string())?;
    ensure(good["handshake_us"].as_u64() > Some(0) && good["duration_us"].as_u64() >= good["handshake_us"].as_u64(), good.to_string())?;
    ensure(bad["end"] == "unknown_name" && bad["alert"] == "unrecognized_name" && bad["version"].is_null(), bad.to_string())?;
    ensure(!running.said().contains("\"kind\":\"access\""), "access lines on standard error too")
}

/// Under `--json` every line is a JSON object, the supervisor's own among them.
pub(crate) fn all_lines_are_json(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let mut running = Running::start(place, &Config::one_route(&[answer.address()]).argument("--json"))?;
    client::ask(&mut client::connect(running.address())?, "hello\n")?;
    running.signal(Signal::TERM)?;
    running.ended(PATIENCE)?;
    let said = running.said();
    let lines: Vec<Value> =
        said.lines().map(serde_json::from_str).collect::<Result<_, _>>().map_err(|fault| format!("{fault}:\n{said}"))?;
    for kind in ["supervisor", "tender", "guest", "access"] {
        ensure(lines.iter().any(|line| line["kind"] == kind), format!("no {kind} in:\n{said}"))?;
    }
    Ok(())
}
