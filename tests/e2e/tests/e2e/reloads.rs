//! Reloads of a running box: by signal, by command, by watched files, and many of them under load.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use e2e::client::Stream;
use e2e::eye::{ADMIN, Eye};
use e2e::running::CELL;
use e2e::{Config, Outcome, Place, Running, backend, bountybox, client, ensure};
use rustix::process::Signal;
use rustls_std::ClientConfig;
use rustls_std::pki_types::CertificateDer;
use rustls_std::pki_types::pem::PemObject;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);
/// What the box says when a reload holds.
const HOLDS: &str = "reloaded: new connections";

/// An authority, and what it has issued for `localhost`.
fn mint(dir: &Path) -> Outcome {
    let mint = Command::new(bountybox()).args(["mint", "--force", "--dir"]).arg(dir).arg("localhost").output()?;
    ensure(mint.status.success(), String::from_utf8_lossy(&mint.stderr))
}

/// Writes the configuration anew, in one step.
fn rewrite(running: &Running, change: impl FnOnce(String) -> String) -> Outcome {
    let file = running.config_file();
    let next = file.with_extension("next");
    fs::write(&next, change(fs::read_to_string(&file)?))?;
    Ok(fs::rename(next, file)?)
}

/// Sends a line, and reads the answer's line.
fn line(stream: &mut Stream, line: &str) -> Outcome<String> {
    stream.write_all(format!("{line}\n").as_bytes())?;
    stream.flush()?;
    let mut answer = String::new();
    BufReader::with_capacity(256, stream).read_line(&mut answer)?;
    Ok(answer.trim_end().to_owned())
}

fn is_answered_by(running: &Running, name: &str) -> Outcome {
    let answer = line(&mut client::connect(running.address())?, "who")?;
    ensure(answer == format!("{name}: who"), format!("{name} was wanted, and {answer:?} came"))
}

/// `bountybox reload` fails and says this.
fn is_refused(eye: &Eye<'_>, why: &str) -> Outcome {
    let output = eye.command(&["reload"])?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    ensure(!output.status.success() && said.contains(why), format!("{why:?} is not in {said:?} ({})", output.status))
}

/// A signal and the command take a sound configuration; one that is not, or that asks for what a running box cannot, changes nothing and says
/// why; and a fresh cell begins with the last good one.
pub(crate) fn whole_or_not_at_all(place: &Place) -> Outcome {
    let (one, two, three) = (backend::named("one")?, backend::named("two")?, backend::named("three")?);
    let address = |backend: &backend::Backend| backend.address().to_string();
    let reload = format!("{ADMIN}[reload]\nbackend_ports = [\"{}\"]\n", two.address().port());
    let config = Config::one_route(&[one.address()]).machine("heap_mib", 512).more(&reload);
    let running = Running::start(place, &config)?;
    let eye = Eye::new(&running)?;
    let mut old = client::connect(running.address())?;
    ensure(line(&mut old, "a")? == "one: a", "the first backend")?;

    rewrite(&running, |text| text.replace(&address(&one), &address(&two)))?;
    running.signal(Signal::HUP)?;
    running.wait_for(HOLDS, PATIENCE)?;
    is_answered_by(&running, "two")?;
    ensure(line(&mut old, "b")? == "one: b", "a connection keeps the configuration that it began with")?;
    ensure(eye.metric("bountybox_backend_up", &[&format!("backend=\"{}\"", address(&two))])? == 1.0, "metrics know the new backend")?;

    let good = fs::read_to_string(running.config_file())?;
    let refused = [
        (good.replace("[[route]]", "[[route]]\nmode = \"sideways\""), "sideways"),
        (good.replace("heap_mib = 512", "heap_mib = 256"), "[machine] changed"),
        (good.replace("[[listen]]", "[[listen]]\naddress = \"127.0.0.1:1\"\n[[listen]]"), "[[listen]] changed"),
        (good.replace("127.0.0.1:0", "127.0.0.1:1"), "[admin] changed"),
        (good.replace(&address(&two), &address(&three)), "[reload] backend_ports"),
    ];
    for (text, why) in refused {
        rewrite(&running, |_| text)?;
        is_refused(&eye, why)?;
        is_answered_by(&running, "two")?;
    }
    fresh_cell_has_the_last_good(&running, &eye)?;
    rewrite(&running, |_| good.replace(&address(&two), &address(&one)))?;
    let output = eye.command(&["reload"])?;
    ensure(output.status.success(), String::from_utf8_lossy(&output.stderr))?;
    is_answered_by(&running, "one")?;
    ensure(eye.metric("bountybox_reloads_total", &["result=\"done\""])? == 2.0, "two took effect")?;
    ensure(eye.metric("bountybox_reloads_total", &["result=\"refused\""])? == 5.0, "five did not")
}

/// With a file that is unsound.
fn fresh_cell_has_the_last_good(running: &Running, eye: &Eye<'_>) -> Outcome {
    running.kill(CELL)?;
    eye.wait_for("bountybox_cell_restarts_total", &[], |count| count == 1.0)?;
    eye.wait_until_ready_is(200)?;
    is_answered_by(running, "two")
}

/// A certificate and its key that are written anew are shown without anybody asking.
pub(crate) fn watched_files(place: &Place) -> Outcome {
    let (answer, dir) = (backend::answer()?, tempfile::tempdir()?);
    mint(dir.path())?;
    let config = Config::one_route(&[answer.address()]).certificate(&dir.path().join("chain.pem"), &dir.path().join("key.pem"));
    let running = Running::start(place, &config.more("[reload]\nwatch = true\n"))?;
    let ca = dir.path().join("ca.pem");
    client::connect_as(running.address(), "localhost", &client::trusting(&[&ca])?)?;
    mint(dir.path())?;
    running.wait_for(HOLDS, PATIENCE)?;
    client::connect_as(running.address(), "localhost", &client::trusting(&[&ca])?)?;
    // Half of it is refused, and what was there stays.
    let chain = fs::read(dir.path().join("chain.pem"))?;
    fs::write(dir.path().join("chain.pem"), "nothing")?;
    running.wait_for("nothing was reloaded", PATIENCE)?;
    client::connect_as(running.address(), "localhost", &client::trusting(&[&ca])?)?;
    fs::write(dir.path().join("chain.pem"), chain)?;
    running.wait_for_count(HOLDS, 2, PATIENCE)
}

/// How much of it: twenty reloads, or what the environment says.
struct Size {
    reloads: u64,
    every: Duration,
    /// Connections per second.
    rate: u64,
}

impl Size {
    fn asked_for() -> Self {
        let number = |name: &str, otherwise| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
        Self {
            reloads: number("RELOADS", 20),
            every: Duration::from_millis(number("RELOAD_EVERY_MS", 150)),
            rate: number("RELOAD_RATE", 50),
        }
    }
}

/// One of the two configurations that take turns: its certificate is its own, and so is its backend.
struct Half {
    dir: TempDir,
    leaf: CertificateDer<'static>,
    backend: backend::Backend,
    name: &'static str,
}

impl Half {
    fn new(name: &'static str) -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        mint(dir.path())?;
        let leaf = CertificateDer::from_pem_file(dir.path().join("chain.pem"))?;
        Ok(Self { leaf, backend: backend::named(name)?, name, dir })
    }

    fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }
}

/// What all clients share.
struct Load {
    running: Running,
    halves: [Half; 2],
    config: Arc<ClientConfig>,
    over: AtomicBool,
    /// Connections of each half.
    seen: [AtomicU64; 2],
}

impl Load {
    /// Which half the certificate is of.
    fn half(&self, stream: &Stream) -> Outcome<usize> {
        let leaf = stream.conn.peer_certificates().and_then(|chain| chain.first()).ok_or("no certificate")?;
        Ok(self.halves.iter().position(|half| half.leaf == *leaf).ok_or("a certificate of neither")?)
    }

    /// One connection: who shows the certificate also answers.
    fn short(&self) -> Outcome {
        let mut stream = client::connect_as(self.running.address(), "localhost", &self.config)?;
        let half = self.half(&stream)?;
        let answer = line(&mut stream, "who")?;
        ensure(answer == format!("{}: who", self.halves[half].name), format!("half {half} was answered {answer:?}"))?;
        self.seen[half].fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// One connection through all reloads.
    fn long(&self) -> Outcome<u64> {
        let mut stream = client::connect_as(self.running.address(), "localhost", &self.config)?;
        let name = self.halves[self.half(&stream)?].name;
        let mut count = 0;
        while !self.over.load(Ordering::Relaxed) {
            let answer = line(&mut stream, &count.to_string())?;
            ensure(answer == format!("{name}: {count}"), format!("{name} was wanted, {answer:?} came"))?;
            count += 1;
            thread::sleep(Duration::from_millis(5));
        }
        Ok(count)
    }

    /// Connections at a rate, until it is over.
    fn paced(&self, every: Duration) -> Outcome {
        let mut next = Instant::now();
        while !self.over.load(Ordering::Relaxed) {
            self.short()?;
            next += every;
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }
}

const CLIENTS: u32 = 16;

/// Reload upon reload while clients come and stay: certificate and backend change together, and no connection sees one of each.
pub(crate) fn under_load(place: &Place) -> Outcome {
    let size = Size::asked_for();
    let halves = [Half::new("even")?, Half::new("odd")?];
    let [even, odd] = &halves;
    let reload = format!("{ADMIN}[reload]\nbackend_ports = [\"{}\"]\n", odd.backend.address().port());
    let config = Config::one_route(&[even.backend.address()]).more(&reload).limit("new_per_source_per_s", 100_000);
    let config = config.certificate(&even.dir.path().join("chain.pem"), &even.dir.path().join("key.pem"));
    let running = Running::start(place, &config)?;
    let config = client::trusting(&[&even.ca(), &odd.ca()])?;
    let load = Load { running, halves, config, over: AtomicBool::new(false), seen: [const { AtomicU64::new(0) }; 2] };
    let every = Duration::from_secs(u64::from(CLIENTS)) / u32::try_from(size.rate)?;
    let (took, lines) = thread::scope(|scope| -> Outcome<(Duration, u64)> {
        let short: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| load.paced(every))).collect();
        let long: Vec<_> = (0..4).map(|_| scope.spawn(|| load.long())).collect();
        let reloaded = alternate(&load, &size);
        load.over.store(true, Ordering::Relaxed);
        let died = |_| "a client panicked";
        short.into_iter().try_for_each(|client| client.join().map_err(died)?)?;
        let lines = long
            .into_iter()
            .try_fold(0, |sum, client| Ok::<_, Box<dyn core::error::Error + Send + Sync>>(sum + client.join().map_err(died)??))?;
        Ok((reloaded?, lines))
    })?;
    let [of_even, of_odd] = load.seen.each_ref().map(|count| count.load(Ordering::Relaxed));
    // Numbers for people; the test is that nobody saw anything wrong.
    let _ =
        writeln!(std::io::stderr(), "{} reloads in {took:?}: {of_even} + {of_odd} connections, {lines} lines on 4 streams", size.reloads);
    ensure(of_even > 0 && of_odd > 0, format!("{of_even} and {of_odd}: one half was never seen"))
}

/// All the reloads, each answered before the next.
fn alternate(load: &Load, size: &Size) -> Outcome<Duration> {
    let eye = Eye::new(&load.running)?;
    let start = Instant::now();
    for count in 0..size.reloads {
        let due = start + size.every * u32::try_from(count)?;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let [from, to] = if count % 2 == 0 { [&load.halves[0], &load.halves[1]] } else { [&load.halves[1], &load.halves[0]] };
        let dir = |half: &Half| half.dir.path().display().to_string();
        let backend = |half: &Half| format!("\"{}\"", half.backend.address());
        rewrite(&load.running, |text| text.replace(&dir(from), &dir(to)).replace(&backend(from), &backend(to)))?;
        let output = eye.command(&["reload"])?;
        ensure(output.status.success(), format!("reload {count}: {}", String::from_utf8_lossy(&output.stderr)))?;
    }
    ensure(eye.metric("bountybox_cell_restarts_total", &[])? == 0.0, "the cell was restarted")?;
    Ok(start.elapsed())
}
