//! `bountybox challenge change`: the operator changes what is promised of a contest that has run, and everybody is told; and a claim that was committed to before keeps what was promised then.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use e2e::contest::{Contest, find};
use e2e::{Outcome, Place, bountybox, ensure};
use rustix::process::Signal;

use super::sealed::minted;

const FROM: Ipv4Addr = Ipv4Addr::LOCALHOST;
const RULES: &str = "Other rules\n\n1. All is allowed.\n";

fn change(at: &Path, flags: &[&str]) -> Outcome<Output> {
    Ok(Command::new(bountybox()).args(["challenge", "change", "--dir"]).arg(at).args(flags).output()?)
}

/// Stops the box, and says what its log holds.
fn stopped(contest: &mut Contest) -> Outcome<serde_json::Value> {
    contest.running().signal(Signal::TERM)?;
    contest.running_mut().ended(Duration::from_secs(10))?;
    let output = contest.log_verify(&contest.path("log"), &["--json"])?;
    ensure(output.status.success(), String::from_utf8_lossy(&output.stdout))?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The documents of a claim that was committed to: claim, receipt and opening, and all of it as it is handed in.
fn committed(contest: &Contest) -> Outcome<Vec<u8>> {
    let dir = tempfile::tempdir()?;
    let claim = contest.claim("read", "somebody who waits", None, &contest.path("secret/read.pem"))?;
    fs::write(dir.path().join("claim"), &claim)?;
    let script = "printf how >write-up; openssl rand 32 >salt
        { echo 'bountybox-commitment 1'; openssl dgst -sha256 -binary claim; openssl dgst -sha256 -binary write-up; cat salt; } | openssl dgst -sha256 -r | cut -c 1-64 >commitment
        { echo 'bountybox-opening 1'; echo \"write-up $(openssl dgst -sha256 -r write-up | cut -c 1-64)\"; echo \"salt $(od -An -v -tx1 salt | tr -d ' \\n')\"; } >opening";
    let done = Command::new("sh").args(["-euc", script]).current_dir(dir.path()).output()?;
    ensure(done.status.success(), String::from_utf8_lossy(&done.stderr))?;
    let commitment = fs::read(dir.path().join("commitment"))?;
    let answer = contest.post(FROM, "/commitment", commitment.trim_ascii())?;
    ensure(answer.status == 200 && answer.text().starts_with("bountybox-receipt 1\n"), answer.text())?;
    Ok([&claim[..], b"\n", &answer.body, b"\n", &fs::read(dir.path().join("opening"))?].concat())
}

/// The log tells of the change, proofs name the new manifest, the page shows both; a claim that names the old one is taken with what it was committed to, and not by itself.
pub(crate) fn is_told(place: &Place) -> Outcome {
    let dir = minted(place)?;
    let at = dir.path().join("box");
    fs::write(dir.path().join("rules"), RULES)?;
    let mut contest = Contest::run(place, &at)?;
    contest.wait_for_entry("heartbeat")?;
    let (before, reveal) = (contest.digest()?, committed(&contest)?);
    let bare = contest.claim("auth", "somebody who was late", None, &contest.path("secret/auth.pem"))?;
    let beats = stopped(&mut contest)?["entries"]["heartbeat"].as_u64().ok_or("no heartbeat")?;
    let output = change(&at, &["--rules", &dir.path().join("rules").display().to_string(), "--prize", "read=2,000 EUR"])?;
    ensure(output.status.success(), String::from_utf8_lossy(&output.stderr))?;
    let said = String::from_utf8(output.stdout)?;
    let mut contest = Contest::run(place, &at)?;
    let after = contest.digest()?;
    for wanted in ["version 2\n".into(), format!("from {before}\n"), format!("to {after}\n")] {
        ensure(before != after && said.contains(&wanted), format!("{wanted}: {said}"))?;
    }
    let entry = String::from_utf8(contest.wait_for_entry("rules")?)?;
    ensure(said.starts_with("bountybox-change 1\n") && entry.starts_with(&said), entry.clone())?;
    ensure(entry.contains("\nread.prize 2,000 EUR\n") && entry.ends_with(RULES), entry)?;
    let beats = contest.wait_for_entries("heartbeat", usize::try_from(beats)? + 1)?;
    let last = beats.last().ok_or("no heartbeat")?;
    ensure(find(last, format!("manifest {after}\n").as_bytes()).is_some(), "the flags prove another manifest than the one in force")?;
    is_on_the_page(&contest, [&before, &after])?;
    let told = contest.post(FROM, "/claim", &bare)?.text();
    ensure(told.starts_with("Falsified\n") && told.contains("no entry: ") && told.contains("sign the claim anew"), told)?;
    let told = contest.post(FROM, "/claim", &reveal)?.text();
    ensure(told.starts_with("Falsified\ntier read\n") && told.contains("\ncommitted ") && told.contains("\nentry "), told)?;
    ensure(contest.wait_for_entry("claim")? == reveal, "the log has not what was handed in")?;
    let anew = contest.claim("auth", "somebody who was late", None, &contest.path("secret/auth.pem"))?;
    let told = contest.post(FROM, "/claim", &anew)?.text();
    ensure(told.starts_with("Falsified\ntier auth\n") && told.contains("\nentry "), told)?;
    let verdict = stopped(&mut contest)?;
    ensure(verdict["entries"]["rules"] == 1 && verdict["entries"]["claim"] == 2 && verdict["entries"]["start"] == 2, verdict.to_string())?;
    refused(place, &at)
}

fn is_on_the_page(contest: &Contest, [before, after]: [&str; 2]) -> Outcome {
    let facts: serde_json::Value = serde_json::from_slice(&contest.curl(FROM, "/facts.json", &[])?.body)?;
    let change = &facts["changes"][0];
    ensure(
        facts["manifest_version"] == 2 && facts["manifest"] == after && change["from"] == before && change["to"] == after,
        facts.to_string(),
    )?;
    ensure(facts["tiers"][1]["prize"] == "2,000 EUR", facts.to_string())?;
    for (version, has_new_prize) in [(before, false), (after, true)] {
        let manifest = contest.curl(FROM, &format!("/manifest/{version}"), &[])?;
        ensure(manifest.status == 200 && manifest.text().contains("read.prize 2,000 EUR\n") == has_new_prize, manifest.text())?;
    }
    ensure(contest.curl(FROM, "/rules", &[])?.text() == RULES, "the page has other rules")?;
    let page = contest.curl(FROM, "/", &[])?.text();
    ensure(page.contains("Version 2 of the manifest is in force") && page.contains(before) && page.contains(after), page)
}

/// What may not be changed, or not by whom; and a box whose folder has lost what its log has does not serve.
fn refused(place: &Place, at: &Path) -> Outcome {
    let other = tempfile::NamedTempFile::new()?;
    fs::copy(at.join("contest/secret/log.pem"), other.path())?;
    for (flags, code, why) in [
        (
            vec!["--key".to_owned(), other.path().display().to_string(), "--end".into(), "4000000000".into()],
            34,
            "not the one that signed the manifest",
        ),
        (vec!["--end".into(), "4000000000".into()], 34, "certificates are good until"),
        (vec!["--prize".into(), "read=2,000 EUR".into()], 34, "nothing is changed"),
        (vec![], 2, "required"),
    ] {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let output = change(at, &flags)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure(output.status.code() == Some(code) && said.contains(why), format!("{flags:?}: {}: {said}", output.status))?;
    }
    let file = at.join("contest/public/change-2");
    ensure(!at.join("contest/public/change-3").exists(), "what was refused was written")?;
    let kept = fs::read(&file)?;
    fs::remove_file(&file)?;
    let (code, said) = super::sealed::refused(place, at, &[])?;
    let said = String::from_utf8_lossy(&said);
    ensure(code == Some(34) && said.contains("public/change-N"), format!("{code:?}: {said}"))?;
    fs::write(&file, [&kept[..], b"more"].concat())?;
    let (code, said) = super::sealed::refused(place, at, &[])?;
    let said = String::from_utf8_lossy(&said);
    ensure(code.is_some_and(|code| code != 0) && said.contains("public/change-2"), format!("{code:?}: {said}"))?;
    fs::write(&file, kept)?;
    let mut contest = Contest::run(place, at)?;
    contest.wait_for_entries("start", 3)?;
    stopped(&mut contest).map(|_| ())
}
