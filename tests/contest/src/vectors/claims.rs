//! Claims that hold, and those that break one rule each.

use arbiter::claim::Body;
use arbiter::commitment::{Opening, commit};
use arbiter::receipt::Receipt;
use arbiter::{Digest, Tier, crash};

use super::{LAST, NOW, Vector};
use crate::{END, START, TIME};

const OTHER: Digest = Digest([7; 32]);

pub(super) fn all() -> Vec<Vector> {
    [sound(), times(), signatures(), records(), receipts()].concat()
}

fn read(body: impl FnOnce(Body<'static>) -> Body<'static>) -> Vec<u8> {
    crate::seal("read", &body(crate::claim_body(Tier::Read, "bcrt1qanybody")))
}

fn falsified(about: &'static str, name: &str, tier: Tier, claimant: &str, claim: Vec<u8>) -> Vector {
    let (tier, claimant, time) = (format!("tier {tier}"), format!("claimant {claimant}"), format!("time {TIME}"));
    Vector::new(about, name, claim, &["Falsified", &tier, &claimant, &time])
}

fn committed(mut vector: Vector) -> Vector {
    vector.verdict.push(format!("committed {}", TIME + 600));
    vector.committed()
}

/// Each clock a little other than the log's: who signs with a fast one has a receipt that is older than the claim.
fn by_a_fast_clock(seconds: u64) -> Vector {
    let (claim, time) = (crate::claim(Tier::Read), TIME - seconds);
    let receipt = crate::note(&Receipt { time, ..crate::receipt_body(&claim) }.to_string(), &["log"]);
    let name = format!("committed to by the log's clock, {seconds} s before the claim's time");
    let mut vector = falsified("sound", &name, Tier::Read, &crate::claimant("claimant"), claim).with_receipt(receipt);
    vector.verdict.push(format!("committed {time}"));
    vector
}

fn sound() -> Vec<Vector> {
    let claimant = crate::claimant("claimant");
    let claim = |tier, name: &str| falsified("sound", name, tier, &claimant, crate::claim(tier));
    let mut vectors: Vec<Vector> = Tier::ALL.into_iter().map(|tier| claim(tier, &format!("a claim for {tier}"))).collect();
    vectors.push(committed(claim(Tier::Read, "committed to before")));
    vectors.push(committed(claim(Tier::Read, "committed to before, and judged in the first second behind the end")).judged_at(END));
    vectors.push(committed(claim(Tier::Down, "committed to before, and no write-up at hand")).with_write_up(None));
    vectors.extend([by_a_fast_clock(5), by_a_fast_clock(TIME - START)]);
    vectors.push(claim(Tier::Read, "judged in the second of the claim").judged_at(TIME));
    vectors.push(claim(Tier::Read, "judged in the last second").judged_at(LAST));
    vectors.push(falsified("sound", "a claimant that is an address", Tier::Read, "bcrt1qanybody", read(|body| body)));
    let note = crate::note(&crate::manifest(&crate::address()).to_string(), &["witness", "operator"]);
    vectors.push(claim(Tier::Read, "a manifest that somebody else signed too").under(note));
    vectors
}

fn times() -> Vec<Vector> {
    let at = |time| read(|body| Body { time, ..body });
    let falsified_at = |name, time: u64| {
        let time_line = format!("time {time}");
        Vector::new("sound", name, at(time), &["Falsified", "tier read", "claimant bcrt1qanybody", &time_line])
    };
    let not = |about, name, time, reasons: &[&str]| Vector::new(about, name, at(time), &[&["NotFalsified"], reasons].concat());
    let early = "claim: line 6: time: before the contest's start";
    let ended = "claim: line 6: time: not before the contest's end";
    let future = "claim: line 6: time: later than the time of judging";
    let late = "claim: judged after the contest's end, and no commitment from before it is handed in";
    vec![
        falsified_at("in the first second", START),
        falsified_at("in the last second", LAST).judged_at(LAST),
        Vector::new("manifest", "for another contest", read(|body| Body { manifest: OTHER, ..body }), &["NotFalsified", OTHER_MANIFEST]),
        not("start", "a second too early", START - 1, &[early]),
        not("start", "in 1970", 0, &[early]),
        not("end", "in the first second behind the end", END, &[ended, late]).judged_at(END),
        not("end", "behind the end, but committed to", END, &[ended]).committed().judged_at(END),
        not("future", "a second after it is judged", NOW + 1, &[future]),
        not("late", "judged in the first second behind the end", TIME, &[late]).judged_at(END),
        not("late", "judged years later", TIME, &[late]).judged_at(2 * END),
    ]
}

const OTHER_MANIFEST: &str = "claim: line 2: manifest: names another manifest";
const UNSIGNED: &str = "claim: line 7: signature: the signature does not verify";

fn signatures() -> Vec<Vector> {
    let claimant = crate::claimant("claimant");
    let by = |label: &str, tier| crate::seal(label, &crate::claim_body(tier, &claimant));
    let not = |name: &str, claim, reason| Vector::new("signature", name, claim, &["NotFalsified", reason]);
    let mut vectors: Vec<Vector> = Tier::ALL
        .into_iter()
        .filter(|tier| !matches!(tier, Tier::Read | Tier::Wallet | Tier::Down))
        .map(|tier| not(&format!("for read, by the key of {tier}"), by(tier.name(), Tier::Read), UNSIGNED))
        .collect();
    let form = "claim: line 7: signature: not a signature of this key's kind";
    vectors.push(not("for read, by the wallet", by("wallet", Tier::Read), form));
    vectors.push(not("for the wallet, by the key of read", by("read", Tier::Wallet), form));
    vectors.push(not("for read, by the key of down", by("down", Tier::Read), UNSIGNED));
    vectors.push(not("by the operator", by("operator", Tier::Read), UNSIGNED));
    vectors.push(not("by the claimant", by("claimant", Tier::Read), UNSIGNED));
    let down = "claim: line 8: signature: the signature does not verify";
    vectors.push(not("for down, by its flag key", by("down", Tier::Down), down));
    // What the flag said to somebody's nonce, under a claim.
    let proof = crate::sign("read", crate::possession_body(Tier::Read).to_string().as_bytes());
    let body = crate::claim_body(Tier::Read, &claimant).to_string();
    vectors.push(not("a proof of possession's", arbiter::lines::sealed(&body, &proof), UNSIGNED));
    let replayed = String::from_utf8(crate::claim(Tier::Read)).expect("text").replace(&claimant, &crate::claimant("other"));
    vectors.push(not("somebody else's claim under one's own name", replayed.into_bytes(), UNSIGNED));
    vectors.push(not(
        "a large s of the wallet's",
        crate::high_claim(),
        "claim: line 7: signature: s is in the upper half of its range: negate it",
    ));
    vectors.push(not("one byte short", arbiter::lines::sealed(&body, &crate::sign("read", body.as_bytes())[..63]), form));
    vectors
}

fn records() -> Vec<Vector> {
    let claimant = crate::claimant("claimant");
    let holding = |record| crate::seal("claimant", &Body { record: Some(record), ..crate::claim_body(Tier::Down, &claimant) });
    let with = |change: &dyn Fn(&mut crash::Body<'_>)| {
        let other = crate::claimant("other");
        let mut body = crate::crash_body(&claimant);
        body.claimants.push(&other);
        body.claimants.sort_unstable();
        change(&mut body);
        holding(crate::seal("down", &body))
    };
    let not = |about, name, claim, reason| Vector::new(about, name, claim, &["NotFalsified", reason]);
    let record = crate::crash_body(&claimant);
    let stranger = "claim: line 4: claimant: the crash record does not name this claimant";
    let time = "crash: line 4: time: the crash lies before the contest's start or after the claim's time";
    let nobody = crate::seal("claimant", &Body { claimant: "somebody", ..crate::claim_body(Tier::Down, &claimant) });
    let keyless = "claim: line 4: claimant: must be ed25519: and a public key in base64, for this tier";
    vec![
        not(
            "record",
            "by the key of read",
            holding(crate::seal("read", &record)),
            "crash: line 9: signature: the signature does not verify",
        ),
        not(
            "record",
            "by the claimant",
            holding(crate::seal("claimant", &record)),
            "crash: line 9: signature: the signature does not verify",
        ),
        not(
            "record",
            "a proof of possession",
            holding(crate::possession(Tier::Down)),
            "crash: line 1: begins with something else than \"bountybox-crash 1\"",
        ),
        not("record", "no record at all", holding(b"x".to_vec()), "crash: the last line does not end with a line feed"),
        not(
            "record-manifest",
            "of another contest",
            with(&|body| body.manifest = OTHER),
            "crash: line 2: manifest: names another manifest",
        ),
        not("record-time", "before the start", with(&|body| body.time = START - 1), time),
        not("record-time", "after the claim", with(&|body| body.time = TIME + 1), time),
        not("record-claimant", "names others", with(&|body| body.claimants.retain(|name| *name != claimant)), stranger),
        not("record-claimant", "names nobody", with(&|body| body.claimants.clear()), stranger),
        Vector::new("record-claimant", "a claimant that is no key", nobody, &["NotFalsified", keyless, stranger]),
        falsified(
            "sound",
            "a crash in the second of the claim, one of two claimants",
            Tier::Down,
            &claimant,
            with(&|body| body.time = TIME),
        ),
        falsified("sound", "a crash in the first second", Tier::Down, &claimant, with(&|body| body.time = START)),
    ]
}

fn receipts() -> Vec<Vector> {
    let claim = crate::claim(Tier::Read);
    let sound = crate::receipt_body(&claim);
    let by = |label: &str, receipt: &Receipt| crate::note(&receipt.to_string(), &[label]);
    let not = |about, name, receipt, reason| Vector::new(about, name, claim.clone(), &["NotFalsified", reason]).with_receipt(receipt);
    let log = |receipt: Receipt| by("log", &receipt);
    let other = "receipt: line 3: commitment: the receipt is for another commitment than claim, write-up and salt make";
    let unsalted = Opening { salt: [0; 32], ..crate::opening() };
    let other_write_up = Opening { write_up: OTHER, ..crate::opening() };
    let of_another = crate::receipt(&crate::claim(Tier::Write));
    let ended = Receipt { time: END, ..sound.clone() };
    vec![
        not("receipt", "by the operator", by("operator", &sound), "receipt: no signature by the key that is trusted"),
        not("receipt", "by the claimant", by("claimant", &sound), "receipt: no signature by the key that is trusted"),
        not(
            "receipt",
            "a manifest that the log signed",
            crate::note(&crate::manifest(&crate::address()).to_string(), &["log"]),
            NO_RECEIPT,
        ),
        not("receipt", "nothing", vec![], "receipt: not a signed note: text, an empty line, signatures"),
        not("receipt", "an opening that is none", crate::receipt(&claim), "opening: the last line does not end with a line feed")
            .with_opening(""),
        not(
            "receipt-manifest",
            "of another contest",
            log(Receipt { manifest: OTHER, ..sound.clone() }),
            "receipt: line 2: manifest: names another manifest",
        ),
        not(
            "receipt-time",
            "a second before the start",
            log(Receipt { time: START - 1, ..sound.clone() }),
            "receipt: line 4: time: before the contest's start",
        ),
        not("receipt-time", "in the first second behind the end", log(ended), "receipt: line 4: time: not before the contest's end")
            .judged_at(END),
        not(
            "receipt-time",
            "after it is judged",
            log(Receipt { time: NOW + 1, ..sound }),
            "receipt: line 4: time: later than the time of judging",
        ),
        not("commitment", "to another claim", of_another, other),
        not("commitment", "with another salt", crate::receipt(&claim), other).with_opening(&unsalted.to_string()),
        not("commitment", "with another write-up", crate::receipt(&claim), other)
            .with_opening(&other_write_up.to_string())
            .with_write_up(None),
        not(
            "commitment",
            "the claim's digest alone",
            log(Receipt { commitment: Digest::of(&[&claim]), ..crate::receipt_body(&claim) }),
            other,
        ),
        not("commitment", "of a claim by the same words, signed for another time", other_time(&claim), other),
        not(
            "write-up",
            "another than was committed to",
            crate::receipt(&claim),
            "write-up: the write-up is another than the one that was committed to",
        )
        .with_write_up(Some(OTHER)),
    ]
}

const NO_RECEIPT: &str = "receipt: line 1: begins with something else than \"bountybox-receipt 1\"";

/// A receipt for the same claim, made a second later.
fn other_time(claim: &[u8]) -> Vec<u8> {
    let opening = crate::opening();
    let later = crate::seal("read", &Body { time: TIME + 1, ..crate::claim_body(Tier::Read, &crate::claimant("claimant")) });
    let commitment = commit(&later, &opening.write_up, &opening.salt);
    crate::note(&Receipt { commitment, ..crate::receipt_body(claim) }.to_string(), &["log"])
}
