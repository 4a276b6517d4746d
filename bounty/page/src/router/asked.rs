//! What can be asked for without handing anything in.

use std::sync::Arc;

use arbiter::digest::from_hex;
use arbiter::note::Note;
use arbiter::{Digest, Document, Tier};
use bounty_log::life::proofs;
use bounty_log::limits::ENTRIES_MAX;
use bounty_log::names;
use bytes::Bytes;
use hyper::{StatusCode, header};
use tokio::sync::OwnedSemaphorePermit;

use super::refusal::Refusal;
use super::{Request, Route, Router};
use crate::answer::{Answer, Keep, TEXT, TILE};
use crate::form;
use crate::limits::ROOM_UNIT;
use crate::tiles::File;

impl Router {
    pub(super) fn asked(&self, route: Route<'_>, request: &Request) -> Answer {
        match route {
            Route::Page => self.shown().page,
            Route::Facts => self.shown().facts,
            Route::Manifest => Answer::new(TEXT, self.shown().view.facts.manifest.clone()).kept(Keep::Asking),
            Route::Version(digest) => self.version(digest),
            Route::Operator => Answer::new(TEXT, format!("{}\n", self.shown().view.facts.operator)).kept(Keep::Asking),
            Route::Rules => Answer::new(TEXT, self.shown().view.facts.rules.clone()).kept(Keep::Asking),
            Route::Log(name) => self.log(name),
            Route::Files(size) => self.files(size),
            Route::Possessions => possessions(&request.query),
            Route::Possession(tier, nonce) => self.possession(tier, nonce, request).unwrap_or_else(Into::into),
            Route::Post(_) => super::only("POST"),
        }
    }

    /// The manifest that a claim names may be an earlier one than that in force.
    fn version(&self, digest: &str) -> Answer {
        let none = || Answer::text(StatusCode::NOT_FOUND, "no version of this contest's manifest has this digest\n");
        let Some(digest) = from_hex::<32>(digest) else { return none() };
        match self.contest.manifest(Digest(digest)) {
            Ok(note) => note.map_or_else(none, |note| Answer::new(TEXT, note).kept(Keep::Asking)),
            Err(why) => Refusal::told(StatusCode::SERVICE_UNAVAILABLE, why).into(),
        }
    }

    /// A file of the log, if the log's head speaks of it: what lies there besides may still change.
    fn log(&self, name: &str) -> Answer {
        let none = || Answer::text(StatusCode::NOT_FOUND, "the log has no such file\n");
        if name == names::CHECKPOINT {
            return self.contest.log_file(name).map_or_else(none, |note| Answer::new(TEXT, note).kept(Keep::Asking));
        }
        if File::parse(name).is_none_or(|file| file.size > self.size()) {
            return none();
        }
        let Some(bytes) = self.contest.log_file(name) else { return none() };
        // A reader may be slow; what all of them wait for is bounded.
        let units = u32::try_from(bytes.len().div_ceil(ROOM_UNIT)).unwrap_or(u32::MAX);
        match Arc::clone(&self.room).try_acquire_many_owned(units) {
            Ok(room) => Answer::new(TILE, Bytes::from_owner(Parcel { bytes, _room: room })).kept(Keep::Always),
            Err(_) => Answer::text(StatusCode::SERVICE_UNAVAILABLE, "too many read the log just now\n"),
        }
    }

    /// How long the log is: what its head says that it signs. Whether it does is for those to check who read it.
    fn size(&self) -> u64 {
        let note = self.contest.log_file(names::CHECKPOINT).unwrap_or_default();
        let is_note = Note::parse(Document::Checkpoint, &note).is_ok();
        let line = note.split(|byte| *byte == b'\n').nth(1).filter(|_| is_note);
        line.and_then(|line| core::str::from_utf8(line).ok()?.parse().ok()).unwrap_or(0)
    }

    /// The names of the files that a log of this size has, for who would have all of it.
    fn files(&self, size: &str) -> Answer {
        let known = size.parse().ok().filter(|number: &u64| number.to_string() == size && *number <= self.size().min(ENTRIES_MAX));
        let Some(size) = known else { return Answer::text(StatusCode::NOT_FOUND, "the log is not as long as that\n") };
        let tiles = names::hashes(size).into_iter().chain(names::bundles(size));
        Answer::new(TEXT, tiles.map(|tile| format!("{}\n", names::of(&tile))).collect::<String>()).kept(Keep::Always)
    }

    fn possession(&self, tier: Option<&str>, nonce: &str, request: &Request) -> Result<Answer, Refusal> {
        let nonce = from_hex::<32>(nonce).ok_or(Refusal::bad(NONCE))?;
        let tier = match tier {
            Some(name) => Some(Tier::from_name(name).ok_or(Refusal::missing("there is no such tier"))?),
            None => None,
        };
        self.take(&self.asks, request.peer)?;
        let proofs = self.contest.prove(nonce).map_err(|why| Refusal::told(StatusCode::SERVICE_UNAVAILABLE, why))?;
        let Some(tier) = tier else { return Ok(Answer::new(TEXT, proofs)) };
        let proof = proof_of(tier, &proofs).ok_or(Refusal::missing("the flag of this tier does not answer"))?;
        Ok(Answer::new(TEXT, proof.to_vec()))
    }
}

/// A file on its way, and the room that it takes meanwhile.
struct Parcel {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Parcel {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

const NONCE: &str = "a nonce is 64 hexadecimal digits in lower case: openssl rand -hex 32";

/// A form's question as the path that it asks for.
fn possessions(query: &str) -> Answer {
    let word =
        |name: &str| form::parameter(query, name).filter(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let Some(nonce) = word("nonce") else { return Refusal::bad(NONCE).into() };
    let path = word("tier").map_or_else(|| format!("/possession/{nonce}"), |tier| format!("/possession/{tier}/{nonce}"));
    Answer::text(StatusCode::SEE_OTHER, format!("{path}\n")).saying(header::LOCATION, &path)
}

/// The document of a tier among those that stand one behind the other.
fn proof_of(tier: Tier, documents: &[u8]) -> Option<&[u8]> {
    let line = format!("tier {tier}");
    proofs(documents).find(|proof| proof.split(|byte| *byte == b'\n').nth(2) == Some(line.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tier_has_its_own_proof() {
        let proofs = [Tier::Auth, Tier::Read, Tier::Wallet].map(contest::possession).concat();
        for tier in [Tier::Auth, Tier::Read, Tier::Wallet] {
            assert_eq!(proof_of(tier, &proofs), Some(&contest::possession(tier)[..]));
        }
        assert_eq!(proof_of(Tier::Down, &proofs), None);
        assert_eq!(proof_of(Tier::Down, b"anything"), None);
    }
}
