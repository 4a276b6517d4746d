//! What is handed in: claims, commitments, messages to sign, claimants.

use core::net::IpAddr;

use arbiter::Tier;
use arbiter::claim::Claim;
use arbiter::digest::from_hex;
use arbiter::key::Ed25519Key;
use arbiter::limits::{CLAIM_LEN_MAX, CLAIMANT_LEN_MAX};
use bounty_log::reveal::Reveal;
use hyper::StatusCode;
use serde_json::json;

use super::refusal::{Budget, Refusal};
use super::{Post, Request, Router};
use crate::answer::{Answer, HTML, JSON, TEXT};
use crate::contest::{Judged, holds};
use crate::form::{self, Lines};
use crate::html::outcome::{self, Outcome};
use crate::limits::REVEAL_LEN_MAX;
use crate::rates;

impl Router {
    pub(super) fn handed(&self, post: Post, request: &Request) -> Answer {
        if request.is_foreign {
            return Answer::text(StatusCode::FORBIDDEN, "another site's page made your browser ask for this\n");
        }
        let answered = match post {
            Post::Claim => self.claim(request),
            Post::Commitment => self.commitment(request),
            Post::Sign => self.sign(request),
            Post::Claimant => self.claimant(request),
        };
        answered.unwrap_or_else(Into::into)
    }

    fn claim(&self, request: &Request) -> Result<Answer, Refusal> {
        let handed = form::reveal(&request.body);
        let reveal = Reveal::of(&handed);
        let too_long = |why: String| Err(Refusal::told(StatusCode::PAYLOAD_TOO_LARGE, why));
        if reveal.claim.len() > CLAIM_LEN_MAX {
            return too_long(format!("a claim has at most {CLAIM_LEN_MAX} bytes"));
        }
        if handed.len() > REVEAL_LEN_MAX {
            return too_long(format!("a claim with what it was committed to has at most {REVEAL_LEN_MAX} bytes"));
        }
        self.admit(request.peer, &handed)?;
        let judged = self.contest.claim(&handed).map_err(|why| Refusal::told(StatusCode::SERVICE_UNAVAILABLE, why))?;
        // Whatever the log shows already, anybody can hand in again.
        let size = self.shown().view.head.as_ref().map(|head| head.size);
        if judged.entry.as_ref().is_ok_and(|entry| size.is_none_or(|size| *entry >= size)) {
            self.renew();
        }
        Ok(self.outcome(request, &Outcome::judged(&judged), || verdict(&judged)))
    }

    /// Judged here first: a claim that holds does not wait for what others have used up, be it the budget of all or the room to know its source. Then it takes a turn, so that looking is bounded too.
    fn admit(&self, peer: Option<IpAddr>, handed: &[u8]) -> Result<(), Refusal> {
        let of_source = self.take_of(&self.claims, peer);
        match &of_source {
            Ok(()) => {}
            Err(Refusal::TooOften { of: Budget::Others, .. }) => self.take_turn(peer)?,
            Err(_) => return of_source,
        }
        if holds(self.contest.as_ref(), &self.shown().view.facts, handed) {
            return Ok(());
        }
        of_source.and_then(|()| self.take_of_all(&self.claims))
    }

    fn commitment(&self, request: &Request) -> Result<Answer, Refusal> {
        let word = form::word(&request.body, "commitment").unwrap_or_default();
        let commitment =
            from_hex::<32>(&word).ok_or_else(|| Refusal::bad("a commitment is 64 hexadecimal digits in lower case: a SHA-256"))?;
        self.take(&self.commitments, request.peer)?;
        let receipt = self.contest.commit(commitment).map_err(|why| Refusal::told(StatusCode::SERVICE_UNAVAILABLE, why))?;
        self.renew();
        Ok(self.plain(request, "Receipt", "The log took the commitment. Keep this receipt: it is what shows the time.", &receipt))
    }

    /// Only the message of a claim for `write` is signed, and only whole: the guest looks at it again.
    fn sign(&self, request: &Request) -> Result<Answer, Refusal> {
        let message = form::field(&request.body, "message", Lines::Document);
        if !is_message(&message) {
            return Err(Refusal::bad("wanted are the lines of a claim for write, from `bountybox-claim 1` to `time`, without `signature`"));
        }
        self.take(&self.asks, request.peer)?;
        let signature = self.contest.sign(&message).map_err(|why| Refusal::told(StatusCode::CONFLICT, why))?;
        let claim = arbiter::lines::sealed(core::str::from_utf8(&message).unwrap_or_default(), &signature);
        Ok(self.plain(request, "Signed", "The guest signed. This is the claim:", &claim))
    }

    fn claimant(&self, request: &Request) -> Result<Answer, Refusal> {
        let word = form::word(&request.body, "claimant").unwrap_or_default();
        if word.len() > CLAIMANT_LEN_MAX || Ed25519Key::from_claimant(&word).is_none() {
            return Err(Refusal::bad("a claimant for down is ed25519: and the 32 bytes of a public key in base64"));
        }
        self.take(&self.claimants, request.peer)?;
        self.contest
            .announce(&word, request.peer.map(rates::allotment))
            .map_err(|why| Refusal::told(StatusCode::UNPROCESSABLE_ENTITY, why))?;
        Ok(self.plain(request, "Noted", NOTED, format!("{word}\n").as_bytes()))
    }

    fn plain(&self, request: &Request, title: &str, about: &str, document: &[u8]) -> Answer {
        let document = String::from_utf8_lossy(document).into_owned();
        let outcome = Outcome { title: title.into(), about: about.into(), document: document.clone(), note: None };
        self.outcome(request, &outcome, || Answer::new(TEXT, document))
    }

    /// A page for who would have one, and otherwise what `else_` makes.
    fn outcome(&self, request: &Request, outcome: &Outcome, else_: impl FnOnce() -> Answer) -> Answer {
        if request.accept.contains("application/json") {
            return Answer::new(JSON, format!("{}\n", outcome.json()));
        }
        if request.accept.contains("text/html") {
            return Answer::new(HTML, outcome::page(&self.shown().view, outcome));
        }
        else_()
    }
}

const NOTED: &str = "Who is announced when the guest ends is named in the crash's record, wherever what ended it came from. Your address only counts how many places you may hold. Announced is:";

/// The verdict's lines, and one for the log.
fn verdict(judged: &Judged) -> Answer {
    let entry = match &judged.entry {
        Ok(number) => format!("entry {number}\n"),
        Err(why) => format!("no entry: {why}\n"),
    };
    Answer::new(TEXT, format!("{}{entry}", judged.verdict))
}

impl Outcome {
    fn json(&self) -> serde_json::Value {
        json!({ "title": self.title, "about": self.about, "document": self.document, "note": self.note })
    }
}

/// Whether a signature below would make this a claim for `write`.
fn is_message(message: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(message) else { return false };
    let whole = arbiter::lines::sealed(text, &[0; 64]);
    Claim::parse(&whole).is_ok_and(|claim| claim.body.tier == Tier::Write)
}
