//! No signature that was made for one purpose is one for another, not even where one key serves them all.

use arbiter::claim::Claim;
use arbiter::crash::Crash;
use arbiter::note::Note;
use arbiter::possession::Possession;
use arbiter::{Document, Tier, commitment};

const SIGNED: [Document; 5] = [Document::Manifest, Document::Receipt, Document::Claim, Document::Crash, Document::Possession];

/// What is signed for a purpose, byte by byte.
fn message(purpose: Document) -> String {
    let claimant = contest::claimant("claimant");
    match purpose {
        Document::Manifest => contest::manifest(&contest::address()).to_string(),
        Document::Receipt => contest::receipt_body(b"claim").to_string(),
        Document::Claim => contest::claim_body(Tier::Read, &claimant).to_string(),
        Document::Crash => contest::crash_body(&claimant).to_string(),
        Document::Possession => contest::possession_body(Tier::Read).to_string(),
        Document::Checkpoint => unreachable!("bounty-log tries it"),
        Document::Operator | Document::Opening | Document::WriteUp => unreachable!("nobody signs it"),
    }
}

/// Whether a document of this purpose is accepted whose message is one's own and whose signature is the one at hand: one key for all of them.
fn accepts(purpose: Document, signature: &[u8]) -> bool {
    let (key, text) = (contest::named("one"), message(purpose));
    match purpose {
        Document::Manifest | Document::Receipt => {
            let line = key.line(signature.try_into().expect("64 bytes"));
            let note = format!("{text}\n{line}");
            Note::parse(purpose, note.as_bytes()).expect("a note").open(&key).is_ok()
        }
        _ => {
            let document = arbiter::lines::sealed(&text, signature);
            let seal = match purpose {
                Document::Claim => Claim::parse(&document).expect("a claim").seal,
                Document::Crash => Crash::parse(&document).expect("a record").seal,
                _ => Possession::parse(&document).expect("a proof").seal,
            };
            key.key().verify(seal.message, &seal.bytes).is_ok()
        }
    }
}

/// Whether bytes that were signed for one purpose are read as those of another.
fn reads(purpose: Document, message: &str, signature: &[u8]) -> bool {
    let key = contest::named("one");
    let document = arbiter::lines::sealed(message, signature);
    match purpose {
        Document::Manifest | Document::Receipt => {
            let note = format!("{message}\n{}", key.line(signature.try_into().expect("64 bytes"))).into_bytes();
            let manifest = arbiter::Manifest::read(&note, &key).is_ok();
            if purpose == Document::Manifest { manifest } else { arbiter::receipt::Receipt::read(&note, &key).is_ok() }
        }
        Document::Claim => Claim::parse(&document).is_ok(),
        Document::Crash => Crash::parse(&document).is_ok(),
        _ => Possession::parse(&document).is_ok(),
    }
}

#[test]
fn a_signature_serves_its_own_purpose_and_no_other() {
    for made_for in SIGNED {
        let text = message(made_for);
        let signature = contest::sign("one", text.as_bytes());
        for used_as in SIGNED {
            assert_eq!(accepts(used_as, &signature), made_for == used_as, "{made_for:?} as {used_as:?}");
            assert_eq!(reads(used_as, &text, &signature), made_for == used_as, "the words of {made_for:?} as {used_as:?}");
        }
    }
}

/// No first line begins another, nor is begun by it, so no message of one purpose is one of another.
#[test]
fn domains_are_distinct_and_free_of_prefixes() {
    let mut domains: Vec<String> = SIGNED.iter().chain(&[Document::Opening]).map(|document| format!("{}\n", document.head())).collect();
    domains.push(commitment::DOMAIN.into());
    for (index, one) in domains.iter().enumerate() {
        assert_eq!(one.find('\n'), Some(one.len() - 1), "{one:?} is one line");
        for (other_index, other) in domains.iter().enumerate() {
            assert!(index == other_index || !one.starts_with(other.as_str()), "{one:?} begins with {other:?}");
        }
        // What else the keys of notes sign are checkpoints, whose first line is a key's name: without a space.
        assert!(one.contains(' '));
    }
    for purpose in SIGNED {
        assert!(message(purpose).starts_with(&format!("{}\n", purpose.head())));
    }
}

/// The same for tiers, where each has its own key: a proof or a claim of one is none of another.
#[test]
fn a_flag_signs_for_its_own_tier_only() {
    let claimant = contest::claimant("claimant");
    let address = contest::address();
    let manifest = contest::manifest(&address);
    for made_for in Tier::ALL {
        for used_as in Tier::ALL {
            let message = contest::possession_body(used_as).to_string();
            let signature = contest::sign(made_for.name(), message.as_bytes());
            assert_eq!(manifest.flag(used_as).key.verify(message.as_bytes(), &signature).is_ok(), made_for == used_as);
            // And a signature of the tier's own key under words for another tier.
            let words = contest::claim_body(made_for, &claimant).to_string();
            let signature = contest::sign(used_as.name(), words.as_bytes());
            let other = contest::claim_body(used_as, &claimant).to_string();
            assert_eq!(manifest.flag(used_as).key.verify(other.as_bytes(), &signature).is_ok(), made_for == used_as);
        }
    }
}
