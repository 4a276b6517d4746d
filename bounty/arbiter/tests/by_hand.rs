//! What `docs/arbiter.md` says to type does what it says.

use std::fs;
use std::path::Path;
use std::process::Command;

use arbiter::claim::{Body, Claim};
use arbiter::key::{Ed25519Key, FlagKey};
use arbiter::{Context, Tier, Verdict, commitment, verify};
use contest::page;

/// The page's block of commands that holds these words.
fn block(words: &str) -> String {
    let page = fs::read_to_string(page::path()).expect("the page");
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|block| block.contains(words)).map(str::to_owned).collect()
}

fn sh(commands: &str, dir: &Path) -> Vec<u8> {
    let output = Command::new("sh").arg("-euc").arg(commands).current_dir(dir).output().expect("a shell");
    assert!(output.status.success(), "{commands}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn a_claim_can_be_made_with_openssl() {
    let dir = tempfile::tempdir().expect("a directory");
    let der = sh("openssl genpkey -algorithm ed25519 -out flag.pem && openssl pkey -in flag.pem -pubout -outform DER", dir.path());
    let flag = Ed25519Key::new(der[12..].try_into().expect("32 bytes")).expect("a key");
    let address = contest::address();
    let mut manifest = contest::manifest(&address);
    manifest.flags[4].key = FlagKey::Ed25519(flag);
    let body = Body { manifest: manifest.digest(), ..contest::claim_body(Tier::Exec, "me") };
    fs::write(dir.path().join("message"), body.to_string()).expect("written");
    sh(&block("-sign"), dir.path());
    let claim = fs::read(dir.path().join("claim")).expect("a claim");
    assert_eq!(Claim::parse(&claim).expect("a claim").body, body);
    let note = contest::note(&manifest.to_string(), &["operator"]);
    let verdict = verify(&note, &contest::operator(), &claim, &Context { now: contest::TIME, commitment: None });
    assert!(matches!(verdict, Verdict::Falsified { tier: Tier::Exec, .. }), "{verdict}");
}

#[test]
fn a_commitment_can_be_made_with_openssl() {
    let dir = tempfile::tempdir().expect("a directory");
    let claim = contest::claim(Tier::Read);
    for (name, bytes) in [("claim", &claim[..]), ("write-up", contest::WRITE_UP), ("salt", &contest::SALT)] {
        fs::write(dir.path().join(name), bytes).expect("written");
    }
    let printed = String::from_utf8(sh(&block("bountybox-commitment"), dir.path())).expect("text");
    let opening = contest::opening();
    assert!(printed.trim_end().ends_with(&commitment::commit(&claim, &opening.write_up, &opening.salt).to_string()), "{printed}");
}
