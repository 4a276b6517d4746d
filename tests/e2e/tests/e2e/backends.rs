//! Backends that refuse, die, hang, are unwell, come back; all that die: what docs/backends.md says, with real sockets. The finer cases are in tests/sim.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use e2e::backend::{self, Backend};
use e2e::eye::{ADMIN, Eye};
use e2e::{Config, Outcome, Place, Running, client, ensure};
use rustix::process::Signal;

/// Checks fast enough for a test.
const CHECK: &str = "interval_ms = 100\ntimeout_ms = 300\nrise = 2\nfall = 2";
/// How long the box may take to notice: many times what it needs, for a busy host.
const NOTICE: Duration = Duration::from_secs(20);

fn ask(running: &Running) -> Outcome {
    let answer = client::ask(&mut client::connect(running.address())?, "hello\n")?;
    ensure(answer == "answer to hello\n", format!("got {answer:?}; the box said:\n{}", running.said()))
}

/// A request that no backend answers: it ends soon, without data, and the client can tell that it was cut off.
fn ask_in_vain(running: &Running) -> Outcome {
    let start = Instant::now();
    let mut stream = client::connect(running.address())?;
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes);
    ensure(bytes.is_empty() && ended.is_err(), format!("{bytes:?} {ended:?}"))?;
    ensure(start.elapsed() < Duration::from_secs(5), format!("it took {:?}", start.elapsed()))
}

/// Ends a backend, and waits until its port refuses.
fn kill(backend: Backend) -> Outcome<SocketAddr> {
    let address = backend.address();
    drop(backend);
    let end = Instant::now() + NOTICE;
    while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
        ensure(Instant::now() < end, "a backend that does not die")?;
        thread::sleep(Duration::from_millis(5));
    }
    Ok(address)
}

/// Asks until `backend` has had one more connection.
fn ask_until_served_by(running: &Running, backend: &Backend) -> Outcome {
    let (before, end) = (backend.accepted(), Instant::now() + NOTICE);
    while backend.accepted() == before {
        ensure(Instant::now() < end, format!("it never gets a connection again; the box said:\n{}", running.said()))?;
        ask(running)?;
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// A backend as metrics name it.
fn label(backend: SocketAddr) -> String {
    format!("backend=\"{backend}\"")
}

/// What metrics and status say of a backend.
fn seen_as(running: &Running, backend: SocketAddr, state: &str) -> Outcome {
    let eye = Eye::new(running)?;
    eye.wait_for("bountybox_backend_up", &[&label(backend)], |up| up == f64::from(u8::from(state == "up")))?;
    let checks = eye.metric("bountybox_backend_checks_total", &[&label(backend), "result=\"failed\""])?;
    ensure(checks >= 1.0, format!("{checks} checks have failed"))?;
    let row = row(running, backend)?;
    ensure(row.split_whitespace().any(|word| word == state), row)
}

/// A backend's row in the table of `bountybox status`.
fn row(running: &Running, backend: SocketAddr) -> Outcome<String> {
    let table = String::from_utf8(Eye::new(running)?.command(&["status"])?.stdout)?;
    let backend = backend.to_string();
    let row = table.lines().find(|line| line.contains(&backend)).ok_or_else(|| format!("no row in:\n{table}"))?;
    Ok(row.to_owned())
}

/// How connections ended, in the access log and in the metrics: so many for this reason.
fn ended_as(running: &Running, reason: &str, count: u32) -> Outcome {
    running.wait_for_count(&format!(" end={reason} "), usize::try_from(count)?, NOTICE)?;
    let label = format!("reason=\"{reason}\"");
    Eye::new(running)?.wait_for("bountybox_connections_ended_total", &[&label], |ended| ended == f64::from(count)).map(drop)
}

/// A backend that refuses is passed over: with two, of which one is not there, every request succeeds.
pub(crate) fn refused_is_passed_over(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let running = Running::start(place, &Config::one_route(&[backend::nobody()?, answer.address()]))?;
    let start = Instant::now();
    for _ in 0..20 {
        ask(&running)?;
    }
    ensure(answer.accepted() == 20, format!("{} of 20", answer.accepted()))?;
    ensure(start.elapsed() < Duration::from_secs(10), format!("it took {:?}", start.elapsed()))?;
    running.wait_for("backend failed", NOTICE)?;
    running.wait_for("backend ejected", NOTICE)
}

/// A backend dies: requests go on. It comes back: it gets some again.
pub(crate) fn dies_and_comes_back(place: &Place) -> Outcome {
    let (one, two) = (backend::answer()?, backend::answer()?);
    let eject = "[route.eject]\nfailures = 1\nfor_ms = 300";
    let mut running = Running::start(place, &Config::one_route(&[one.address(), two.address()]).more(eject).more(ADMIN))?;
    ask_until_served_by(&running, &one)?;
    let address = kill(one)?;
    for _ in 0..10 {
        ask(&running)?;
    }
    running.wait_for("backend ejected", NOTICE)?;
    Eye::new(&running)?.wait_for("bountybox_backend_failures_total", &[&label(address)], |count| count >= 1.0)?;
    let one = backend::answer_at(address)?;
    ask_until_served_by(&running, &one)?;
    running.wait_for("backend up", NOTICE)?;
    Eye::new(&running)?.wait_for("bountybox_backend_up", &[&label(address)], |up| up == 1.0)?;
    ensure(row(&running, address)?.contains(" up "), "the table of `status` says that it is up")?;
    running.signal(Signal::TERM)?;
    running.ended(NOTICE)?;
    ensure(running.counter("ended", "no_backend")? == 0, "no request was lost")?;
    ensure(running.counter("cell", "backend_failures")? >= 1, "its refusals were counted")
}

/// A backend hangs: its queue is full, so the kernel drops what else comes. A check notices, and no client waits for it.
pub(crate) fn hangs(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let hanging = TcpListener::bind("127.0.0.1:0")?;
    socket2::SockRef::from(&hanging).listen(0)?;
    let address = hanging.local_addr()?;
    let _queued: Vec<_> = (0..8).map_while(|_| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok()).collect();
    let config = Config::one_route(&[address, answer.address()]).more(&format!("[route.check]\n{CHECK}")).more(ADMIN);
    let running = Running::start(place, &config)?;
    running.wait_for("backend down", NOTICE)?;
    seen_as(&running, address, "down")?;
    for _ in 0..6 {
        let start = Instant::now();
        ask(&running)?;
        ensure(start.elapsed() < Duration::from_secs(2), format!("a client waited {:?} for it", start.elapsed()))?;
    }
    ensure(running.said().contains("check=Silent"), running.said())
}

/// Answers HTTP requests with this status, and lines with lines.
fn http(status: &'static str) -> io::Result<Backend> {
    Backend::start(move |stream| serve(stream, status))
}

fn serve(mut stream: TcpStream, status: &str) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    if line.starts_with("GET /healthz HTTP/1.1") {
        return write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    write!(stream, "answer to {line}")
}

/// An HTTP check takes a backend out that takes connections and is not well.
pub(crate) fn is_unwell(place: &Place) -> Outcome {
    let (well, unwell) = (http("204 No Content")?, http("503 Service Unavailable")?);
    let check = format!("[route.check]\nkind = \"http\"\npath = \"/healthz\"\nexpect = \"200-299\"\n{CHECK}");
    let running = Running::start(place, &Config::one_route(&[unwell.address(), well.address()]).more(&check))?;
    running.wait_for("check=Status(503)", NOTICE)?;
    let before = running.said().matches("backend down").count();
    for _ in 0..6 {
        ask(&running)?;
    }
    ensure(before == 1, format!("the other one is well; the box said:\n{}", running.said()))
}

/// A backend takes connections and resets them: its clients can tell, the records say whose doing it was, and it stays in.
pub(crate) fn resets(place: &Place) -> Outcome {
    let resetter = backend::resetter(1000)?;
    let running = Running::start(place, &Config::one_route(&[resetter.address()]).more(ADMIN))?;
    for _ in 0..3 {
        let mut stream = client::connect(running.address())?;
        stream.write_all(b"x")?;
        stream.flush()?;
        let mut bytes = Vec::new();
        ensure(stream.read_to_end(&mut bytes).is_err(), "an orderly end where the backend had none")?;
    }
    ended_as(&running, "backend_gone", 3)?;
    let labels = label(resetter.address());
    let eye = Eye::new(&running)?;
    ensure(eye.metric("bountybox_backend_connections_total", &[&labels])? == 3.0, "it took three")?;
    ensure(eye.metric("bountybox_backend_failures_total", &[&labels])? == 0.0, "what clients can cause is no failure")?;
    ensure(row(&running, resetter.address())?.contains(" up "), "it stays in")
}

/// All die: each client hears it at once, and in the access record. They come back: clients are served.
pub(crate) fn all_die(place: &Place) -> Outcome {
    let (one, two) = (backend::answer()?, backend::answer()?);
    let config = Config::one_route(&[one.address(), two.address()]).more(&format!("[route.check]\n{CHECK}")).more(ADMIN);
    let mut running = Running::start(place, &config)?;
    let eye = Eye::new(&running)?;
    eye.wait_until_ready_is(200)?;
    ask(&running)?;
    let (first, second) = (kill(one)?, kill(two)?);
    running.wait_for_count("backend down", 2, NOTICE)?;
    eye.wait_until_ready_is(503)?;
    ask_in_vain(&running)?;
    ended_as(&running, "backends_down", 1)?;
    seen_as(&running, first, "down")?;
    seen_as(&running, second, "down")?;
    let _one = backend::answer_at(first)?;
    running.wait_for("backend up", NOTICE)?;
    eye.wait_until_ready_is(200)?;
    ask(&running)?;
    seen_as(&running, first, "up")?;
    seen_as(&running, second, "down")?;
    running.signal(Signal::TERM)?;
    running.ended(NOTICE)?;
    ensure(running.counter("ended", "no_backend")? == 1, running.said())
}

/// All die and nobody checks: each client is told, and the first one after their return is served.
pub(crate) fn all_die_unchecked(place: &Place) -> Outcome {
    let one = backend::answer()?;
    let running = Running::start(place, &Config::one_route(&[one.address()]))?;
    ask(&running)?;
    let address = kill(one)?;
    for _ in 0..5 {
        ask_in_vain(&running)?;
    }
    let _one = backend::answer_at(address)?;
    ask(&running)
}

/// A backend with room for one: the second client waits for the first, and is served.
pub(crate) fn is_full(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let config = Config::one_route(&[answer.address()]).more("backend_connections = 1\nqueue = 1\nqueue_timeout_ms = 20000");
    let running = Running::start(place, &config)?;
    let first = client::connect(running.address())?;
    while answer.accepted() == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    let mut second = client::connect(running.address())?;
    second.write_all(b"hello\n")?;
    second.flush()?;
    thread::sleep(Duration::from_millis(100));
    ensure(answer.accepted() == 1, "the second waits")?;
    // There is no place in the line for a third.
    ask_in_vain(&running)?;
    drop(first);
    let mut line = String::new();
    BufReader::new(&mut second).read_line(&mut line)?;
    ensure(line == "answer to hello\n", format!("got {line:?}"))
}
