//! A cell that ends brings a signed crash record into the log, which names nobody where it was not the guest that ended. Who is named where it was: `bounty/keeper`, and `make mutants` over the network.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use e2e::contest::{Contest, openssl, public_half};
use e2e::running::CELL;
use e2e::{Outcome, Place, ensure};
use rustix::process::Signal;

use super::sealed::minted;

const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 5, 1);

/// A key of somebody's, and how claims call it.
struct Claimant {
    file: tempfile::NamedTempFile,
    name: String,
}

impl Claimant {
    fn new() -> Outcome<Self> {
        let key = openssl(&["genpkey", "-algorithm", "ed25519"], &[])?;
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), &key)?;
        let public = public_half(core::str::from_utf8(&key)?)?;
        Ok(Self { file, name: format!("ed25519:{}", BASE64_STANDARD.encode(public)) })
    }

    fn claim(&self, contest: &Contest, record: &[u8]) -> Outcome<Vec<u8>> {
        contest.claim("down", &self.name, Some(record), self.file.path())
    }
}

pub(crate) fn is_recorded(place: &Place) -> Outcome {
    let contest = Contest::lab(place)?;
    let (announced, silent) = (Claimant::new()?, Claimant::new()?);
    let answer = contest.post(FROM, "/claimant", announced.name.as_bytes())?;
    ensure(answer.status == 200 && answer.text().contains(&announced.name), format!("{}: {}", answer.status, answer.text()))?;
    contest.running().kill(CELL)?;
    let record = contest.wait_for_entry("restart")?;
    is_signed(&contest, &record)?;
    let text = String::from_utf8(record.clone())?;
    let named: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("claimant ")).collect();
    // It was a signal, and no client's doing.
    ensure(named.is_empty() && text.contains("\ncell 0\n"), text.clone())?;
    // What was kept of it has the digest that the record has.
    let digest = text.lines().find_map(|line| line.strip_prefix("evidence ")).ok_or("no evidence")?;
    let kept = fs::read_dir(contest.path("evidence"))?.filter_map(|entry| fs::read(entry.ok()?.path()).ok()).map(|bytes| {
        let said = openssl(&["dgst", "-sha256", "-r"], &bytes)?;
        Ok(String::from_utf8(said)?.starts_with(digest))
    });
    ensure(kept.collect::<Outcome<Vec<bool>>>()?.contains(&true), format!("no evidence with the digest {digest}"))?;
    for claimant in [&announced, &silent] {
        let claim = claimant.claim(&contest, &record)?;
        let said = contest.post(FROM, "/claim", &claim)?.text();
        ensure(said.starts_with("NotFalsified\n"), said)?;
        ensure(contest.arbiter_verify(&claim)?.0 == Some(30), "the arbiter says otherwise")?;
    }
    // The box is back, the log holds, and its life has no hole: proofs go on.
    let dir = tempfile::tempdir()?;
    contest.fetch_log(dir.path())?;
    let output = contest.log_verify(dir.path(), &[])?;
    ensure(output.status.success(), String::from_utf8_lossy(&output.stdout))?;
    let entries = contest.entries()?;
    let behind = entries.iter().skip_while(|entry| e2e::contest::find(entry, b"\nkind restart\n").is_none());
    ensure(behind.clone().any(|entry| e2e::contest::find(entry, b"\nkind heartbeat\n").is_some()), "no proofs after the restart")
}

/// A box that is stopped, one whose cell ends, and one that is killed as a whole: the next one goes on in the same log, and counts cells on.
pub(crate) fn log_goes_on(place: &Place) -> Outcome {
    let dir = minted(place)?;
    let at = dir.path().join("box");
    for round in 0..4_usize {
        let mut contest = Contest::run(place, &at)?;
        contest.wait_for_entry("heartbeat")?;
        if round == 1 || round == 3 {
            contest.running().kill(CELL)?;
            let records = contest.wait_for_entries("restart", round.div_ceil(2))?;
            let last = String::from_utf8(records.last().ok_or("no restart")?.clone())?;
            // Each start has a cell of its own, and so has each restart.
            let cell = if round == 1 { 1 } else { 4 };
            ensure(last.contains(&format!("\ncell {cell}\n")), last)?;
        }
        // In the middle of it, or in order.
        contest.running().signal(if round == 2 { Signal::KILL } else { Signal::TERM })?;
        contest.running_mut().ended(Duration::from_secs(10))?;
        let output = contest.log_verify(&contest.path("log"), &["--json"])?;
        let verdict: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let counts = ["start", "stop", "restart"].map(|kind| verdict["entries"][kind].as_u64().unwrap_or_default());
        let wanted = [[1, 1, 0], [2, 2, 1], [3, 2, 1], [4, 3, 2]][round];
        ensure(output.status.success() && counts == wanted, format!("round {round}: {verdict}"))?;
    }
    Ok(())
}

/// By the flag of `down`, whose public half the manifest has; openssl says so.
fn is_signed(contest: &Contest, record: &[u8]) -> Outcome {
    let text = core::str::from_utf8(record)?;
    let at = text.rfind("signature ").ok_or("no signature")?;
    let (message, signature) = (&text[..at], text[at..].trim_end().trim_start_matches("signature "));
    let flag = BASE64_STANDARD.encode(public_half(&contest.text("lab/down.pem")?)?);
    ensure(flag == contest.manifest("down.flag")?, "the laboratory's flag is another")?;
    let dir = tempfile::tempdir()?;
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::write(path("message"), message)?;
    fs::write(path("signature"), BASE64_STANDARD.decode(signature)?)?;
    let (key, signature, message) = (contest.path("lab/down.pem").display().to_string(), path("signature"), path("message"));
    let arguments = ["pkeyutl", "-verify", "-rawin", "-inkey", &key, "-sigfile", &signature, "-in", &message];
    openssl(&arguments, &[]).map(|_| ())
}
