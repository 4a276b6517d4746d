//! Claims, right and wrong, with the verdict on each: what `bounty/vectors` holds.
//!
//! The verdicts are written down here, not asked of the arbiter. `cargo run -p contest --bin vectors` writes the files; a test of the arbiter compares them with what is made.

mod claims;
mod setups;
mod shapes;

use std::collections::BTreeSet;
use std::path::PathBuf;

use arbiter::{Context, Digest, Verdict, verify};
use serde_json::{Value, json};

use crate::{END, TIME};

/// When most claims are judged.
const NOW: u64 = TIME + 900;

/// One question to the arbiter, and its answer.
#[derive(Debug, Clone)]
pub struct Vector {
    /// The rule that it is about, or a word for what it is about otherwise. It names the file.
    pub about: &'static str,
    /// What is done here.
    pub name: String,
    /// The operator's key.
    pub operator: String,
    /// The manifest.
    pub manifest: Vec<u8>,
    /// The claim.
    pub claim: Vec<u8>,
    /// The time of judging.
    pub now: u64,
    /// What was committed to.
    pub commitment: Option<Commitment>,
    /// The verdict's lines.
    pub verdict: Vec<String>,
}

/// A commitment, and what opens it.
#[derive(Debug, Clone)]
pub struct Commitment {
    /// The log's receipt.
    pub receipt: Vec<u8>,
    /// The claimant's opening.
    pub opening: Vec<u8>,
    /// The digest of the write-up that is handed in.
    pub write_up: Option<Digest>,
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Vector> {
    [claims::all(), shapes::all(), setups::all()].concat()
}

impl Vector {
    fn new(about: &'static str, name: &str, claim: Vec<u8>, verdict: &[&str]) -> Self {
        let verdict = verdict.iter().map(|line| (*line).to_owned()).collect();
        let (operator, manifest) = (crate::operator(), crate::manifest_note());
        Self { about, name: name.into(), operator, manifest, claim, now: NOW, commitment: None, verdict }
    }

    fn judged_at(mut self, now: u64) -> Self {
        self.now = now;
        self
    }

    fn under(mut self, manifest: Vec<u8>) -> Self {
        self.manifest = manifest;
        self
    }

    fn trusting(mut self, operator: &str) -> Self {
        self.operator = operator.into();
        self
    }

    /// With a receipt for the claim as it is.
    fn committed(self) -> Self {
        let receipt = crate::receipt(&self.claim);
        self.with_receipt(receipt)
    }

    fn with_receipt(mut self, receipt: Vec<u8>) -> Self {
        let opening = crate::opening();
        self.commitment = Some(Commitment { receipt, opening: opening.to_string().into_bytes(), write_up: Some(opening.write_up) });
        self
    }

    fn with_opening(mut self, opening: &str) -> Self {
        self.commitment = self.commitment.map(|commitment| Commitment { opening: opening.into(), ..commitment });
        self
    }

    fn with_write_up(mut self, write_up: Option<Digest>) -> Self {
        self.commitment = self.commitment.map(|commitment| Commitment { write_up, ..commitment });
        self
    }

    /// The arbiter's own answer.
    #[must_use]
    pub fn judge(&self) -> Verdict {
        let commitment = self.commitment.as_ref().map(|Commitment { receipt, opening, write_up }| arbiter::Commitment {
            receipt,
            opening,
            write_up: *write_up,
        });
        verify(&self.manifest, &self.operator, &self.claim, &Context { now: self.now, commitment })
    }

    /// The same with one of its documents changed at every place.
    fn changed(&self, part: Part, sound: &[u8]) -> Vec<Self> {
        let places = (0..sound.len()).flat_map(|at| changes(sound, at).map(|(how, changed)| (at, how, changed)));
        // What is no text is no key that anybody could hand in.
        let swept = places.filter_map(|(at, how, changed)| {
            let mut sweep = self.clone();
            sweep.name = format!("{}: {part:?} {how} at {at}", self.name);
            sweep.replace(part, changed).then_some(sweep)
        });
        swept.collect()
    }

    fn part(&self, part: Part) -> Option<Vec<u8>> {
        match part {
            Part::Operator => Some(self.operator.clone().into_bytes()),
            Part::Manifest => Some(self.manifest.clone()),
            Part::Claim => Some(self.claim.clone()),
            Part::Receipt => self.commitment.as_ref().map(|commitment| commitment.receipt.clone()),
            Part::Opening => self.commitment.as_ref().map(|commitment| commitment.opening.clone()),
        }
    }

    fn replace(&mut self, part: Part, bytes: Vec<u8>) -> bool {
        match (part, self.commitment.as_mut()) {
            (Part::Operator, _) => match String::from_utf8(bytes) {
                Ok(text) => self.operator = text,
                Err(_) => return false,
            },
            (Part::Manifest, _) => self.manifest = bytes,
            (Part::Claim, _) => self.claim = bytes,
            (Part::Receipt, Some(commitment)) => commitment.receipt = bytes,
            (Part::Opening, Some(commitment)) => commitment.opening = bytes,
            (Part::Receipt | Part::Opening, None) => return false,
        }
        true
    }

    fn to_json(&self) -> Value {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut value =
            json!({ "name": self.name, "operator": self.operator, "claim": text(&self.claim), "now": self.now, "verdict": self.verdict });
        if self.manifest != crate::manifest_note() {
            value["manifest"] = text(&self.manifest).into();
        }
        if let Some(Commitment { receipt, opening, write_up }) = &self.commitment {
            value["receipt"] = text(receipt).into();
            value["opening"] = text(opening).into();
            value["write_up"] = write_up.map(|digest| digest.to_string()).into();
        }
        value
    }
}

/// The documents of a vector.
#[derive(Debug, Clone, Copy)]
enum Part {
    Operator,
    Manifest,
    Claim,
    Receipt,
    Opening,
}

/// All that holds, with each document that it needs changed at every place: one bit other, a letter in the other case, a byte gone, a byte twice. None of it may hold.
#[must_use]
pub fn sweeps() -> Vec<Vector> {
    let (mut sweeps, mut seen) = (Vec::new(), BTreeSet::new());
    // Under a note a stranger's signature may be anything.
    for vector in all().into_iter().filter(|vector| vector.verdict[0] == "Falsified" && vector.manifest == crate::manifest_note()) {
        for part in [Part::Operator, Part::Manifest, Part::Claim, Part::Receipt, Part::Opening] {
            let Some(sound) = vector.part(part) else { continue };
            if seen.insert(sound.clone()) {
                sweeps.extend(vector.changed(part, &sound));
            }
        }
    }
    sweeps
}

/// Another bit, another case, gone, twice.
fn changes(sound: &[u8], at: usize) -> [(&'static str, Vec<u8>); 4] {
    let with = |byte: u8| {
        let mut bytes = sound.to_vec();
        bytes[at] = byte;
        bytes
    };
    let (mut gone, mut twice) = (sound.to_vec(), sound.to_vec());
    gone.remove(at);
    twice.insert(at, sound[at]);
    [("other", with(sound[at] ^ 1)), ("of other case", with(sound[at] ^ 0x20)), ("gone", gone), ("twice", twice)]
}

/// The folder of the files.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../bounty/vectors")
}

/// Every file: its name, and its text.
///
/// # Panics
/// Never.
#[must_use]
pub fn files() -> Vec<(String, String)> {
    let all = all();
    let mut abouts: Vec<&str> = all.iter().map(|vector| vector.about).collect();
    abouts.sort_unstable();
    abouts.dedup();
    let file = |about: &str| {
        let rows: Vec<Value> = all.iter().filter(|vector| vector.about == about).map(Vector::to_json).collect();
        let manifest = String::from_utf8_lossy(&crate::manifest_note()).into_owned();
        let value = json!({ "version": 1, "about": about, "manifest": manifest, "vectors": rows });
        (format!("{about}.json"), serde_json::to_string_pretty(&value).expect("text") + "\n")
    };
    abouts.into_iter().map(file).collect()
}

/// The last second of the contest.
const LAST: u64 = END - 1;
