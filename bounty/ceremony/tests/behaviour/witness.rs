//! The transcript, and a witness's word for it, given as docs/ceremony.md says.

use std::fs;
use std::path::Path;
use std::process::Command;

use arbiter::note::VerifierKey;
use arbiter::{Digest, Tier, Wrong};
use ceremony::transcript::{self, CAVEAT, HEAD, TranscriptFault};
use ceremony::witness::{self, WitnessFault};
use ceremony::{DoorName, MintFault, Mode, Step, Stop, Watch, mint_watched};

use crate::written::{NOW, minted, names, order, written};

/// The script that the page shows.
fn script() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ceremony.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("\nScript `witness`:\n\n```sh\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Runs it in a folder with this transcript. Gives the note, and the witness's key.
fn signed(dir: &Path, transcript: &str) -> (Vec<u8>, VerifierKey) {
    fs::write(dir.join("ceremony"), transcript).unwrap();
    let done = Command::new("sh").args(["-euc", &script()]).current_dir(dir).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let key = fs::read_to_string(dir.join("witness.key")).unwrap();
    (fs::read(dir.join("ceremony.witness")).unwrap(), VerifierKey::parse(key.trim_end()).unwrap())
}

#[test]
fn a_witness_signs_with_openssl_and_a_shell() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (minted(Mode::Sealed), minted(Mode::Sealed));
    assert_eq!(script(), witness::SCRIPT, "the page's script is the one that the command shows");
    let (note, key) = signed(dir.path(), one.transcript());
    assert_eq!(witness::check(&note, one.transcript().as_bytes(), &key), Ok(()));
    assert_eq!(witness::check(&note, other.transcript().as_bytes(), &key), Err(WitnessFault::Other));
    let stranger = VerifierKey::new(key.name(), one.operator().key()).unwrap();
    assert_eq!(witness::check(&note, one.transcript().as_bytes(), &stranger), Err(WitnessFault::Note(0, Wrong::Unsigned)));
    let altered = String::from_utf8(note).unwrap().replace("mode sealed", "mode sealer");
    let fault = witness::check(altered.as_bytes(), one.transcript().as_bytes(), &key).unwrap_err();
    assert!(matches!(fault, WitnessFault::Note(line, Wrong::Signature) if line > 0), "{fault}");
    // The same witness signs something that is no transcript.
    let (note, key) = signed(dir.path(), "bountybox-claim 1\nanything\n");
    assert_eq!(witness::check(&note, one.transcript().as_bytes(), &key), Err(WitnessFault::Transcript(TranscriptFault::Head)));
}

#[test]
fn a_transcript_names_every_public_half_and_no_secret() {
    let written = written(Mode::Sealed);
    let folder = written.open();
    let text = folder.transcript();
    assert!(text.starts_with(HEAD) && text.contains(CAVEAT));
    let manifest = folder.manifest();
    let mut wanted = vec![folder.operator().to_string(), manifest.log.to_string(), folder.digest().to_string()];
    wanted.extend(Tier::ALL.map(|tier| folder.flags().public(tier).to_string()));
    wanted.extend(folder.addresses().map(str::to_owned));
    for door in DoorName::ALL {
        wanted.extend([&folder.shown(door).authority, &folder.shown(door).certificate].map(|der| Digest::of(&[der]).to_string()));
        wanted.push(format!("destroyed the key of the authority of the door {door}"));
    }
    let (read, write, value) = folder.places();
    wanted.extend([read, write, value].map(|word| format!("0x{word:016x}")));
    for wanted in wanted {
        assert!(text.contains(&wanted), "{wanted} is not in\n{text}");
    }
    for tier in Tier::ALL {
        let pem = folder.flags().pem(tier);
        assert!(pem.expose().lines().all(|line| !text.contains(line)), "{tier}");
    }
    assert!(text.lines().filter(|line| line.starts_with("step ")).all(|line| line.starts_with(&format!("step {NOW} "))));
}

#[test]
fn a_transcript_is_whole_or_none() {
    let minted = minted(Mode::Sealed);
    let text = minted.transcript();
    assert_eq!(transcript::check(text.as_bytes()), Ok(text));
    for at in 0..text.len() {
        let mut altered = text.as_bytes().to_vec();
        altered[at] ^= 1;
        assert!(transcript::check(&altered).is_err(), "at {at}");
        assert!(transcript::check(&text.as_bytes()[..at]).is_err(), "up to {at}");
    }
    assert_eq!(transcript::check(format!("{text}\n").as_bytes()), Err(TranscriptFault::Text));
    assert_eq!(transcript::check(&[b'a'; 40_000]), Err(TranscriptFault::TooLong));
    assert_eq!(transcript::check(b""), Err(TranscriptFault::Text));
    assert_eq!(transcript::check(format!("{HEAD}\n").as_bytes()), Err(TranscriptFault::Digest));
}

/// Stops before one step, and notes what it was told until then.
struct Stopping {
    at: Option<Step>,
    asked: Vec<Step>,
    told: Vec<String>,
}

impl Watch for Stopping {
    fn before(&mut self, step: Step) -> Result<(), Stop> {
        self.asked.push(step);
        if self.at == Some(step) { Err(Stop) } else { Ok(()) }
    }

    fn told(&mut self, line: &str) {
        self.told.push(line.to_owned());
    }
}

#[test]
fn who_watches_hears_each_step_before_it_and_the_transcript_as_it_grows() {
    let names = names();
    let mut watch = Stopping { at: None, asked: Vec::new(), told: Vec::new() };
    let minted = mint_watched(&order(&names, Mode::Sealed), &mut watch).unwrap();
    assert_eq!(watch.asked, Step::ALL);
    let steps: Vec<&str> = minted.transcript().lines().filter(|line| line.starts_with("step ")).collect();
    assert_eq!(watch.told, steps);
    assert!(steps.last().unwrap().ends_with(&minted.digest().to_string()));
}

#[test]
fn who_watches_may_stop_before_each_step_and_nothing_behind_it_happens() {
    let names = names();
    for (index, at) in Step::ALL.into_iter().enumerate() {
        let mut watch = Stopping { at: Some(at), asked: Vec::new(), told: Vec::new() };
        let fault = mint_watched(&order(&names, Mode::Sealed), &mut watch).unwrap_err();
        assert_eq!(fault, MintFault::Stopped(Stop));
        assert_eq!(watch.asked, Step::ALL[..=index]);
        let keys = watch.told.iter().any(|line| line.contains("made the flag of"));
        let authorities = watch.told.iter().any(|line| line.contains("authority of the door"));
        assert_eq!((keys, authorities), (at > Step::Keys, at > Step::Doors), "{at:?}");
        assert!(watch.told.iter().all(|line| !line.contains("signed the manifest")), "{at:?}");
    }
}
