//! Proofs of possession, as the arbiter reads them and as a script with a shell and openssl does. Both must say the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use arbiter::possession::{Asked, Body, Possession};
use arbiter::{Digest, Tier, Wrong};

const DIGITS: &str = "61206e6f6e63652074686174206e6f626f64792068617320686164207965742e";

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("manifest"), contest::manifest_note()).expect("written");
        Self { dir }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    fn script(&self, tier: &str, nonce: &str, proof: &[u8]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../check-possession");
        let proof = self.write("proof", proof);
        Command::new("sh").arg(script).arg(self.dir.path().join("manifest")).args([tier, nonce]).arg(proof).output().expect("a shell")
    }
}

fn asked(tier: Tier) -> Asked {
    Asked { tier, nonce: contest::NONCE, times: contest::TIME - 5..=contest::TIME + 5 }
}

fn arbiter(tier: Tier, proof: &[u8]) -> Result<(), Wrong> {
    let address = contest::address();
    let parsed = Possession::parse(proof).map_err(|fault| fault.wrong)?;
    parsed.answers(&asked(tier), &contest::manifest(&address)).map_err(|fault| fault.wrong)
}

#[test]
fn a_sound_proof_of_each_tier_is_taken_by_arbiter_and_script() {
    let place = Place::new();
    for tier in Tier::ALL {
        let proof = contest::possession(tier);
        assert_eq!(arbiter(tier, &proof), Ok(()), "{tier}");
        let output = place.script(tier.name(), DIGITS, &proof);
        assert!(output.status.success(), "{tier}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("{tier}: its flag answered this nonce; the box's clock said {}\n", contest::TIME)
        );
    }
}

#[test]
fn replayed_foreign_and_altered_proofs_are_refused_by_both() {
    let place = Place::new();
    let refused = |tier: Tier, body: Body, wrong: Wrong| {
        let proof = contest::seal(tier.name(), &body);
        assert_eq!(arbiter(tier, &proof), Err(wrong));
        assert_eq!(place.script(tier.name(), DIGITS, &proof).status.code(), Some(1), "{wrong}");
    };
    let sound = || contest::possession_body(Tier::Read);
    refused(Tier::Read, Body { nonce: [7; 32], ..sound() }, Wrong::Nonce);
    refused(Tier::Read, Body { manifest: Digest([7; 32]), ..sound() }, Wrong::Manifest);
    refused(Tier::Read, Body { tier: Tier::Write, ..sound() }, Wrong::OtherTier);
    // The arbiter is told which times it may take; whoever runs the script reads the time.
    let late = contest::seal("read", &Body { time: contest::TIME + 6, ..sound() });
    assert_eq!(arbiter(Tier::Read, &late), Err(Wrong::Window));
    let foreign = contest::seal("write", &sound());
    assert_eq!(arbiter(Tier::Read, &foreign), Err(Wrong::Signature));
    assert_eq!(place.script("read", DIGITS, &foreign).status.code(), Some(1));
}

/// Every byte of a proof counts. The script is asked at every seventh, for each time costs it several processes.
#[test]
fn a_proof_that_is_altered_anywhere_is_refused_by_both() {
    let place = Place::new();
    for tier in [Tier::Read, Tier::Wallet] {
        let sound = contest::possession(tier);
        for at in 0..sound.len() {
            let mut altered = sound.clone();
            altered[at] ^= 1;
            let mut cut = sound.clone();
            cut.remove(at);
            for bytes in [altered, cut] {
                assert!(arbiter(tier, &bytes).is_err(), "{tier} at {at}");
                assert!(at % 7 != 0 || !place.script(tier.name(), DIGITS, &bytes).status.success(), "{tier} at {at}, by the script");
            }
        }
    }
}

/// openssl makes a key, a proof and its signature; arbiter and script take them.
#[test]
fn a_proof_that_openssl_signs_is_taken() {
    let place = Place::new();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(place.dir.path()).output().expect("openssl");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "flag.pem"]);
    let der = openssl(&["pkey", "-in", "flag.pem", "-pubout", "-outform", "DER"]);
    let flag = arbiter::key::Ed25519Key::new(der[12..].try_into().expect("32 bytes")).expect("a key");
    let address = contest::address();
    let mut manifest = contest::manifest(&address);
    manifest.flags[1].key = arbiter::key::FlagKey::Ed25519(flag);
    place.write("manifest", &contest::note(&manifest.to_string(), &["operator"]));
    let message = Body { manifest: manifest.digest(), ..contest::possession_body(Tier::Read) }.to_string();
    place.write("message", message.as_bytes());
    openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", "flag.pem", "-in", "message", "-out", "signature"]);
    let signature = fs::read(place.dir.path().join("signature")).expect("a signature");
    let proof = arbiter::lines::sealed(&message, &signature);
    let parsed = Possession::parse(&proof).expect("a proof");
    assert_eq!(parsed.answers(&asked(Tier::Read), &manifest), Ok(()));
    let output = place.script("read", DIGITS, &proof);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
