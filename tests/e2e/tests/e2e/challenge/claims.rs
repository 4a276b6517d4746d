//! The log grows and holds; claims that are signed with flags are Falsified, others are not.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use e2e::contest::{Contest, TIERS, find};
use e2e::{Outcome, Place, ensure};

/// An address for each three claims: of one source six are taken at once.
fn from(turn: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 8, u8::try_from(turn / 3 + 1).unwrap_or(u8::MAX))
}

/// With a heartbeat each second the log grows; what strangers fetch of it is sound, and goes on from what they fetched before.
pub(crate) fn log_grows(place: &Place) -> Outcome {
    let contest = Contest::lab(place)?;
    let (earlier, later) = (tempfile::tempdir()?, tempfile::tempdir()?);
    contest.wait_for_entry("heartbeat")?;
    let first = contest.fetch_log(earlier.path())?;
    let end = Instant::now() + Duration::from_secs(15);
    let mut second = first;
    // Three more, so that it is no other event that made it grow.
    while second < first + 3 {
        ensure(Instant::now() < end, format!("the log has {second} entries, and had {first}"))?;
        thread::sleep(Duration::from_millis(200));
        second = contest.fetch_log(later.path())?;
    }
    let since = earlier.path().display().to_string();
    let output = contest.log_verify(later.path(), &["--since", &since, "--json"])?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure(output.status.success() && said.contains("\"sound\":true"), said.clone())?;
    let verdict: serde_json::Value = serde_json::from_str(&said)?;
    let of = |kind: &str| verdict["entries"][kind].as_u64().unwrap_or_default();
    ensure(verdict["size"] == second && of("manifest") == 1 && of("start") == 1 && of("heartbeat") + 2 == second, said.clone())?;
    // Each heartbeat has all flags.
    let beat = String::from_utf8(contest.wait_for_entry("heartbeat")?)?;
    for tier in TIERS {
        ensure(beat.contains(&format!("\ntier {tier}\n")), format!("no {tier} in {beat}"))?;
    }
    // One byte of what was fetched, and it is told.
    let name = later.path().join(format!("tile/entries/000.p/{second}"));
    let mut bytes = std::fs::read(&name)?;
    let at = find(&bytes, b"kind heartbeat").ok_or("no heartbeat")? - 2;
    bytes[at] ^= 1;
    std::fs::write(&name, bytes)?;
    let output = contest.log_verify(later.path(), &["--since", &since])?;
    ensure(output.status.code() == Some(33), format!("an altered log: {}", String::from_utf8_lossy(&output.stdout)))
}

/// A claim for each tier but `down`, signed with what the laboratory publishes, is Falsified, by the box and by the arbiter, and stands in the log.
pub(crate) fn judged(place: &Place) -> Outcome {
    let contest = Contest::lab(place)?;
    let mut claims = Vec::new();
    let tiers: Vec<&str> = TIERS.into_iter().filter(|tier| *tier != "down").collect();
    for (turn, tier) in tiers.iter().enumerate() {
        let claim = signed(&contest, tier)?;
        let answer = contest.post(from(turn), "/claim", &claim)?;
        let said = answer.text();
        ensure(answer.status == 200 && said.starts_with(&format!("Falsified\ntier {tier}\n")), format!("{tier}: {said}"))?;
        ensure(said.lines().any(|line| line.starts_with("entry ")), format!("{tier}: {said}"))?;
        let (code, said) = contest.arbiter_verify(&claim)?;
        ensure(code == Some(0) && said.contains("Falsified"), format!("{tier}: {said}"))?;
        claims.push(claim);
    }
    refused(&contest)?;
    let entries = contest.entries()?;
    for (tier, claim) in tiers.iter().zip(&claims) {
        ensure(
            entries.iter().any(|entry| entry.ends_with(claim) && find(entry, b"\nkind claim\n").is_some()),
            format!("no claim for {tier} in the log"),
        )?;
    }
    let count = entries.iter().filter(|entry| find(entry, b"\nkind claim\n").is_some()).count();
    ensure(count == claims.len(), format!("{count} claims in the log, of {}", claims.len()))?;
    let dir = tempfile::tempdir()?;
    contest.fetch_log(dir.path())?;
    let output = contest.log_verify(dir.path(), &[])?;
    ensure(output.status.success(), String::from_utf8_lossy(&output.stdout))?;
    is_on_the_page(&contest, claims.len())
}

/// The page counts the tiers that were won. It is made anew once a second.
fn is_on_the_page(contest: &Contest, wins: usize) -> Outcome {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let facts: serde_json::Value = serde_json::from_slice(&contest.curl(from(0), "/facts.json", &[])?.body)?;
        let won: Vec<_> = facts["tiers"].as_array().ok_or("no tiers")?.iter().map(|tier| tier["won"].as_u64()).collect();
        if won.iter().filter(|won| **won == Some(1)).count() == wins {
            return Ok(());
        }
        ensure(Instant::now() < end, format!("{won:?} were won"))?;
        thread::sleep(Duration::from_millis(200));
    }
}

/// With the flag of its tier. OpenSSL signs with the wallet's as it comes, and of both forms of such a signature one is taken: it is to be made again until it is that one.
fn signed(contest: &Contest, tier: &str) -> Outcome<Vec<u8>> {
    for _ in 0..64 {
        let claim = contest.claim(tier, "somebody who was lucky", None, &contest.path(&format!("lab/{tier}.pem")))?;
        if tier != "wallet" || !contest.arbiter_verify(&claim)?.1.contains("upper half") {
            return Ok(claim);
        }
    }
    Err("64 signatures in the upper half".into())
}

/// With the flag of another tier, changed afterwards, or for a word that nobody has written.
fn refused(contest: &Contest) -> Outcome {
    let not = |turn: usize, claim: &[u8], what: &str| -> Outcome {
        let said = contest.post(from(turn), "/claim", claim)?.text();
        ensure(said.starts_with("NotFalsified\n") && said.contains("no entry"), format!("{what}: {said}"))?;
        let (code, said) = contest.arbiter_verify(claim)?;
        ensure(code == Some(30), format!("{what}: {said}"))
    };
    let wrong = contest.claim("auth", "somebody else", None, &contest.path("lab/read.pem"))?;
    not(30, &wrong, "a claim for auth by the flag of read")?;
    let wallet = contest.claim("wallet", "somebody else", None, &contest.path("lab/auth.pem"))?;
    not(31, &wallet, "a claim for wallet by the flag of auth")?;
    let right = contest.claim("read", "somebody who was lucky", None, &contest.path("lab/read.pem"))?;
    let altered = String::from_utf8(right)?.replace("who was lucky", "who was quick");
    not(33, altered.as_bytes(), "a claim with another claimant")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let message = format!("bountybox-claim 1\nmanifest {}\ntier write\nclaimant somebody\ntext Please.\ntime {now}\n", contest.digest()?);
    let answer = contest.post(from(36), "/sign", message.as_bytes())?;
    ensure(answer.status == 409, format!("/sign: {}: {}", answer.status, answer.text()))
}
