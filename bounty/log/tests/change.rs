//! What may be changed of a promise and what not, and who must name which version: a sound change, and one thing wrong with it at a time.

use arbiter::fault::Place;
use arbiter::manifest::{Flag, Manifest, Published};
use arbiter::receipt::Receipt;
use arbiter::{Digest, Fault, Tier, Wrong, possession};
use bounty_log::append::Log;
use bounty_log::change::{Change, ChangeFault, Parts, Promise};
use bounty_log::check::{Report, Trust, check};
use bounty_log::entry::{Entry, Kind};
use bounty_log::limits::VERSIONS_MAX;
use bounty_log::reveal::Reveal;
use bounty_log::store::Folder;
use contest::{END, START};
use tempfile::TempDir;

const RULES: &str = "Rules of this contest\n\n1. What was forbidden is allowed.\n\nbountybox-manifest 1\n";

/// When the operator changes something.
const TIME: u64 = START + 3600;

/// A change, and all that can be wrong with it.
struct Draft<'a> {
    change: Change,
    manifest: Manifest<'a>,
    rules: &'a str,
    /// Who signs the change, and the manifest.
    by: [&'a str; 2],
}

impl<'a> Draft<'a> {
    /// A sound one: other rules, a greater prize, a later end.
    fn of(old: &Manifest<'a>, version: u64, time: u64, rules: &'a str) -> Self {
        let to_rules = Digest::of(&[rules.as_bytes()]);
        let mut manifest = Manifest { rules: to_rules, end: old.end + version, ..old.clone() };
        manifest.flags[0].prize = "1,000 EUR";
        let change = Change { version, time, from: old.digest(), to: manifest.digest(), from_rules: old.rules, to_rules };
        Self { change, manifest, rules, by: ["operator"; 2] }
    }

    /// The same with another manifest, which the change names.
    fn with(mut self, change: impl FnOnce(&mut Manifest<'a>)) -> Self {
        change(&mut self.manifest);
        self.change.to = self.manifest.digest();
        self
    }

    fn saying(mut self, change: impl FnOnce(&mut Change)) -> Self {
        change(&mut self.change);
        self
    }

    fn document(&self) -> Vec<u8> {
        let [change, manifest] = self.by;
        let change = contest::note(&self.change.to_string(), &[change]);
        let manifest = contest::note(&self.manifest.to_string(), &[manifest]);
        Parts { change: &change, manifest: &manifest, rules: self.rules }.document()
    }
}

fn follow(old: &Manifest<'_>, version: u64, document: &[u8]) -> Result<(), ChangeFault> {
    Promise { version, manifest: old.clone() }.follow(document, &contest::named("operator")).map(|_| ())
}

#[test]
fn a_sound_change_is_followed_and_reads_as_it_was_written() {
    let address = contest::address();
    let old = contest::manifest(&address);
    let draft = Draft::of(&old, 2, TIME, RULES);
    let document = draft.document();
    let operator = contest::named("operator");
    let (next, change) = Promise::first(old.clone()).follow(&document, &operator).unwrap();
    assert_eq!((next.version, &next.manifest, &change), (2, &draft.manifest, &draft.change));
    let parts = Parts::of(&document).unwrap();
    assert_eq!((parts.rules, parts.document()), (RULES, document.clone()));
    // A witness may sign the change too.
    let witnessed = contest::note(&draft.change.to_string(), &["operator", "claimant"]);
    assert_eq!(follow(&old, 1, &Parts { change: &witnessed, ..parts }.document()), Ok(()));
    // And a second one follows on the first, and not the other way round.
    let second = Draft::of(&draft.manifest, 3, TIME + 5, "Others.\n").document();
    assert!(next.follow(&second, &operator).is_ok());
    assert_eq!(follow(&old, 1, &second), Err(ChangeFault::Version { wanted: 2 }));
    assert_eq!(follow(&draft.manifest, 2, &document), Err(ChangeFault::Version { wanted: 3 }), "twice");
}

#[test]
fn each_thing_that_is_wrong_with_a_change_is_told() {
    let address = contest::address();
    let old = contest::manifest(&address);
    let good = || Draft::of(&old, 2, TIME, RULES);
    let by = |by| Draft { by, ..good() };
    let other = Digest([7; 32]);
    let unsigned = Place { document: arbiter::Document::Manifest, line: 0, field: "" }.wrong(Wrong::Unsigned);
    let same = |draft: Draft<'_>| follow(&old, 1, &draft.document());
    for (draft, fault) in [
        (by(["log", "operator"]), ChangeFault::Note(Wrong::Unsigned)),
        (by(["operator", "log"]), ChangeFault::Manifest(unsigned)),
        (good().saying(|change| change.version = 1), ChangeFault::Version { wanted: 2 }),
        (good().saying(|change| change.version = 3), ChangeFault::Version { wanted: 2 }),
        (good().saying(|change| change.from = other), ChangeFault::From),
        (good().saying(|change| change.from_rules = other), ChangeFault::FromRules),
        (good().saying(|change| change.to = other), ChangeFault::To),
        (good().saying(|change| change.to_rules = other), ChangeFault::ToRules),
        (Draft { rules: "Other rules than were signed for.\n", ..good() }, ChangeFault::ToRules),
        (good().with(|manifest| manifest.rules = other), ChangeFault::ToRules),
        (good().saying(|change| change.time = START - 1), ChangeFault::Early),
        (good().saying(|change| change.time = END), ChangeFault::Over),
        (good().with(|manifest| manifest.end = TIME), ChangeFault::End),
        (good().with(|manifest| manifest.name = "Another contest"), ChangeFault::Kept("the name")),
        (good().with(|manifest| manifest.image = other), ChangeFault::Kept("the image")),
        (good().with(|manifest| manifest.tender = other), ChangeFault::Kept("the tender")),
        (good().with(|manifest| manifest.source = "5555555555555555555555555555555555555555"), ChangeFault::Kept("the source")),
        (good().with(|manifest| manifest.configuration = other), ChangeFault::Kept("the configuration")),
        (good().with(|manifest| manifest.certificates.truncate(1)), ChangeFault::Kept("a certificate")),
        (good().with(|manifest| manifest.log = contest::named("claimant")), ChangeFault::Kept("the log's key")),
        (good().with(|manifest| manifest.start = START + 1), ChangeFault::Kept("the start")),
        (
            good().with(|manifest| manifest.flags[1].key = arbiter::key::FlagKey::Ed25519(contest::key("claimant"))),
            ChangeFault::Kept("a flag"),
        ),
        (
            good().with(|manifest| manifest.flags[1].published = Published::Read(0x7f00_0000_0000)),
            ChangeFault::Kept("what is published of a flag"),
        ),
    ] {
        assert_eq!(same(draft), Err(fault), "{fault}");
    }
    // Nothing is another: a manifest signed anew is no version.
    let digest = Digest::of(&[RULES.as_bytes()]);
    let old = Manifest { rules: digest, ..contest::manifest(&address) };
    let change = Change { version: 2, time: TIME, from: old.digest(), to: old.digest(), from_rules: digest, to_rules: digest };
    let none = Draft { change, manifest: old.clone(), rules: RULES, by: ["operator"; 2] };
    assert_eq!(follow(&old, 1, &none.document()), Err(ChangeFault::Nothing));
    let more = Draft::of(&old, VERSIONS_MAX + 1, TIME, "x");
    assert_eq!(follow(&old, VERSIONS_MAX, &more.document()), Err(ChangeFault::Versions));
}

#[test]
fn there_is_one_way_to_write_a_change() {
    let address = contest::address();
    let old = contest::manifest(&address);
    let good = Draft::of(&old, 2, TIME, RULES);
    let text = good.change.to_string();
    let note = contest::note(&good.manifest.to_string(), &["operator"]);
    let with = |text: &str| {
        let change = contest::note(text, &["operator"]);
        follow(&old, 1, &Parts { change: &change, manifest: &note, rules: RULES }.document())
    };
    assert_eq!(with(&text), Ok(()));
    for bad in [
        text.replace("bountybox-change 1", "bountybox-change 2"),
        text.replace("version 2", "version 02"),
        text.replace("version 2", "version +2"),
        text.replace("from-rules", "rules-from"),
        text.replace(&format!("time {TIME}"), "time 253402300800"),
        format!("{text}more 1\n"),
        text.lines().take(6).map(|line| format!("{line}\n")).collect(),
        text.to_uppercase(),
    ] {
        assert_eq!(with(&bad), Err(ChangeFault::Lines), "{bad}");
    }
    let document = good.document();
    for bad in [&b""[..], b"bountybox-change 1\n", &document[..document.len() - RULES.len()], &document[..100], b"\n\n\n\n\n\n\n\n"] {
        assert!(follow(&old, 1, bad).is_err(), "{}", String::from_utf8_lossy(bad));
    }
    let latin = [&document[..], b"\xff"].concat();
    assert_eq!(follow(&old, 1, &latin), Err(ChangeFault::Parts), "rules are text");
}

/// Every bit of a sound change is under a signature or a digest.
#[test]
fn a_change_that_is_altered_anywhere_is_refused() {
    let address = contest::address();
    let old = contest::manifest(&address);
    let document = Draft::of(&old, 2, TIME, RULES).document();
    for at in 0..document.len() {
        let mut altered = document.clone();
        altered[at] ^= 1;
        assert!(follow(&old, 1, &altered).is_err(), "at {at}");
        assert!(follow(&old, 1, &document[..at]).is_err(), "up to {at}");
    }
}

/// A log with a change in it, and what follows.
struct Book {
    dir: TempDir,
    log: Log<contest::Holder>,
}

impl Book {
    fn begin() -> Self {
        let dir = TempDir::new().expect("a log");
        let first = contest::manifest_note();
        let first = Entry { time: START, kind: Kind::Manifest, document: &first };
        let log = Log::begin(Folder::new(dir.path()), contest::holder("log"), &first).expect("a log");
        Self { dir, log }
    }

    fn add(mut self, kind: Kind, time: u64, document: &[u8]) -> Self {
        self.log.append(&Entry { time, kind, document }).expect("a log");
        self
    }

    fn heartbeat(self, manifest: Digest, time: u64) -> Self {
        let nonce = self.log.tree().root(self.log.tree().size()).expect("a log").0;
        let proof = |tier: Tier| contest::seal(tier.name(), &possession::Body { manifest, tier, nonce, time });
        let proofs: Vec<u8> = Tier::ALL.into_iter().flat_map(proof).collect();
        self.add(Kind::Heartbeat, time, &proofs)
    }

    fn checked(&self) -> Report {
        let (log, operator) = (contest::named("log"), contest::named("operator"));
        check(&Folder::new(self.dir.path()), &Trust { log: &log, operator: Some(&operator), earlier: Vec::new() })
    }

    /// What is found, each by its code and entry.
    fn found(&self) -> Vec<String> {
        self.checked().findings.iter().map(|finding| format!("{} {}", finding.place, finding.code)).collect()
    }
}

#[test]
fn a_log_follows_its_operator_and_the_version_in_force_is_what_others_name() {
    let address = contest::address();
    let old = contest::manifest(&address);
    let draft = Draft::of(&old, 2, TIME, RULES);
    let (from, to) = (old.digest(), draft.change.to);
    let receipt = |manifest, time| contest::note(&Receipt { manifest, commitment: Digest([1; 32]), time }.to_string(), &["log"]);
    let claimant = contest::claimant("claimant");
    let crash = |manifest| contest::seal("down", &arbiter::crash::Body { manifest, ..contest::crash_body(&claimant) });
    let begun = || Book::begin().add(Kind::Start, START, b"").heartbeat(from, START + 10).add(Kind::Rules, TIME, &draft.document());
    let sound =
        begun().heartbeat(to, TIME + 1).add(Kind::Commitment, TIME + 2, &receipt(to, TIME + 2)).add(Kind::Restart, TIME + 3, &crash(to));
    assert_eq!(sound.found(), [""; 0]);
    let stale = begun().heartbeat(from, TIME + 1).add(Kind::Commitment, TIME + 2, &receipt(from, TIME + 2)).add(
        Kind::Restart,
        TIME + 3,
        &crash(from),
    );
    assert_eq!(stale.found(), ["entry 4 heartbeat", "entry 5 commitment", "entry 6 restart"]);
    let early = Book::begin().add(Kind::Start, START, b"").heartbeat(to, START + 10);
    assert_eq!(early.found(), ["entry 2 heartbeat"]);
    // Twice, backwards, or of nobody.
    let second = Draft::of(&draft.manifest, 3, TIME + 5, "Others.\n").document();
    assert_eq!(begun().add(Kind::Rules, TIME + 6, &second).found(), [""; 0]);
    assert_eq!(begun().add(Kind::Rules, TIME + 1, &draft.document()).found(), ["entry 4 rules"]);
    assert_eq!(Book::begin().add(Kind::Rules, TIME + 6, &second).found(), ["entry 1 rules"]);
    let back = Change { version: 3, time: TIME + 5, from: to, to: from, from_rules: draft.change.to_rules, to_rules: old.rules };
    let back = Draft { change: back, manifest: old.clone(), rules: "rules", by: ["operator"; 2] };
    assert_eq!(
        begun().add(Kind::Rules, TIME + 6, &back.document()).found(),
        [""; 0],
        "what was may be promised again, as a version of its own"
    );
    let forged = Draft { by: ["log"; 2], ..Draft::of(&old, 2, TIME, RULES) };
    assert_eq!(Book::begin().add(Kind::Rules, TIME, &forged.document()).found(), ["entry 1 rules"]);
}

#[test]
fn a_change_stands_in_the_log_after_it_was_made_and_before_any_end() {
    let address = contest::address();
    let old = contest::manifest(&address);
    for (made, entered, end, wanted) in [
        (TIME, TIME, END, 0),
        (TIME, TIME + 86_400, END, 0),
        (TIME, TIME - 1, END, 1),
        (TIME, END, END + 86_400, 1),
        (TIME, TIME + 60, TIME + 60, 1),
        (TIME, TIME + 59, TIME + 60, 0),
    ] {
        let draft = Draft::of(&old, 2, made, RULES).with(|manifest| manifest.end = end);
        let found = Book::begin().add(Kind::Rules, entered, &draft.document()).found();
        assert_eq!(found.len(), wanted, "{made} {entered} {end}: {found:?}");
    }
}

#[test]
fn a_claim_is_held_against_what_it_was_committed_to() {
    let claim = contest::claim(Tier::Read);
    let (receipt, opening) = (contest::receipt(&claim), contest::opening().to_string().into_bytes());
    let time = contest::receipt_body(&claim).time;
    let reveal = |claim: &[u8], receipt: &[u8], opening: &[u8]| Reveal { claim, commitment: Some((receipt, opening)) }.document();
    let good = reveal(&claim, &receipt, &opening);
    let read = Reveal::of(&good);
    assert_eq!((read.claim, read.commitment, read.document()), (&claim[..], Some((&receipt[..], &opening[..])), good.clone()));
    let committed = || Book::begin().add(Kind::Commitment, time, &receipt);
    assert_eq!(committed().add(Kind::Claim, time + 60, &good).found(), [""; 0]);
    let witnessed = contest::note(&contest::receipt_body(&claim).to_string(), &["log", "claimant"]);
    assert_eq!(
        committed().add(Kind::Claim, time + 60, &reveal(&claim, &witnessed, &opening)).found(),
        [""; 0],
        "others may sign a receipt"
    );
    let other = contest::opening();
    let other = arbiter::commitment::Opening { salt: [1; 32], ..other }.to_string();
    let foreign = Receipt { manifest: Digest([9; 32]), ..contest::receipt_body(&claim) };
    for (what, document) in [
        ("another's claim", reveal(&contest::claim(Tier::Auth), &receipt, &opening)),
        ("another salt", reveal(&claim, &receipt, other.as_bytes())),
        ("another contest's receipt", reveal(&claim, &contest::note(&foreign.to_string(), &["log"]), &opening)),
        (
            "a receipt that another signed",
            reveal(&claim, &contest::note(&contest::receipt_body(&claim).to_string(), &["operator"]), &opening),
        ),
        ("no opening", reveal(&claim, &receipt, b"")),
        ("no receipt", [&claim[..], b"\n", &opening].concat()),
        ("more", [&good[..], b"\nmore\n"].concat()),
    ] {
        assert_eq!(committed().add(Kind::Claim, time + 60, &document).found(), ["entry 2 claim"], "{what}");
    }
    assert_eq!(Book::begin().add(Kind::Claim, time + 60, &good).found(), ["entry 1 claim"], "nothing was committed to before");
}

/// The arbiter's types say what they are used for here, so that a new field is not overlooked: whatever a manifest has is either kept or may change.
#[test]
fn every_field_of_a_manifest_is_kept_or_may_change() {
    let address = contest::address();
    let Manifest { name: _, rules: _, image: _, tender: _, source: _, configuration: _, certificates: _, log: _, start: _, end: _, flags } =
        contest::manifest(&address);
    let [Flag { key: _, published: _, prize: _ }, ..] = flags;
    let _: fn(Fault) -> ChangeFault = ChangeFault::Manifest;
}
