//! A laboratory: a box of one's own, minted for the image that it runs, in a folder that is gone afterwards. And how what an exploit comes to is judged there.

use core::fmt;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use arbiter::note::VerifierKey;
use bounty_log::check::{Trust, check};
use bounty_log::entry::{Entry, Kind};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::exploits::Exploit;
use crate::{Outcome, Target, web};

/// How long a box may take to mint its contest and to be ready.
const READY_PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// Ports that a laboratory takes, one behind the other: the page over TLS, and six that `--ports` counts.
const PORTS: u16 = 7;

/// What a laboratory is made of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The command, which is the tender too.
    pub command: PathBuf,
    /// The guest image.
    pub image: PathBuf,
    /// `kvm`, `process` or `auto`.
    pub machine: String,
}

/// A running box.
#[derive(Debug)]
pub struct Lab {
    parts: Parts,
    child: Child,
    dir: TempDir,
    target: Target,
}

/// What an attack came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The claim holds; the page, the command and the log agree.
    Falsified,
    /// There is a claim, and it does not hold.
    NotFalsified,
    /// There is nothing to claim.
    Nothing,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Falsified => "Falsified",
            Self::NotFalsified => "NotFalsified",
            Self::Nothing => "nothing to claim",
        })
    }
}

impl Lab {
    /// Mints a contest, and starts its box.
    ///
    /// # Errors
    /// It does not come up; with what it said.
    pub fn start(parts: &Parts) -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        let base = free_ports()?;
        let at = |place: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, base.saturating_add(place)));
        let said = File::create(dir.path().join("said"))?;
        let mut command = Command::new(&parts.command);
        command.args([
            "challenge",
            "--lab",
            "--machine",
            &parts.machine,
            "--listen",
            &at(0).to_string(),
            "--ports",
            &at(1).port().to_string(),
        ]);
        command.arg("--image").arg(&parts.image).arg("--dir").arg(dir.path().join("lab"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn()?;
        let public = dir.path().join("lab/contest/public");
        let published = dir.path().join("lab/contest/lab");
        let target = Target { lab: published, server: at(1), reverse: at(4), page: at(6), public, image: parts.image.clone() };
        let mut lab = Self { parts: parts.clone(), child, dir, target };
        lab.wait_until_ready()?;
        Ok(lab)
    }

    fn wait_until_ready(&mut self) -> Outcome {
        let end = Instant::now() + READY_PATIENCE;
        while Instant::now() < end && self.child.try_wait()?.is_none() {
            if self.said().contains("ready") && web::get(self.target.page, "/").is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the box did not come up; it said:\n{}", self.said()).into())
    }

    /// What it wrote to standard error.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(self.dir.path().join("said")).unwrap_or_default()
    }

    /// What an exploit may know of it.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Attacks it, hands in what there is to claim, and has it judged.
    ///
    /// # Errors
    /// A step of the exploit does not work, or page, command and log do not agree.
    pub fn attack(&self, exploit: &Exploit) -> Outcome<Verdict> {
        let Some(claim) = (exploit.run)(&self.target)? else { return self.nothing_claimed(exploit) };
        let answer = web::post(self.target.page, "/claim", &claim)?;
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        let file = self.dir.path().join("claim");
        fs::write(&file, &claim)?;
        let holds = self.arbiter_says(&file)?;
        let entered = self.claims()?.contains(&claim);
        self.log_holds()?;
        match (told.lines().next(), holds, entered) {
            (Some("Falsified"), true, true) if told.lines().any(|line| line == format!("tier {}", exploit.tier)) => Ok(Verdict::Falsified),
            (Some("NotFalsified"), false, false) => Ok(Verdict::NotFalsified),
            _ => Err(format!("the page said {told:?}, the arbiter's word is {holds}, and that the log has it is {entered}").into()),
        }
    }

    fn nothing_claimed(&self, exploit: &Exploit) -> Outcome<Verdict> {
        self.log_holds()?;
        if self.claims()?.is_empty() {
            Ok(Verdict::Nothing)
        } else {
            Err(format!("the log has a claim, and not by {}", exploit.name).into())
        }
    }

    fn keys(&self) -> Outcome<(VerifierKey, VerifierKey)> {
        let operator = VerifierKey::parse(&self.target.operator()?);
        let log = self.target.manifest(|manifest| VerifierKey::parse(&manifest.log.to_string()))?;
        Ok((operator.map_err(|wrong| format!("{wrong:?}"))?, log.map_err(|wrong| format!("{wrong:?}"))?))
    }

    /// The claims in the log, as the page serves it.
    fn claims(&self) -> Outcome<Vec<Vec<u8>>> {
        let (operator, log) = self.keys()?;
        let report = check(&web::Log(self.target.page), &Trust { log: &log, operator: Some(&operator), earlier: Vec::new() });
        if !report.is_sound() {
            return Err(format!("the log that the page serves does not hold: {:?}", report.findings).into());
        }
        let entries = report.entries.iter().filter_map(|entry| Entry::parse(entry).ok());
        Ok(entries.filter(|entry| entry.kind == Kind::Claim).map(|entry| entry.document.to_vec()).collect())
    }

    fn log_holds(&self) -> Outcome {
        let (operator, log) = self.keys()?;
        let mut command = Command::new(&self.parts.command);
        command.args(["log", "verify", "--log", &log.to_string(), "--operator", &operator.to_string()]);
        let output = command.arg(self.dir.path().join("lab/contest/log")).output()?;
        let told = String::from_utf8_lossy(&output.stdout);
        if output.status.success() { Ok(()) } else { Err(format!("`bountybox log verify` says: {told}").into()) }
    }

    /// Whether `bountybox arbiter verify` takes this claim.
    fn arbiter_says(&self, claim: &Path) -> Outcome<bool> {
        let mut command = Command::new(&self.parts.command);
        command.args(["arbiter", "verify", "--operator", &self.target.operator()?, "--manifest"]).arg(self.target.public.join("manifest"));
        let output = command.arg("--claim").arg(claim).output()?;
        let told = String::from_utf8_lossy(&output.stdout);
        let holds = output.status.success();
        if holds == told.starts_with("Falsified") { Ok(holds) } else { Err(format!("`bountybox arbiter verify` says: {told}").into()) }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let _gone = pid.map(|pid| kill_process(pid, Signal::TERM));
        let end = Instant::now() + STOP_PATIENCE;
        while Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// The first of so many ports of loopback that nobody listens at. Below those that the kernel gives away by itself, and apart for each process.
fn free_ports() -> Outcome<u16> {
    let spread = u16::try_from(std::process::id() % 1000)?;
    let bases = (0..1000_u16).map(|step| 12_000 + (spread + step) % 1000 * PORTS);
    let is_free = |base: &u16| (0..PORTS).all(|place| TcpListener::bind((Ipv4Addr::LOCALHOST, base.saturating_add(place))).is_ok());
    bases.into_iter().find(is_free).ok_or_else(|| "no ports are free".into())
}
