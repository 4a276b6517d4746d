//! Who is let in when others ask for as much as they can, and when the page is made anew.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Mutex;

use arbiter::{Digest, Tier};

use super::*;
use crate::contest::{Facts, Judged};
use crate::limits::{ALLOTMENT_SOURCES, SOURCES_MAX, TURNS_MAX};
use crate::rates::Rate;
use crate::site::Assets;

/// A contest that takes everything and counts what it is asked.
#[derive(Debug, Default)]
struct Counted {
    facts: AtomicU64,
    manifests: AtomicU64,
    /// Seconds since the first fact.
    clock: AtomicU64,
    entries: AtomicU64,
    announced: Mutex<Vec<Option<IpAddr>>>,
}

impl Contest for Counted {
    fn facts(&self) -> Facts {
        self.facts.fetch_add(1, Ordering::Relaxed);
        let now = contest::TIME + self.clock.load(Ordering::Relaxed);
        Facts { now, ..Facts::new(contest::manifest_note(), contest::operator()) }
    }

    fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, String> {
        self.manifests.fetch_add(1, Ordering::Relaxed);
        Ok((digest == contest::manifest_digest()).then(contest::manifest_note))
    }

    fn prove(&self, nonce: [u8; 32]) -> Result<Vec<u8>, String> {
        Ok(nonce.to_vec())
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, String> {
        Err("the word does not hold the value".into())
    }

    fn claim(&self, claim: &[u8]) -> Result<Judged, String> {
        let is_claim = claim.starts_with(b"bountybox-claim");
        let entry = if is_claim { Ok(self.entries.fetch_add(1, Ordering::Relaxed)) } else { Err("it is none".into()) };
        Ok(Judged { verdict: "NotFalsified\n".into(), entry })
    }

    fn commit(&self, commitment: [u8; 32]) -> Result<Vec<u8>, String> {
        Ok(commitment.to_vec())
    }

    fn announce(&self, _: &str, source: Option<IpAddr>) -> Result<(), String> {
        self.announced.lock().unwrap().push(source);
        Ok(())
    }

    fn log_file(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
}

fn router(limits: &Limits) -> (Router, Arc<Counted>) {
    let contest = Arc::new(Counted::default());
    let site = Site { base: "https://contest.example".into(), assets: Assets::default() };
    (Router::new(Arc::clone(&contest) as Arc<dyn Contest>, site, limits), contest)
}

fn post(router: &Router, path: &str, from: IpAddr, body: &[u8]) -> u16 {
    let (method, body) = (Method::POST, Bytes::copy_from_slice(body));
    router.answer(&Request { method, path: path.into(), body, peer: Some(from), ..Request::default() }).status.as_u16()
}

fn get(router: &Router, path: &str) -> u16 {
    router.answer(&Request { path: path.into(), ..Request::default() }).status.as_u16()
}

/// One of as many as there are addresses.
fn stranger(number: usize) -> IpAddr {
    IpAddr::V4((0x0a00_0000 + u32::try_from(number).unwrap()).into())
}

/// A claim that anybody can write down: it can be read, and does not hold.
fn forged() -> Vec<u8> {
    let claim = String::from_utf8(contest::claim(Tier::Read)).unwrap();
    claim.replace("It was there", "It was here").into_bytes()
}

const COMMITMENT: &[u8] = &[b'a'; 64];
const WINNER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What is used up does not come again while a test runs.
fn once(burst: u32) -> Rate {
    Rate { burst, every: Duration::from_secs(3600) }
}

#[test]
fn a_claim_that_holds_passes_where_others_have_filled_the_table() {
    let (router, contest) = router(&Limits { claims_of_source: once(6), claims: once(1), turns: once(2), ..Limits::default() });
    for number in 0..SOURCES_MAX {
        post(&router, "/claim", stranger(number), b"nonsense");
    }
    assert_eq!(post(&router, "/claim", WINNER, &forged()), 429, "the table is full");
    assert_eq!(post(&router, "/claim", WINNER, &contest::claim(Tier::Read)), 200);
    // What is looked at all the same has a bound of its own.
    let before = contest.manifests.load(Ordering::Relaxed);
    for number in 0..2000 {
        assert_eq!(post(&router, "/claim", stranger(SOURCES_MAX + number), &forged()), 429);
    }
    let looked_at = usize::try_from(contest.manifests.load(Ordering::Relaxed) - before).unwrap();
    assert!(looked_at <= 2 * TURNS_MAX, "{looked_at}");
}

#[test]
fn nonsense_from_one_allotment_does_not_keep_anybody_out() {
    let limits = Limits { claims_of_source: once(6), claims: once(100), turns: once(2), ..Limits::default() };
    let (router, _) = router(&limits);
    let network = |number: u16| IpAddr::from([0x2001, 0xdb8, 1, number, 0, 0, 0, 1]);
    let of_allotment = usize::try_from(limits.claims_of_source.burst * ALLOTMENT_SOURCES).unwrap();
    let taken =
        |numbers: core::ops::Range<u16>| numbers.filter(|number| post(&router, "/claim", network(*number), b"nonsense") == 200).count();
    assert_eq!(taken(0..25), of_allotment, "what four sources may");
    assert_eq!(post(&router, "/claim", network(60_000), &contest::claim(Tier::Read)), 200, "a winner among them takes a turn");
    assert_eq!(taken(1000..10_000), 0);
    assert_eq!(post(&router, "/claim", WINNER, b"nonsense"), 200, "there is room for everybody else");
}

#[test]
fn who_has_used_up_what_is_his_waits_also_with_a_claim_that_holds() {
    let (router, _) = router(&Limits { claims_of_source: once(1), ..Limits::default() });
    assert_eq!(post(&router, "/claim", WINNER, b"nonsense"), 200);
    assert_eq!(post(&router, "/claim", WINNER, &contest::claim(Tier::Read)), 429);
}

#[test]
fn nonsense_of_one_kind_leaves_the_budgets_of_the_others() {
    let (router, _) = router(&Limits::default());
    let claimant = contest::claimant("claimant");
    let kinds: [(&str, &[u8]); 3] = [("/claim", b"nonsense"), ("/commitment", COMMITMENT), ("/claimant", claimant.as_bytes())];
    for (at, (path, body)) in kinds.into_iter().enumerate() {
        let many = (0..200).map(|number| post(&router, path, stranger(at * 1000 + number), body));
        assert!(many.filter(|status| *status == 429).count() > 100, "{path} is used up");
        for (path, body) in kinds.into_iter().skip(at + 1) {
            assert_eq!(post(&router, path, WINNER, body), 200, "{path}");
        }
    }
}

#[test]
fn who_is_announced_holds_one_place_for_all_that_a_customer_is_given() {
    let (router, contest) = router(&Limits::default());
    let claimant = contest::claimant("claimant");
    for peer in ["2001:db8:7::1", "2001:db8:7:ffff::1", "2001:db8:8::1", "192.0.2.1", "::ffff:192.0.2.1"] {
        assert_eq!(post(&router, "/claimant", peer.parse().unwrap(), claimant.as_bytes()), 200);
    }
    let sources = ["2001:db8:7::", "2001:db8:7::", "2001:db8:8::", "192.0.2.1", "192.0.2.1"];
    assert_eq!(*contest.announced.lock().unwrap(), sources.map(|source| Some(source.parse().unwrap())));
}

#[test]
fn one_source_does_not_use_up_the_commitments_of_all() {
    let limits = Limits::default();
    assert_eq!(limits.commitments_of_source.within(Duration::from_secs(3600)), 8);
    let (router, _) = router(&limits);
    let taken = (0..60).filter(|_| post(&router, "/commitment", stranger(0), COMMITMENT) == 200).count();
    assert_eq!(taken, 4);
    assert_eq!(post(&router, "/commitment", WINNER, COMMITMENT), 200);
}

#[test]
fn what_is_refused_does_not_have_the_page_made_anew() {
    let (router, contest) = router(&Limits { claims: once(1), ..Limits::default() });
    let began = Instant::now();
    assert_eq!(get(&router, "/"), 200);
    for number in 0..200 {
        post(&router, "/claim", stranger(number), b"nonsense");
        post(&router, "/commitment", stranger(number), b"none");
        post(&router, "/sign", stranger(number), b"nothing");
        post(&router, "/claimant", stranger(number), b"nobody");
        get(&router, "/facts.json");
    }
    let made = contest.facts.load(Ordering::Relaxed);
    assert!(made <= 1 + began.elapsed().as_secs(), "{made} times in {:?}", began.elapsed());
}

#[test]
fn what_is_accepted_is_seen_at_once() {
    let (router, contest) = router(&Limits::default());
    for (path, body) in [("/claim", contest::claim(Tier::Read)), ("/commitment", COMMITMENT.to_vec())] {
        get(&router, "/");
        let made = contest.facts.load(Ordering::Relaxed);
        assert_eq!(post(&router, path, WINNER, &body), 200);
        get(&router, "/");
        assert!(contest.facts.load(Ordering::Relaxed) > made, "{path}");
    }
}

#[test]
fn a_claim_that_was_signed_since_the_facts_were_taken_holds() {
    let (router, contest) = router(&Limits { claims: once(1), ..Limits::default() });
    assert_eq!(post(&router, "/claim", stranger(0), b"nonsense"), 200, "all have used up theirs");
    let claimant = contest::claimant("claimant");
    for (later, status) in [(1, 200), (60, 429)] {
        let body = arbiter::claim::Body { time: contest::TIME + later, ..contest::claim_body(Tier::Read, &claimant) };
        contest.clock.store(0, Ordering::Relaxed);
        router.renew();
        get(&router, "/");
        assert_eq!(post(&router, "/claim", WINNER, &contest::seal("read", &body)), status, "{later} s later");
    }
}
