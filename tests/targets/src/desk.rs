//! Boundary: what the process of the challenge's page asks of the supervisor. Whoever has found a hole in the page speaks here.

use core::net::IpAddr;
use core::sync::atomic::{AtomicU32, Ordering};
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use arbiter::{Context, Digest, Verdict, verify};
use bounty_log::names;
use bounty_log::reveal::Reveal;
use bounty_page::contest::{Contest, Facts, Judged};
use bounty_page::rates::Rate;
use bounty_page::remote::Answering;
use bounty_page::{Limits, tiles};

/// The supervisor's end: it counts what costs it something.
#[derive(Default)]
struct Counted {
    signed: AtomicU32,
    claimed: AtomicU32,
    committed: AtomicU32,
    announced: AtomicU32,
}

fn count(counter: &AtomicU32) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Contest for Counted {
    fn facts(&self) -> Facts {
        Facts { now: contest::TIME + 900, ..Facts::new(contest::manifest_note(), contest::operator()) }
    }

    fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, String> {
        Ok((digest == contest::manifest_digest()).then(contest::manifest_note))
    }

    fn prove(&self, nonce: [u8; 32]) -> Result<Vec<u8>, String> {
        count(&self.signed);
        Ok(nonce.to_vec())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        count(&self.signed);
        Ok(message.to_vec())
    }

    fn claim(&self, handed: &[u8]) -> Result<Judged, String> {
        let reveal = Reveal::of(handed);
        let context = Context { now: contest::TIME + 900, commitment: reveal.committed() };
        let verdict = verify(&contest::manifest_note(), &contest::operator(), reveal.claim, &context);
        if !matches!(verdict, Verdict::Falsified { .. }) {
            count(&self.claimed);
        }
        Ok(Judged { verdict: verdict.to_string(), entry: Ok(0) })
    }

    fn commit(&self, commitment: [u8; 32]) -> Result<Vec<u8>, String> {
        count(&self.committed);
        Ok(commitment.to_vec())
    }

    fn announce(&self, claimant: &str, _: Option<IpAddr>) -> Result<(), String> {
        count(&self.announced);
        Err(claimant.into())
    }

    fn log_file(&self, name: &str) -> Option<Vec<u8>> {
        let is_of_a_log = name == names::CHECKPOINT || tiles::File::parse(name).is_some();
        assert!(is_of_a_log && !name.contains("..") && !name.starts_with('/'), "no other file is given out: {name}");
        Some(name.into())
    }
}

/// Questions, as they come out of the socket.
pub fn desk(data: &[u8]) {
    let limits = Limits::default();
    let contest = Arc::new(Counted::default());
    let begun = Instant::now();
    let (mut page, supervisor) = UnixStream::pair().expect("a pair of sockets");
    page.write_all(data).expect("less than a socket holds");
    page.shutdown(Shutdown::Write).expect("a socket that is open");
    let mut answers = Vec::new();
    // Many answers are more than a socket holds. Whoever is not heard to the end gets a reset behind them.
    thread::scope(|scope| {
        scope.spawn(|| page.read_to_end(&mut answers));
        Answering::new(Arc::clone(&contest) as Arc<dyn Contest>, &limits).attend(supervisor);
    });
    assert!(answers.len() <= MANY * data.len(), "{} bytes for {}", answers.len(), data.len());
    let passed = begun.elapsed();
    let within = |count: &AtomicU32, rate: Rate| {
        let more = passed.as_nanos().div_ceil(rate.every.as_nanos());
        u128::from(count.load(Ordering::Relaxed)) <= u128::from(rate.burst) + more
    };
    assert!(within(&contest.signed, limits.asks), "more is signed than all visitors may ask for");
    assert!(within(&contest.claimed, limits.claims), "more is judged than all visitors may hand in");
    assert!(within(&contest.committed, limits.commitments), "more is committed to than all visitors may");
    assert!(within(&contest.announced, limits.claimants), "more are announced than all visitors may");
}

/// The longest answer is the facts', and the shortest question is theirs: five bytes.
const MANY: usize = 2048;
