//! Proofs of possession: asked for with curl over the box's own TLS, checked with the script that the contest publishes.

use core::net::Ipv4Addr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::contest::{Contest, TIERS, openssl};
use e2e::{Outcome, Place, ensure};

const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 6, 1);

/// Where the script finds what it is given: manifest and script as the page serves them.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new(contest: &Contest) -> Outcome<Self> {
        let bench = Self(tempfile::tempdir()?);
        for name in ["manifest", "check-possession"] {
            let answer = contest.curl(FROM, &format!("/{name}"), &[])?;
            ensure(answer.status == 200, format!("{name}: {}", answer.status))?;
            fs::write(bench.path(name), answer.body)?;
        }
        // The page's is the repository's.
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bounty/check-possession");
        ensure(fs::read(script)? == fs::read(bench.path("check-possession"))?, "the page serves another script")?;
        Ok(bench)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Whether the script takes it, and what it says.
    fn takes(&self, tier: &str, nonce: &str, proof: &[u8]) -> Outcome<(bool, String)> {
        fs::write(self.path("proof"), proof)?;
        let mut command = Command::new("sh");
        command.arg(self.path("check-possession")).arg(self.path("manifest")).args([tier, nonce]).arg(self.path("proof"));
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        Ok((output.status.success(), said))
    }
}

fn nonce() -> Outcome<String> {
    Ok(String::from_utf8(openssl(&["rand", "-hex", "32"], &[])?)?.trim().to_owned())
}

/// All flags answer a nonce, and the script takes each answer for what it is and for nothing else.
pub(crate) fn proven(place: &Place) -> Outcome {
    let contest = Contest::lab(place)?;
    let bench = Bench::new(&contest)?;
    let (asked, other) = (nonce()?, nonce()?);
    let answer = contest.curl(FROM, &format!("/possession/{asked}"), &[])?;
    ensure(answer.status == 200, format!("{}: {}", answer.status, answer.text()))?;
    let text = answer.text();
    let proofs: Vec<String> =
        text.split("bountybox-possession 1\n").skip(1).map(|rest| format!("bountybox-possession 1\n{rest}")).collect();
    ensure(proofs.len() == TIERS.len(), format!("{} proofs in:\n{text}", proofs.len()))?;
    for tier in TIERS {
        let proof = proofs.iter().find(|proof| proof.contains(&format!("\ntier {tier}\n"))).ok_or_else(|| format!("no proof of {tier}"))?;
        let (taken, said) = bench.takes(tier, &asked, proof.as_bytes())?;
        ensure(taken && said.starts_with(&format!("{tier}: its flag answered this nonce")), format!("{tier}: {said}"))?;
        // An older one for a new question.
        let (taken, said) = bench.takes(tier, &other, proof.as_bytes())?;
        ensure(!taken, format!("{tier}, replayed: {said}"))?;
    }
    // One of them on its own, of the guest's memory and of the box, which is a new answer each time.
    for (tier, wrong) in [("read", "write"), ("wallet", "auth"), ("down", "escape")] {
        let answer = contest.curl(FROM, &format!("/possession/{tier}/{asked}"), &[])?;
        let (taken, said) = bench.takes(tier, &asked, &answer.body)?;
        ensure(answer.status == 200 && taken, format!("{tier}: {said}"))?;
        let (taken, said) = bench.takes(wrong, &asked, &answer.body)?;
        ensure(!taken, format!("{tier} for {wrong}: {said}"))?;
        let relabelled = answer.text().replace(&format!("tier {tier}"), &format!("tier {wrong}"));
        let (taken, said) = bench.takes(wrong, &asked, relabelled.as_bytes())?;
        ensure(!taken, format!("{tier} called {wrong}: {said}"))?;
        for part in 1..12 {
            let mut altered = answer.body.clone();
            let at = altered.len() * part / 12;
            altered[at] ^= 1;
            let (taken, said) = bench.takes(tier, &asked, &altered)?;
            ensure(!taken, format!("{tier} with another byte {at}: {said}"))?;
        }
    }
    let answer = contest.curl(FROM, &format!("/possession/{}", &asked[1..]), &[])?;
    ensure(answer.status == 400, format!("a nonce that is none: {}", answer.status))
}
