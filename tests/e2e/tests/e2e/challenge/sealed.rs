//! `bountybox challenge init`: the folder, what must not be in it, and how the box runs from it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use e2e::contest::{Contest, Door, openssl, places};
use e2e::{Outcome, Place, Running, bountybox, ensure, image};
use rustls_std::pki_types::CertificateDer;
use rustls_std::pki_types::pem::PemObject;
use tempfile::TempDir;

/// The files of a sealed contest, as docs/ceremony.md lists them.
const FILES: [&str; 29] = [
    "operator.key",
    "public/authority-call-back.pem",
    "public/authority-reverse.pem",
    "public/authority-server.pem",
    "public/box-call-back.pem",
    "public/box-reverse.pem",
    "public/box-server.pem",
    "public/ceremony",
    "public/contest",
    "public/manifest",
    "public/operator",
    "public/page-authority.pem",
    "public/page.pem",
    "public/rules",
    "secret/auth.pem",
    "secret/box-call-back.pem",
    "secret/box-reverse.pem",
    "secret/down.pem",
    "secret/escape.pem",
    "secret/exec.pem",
    "secret/key.pem",
    "secret/log.pem",
    "secret/page.pem",
    "secret/read.pem",
    "secret/wallet.pem",
    "secret/write.pem",
    "../bountybox.toml",
    "log/checkpoint",
    "log.lock",
];

/// A contest that was minted in earnest.
pub(super) fn minted(place: &Place) -> Outcome<TempDir> {
    let dir = tempfile::tempdir()?;
    let mut command = Command::new(bountybox());
    command.args([
        "challenge",
        "init",
        "--name",
        "Sealed",
        "--host",
        "localhost",
        "--source",
        &"5".repeat(40),
        "--heartbeat",
        "1",
        "--dir",
    ]);
    let output = command.arg(dir.path().join("box")).arg("--image").arg(image()).args(places(place)).output()?;
    ensure(output.status.success(), String::from_utf8_lossy(&output.stderr))?;
    Ok(dir)
}

/// All files below a folder, by their names in it.
fn files(dir: &Path) -> Outcome<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(dir)?.display().to_string());
            }
        }
    }
    Ok(found)
}

/// Everything is there, and of the authorities' keys nothing; without the operator's key the box runs from what was written.
pub(crate) fn runs(place: &Place) -> Outcome {
    let dir = minted(place)?;
    let (at, folder) = (dir.path().join("box"), dir.path().join("box/contest"));
    let expected: BTreeSet<String> = FILES[..26].iter().map(|name| (*name).to_owned()).collect();
    let found = files(&folder)?;
    ensure(found == expected, format!("{:?}", found.symmetric_difference(&expected).collect::<Vec<_>>()))?;
    no_authority_has_a_key(place, &at)?;
    fs::remove_file(folder.join("operator.key"))?;
    let mut contest = Contest::run(place, &at)?;
    let facts: serde_json::Value = serde_json::from_slice(&contest.curl(core::net::Ipv4Addr::LOCALHOST, "/facts.json", &[])?.body)?;
    ensure(facts["name"] == "Sealed" && facts["manifest"] == contest.digest()?.as_str(), facts.to_string())?;
    contest.wait_for_entry("heartbeat")?;
    // Nobody but the box itself has what its doors ask for.
    let from = core::net::Ipv4Addr::LOCALHOST;
    let (client, server) = (e2e::peer::connect(from, contest.door(Door::Reverse))?, e2e::peer::connect(from, contest.door(Door::Server))?);
    let sources = [client.local_addr()?, server.local_addr()?];
    e2e::peer::bridge(&client, &server, |_| ())?;
    for source in sources {
        let end = contest.end_of(source)?;
        ensure(end == "released", end)?;
    }
    contest.running().signal(rustix::process::Signal::TERM)?;
    let status = contest.running_mut().ended(Duration::from_secs(10))?;
    ensure(status.code() == Some(0), format!("{status}: {}", contest.running().said()))?;
    let output = contest.log_verify(&contest.path("log"), &["--json"])?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure(output.status.success() && said.contains("\"stop\":1"), said.clone())?;
    no_authority_has_a_key(place, &at)?;
    other_image(place, &at)
}

/// The image that was promised, and no other.
fn other_image(place: &Place, at: &Path) -> Outcome {
    let other = at.join("other.elf");
    let mut bytes = fs::read(image())?;
    bytes.push(0);
    fs::write(&other, bytes)?;
    let output = refused(place, at, &["--image", &other.display().to_string()])?;
    let said = String::from_utf8_lossy(&output.1).into_owned();
    ensure(output.0 == Some(34) && said.contains("the manifest names another guest image"), format!("{:?}: {said}", output.0))
}

/// What `bountybox run` ends with; it is ended if it does not by itself.
pub(super) fn refused(place: &Place, at: &Path, more: &[&str]) -> Outcome<(Option<i32>, Vec<u8>)> {
    let mut command = Command::new(bountybox());
    command.args(["run", "--machine", place.machine.name(), "--config"]).arg(at.join("bountybox.toml")).args(more);
    let mut running = Running::serve(&mut command, place.front(), tempfile::tempdir()?)?;
    let status = running.ended(Duration::from_secs(10))?;
    Ok((status.code(), running.said().into_bytes()))
}

/// No file holds a private key of an authority: not as a key that openssl reads, not as 32 bytes anywhere, plain or within PEM, that are the secret half of one. A
/// laboratory's folder, which has them, shows that this would find them.
fn no_authority_has_a_key(place: &Place, at: &Path) -> Outcome {
    let found = authorities_keys(at)?;
    ensure(found.is_empty(), format!("{found:?}"))?;
    static SHOWN: std::sync::Once = std::sync::Once::new();
    let mut outcome = Ok(());
    SHOWN.call_once(|| outcome = finds_what_is_there(place));
    outcome
}

fn finds_what_is_there(place: &Place) -> Outcome {
    let lab = Contest::lab(place)?;
    let at = lab.path("..");
    let found = authorities_keys(&at)?;
    let names: BTreeSet<&str> = found.iter().filter_map(|(file, _)| file.strip_prefix("contest/lab/authority-")).collect();
    ensure(names.len() == 3 && found.len() >= 3, format!("a laboratory publishes them, and {found:?} were found"))
}

/// Each file with a private key of an authority, and of which.
fn authorities_keys(at: &Path) -> Outcome<Vec<(String, String)>> {
    let mut points = BTreeMap::new();
    for name in ["authority-server", "authority-call-back", "authority-reverse", "page-authority"] {
        let der = CertificateDer::from_pem_file(at.join(format!("contest/public/{name}.pem")))?;
        let key = openssl(&["x509", "-inform", "DER", "-pubkey", "-noout"], &der)?;
        let key = openssl(&["pkey", "-pubin", "-outform", "DER"], &key)?;
        points.insert(key[key.len() - 65..].to_vec(), name);
    }
    let (mut found, mut tried) = (Vec::new(), BTreeSet::new());
    for file in files(at)? {
        for blob in blobs(&fs::read(at.join(&file))?) {
            for secret in blob.windows(32) {
                // Thirty-two random bytes are never all text. What is the same as before is no other key.
                if secret.iter().all(u8::is_ascii) || !tried.insert(secret.to_vec()) {
                    continue;
                }
                let point = PrivateKey::from_private_key(&ECDH_P256, secret).ok().and_then(|key| key.compute_public_key().ok());
                let of = point.and_then(|point| points.get(point.as_ref()));
                found.extend(of.map(|name| (file.clone(), (*name).to_owned())));
            }
        }
    }
    Ok(found)
}

/// A file's bytes, what its PEM blocks hold, and what its words are in hexadecimal and in base64.
fn blobs(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let mut blobs = vec![bytes.to_vec()];
    for block in text.split("-----BEGIN ").skip(1) {
        let body: String = block.lines().skip(1).take_while(|line| !line.starts_with("-----")).collect();
        blobs.extend(BASE64_STANDARD.decode(body));
    }
    for word in text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "+/=".contains(letter))).filter(|word| word.len() >= 40) {
        blobs.extend(BASE64_STANDARD.decode(word));
        let digits = word.as_bytes().chunks_exact(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok());
        blobs.extend(digits.collect::<Option<Vec<u8>>>());
    }
    blobs
}

/// A folder in which any file is not what it was is refused, by `check` and by `run`, and the file is named.
pub(crate) fn damage_is_named(place: &Place) -> Outcome {
    let dir = minted(place)?;
    let at = dir.path().join("box");
    let check =
        || -> Outcome<Output> { Ok(Command::new(bountybox()).arg("check").arg("--config").arg(at.join("bountybox.toml")).output()?) };
    let output = check()?;
    ensure(output.status.success(), String::from_utf8_lossy(&output.stderr))?;
    for name in &FILES[1..26] {
        let path: PathBuf = at.join("contest").join(name);
        let whole = fs::read(&path)?;
        let mut damaged = whole.clone();
        // In the middle of what it says: not in the words round a PEM block.
        let middle = damaged.len() / 2;
        damaged[middle] = if damaged[middle] == b'A' { b'B' } else { b'A' };
        fs::write(&path, damaged)?;
        let output = check()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        ensure(!output.status.success() && said.contains(name), format!("{name} was altered, and {}: {said}", output.status))?;
        fs::remove_file(&path)?;
        let output = check()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        ensure(!output.status.success() && said.contains(name), format!("{name} is gone, and {}: {said}", output.status))?;
        fs::write(&path, whole)?;
    }
    let output = check()?;
    ensure(output.status.success(), format!("all is as it was: {}", String::from_utf8_lossy(&output.stderr)))?;
    // Nobody else is to look into it.
    fs::set_permissions(at.join("contest"), fs::Permissions::from_mode(0o755))?;
    let output = check()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure(!output.status.success() && said.contains("can be read by others"), format!("{}: {said}", output.status))?;
    fs::set_permissions(at.join("contest"), fs::Permissions::from_mode(0o700))?;
    // Two keys in each other's place are both keys, and wrong.
    let (auth, read) = (at.join("contest/secret/auth.pem"), at.join("contest/secret/read.pem"));
    fs::copy(&read, &auth)?;
    let (code, said) = refused(place, &at, &[])?;
    let said = String::from_utf8_lossy(&said);
    ensure(code.is_some_and(|code| code != 0) && said.contains("secret/auth.pem"), format!("{code:?}: {said}"))
}
