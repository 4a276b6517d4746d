//! What a claim must fulfil once manifest and claim could be read. `docs/arbiter.md` has the same list, and a test compares the two.
//!
//! Each rule is judged by itself, so that a verdict says all that is wrong. A rule that wants something that another rule found unreadable has nothing to say.

use crate::claim::{Body, Claim, Field};
use crate::commitment::{Opening, commit};
use crate::crash::{self, Crash};
use crate::fault::{Document, Fault, Place, Wrong};
use crate::key::Ed25519Key;
use crate::manifest::Manifest;
use crate::receipt::Receipt;
use crate::tier::Tier;
use crate::verify::{Commitment, Context};

/// One thing that must hold.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What must hold.
    pub text: &'static str,
    /// Whether it does.
    pub(crate) holds: fn(&Case<'_>) -> Result<(), Fault>,
}

/// All of them, in the order in which reasons are given.
pub const RULES: [Rule; 15] = [
    Rule { name: "manifest", text: "The claim names this manifest.", holds: manifest },
    Rule { name: "start", text: "Its time is not before the contest's start.", holds: start },
    Rule { name: "end", text: "Its time is before the contest's end.", holds: end },
    Rule { name: "future", text: "Its time is not after the time of judging.", holds: future },
    Rule { name: "late", text: "It is judged before the contest's end, or a commitment is handed in.", holds: late },
    Rule { name: "signature", text: "It is signed by the tier's flag key; for `down`, by the claimant's own key.", holds: signature },
    Rule { name: "record", text: "For `down`: it holds a crash record, signed by the flag key of `down`.", holds: record },
    Rule { name: "record-manifest", text: "The crash record names this manifest.", holds: record_manifest },
    Rule { name: "record-time", text: "The cell ended not before the contest's start and not after the claim's time.", holds: record_time },
    Rule { name: "record-claimant", text: "The crash record names the claimant.", holds: record_claimant },
    Rule { name: "receipt", text: "A receipt that is handed in is signed by the log's key, and its opening can be read.", holds: receipt },
    Rule { name: "receipt-manifest", text: "The receipt names this manifest.", holds: receipt_manifest },
    Rule { name: "receipt-time", text: "Its time is within the contest, and not after the time of judging.", holds: receipt_time },
    Rule { name: "commitment", text: "Its commitment is that of the claim, the write-up's digest and the salt.", holds: commitment },
    Rule { name: "write-up", text: "A write-up that is handed in has the digest that was committed to.", holds: write_up },
];

/// What a claim is judged by.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    manifest: &'a Manifest<'a>,
    bytes: &'a [u8],
    claim: &'a Claim<'a>,
    now: u64,
    crash: Option<Result<Crash<'a>, Fault>>,
    commitment: Option<Result<Committed<'a>, Fault>>,
}

/// A commitment that could be read.
#[derive(Debug)]
struct Committed<'a> {
    receipt: Receipt,
    opening: Opening,
    handed: Commitment<'a>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(manifest: &'a Manifest<'a>, bytes: &'a [u8], claim: &'a Claim<'a>, context: &Context<'a>) -> Self {
        let read = |handed: Commitment<'a>| {
            let receipt = Receipt::read(handed.receipt, &manifest.log)?;
            Ok(Committed { receipt, opening: Opening::parse(handed.opening)?, handed })
        };
        let crash = claim.body.record.as_deref().map(|record| signed_record(record, manifest));
        Self { manifest, bytes, claim, now: context.now, crash, commitment: context.commitment.map(read) }
    }

    /// When the claim was committed to, as the log says.
    pub(crate) fn committed(&self) -> Option<u64> {
        self.receipt().map(|committed| committed.receipt.time)
    }

    fn receipt(&self) -> Option<&Committed<'a>> {
        self.commitment.as_ref()?.as_ref().ok()
    }

    fn crash(&self) -> Option<&crash::Body<'a>> {
        self.crash.as_ref()?.as_ref().ok().map(|crash| &crash.body)
    }
}

fn signed_record<'a>(bytes: &'a [u8], manifest: &Manifest<'_>) -> Result<Crash<'a>, Fault> {
    let crash = Crash::parse(bytes)?;
    let signed = manifest.flag(Tier::Down).key.verify(crash.seal.message, &crash.seal.bytes);
    signed.map(|()| crash.clone()).map_err(|wrong| crash.seal.place.wrong(wrong))
}

/// A rule in few words: what must hold, or what is wrong where.
fn must(holds: bool, place: Place, wrong: Wrong) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(place.wrong(wrong)) }
}

fn manifest(case: &Case<'_>) -> Result<(), Fault> {
    must(case.claim.body.manifest == case.manifest.digest(), Body::place(Field::Manifest), Wrong::Manifest)
}

fn start(case: &Case<'_>) -> Result<(), Fault> {
    must(case.claim.body.time >= case.manifest.start, Body::place(Field::Time), Wrong::BeforeStart)
}

fn end(case: &Case<'_>) -> Result<(), Fault> {
    must(case.claim.body.time < case.manifest.end, Body::place(Field::Time), Wrong::AfterEnd)
}

fn future(case: &Case<'_>) -> Result<(), Fault> {
    must(case.claim.body.time <= case.now, Body::place(Field::Time), Wrong::Future)
}

fn late(case: &Case<'_>) -> Result<(), Fault> {
    must(case.now < case.manifest.end || case.commitment.is_some(), Place::whole(Document::Claim), Wrong::Late)
}

fn signature(case: &Case<'_>) -> Result<(), Fault> {
    let Claim { body, seal } = case.claim;
    let verified = if body.tier == Tier::Down {
        let key = Ed25519Key::from_claimant(body.claimant).ok_or_else(|| Body::place(Field::Claimant).wrong(Wrong::NotEd25519))?;
        key.verify(seal.message, &seal.bytes)
    } else {
        case.manifest.flag(body.tier).key.verify(seal.message, &seal.bytes)
    };
    verified.map_err(|wrong| seal.place.wrong(wrong))
}

fn record(case: &Case<'_>) -> Result<(), Fault> {
    case.crash.as_ref().map_or(Ok(()), |crash| crash.as_ref().map(|_| ()).map_err(|fault| *fault))
}

fn record_manifest(case: &Case<'_>) -> Result<(), Fault> {
    must(case.crash().is_none_or(|crash| crash.manifest == case.manifest.digest()), crash::Body::MANIFEST, Wrong::Manifest)
}

fn record_time(case: &Case<'_>) -> Result<(), Fault> {
    let holds = |crash: &crash::Body<'_>| (case.manifest.start..=case.claim.body.time).contains(&crash.time);
    must(case.crash().is_none_or(holds), crash::Body::TIME, Wrong::RecordTime)
}

fn record_claimant(case: &Case<'_>) -> Result<(), Fault> {
    let holds = |crash: &crash::Body<'_>| crash.claimants.contains(&case.claim.body.claimant);
    must(case.crash().is_none_or(holds), Body::place(Field::Claimant), Wrong::RecordClaimant)
}

fn receipt(case: &Case<'_>) -> Result<(), Fault> {
    case.commitment.as_ref().map_or(Ok(()), |committed| committed.as_ref().map(|_| ()).map_err(|fault| *fault))
}

fn receipt_manifest(case: &Case<'_>) -> Result<(), Fault> {
    must(case.receipt().is_none_or(|committed| committed.receipt.manifest == case.manifest.digest()), Receipt::MANIFEST, Wrong::Manifest)
}

/// The claim's own time is not asked: the commitment fixes the claim's bytes, whatever its claimant's clock said, and a clock that was fast could not be mended any more.
fn receipt_time(case: &Case<'_>) -> Result<(), Fault> {
    let Some(time) = case.committed() else { return Ok(()) };
    must(time >= case.manifest.start, Receipt::TIME, Wrong::BeforeStart)?;
    must(time < case.manifest.end, Receipt::TIME, Wrong::AfterEnd)?;
    must(time <= case.now, Receipt::TIME, Wrong::Future)
}

fn commitment(case: &Case<'_>) -> Result<(), Fault> {
    let holds =
        |Committed { receipt, opening, .. }: &Committed<'_>| receipt.commitment == commit(case.bytes, &opening.write_up, &opening.salt);
    must(case.receipt().is_none_or(holds), Receipt::COMMITMENT, Wrong::Commitment)
}

fn write_up(case: &Case<'_>) -> Result<(), Fault> {
    let holds = |Committed { opening, handed, .. }: &Committed<'_>| handed.write_up.is_none_or(|digest| digest == opening.write_up);
    must(case.receipt().is_none_or(holds), Place::whole(Document::WriteUp), Wrong::WriteUp)
}
