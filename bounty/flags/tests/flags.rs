//! What the guest's flags say is what the arbiter takes, and they say nothing else.

use arbiter::possession::{Asked, Possession};
use arbiter::{Claim, Context, Tier, Verdict, claim, lines, verify};
use contest::{NONCE, TIME};
use flags::{Flags, NoKey, Unsigned, mark};
use keys::Secret;
use keys::bundle::{Contest, Flag, FlagTier};

const VALUE: u64 = 0x626f_756e_7479_2121;

fn bundled() -> Contest {
    let address = contest::address();
    let flag = |tier, label| Flag { tier, key: Secret::new(contest::seed(label).to_vec()) };
    Contest {
        manifest: contest::manifest(&address).digest().0,
        prize: Secret::new(b"prize".to_vec()),
        // In an order that is not the manifest's.
        flags: vec![
            flag(FlagTier::Wallet, "wallet"),
            flag(FlagTier::Key, "key"),
            flag(FlagTier::Write, "write"),
            flag(FlagTier::Auth, "auth"),
        ],
        write_value: VALUE,
        doors: Vec::new(),
    }
}

fn flags() -> Flags {
    Flags::new(&bundled()).expect("flags of a contest whose secrets are known")
}

/// The documents, as they stand one behind the other.
fn documents(bytes: &[u8]) -> Vec<&str> {
    let text = core::str::from_utf8(bytes).expect("documents are text");
    let starts: Vec<usize> = text.match_indices("bountybox-possession 1\n").map(|(at, _)| at).chain([text.len()]).collect();
    starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

#[test]
fn each_flag_proves_that_it_is_here_in_the_manifests_order() {
    let address = contest::address();
    let manifest = contest::manifest(&address);
    let proofs = flags().prove(NONCE, TIME, Some(&contest::seed("read")));
    let proofs = documents(&proofs);
    let tiers = [Tier::Auth, Tier::Read, Tier::Write, Tier::Key, Tier::Wallet];
    assert_eq!(proofs.len(), tiers.len());
    for (tier, proof) in tiers.into_iter().zip(proofs) {
        let asked = Asked { tier, nonce: NONCE, times: TIME..=TIME };
        Possession::parse(proof.as_bytes()).unwrap().answers(&asked, &manifest).unwrap();
    }
}

#[test]
fn a_read_flag_that_was_overwritten_proves_nothing() {
    let address = contest::address();
    let manifest = contest::manifest(&address);
    let proofs = flags().prove(NONCE, TIME, Some(&[7; 32]));
    let asked = Asked { tier: Tier::Read, nonce: NONCE, times: TIME..=TIME };
    assert!(Possession::parse(documents(&proofs)[1].as_bytes()).unwrap().answers(&asked, &manifest).is_err());
    assert_eq!(documents(&flags().prove(NONCE, TIME, None)).len(), 4, "without a window there is no proof of it");
}

fn message(tier: Tier) -> String {
    message_of(tier, "claimant")
}

fn message_of(tier: Tier, name: &str) -> String {
    let address = contest::address();
    let claimant = contest::claimant(name);
    let body = claim::Body {
        manifest: contest::manifest(&address).digest(),
        tier,
        claimant: &claimant,
        text: "written",
        time: TIME,
        record: None,
    };
    body.to_string()
}

#[test]
fn whoever_can_write_gets_a_claim_that_holds() {
    let message = message(Tier::Write);
    let signature = flags().sign(message.as_bytes(), written(&message)).unwrap();
    let document = lines::sealed(&message, &signature);
    assert!(Claim::parse(&document).is_ok());
    let address = contest::address();
    let note = contest::note(&contest::manifest(&address).to_string(), &["operator"]);
    let context = Context { now: TIME + 1, commitment: None };
    assert!(matches!(verify(&note, &contest::named("operator").to_string(), &document, &context), Verdict::Falsified { .. }));
}

/// What somebody writes who would have `message` signed.
fn written(message: &str) -> Option<[u64; 2]> {
    Some([VALUE, mark(message.as_bytes())])
}

#[test]
fn nobody_else_has_his_claim_signed_by_what_one_wrote() {
    let (mine, anothers) = (message(Tier::Write), message_of(Tier::Write, "another"));
    assert_eq!(flags().sign(anothers.as_bytes(), written(&mine)), Err(Unsigned::Mark));
    assert_eq!(flags().sign(mine.as_bytes(), Some([VALUE, 0])), Err(Unsigned::Mark));
    assert!(flags().sign(mine.as_bytes(), written(&mine)).is_ok());
}

#[test]
fn without_the_word_or_for_anything_else_nothing_is_signed() {
    let write = message(Tier::Write);
    for words in [None, Some([0, 0]), Some([VALUE ^ 1, mark(write.as_bytes())]), Some([mark(write.as_bytes()), VALUE])] {
        assert_eq!(flags().sign(write.as_bytes(), words), Err(Unsigned::Word));
    }
    let other = write.replacen("manifest ", "manifest 0", 1);
    for wrong in ["", "bountybox-claim 1\n", &message(Tier::Auth), &other, write.trim_end(), &write.replacen("claim 1", "possession 1", 1)]
    {
        assert_eq!(flags().sign(wrong.as_bytes(), written(wrong)), Err(Unsigned::Message), "{wrong}");
    }
    let long = format!("{write}{}\n", "x".repeat(arbiter::limits::CLAIM_LEN_MAX));
    assert_eq!(flags().sign(long.as_bytes(), written(&long)), Err(Unsigned::Message));
    let without = Contest { flags: Vec::new(), ..bundled() };
    assert_eq!(Flags::new(&without).unwrap().sign(write.as_bytes(), written(&write)), Err(Unsigned::NoFlag));
}

#[test]
fn what_is_no_key_is_refused_and_nothing_is_printed() {
    let mut contest = bundled();
    contest.flags[0].key = Secret::new(vec![0; 32]);
    assert_eq!(Flags::new(&contest).err(), Some(NoKey(Tier::Wallet)), "0 is no scalar");
    let shown = format!("{:?}", flags());
    assert!(!shown.contains("Key") && shown.starts_with("Flags"), "{shown}");
}
