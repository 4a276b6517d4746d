//! Every document prints to the bytes that it was read from, is bounded, and stands in `docs/arbiter.md` as it is made here.

use std::fs;

use arbiter::claim::Claim;
use arbiter::commitment::{Opening, commit};
use arbiter::crash::Crash;
use arbiter::key::Ed25519Key;
use arbiter::note::{Note, VerifierKey};
use arbiter::possession::Possession;
use arbiter::receipt::Receipt;
use arbiter::{Context, Digest, Document, Manifest, Tier, Verdict, Wrong, limits, verify};
use contest::page;
use proptest::prelude::*;

fn operator() -> VerifierKey {
    VerifierKey::parse(&contest::operator()).expect("a key")
}

/// What is wrong with a manifest whose text was changed before it was signed.
fn changed(change: impl Fn(&str) -> String) -> Result<(), (u32, &'static str, Wrong)> {
    let text = contest::manifest(&contest::address()).to_string();
    let bytes = contest::note(&change(&text), &["operator"]);
    Manifest::read(&bytes, &operator()).map(|_| ()).map_err(|fault| (fault.place.line, fault.place.field, fault.wrong))
}

fn with(key: &str, value: &str) -> Result<(), (u32, &'static str, Wrong)> {
    changed(|text| {
        let lines =
            text.lines().map(|line| if line.starts_with(&format!("{key} ")) { format!("{key} {value}\n") } else { format!("{line}\n") });
        let changed: String = lines.collect();
        assert_ne!(changed, text, "{key} is there");
        changed
    })
}

#[test]
fn a_manifest_prints_to_what_it_was_read_from() {
    let bytes = contest::manifest_note();
    let note = Note::parse(Document::Manifest, &bytes).expect("a note");
    assert_eq!(note.to_string().as_bytes(), bytes);
    let manifest = Manifest::read(&bytes, &operator()).expect("a manifest");
    assert_eq!(manifest.to_string().as_bytes(), note.open(&operator()).expect("signed"));
    assert_eq!(manifest.digest(), contest::manifest_digest());
    let text_len = bytes.windows(2).rposition(|pair| pair == b"\n\n").expect("a text") + 1;
    assert_eq!(manifest.digest(), Digest::of(&[&bytes[..text_len]]));
}

#[test]
fn a_manifest_says_where_it_is_wrong() {
    let other = contest::key("other").to_string();
    assert_eq!(changed(str::to_owned), Ok(()));
    assert_eq!(with("name", ""), Err((2, "name", Wrong::Empty)));
    assert_eq!(with("name", &"x".repeat(129)), Err((2, "name", Wrong::TooLong(limits::NAME_LEN_MAX))));
    assert_eq!(with("rules", "0"), Err((3, "rules", Wrong::Hex(64))));
    assert_eq!(with("source", "main"), Err((6, "source", Wrong::Revision)));
    assert_eq!(with("certificate", &"0".repeat(64)), Err((9, "certificate", Wrong::Ascending)));
    assert_eq!(with("log", &contest::key("log").to_string()), Err((10, "log", Wrong::VerifierKey)));
    assert_eq!(with("log", &contest::operator()), Err((10, "log", Wrong::SameKey)));
    assert_eq!(with("start", "01"), Err((11, "start", Wrong::Number)));
    assert_eq!(with("end", &contest::START.to_string()), Err((12, "end", Wrong::Period)));
    assert_eq!(with("end", "253402300800"), Err((12, "end", Wrong::Time)));
    assert_eq!(with("auth.flag", &contest::key("operator").to_string()), Err((13, "auth.flag", Wrong::SameKey)));
    assert_eq!(with("read.flag", &contest::key("auth").to_string()), Err((15, "read.flag", Wrong::SameKey)));
    assert_eq!(with("read.flag", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), Err((15, "read.flag", Wrong::WeakKey)));
    assert_eq!(with("read.flag", "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), Err((15, "read.flag", Wrong::Key)));
    assert_eq!(with("read.address", "0x1"), Err((16, "read.address", Wrong::Address)));
    assert_eq!(with("write.value", "1"), Err((20, "write.value", Wrong::Address)));
    assert_eq!(with("wallet.flag", &other), Err((30, "wallet.flag", Wrong::Key)));
    assert_eq!(with("wallet.address", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"), Err((31, "wallet.address", Wrong::WalletAddress)));
    assert_eq!(with("wallet.prize", " x"), Err((32, "wallet.prize", Wrong::Edges)));
    assert_eq!(changed(|text| text.replacen(" 1\n", " 2\n", 1)), Err((1, "", Wrong::Version("bountybox-manifest 1"))));
    assert_eq!(changed(|text| format!("{text}more 1\n")), Err((33, "", Wrong::Behind)));
    assert_eq!(changed(|text| text.replace("end ", "ende ")), Err((12, "end", Wrong::Order("end"))));
}

#[test]
fn a_manifest_of_anybody_else_is_not_read() {
    let text = contest::manifest(&contest::address()).to_string();
    let fault = |labels: &[&str]| Manifest::read(&contest::note(&text, labels), &operator()).map(|_| ()).map_err(|fault| fault.wrong);
    assert_eq!(fault(&["operator"]), Ok(()));
    assert_eq!(fault(&["witness", "operator", "log"]), Ok(()));
    assert_eq!(fault(&["witness", "log"]), Err(Wrong::Unsigned));
    assert_eq!(fault(&["operator", "operator"]), Err(Wrong::SignedTwice));
}

#[test]
fn a_note_that_is_too_long_is_not_read() {
    let long = vec![b'x'; limits::NOTE_LEN_MAX + 1];
    let fault = Manifest::read(&long, &operator()).expect_err("too long");
    assert_eq!(fault.wrong, Wrong::TooLong(limits::NOTE_LEN_MAX));
    let fault = Manifest::read(&long[1..], &operator()).expect_err("no note");
    assert_eq!(fault.wrong, Wrong::NoteForm);
}

/// Fewer certificates than one, and more than may be, in the one order that there is.
#[test]
fn certificates_are_counted() {
    let many = |count: usize| {
        changed(|text| {
            let mut rows = vec![];
            (0..count).for_each(|index| rows.push(format!("certificate {index:064x}\n")));
            let rest = text.lines().filter(|line| !line.starts_with("certificate "));
            rest.map(|line| if line.starts_with("log ") { rows.concat() + line + "\n" } else { format!("{line}\n") }).collect()
        })
    };
    assert_eq!(many(limits::CERTIFICATES_MAX), Ok(()));
    assert_eq!(many(0), Err((8, "certificate", Wrong::Order("certificate"))));
    assert_eq!(many(limits::CERTIFICATES_MAX + 1), Err((24, "certificate", Wrong::Certificates)));
}

#[test]
fn the_other_documents_print_to_what_they_were_read_from() {
    for tier in Tier::ALL {
        let bytes = contest::claim(tier);
        let claim = Claim::parse(&bytes).expect("a claim");
        assert_eq!(claim.body.to_string().as_bytes(), claim.seal.message);
        assert_eq!(claim.document(), bytes);
        let bytes = contest::possession(tier);
        let proof = Possession::parse(&bytes).expect("a proof");
        assert_eq!(proof.body.to_string().as_bytes(), proof.seal.message);
        assert_eq!(proof.seal.document(), bytes);
    }
    let claimant = contest::claimant("claimant");
    let bytes = contest::seal("down", &contest::crash_body(&claimant));
    let crash = Crash::parse(&bytes).expect("a record");
    assert_eq!(crash.body, contest::crash_body(&claimant));
    assert_eq!(crash.body.to_string().as_bytes(), crash.seal.message);
    let text = contest::opening().to_string();
    assert_eq!(Opening::parse(text.as_bytes()), Ok(contest::opening()));
    let claim = contest::claim(Tier::Read);
    assert_eq!(Receipt::read(&contest::receipt(&claim), &contest::named("log")), Ok(contest::receipt_body(&claim)));
}

/// Claimants stand in one order, each once, and each is a key.
#[test]
fn claimants_of_a_crash_are_keys_in_order() {
    let (a, b) = (contest::claimant("claimant"), contest::claimant("other"));
    let wrong = |claimants: Vec<&str>| {
        let body = arbiter::crash::Body { claimants, ..contest::crash_body(&a) };
        Crash::parse(&contest::seal("down", &body)).map(|_| ()).map_err(|fault| (fault.place.line, fault.wrong))
    };
    let (first, second) = if a < b { (&a[..], &b[..]) } else { (&b[..], &a[..]) };
    assert_eq!(wrong(vec![]), Ok(()));
    assert_eq!(wrong(vec![first, second]), Ok(()));
    assert_eq!(wrong(vec![second, first]), Err((9, Wrong::Ascending)));
    assert_eq!(wrong(vec![first, first]), Err((9, Wrong::Ascending)));
    assert_eq!(wrong(vec!["somebody"]), Err((8, Wrong::NotEd25519)));
}

#[test]
fn the_page_shows_what_is_made() {
    let page = fs::read_to_string(page::path()).expect("the page");
    for (name, text) in page::made() {
        assert_eq!(page::shown(&page, &name), Some(&text[..]), "{name}; `cargo run -p arbiter --example vectors` makes them anew");
    }
}

/// With nothing but the page at hand: its examples go together.
#[test]
fn the_examples_of_the_page_are_judged() {
    let page = fs::read_to_string(page::path()).expect("the page");
    let shown = |name: &str| page::shown(&page, name).unwrap_or_else(|| panic!("{name} stands there"));
    let [manifest, receipt, opening] = ["manifest", "receipt", "opening"].map(|name| shown(name).as_bytes());
    let write_up = Some(Digest::of(&[shown("write-up").as_bytes()]));
    for (name, tier, commitment) in [
        ("claim for read", Tier::Read, Some(arbiter::Commitment { receipt, opening, write_up })),
        ("claim for down", Tier::Down, None),
        ("claim for wallet", Tier::Wallet, None),
    ] {
        let verdict =
            verify(manifest, shown("operator").trim_end(), shown(name).as_bytes(), &Context { now: contest::TIME + 900, commitment });
        assert!(matches!(verdict, Verdict::Falsified { tier: won, .. } if won == tier), "{name}: {verdict}");
    }
    let opening = Opening::parse(opening).expect("an opening");
    let commitment = commit(shown("claim for read").as_bytes(), &opening.write_up, &opening.salt);
    assert_eq!(commitment.to_string(), shown("commitment").trim_end());
}

/// The page's bounds are the crate's.
#[test]
fn the_page_has_every_bound() {
    let page = fs::read_to_string(page::path()).expect("the page");
    let rows: Vec<(&str, usize)> = page.lines().filter_map(bound).collect();
    let bounds = [
        ("NOTE_LEN_MAX", limits::NOTE_LEN_MAX),
        ("NOTE_SIGNATURES_MAX", limits::NOTE_SIGNATURES_MAX),
        ("NOTE_SIGNATURE_LEN_MAX", limits::NOTE_SIGNATURE_LEN_MAX),
        ("CLAIM_LEN_MAX", limits::CLAIM_LEN_MAX),
        ("CRASH_LEN_MAX", limits::CRASH_LEN_MAX),
        ("POSSESSION_LEN_MAX", limits::POSSESSION_LEN_MAX),
        ("OPENING_LEN_MAX", limits::OPENING_LEN_MAX),
        ("NAME_LEN_MAX", limits::NAME_LEN_MAX),
        ("PRIZE_LEN_MAX", limits::PRIZE_LEN_MAX),
        ("CERTIFICATES_MAX", limits::CERTIFICATES_MAX),
        ("KEY_NAME_LEN_MAX", limits::KEY_NAME_LEN_MAX),
        ("CLAIMANT_LEN_MAX", limits::CLAIMANT_LEN_MAX),
        ("TEXT_LEN_MAX", limits::TEXT_LEN_MAX),
        ("DETAIL_LEN_MAX", limits::DETAIL_LEN_MAX),
        ("CRASH_CLAIMANTS_MAX", limits::CRASH_CLAIMANTS_MAX),
        ("SIGNATURE_LEN_MAX", limits::SIGNATURE_LEN_MAX),
        ("TIME_MAX", usize::try_from(limits::TIME_MAX).expect("64 bits")),
    ];
    assert_eq!(rows, bounds);
    let named = include_str!("../src/limits.rs").lines().filter(|line| line.starts_with("pub const ")).count();
    assert_eq!(named, bounds.len(), "all of them");
}

/// `| what | number | `NAME` |`
fn bound(row: &str) -> Option<(&str, usize)> {
    let mut cells = row.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
    let (_, number, name) = (cells.next()?, cells.next()?, cells.next()?);
    Some((name.strip_prefix('`')?.strip_suffix('`')?, number.replace(',', "").parse().ok()?))
}

proptest! {
    /// Where anything at all is read as a document, it is the one way to write it.
    #[test]
    fn what_is_read_is_written_in_one_way(at in 0_usize..2000, byte in any::<u8>(), which in 0_usize..8) {
        let mut bytes = contest::claim(Tier::ALL[which]);
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(claim) = Claim::parse(&bytes) {
            prop_assert_eq!(claim.body.to_string().into_bytes(), claim.seal.message.to_vec());
            prop_assert_eq!(claim.document(), bytes);
        }
    }

    /// And a manifest, where its operator signs whatever it says.
    #[test]
    fn a_manifest_is_written_in_one_way(at in 0_usize..4000, byte in b' '..=b'~') {
        let mut text = contest::manifest(&contest::address()).to_string().into_bytes();
        let at = at % text.len();
        text[at] = byte;
        let text = String::from_utf8(text).expect("ascii");
        let note = contest::note(&text, &["operator"]);
        if let Ok(manifest) = Manifest::read(&note, &operator()) {
            prop_assert_eq!(manifest.to_string(), text);
        }
    }
}

/// Printed, a key is what it is read from.
#[test]
fn keys_print_to_what_they_are_read_from() {
    let key = contest::named("log");
    assert_eq!(VerifierKey::parse(&key.to_string()), Ok(key));
    assert_eq!(Ed25519Key::from_claimant(&contest::claimant("claimant")), Some(contest::key("claimant")));
}
