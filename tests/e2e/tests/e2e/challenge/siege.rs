//! A contest's box under mixed hostile traffic: evidence stays within its bounds, no proof is missing from the log, memory does not grow, and whoever is honest is served.

use core::net::{Ipv4Addr, SocketAddr};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Instant;

use e2e::contest::{Contest, Door};
use e2e::peer::{Peer, common_name, right};
use e2e::running::PAGE;
use e2e::{Outcome, Place, ensure};
use peers::Authority;

use super::sealed::minted;

/// Evidence in all: two MiB of capture, what is told of it, and the restarts that there are not.
const CAPTURE_MIB: u64 = 8;
const TRACES_BYTES: u64 = 32 << 20;
/// Honest requests come from here, hostile ones from the next.
const HONEST: Ipv4Addr = Ipv4Addr::new(127, 0, 7, 1);
/// How much memory may grow after the first quarter, by share: the kernel's accounting of shared pages moves by that.
const GROWTH_MAX: f64 = 1.15;

/// For SIEGE_SECONDS, or eight.
pub(crate) fn stands(place: &Place) -> Outcome {
    let seconds = std::env::var("SIEGE_SECONDS").map_or(Ok(8), |seconds| seconds.parse())?;
    let dir = minted(place)?;
    let file = dir.path().join("box/bountybox.toml");
    let words = fs::read_to_string(&file)?.replace("heartbeat_s = 1\n", &format!("heartbeat_s = 1\ncapture_mib = {CAPTURE_MIB}\n"));
    fs::write(&file, words)?;
    let contest = Contest::run(place, &dir.path().join("box"))?;
    contest.wait_for_entry("heartbeat")?;
    let page = contest.running().process(PAGE)?;
    let (over, blows) = (AtomicBool::new(false), AtomicU64::new(0));
    let seen = thread::scope(|scope| {
        for attack in [garbage, hello_and_wait, no_certificate, silent_peer, knock, requests] {
            let (contest, over, blows) = (&contest, &over, &blows);
            scope.spawn(move || {
                // A place that is full or gone is no reason to stop.
                while !over.load(Ordering::Relaxed) {
                    let _refused = attack(contest);
                    blows.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(2));
                }
            });
        }
        let seen = watch(&contest, Duration::from_secs(seconds));
        over.store(true, Ordering::Relaxed);
        seen
    });
    let seen = seen.map_err(|fault| format!("{fault}; the box said: {}", tail(&contest.running().said())))?;
    ensure(blows.load(Ordering::Relaxed) > 10 * seconds, format!("only {} attacks", blows.load(Ordering::Relaxed)))?;
    ensure(contest.released() == 0, "somebody was let in")?;
    // It would have been back in no time, and whoever was being served gone.
    ensure(contest.running().process(PAGE)? == page, "the page's process has ended on the way")?;
    seen.judge(seconds)?;
    // The log holds, and no second without its proof is longer than three.
    let log = tempfile::tempdir()?;
    contest.fetch_log(log.path())?;
    let output = contest.log_verify(log.path(), &[])?;
    ensure(output.status.success(), String::from_utf8_lossy(&output.stdout))?;
    let beats = heartbeats(&contest.entries()?);
    let gap = beats.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or(u64::MAX);
    ensure(gap <= 3 && beats.len() as u64 >= seconds / 2, format!("{} heartbeats in {seconds} s, {gap} s between two", beats.len()))
}

/// What was seen meanwhile.
#[derive(Default)]
struct Seen {
    memory: Vec<u64>,
    evidence: u64,
    honest: u64,
}

impl Seen {
    fn judge(&self, seconds: u64) -> Outcome {
        let bound = (CAPTURE_MIB << 20) + TRACES_BYTES;
        ensure(self.evidence > 0 && self.evidence <= bound, format!("{} bytes of evidence, {bound} at most", self.evidence))?;
        ensure(self.honest * 4 >= seconds, format!("{} honest requests in {seconds} s", self.honest))?;
        let quarter = self.memory.len() / 4;
        let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0) as f64;
        let (early, late) = (most(&self.memory[quarter..2 * quarter]), most(&self.memory[3 * quarter..]));
        // A run of seconds is still filling its rings and its evidence: flat is what minutes are.
        ensure(seconds < 60 || late <= early * GROWTH_MAX, format!("memory went from {early} to {late} bytes"))
    }
}

fn watch(contest: &Contest, time: Duration) -> Outcome<Seen> {
    let (until, mut seen) = (Instant::now() + time, Seen::default());
    while Instant::now() < until {
        let answer = contest.curl(HONEST, "/facts.json", &[])?;
        ensure(answer.status == 200, format!("{}: {}", answer.status, answer.text()))?;
        seen.honest += 1;
        seen.memory.push(contest.running().memory());
        seen.evidence = seen.evidence.max(bytes_in(&contest.path("evidence"))?);
        thread::sleep(Duration::from_millis(500));
    }
    Ok(seen)
}

fn bytes_in(dir: &Path) -> Outcome<u64> {
    // One that is making room for another may be gone by now.
    Ok(fs::read_dir(dir)?.filter_map(|entry| entry.ok()?.metadata().ok()).map(|file| file.len()).sum())
}

/// When each heartbeat was entered.
fn heartbeats(entries: &[Vec<u8>]) -> Vec<u64> {
    let texts = entries.iter().map(|entry| String::from_utf8_lossy(entry));
    texts
        .filter(|text| text.contains("\nkind heartbeat\n"))
        .filter_map(|text| text.lines().find_map(|line| line.strip_prefix("time ")?.parse().ok()))
        .collect()
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

fn everywhere(contest: &Contest) -> [SocketAddr; 4] {
    let [server, call_back, reverse] = Door::ALL.map(|door| contest.door(door));
    [server, call_back, reverse, contest.running().address()]
}

fn open(to: SocketAddr) -> Outcome<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_millis(300)))?;
    stream.set_write_timeout(Some(Duration::from_millis(300)))?;
    Ok(stream)
}

fn garbage(contest: &Contest) -> Outcome {
    for (turn, to) in everywhere(contest).into_iter().enumerate() {
        let mut stream = open(to)?;
        let bytes: Vec<u8> = (0..3000_usize).map(|n| u8::try_from((n * (turn + 7) + n / 251) % 256).unwrap_or(0)).collect();
        stream.write_all(&bytes)?;
        let _alert = stream.read(&mut [0; 64]);
    }
    Ok(())
}

/// A record's beginning, and then nothing for a while.
fn hello_and_wait(contest: &Contest) -> Outcome {
    let streams: Vec<_> = everywhere(contest).into_iter().cycle().take(16).filter_map(|to| open(to).ok()).collect();
    streams.iter().try_for_each(|mut stream| stream.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]))?;
    thread::sleep(Duration::from_millis(200));
    Ok(())
}

/// Whoever has no certificate of an authority: each door refuses.
fn no_certificate(contest: &Contest) -> Outcome {
    let mut stream = open(contest.running().address())?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let _alert = stream.read(&mut [0; 64]);
    for door in [Door::Server, Door::Reverse] {
        // All is right but that it signed itself.
        let shown = Authority::new(&common_name(door)).make(&right(door));
        let _refused = Peer::new(contest, door, &shown, 0).and_then(|peer| peer.visit(contest, Ipv4Addr::new(127, 0, 7, 2)));
    }
    Ok(())
}

/// The box speaks first, and hears nothing; or hears that it was over.
fn silent_peer(contest: &Contest) -> Outcome {
    let mut stream = open(contest.door(Door::Reverse))?;
    let _hello = stream.read(&mut [0; 600]);
    stream.write_all(&[21, 3, 3, 0, 2, 2, 80])?;
    stream.shutdown(Shutdown::Both)?;
    Ok(())
}

/// Nobody listens where the box calls back.
fn knock(contest: &Contest) -> Outcome {
    let mut stream = open(contest.door(Door::CallBack))?;
    let _fin = stream.read(&mut [0; 16]);
    Ok(())
}

/// What the page takes from strangers, and what it does not.
fn requests(contest: &Contest) -> Outcome {
    let from = Ipv4Addr::new(127, 0, 7, 3);
    for path in ["/", "/manifest", "/nothing", "/possession/00", "/tile/0/x999/000"] {
        contest.curl(from, path, &[])?;
    }
    contest.post(from, "/claim", &[b'x'; 5000])?;
    contest.post(from, "/claim", &[b'x'; 60_000])?;
    contest.post(from, "/sign", b"bountybox-claim 1\n")?;
    Ok(())
}
