//! Boundary: what somebody hands to the arbiter: a claim, and what goes with it. Here it is signed by whoever has to sign it, for a fuzzer does not find signatures; what the arbiter takes is held
//! against a second reader of the same lines, and against *ring*.

use arbiter::claim::Claim;
use arbiter::commitment::{Opening, commit};
use arbiter::crash::Crash;
use arbiter::lines::sealed;
use arbiter::note::{Note, VerifierKey};
use arbiter::possession::{Asked, Possession};
use arbiter::{Commitment, Context, Digest, Document, Manifest, Tier, Verdict, claim, verify};
use bounty_log::change::{Change, Parts, Promise};
use bounty_log::reveal::Reveal;
use contest::{END, NONCE, TIME};
use ring::signature::{ED25519, UnparsedPublicKey};

/// What is asked of the arbiter.
struct Question {
    manifest: Vec<u8>,
    claim: Vec<u8>,
    handed: Option<(Vec<u8>, Vec<u8>)>,
    now: u64,
}

/// The first byte says what the others are, and when it is judged.
pub fn claim(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else { return };
    reads_what_it_prints(bytes);
    let now = [TIME + 900, END - 1, END, TIME][usize::from(how / 64)];
    let committed = how & 32 != 0;
    let sound = || contest::claim(Tier::Read);
    let text = String::from_utf8_lossy(bytes);
    let (manifest, claim) = match how % 8 {
        0 => (contest::manifest_note(), bytes.to_vec()),
        1 => (contest::manifest_note(), signed(&text)),
        2 => (contest::manifest_note(), with_record(contest::sign("down", bytes), bytes)),
        3 | 4 => (contest::manifest_note(), sound()),
        5 => (bytes.to_vec(), sound()),
        6 => (contest::note(&text, &["operator"]), signed(&for_contest(&text))),
        _ => return proof(bytes),
    };
    let opening = contest::opening().to_string().into_bytes();
    let handed = match how % 8 {
        3 => Some((contest::note(&text, &["log"]), opening)),
        4 => Some((contest::receipt(&claim), bytes.to_vec())),
        _ => committed.then(|| (contest::receipt(&claim), opening)),
    };
    judge(&Question { manifest, claim, handed, now });
}

/// A claim's message, sealed by the tier's key that it names.
fn signed(message: &str) -> Vec<u8> {
    let tier = value(message, "tier").and_then(Tier::from_name).unwrap_or(Tier::Read);
    sealed(message, &contest::sign(contest::claims_with(tier), message.as_bytes()))
}

/// A claim for `down` that holds this record.
fn with_record(signature: Vec<u8>, message: &[u8]) -> Vec<u8> {
    let record = sealed(&String::from_utf8_lossy(message), &signature);
    let claimant = contest::claimant("claimant");
    contest::seal("claimant", &claim::Body { record: Some(record), ..contest::claim_body(Tier::Down, &claimant) })
}

/// The message of a claim in the contest of this manifest.
fn for_contest(text: &str) -> String {
    claim::Body { manifest: Digest::of(&[text.as_bytes()]), ..contest::claim_body(Tier::Read, "somebody") }.to_string()
}

fn judge(Question { manifest, claim, handed, now }: &Question) {
    let write_up = Some(Digest::of(&[contest::WRITE_UP]));
    let commitment = handed.as_ref().map(|(receipt, opening)| Commitment { receipt, opening, write_up });
    let verdict = verify(manifest, &contest::operator(), claim, &Context { now: *now, commitment });
    match &verdict {
        Verdict::Falsified { tier, claimant, .. } => {
            let (manifest, claim) = (core::str::from_utf8(manifest).expect("text"), core::str::from_utf8(claim).expect("text"));
            assert_eq!((value(claim, "tier"), value(claim, "claimant")), (Some(tier.name()), Some(&claimant[..])));
            holds(manifest, claim, *tier, *now);
            let handed = handed.as_ref().map(|(receipt, opening)| (core::str::from_utf8(receipt).expect("text"), opening));
            assert!(*now < number(manifest, "end") || handed.is_some(), "late");
            if let Some((receipt, opening)) = handed {
                is_committed(manifest, claim, receipt, opening);
            }
        }
        Verdict::NotFalsified { reasons } => assert!(!reasons.is_empty() && reasons.iter().all(|fault| !is_setup(fault.place.document))),
        Verdict::SetupError { reasons } => assert!(!reasons.is_empty() && reasons.iter().all(|fault| is_setup(fault.place.document))),
    }
}

fn is_setup(document: Document) -> bool {
    matches!(document, Document::Operator | Document::Manifest)
}

/// What must be true of a claim that holds, without the arbiter's reader.
fn holds(manifest: &str, claim: &str, tier: Tier, now: u64) {
    let digest = digest_of_text(manifest);
    assert_eq!(value(claim, "manifest"), Some(&digest[..]));
    let (start, end, time) = (number(manifest, "start"), number(manifest, "end"), number(claim, "time"));
    assert!((start..end).contains(&time) && time <= now, "{time}");
    let [claimant, text] = [value(claim, "claimant"), value(claim, "text")].map(|value| value.expect("a line"));
    let record = value(claim, "record");
    let mut message = format!("bountybox-claim 1\nmanifest {digest}\ntier {tier}\nclaimant {claimant}\ntext {text}\ntime {time}\n");
    if let Some(record) = record {
        message += &format!("record {record}\n");
    }
    let signature = value(claim, "signature").expect("a line");
    assert_eq!(claim, format!("{message}signature {signature}\n"), "there is one way to write it");
    let signature = unbase64(signature);
    match tier {
        // ring does not know secp256k1; but nobody has the key, and it signs a message in one way.
        Tier::Wallet => assert_eq!(signature, contest::sign("wallet", message.as_bytes())),
        Tier::Down => {
            is_signed(claimant.strip_prefix("ed25519:").expect("a key"), &message, &signature);
            crashed(manifest, record.expect("a record"), claimant, start..=time);
        }
        _ => is_signed(value(manifest, &format!("{tier}.flag")).expect("a key"), &message, &signature),
    }
}

/// What must be true of the crash record in it.
fn crashed(manifest: &str, record: &str, claimant: &str, times: core::ops::RangeInclusive<u64>) {
    let record = String::from_utf8(unbase64(record)).expect("text");
    // The last of them: a detail may say anything.
    let (message, signature) = record.rsplit_once("signature ").expect("a signature");
    is_signed(value(manifest, "down.flag").expect("a key"), message, &unbase64(signature.trim_end()));
    assert_eq!(value(message, "manifest"), Some(&digest_of_text(manifest)[..]));
    assert!(times.contains(&number(message, "time")));
    assert!(message.starts_with("bountybox-crash 1\n") && message.contains(&format!("\nclaimant {claimant}\n")));
}

/// What must be true of what was committed to.
fn is_committed(manifest: &str, claim: &str, receipt: &str, opening: &[u8]) {
    let opening = Opening::parse(opening).expect("an opening");
    assert_eq!(opening.write_up, Digest::of(&[contest::WRITE_UP]));
    let time = number(receipt, "time");
    assert!((number(manifest, "start")..number(manifest, "end")).contains(&time));
    assert_eq!(value(receipt, "commitment"), Some(&commit(claim.as_bytes(), &opening.write_up, &opening.salt).to_string()[..]));
    assert_eq!(value(receipt, "manifest"), Some(&digest_of_text(manifest)[..]));
}

/// A proof of possession: an answer to what was asked only where *ring* says so too.
fn proof(message: &[u8]) {
    let text = String::from_utf8_lossy(message);
    let tier = value(&text, "tier").and_then(Tier::from_name).unwrap_or(Tier::Read);
    let document = sealed(&text, &contest::sign(tier.name(), text.as_bytes()));
    let Ok(proof) = Possession::parse(&document) else { return };
    assert_eq!(proof.body.to_string(), text, "there is one way to write it");
    let (address, asked) = (contest::address(), Asked { tier: Tier::Read, nonce: NONCE, times: TIME..=TIME + 60 });
    if proof.answers(&asked, &contest::manifest(&address)).is_ok() {
        let expected = contest::possession_body(Tier::Read).to_string();
        assert!((TIME..=TIME + 60).contains(&number(&text, "time")));
        assert_eq!(text.split_once("time ").map(|(before, _)| before), expected.split_once("time ").map(|(before, _)| before));
        is_signed(&contest::key("read").to_string(), &text, &proof.seal.bytes);
    }
}

/// Whatever document these bytes are, it prints to them.
/// A change that the operator has signed: it reads as it was written, and leads nowhere but from what it names.
fn changes(bytes: &[u8], operator: &VerifierKey) {
    if !bytes.starts_with(b"bountybox-change 1\n") {
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let note = contest::note(&text, &["operator"]);
    let Ok(change) = Change::read(&note, operator) else { return };
    assert_eq!(change.to_string(), text);
    let (address, manifest) = (contest::address(), contest::manifest_note());
    let document = Parts { change: &note, manifest: &manifest, rules: "rules" }.document();
    let followed = Promise::first(contest::manifest(&address)).follow(&document, operator);
    assert!(followed.is_err(), "the same manifest is no new one: {text}");
}

fn reads_what_it_prints(bytes: &[u8]) {
    if let Ok(claim) = Claim::parse(bytes) {
        assert_eq!(claim.body.to_string().as_bytes(), claim.seal.message);
        assert_eq!(claim.document(), bytes);
    }
    if let Ok(crash) = Crash::parse(bytes) {
        assert_eq!(sealed(&crash.body.to_string(), &crash.seal.bytes), bytes);
    }
    if let Ok(opening) = Opening::parse(bytes) {
        assert_eq!(opening.to_string().as_bytes(), bytes);
    }
    let key = VerifierKey::parse(&contest::operator()).expect("a key");
    if let Ok(note) = Note::parse(Document::Manifest, bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        if let Ok(manifest) = Manifest::read(bytes, &key) {
            assert_eq!(manifest.to_string().as_bytes(), note.open(&key).expect("signed"));
        }
    }
    let reveal = Reveal::of(bytes);
    assert_eq!(reveal.document(), bytes);
    if let Ok(parts) = Parts::of(bytes) {
        assert_eq!(parts.document(), bytes);
    }
    changes(bytes, &key);
    if let Ok(key) = core::str::from_utf8(bytes).map_err(|_| ()).and_then(|text| VerifierKey::parse(text).map_err(|_| ())) {
        assert_eq!(key.to_string().as_bytes(), bytes);
    }
}

/// What stands behind the first such key: a reader as one writes it in a shell.
fn value<'a>(document: &'a str, key: &str) -> Option<&'a str> {
    document.split('\n').find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
}

fn number(document: &str, key: &str) -> u64 {
    value(document, key).and_then(|value| value.parse().ok()).expect("a number")
}

/// SHA-256 of what stands before the empty line, by *ring*.
fn digest_of_text(note: &str) -> String {
    let (text, _) = note.rsplit_once("\n\n").expect("a note");
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("{text}\n").as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_signed(key: &str, message: &str, signature: &[u8]) {
    let verified = UnparsedPublicKey::new(&ED25519, unbase64(key)).verify(message.as_bytes(), signature);
    assert!(verified.is_ok(), "ring does not take this signature");
}

/// A reader of base64 of the plainest kind.
fn unbase64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte));
    let bits: Vec<bool> = digits.flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1 == 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | u8::from(*bit))).collect()
}
