//! The contest in another process than the one that strangers speak to: asked over sockets, one question at a time on each.
//!
//! A question and its answer are each a length (four bytes, little-endian) and so many bytes, in `postcard`'s form. The end that asks holds nothing and may be taken over by whoever finds a hole in
//! it; so the end that answers believes nothing: it gives out the log's files, the contest's signed manifests and nothing else, and takes no more of what it is asked for than the page lets all of its visitors have.

use core::net::IpAddr;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arbiter::Digest;
use bounty_log::names;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::contest::{Contest, Facts, Judged, holds};
use crate::limits::{ANSWER_LEN_MAX, ASK_LEN_MAX, Limits};
use crate::rates::Rates;
use crate::tiles::File;

/// A question. Its answer is what the function of [`Contest`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Ask<'a> {
    Facts,
    Prove([u8; 32]),
    Sign(&'a [u8]),
    Claim(&'a [u8]),
    Commit([u8; 32]),
    Announce(&'a str, Option<IpAddr>),
    LogFile(&'a str),
    Manifest([u8; 32]),
}

/// The end that asks.
#[derive(Debug)]
pub struct Remote {
    free: Mutex<Vec<UnixStream>>,
    freed: Condvar,
}

impl Remote {
    /// Asks over these, as many questions at a time as there are of them; more wait.
    #[must_use]
    pub fn new(streams: Vec<UnixStream>) -> Self {
        Self { free: Mutex::new(streams), freed: Condvar::new() }
    }

    /// The answer; or nothing, where the other end is gone.
    fn ask<A: DeserializeOwned>(&self, ask: &Ask<'_>) -> Option<A> {
        let free = self.freed.wait_while(locked(&self.free), |free| free.is_empty());
        let mut stream = free.unwrap_or_else(PoisonError::into_inner).pop()?;
        let answer = exchange(&mut stream, ask).ok();
        // One that failed stays: whoever waits for it is to fail as well, and not to wait for ever.
        locked(&self.free).push(stream);
        self.freed.notify_one();
        postcard::from_bytes(&answer?).ok()
    }

    fn asked<A: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<A, String> {
        self.ask::<Result<A, String>>(ask).unwrap_or_else(|| Err(GONE.into()))
    }
}

/// Bytes of the length that a question or an answer begins with.
const LEN_LEN: usize = 4;

const GONE: &str = "the box is about to stop";

fn exchange(stream: &mut UnixStream, ask: &Ask<'_>) -> io::Result<Vec<u8>> {
    write(stream, ask)?;
    read(stream, ANSWER_LEN_MAX)
}

impl Contest for Remote {
    fn facts(&self) -> Facts {
        self.ask(&Ask::Facts).unwrap_or_else(|| Facts::new(Vec::new(), String::new()))
    }

    fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, String> {
        self.asked(&Ask::Manifest(digest.0))
    }

    fn prove(&self, nonce: [u8; 32]) -> Result<Vec<u8>, String> {
        self.asked(&Ask::Prove(nonce))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        self.asked(&Ask::Sign(message))
    }

    fn claim(&self, claim: &[u8]) -> Result<Judged, String> {
        self.asked(&Ask::Claim(claim))
    }

    fn commit(&self, commitment: [u8; 32]) -> Result<Vec<u8>, String> {
        self.asked(&Ask::Commit(commitment))
    }

    fn announce(&self, claimant: &str, peer: Option<IpAddr>) -> Result<(), String> {
        self.asked(&Ask::Announce(claimant, peer))
    }

    fn log_file(&self, name: &str) -> Option<Vec<u8>> {
        self.ask::<Option<Vec<u8>>>(&Ask::LogFile(name)).flatten()
    }
}

/// The end that answers, shared by the threads of all streams.
pub struct Answering {
    contest: Arc<dyn Contest>,
    began: Instant,
    asks: Mutex<Rates>,
    claims: Mutex<Rates>,
    commitments: Mutex<Rates>,
    claimants: Mutex<Rates>,
}

impl Answering {
    /// Answers for this contest, within the page's budgets of all.
    #[must_use]
    pub fn new(contest: Arc<dyn Contest>, limits: &Limits) -> Self {
        let rates = |all| Mutex::new(Rates::new(all, all));
        Self {
            contest,
            began: Instant::now(),
            asks: rates(limits.asks),
            claims: rates(limits.claims),
            commitments: rates(limits.commitments),
            claimants: rates(limits.claimants),
        }
    }

    /// Answers until the other end is gone, or says what is no question.
    pub fn attend(&self, mut stream: UnixStream) {
        while let Ok(ask) = read(&mut stream, ASK_LEN_MAX)
            && let Ok(ask) = postcard::from_bytes(&ask)
            && self.answer(ask, &mut stream).is_ok()
        {}
    }

    fn answer(&self, ask: Ask<'_>, stream: &mut UnixStream) -> io::Result<()> {
        let Self { contest, asks, claims, commitments, claimants, .. } = self;
        match ask {
            Ask::Facts => write(stream, &contest.facts()),
            Ask::Manifest(digest) => write(stream, &contest.manifest(Digest(digest))),
            Ask::Prove(nonce) => write(stream, &self.take(asks).and_then(|()| contest.prove(nonce))),
            Ask::Sign(message) => write(stream, &self.take(asks).and_then(|()| contest.sign(message))),
            Ask::Claim(claim) => {
                let budget = if holds(contest.as_ref(), &contest.facts(), claim) { Ok(()) } else { self.take(claims) };
                write(stream, &budget.and_then(|()| contest.claim(claim)))
            }
            Ask::Commit(commitment) => write(stream, &self.take(commitments).and_then(|()| contest.commit(commitment))),
            Ask::Announce(claimant, peer) => write(stream, &self.take(claimants).and_then(|()| contest.announce(claimant, peer))),
            Ask::LogFile(name) => {
                let is_of_the_log = name == names::CHECKPOINT || File::parse(name).is_some();
                write(stream, &if is_of_the_log { contest.log_file(name) } else { None })
            }
        }
    }

    fn take(&self, budget: &Mutex<Rates>) -> Result<(), String> {
        locked(budget).take_of_all(self.began.elapsed()).map_err(|_| "too much is asked for just now".into())
    }
}

impl core::fmt::Debug for Answering {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}

fn write<T: Serialize>(stream: &mut UnixStream, what: &T) -> io::Result<()> {
    let mut bytes = postcard::to_extend(what, vec![0; LEN_LEN]).map_err(io::Error::other)?;
    let len = u32::try_from(bytes.len().saturating_sub(LEN_LEN)).map_err(io::Error::other)?;
    bytes[..LEN_LEN].copy_from_slice(&len.to_le_bytes());
    stream.write_all(&bytes)
}

fn read(stream: &mut UnixStream, len_max: usize) -> io::Result<Vec<u8>> {
    let mut len = [0; LEN_LEN];
    stream.read_exact(&mut len)?;
    let len = usize::try_from(u32::from_le_bytes(len)).map_err(io::Error::other)?;
    if len > len_max {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicU32, Ordering};
    use core::time::Duration;
    use std::thread;

    use arbiter::Tier;

    use super::*;
    use crate::contest::{Cells, Changed, Count, Door, Effort, Win};
    use crate::rates::Rate;

    /// A contest that says back what it is asked, and counts what would fill its log.
    #[derive(Debug, Default)]
    struct Echo {
        entries: AtomicU32,
    }

    impl Echo {
        fn enter(&self) -> u64 {
            self.entries.fetch_add(1, Ordering::Relaxed).into()
        }
    }

    impl Contest for Echo {
        fn facts(&self) -> Facts {
            Facts {
                cells: Cells { started: 3, ended: vec![Count::new("Killed", 2)] },
                wins: vec![Win { tier: Tier::Read, claimant: "c".into(), text: "t".into(), time: 4, committed: Some(3), entry: 5 }],
                unshown: [0, 3, 0, 0, 0, 0, 0, 9],
                changes: vec![Changed {
                    version: 2,
                    time: 1,
                    entry: 7,
                    manifests: [Digest([1; 32]), Digest([2; 32])],
                    rules: [Digest([3; 32]); 2],
                }],
                effort: Effort { connections: 6, failures: vec![Count::new("f", 7)], ..Effort::default() },
                now: contest::TIME + 900,
                doors: vec![Door { name: "server".into(), port: 8, about: "a".into() }],
                image: Digest([9; 32]),
                // A version that nobody has claimed by is in force.
                ..Facts::new(Vec::new(), contest::operator())
            }
        }

        fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, String> {
            Ok((digest == contest::manifest_digest()).then(contest::manifest_note))
        }

        fn prove(&self, nonce: [u8; 32]) -> Result<Vec<u8>, String> {
            Ok(nonce.to_vec())
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
            Err(format!("{} bytes", message.len()))
        }

        fn claim(&self, claim: &[u8]) -> Result<Judged, String> {
            Ok(Judged { verdict: String::from_utf8_lossy(claim).into(), entry: Ok(self.enter()) })
        }

        fn commit(&self, commitment: [u8; 32]) -> Result<Vec<u8>, String> {
            self.enter();
            Ok(commitment.to_vec())
        }

        fn announce(&self, claimant: &str, peer: Option<IpAddr>) -> Result<(), String> {
            Err(format!("{claimant} {peer:?}"))
        }

        fn log_file(&self, name: &str) -> Option<Vec<u8>> {
            Some(name.into())
        }
    }

    /// Both ends, over so many streams.
    fn ends(streams: usize, limits: Limits) -> (Remote, Arc<Echo>) {
        let echo = Arc::new(Echo::default());
        let answering = Arc::new(Answering::new(Arc::clone(&echo) as Arc<dyn Contest>, &limits));
        let near = (0..streams).map(|_| {
            let (near, far) = UnixStream::pair().unwrap();
            let answering = Arc::clone(&answering);
            thread::spawn(move || answering.attend(far));
            near
        });
        (Remote::new(near.collect()), echo)
    }

    #[test]
    fn what_is_asked_from_afar_is_answered_as_it_would_be_here() {
        let (remote, echo) = ends(2, Limits::default());
        assert_eq!(remote.facts(), echo.facts());
        assert_eq!(remote.manifest(contest::manifest_digest()), Ok(Some(contest::manifest_note())));
        assert_eq!(remote.manifest(Digest([0; 32])), Ok(None));
        assert_eq!(remote.prove([7; 32]), Ok(vec![7; 32]));
        assert_eq!(remote.sign(b"abc"), Err("3 bytes".into()));
        assert_eq!(remote.claim(b"NotFalsified\n"), Ok(Judged { verdict: "NotFalsified\n".into(), entry: Ok(0) }));
        assert_eq!(remote.commit([8; 32]), Ok(vec![8; 32]));
        let peer = Some("2001:db8::1".parse().unwrap());
        assert_eq!(remote.announce("someone", peer), Err(format!("someone {peer:?}")));
        assert_eq!(remote.log_file("checkpoint"), Some(b"checkpoint".to_vec()));
    }

    #[test]
    fn no_other_file_is_given_out_than_those_of_the_log() {
        let (remote, _) = ends(1, Limits::default());
        for name in ["", "../flags.age", "/etc/passwd", "tile/entries/../../flags", "tile/0/000/", "pending", "tile/0/0", "checkpoint/"] {
            assert_eq!(remote.log_file(name), None, "{name}");
        }
        assert_eq!(remote.log_file("tile/entries/000.p/3"), Some(b"tile/entries/000.p/3".to_vec()));
    }

    #[test]
    fn who_asks_for_more_than_all_may_have_is_refused_and_who_has_won_is_not() {
        let rate = Rate { burst: 3, every: Duration::from_secs(3600) };
        let (remote, echo) = ends(1, Limits { asks: rate, claims: rate, commitments: rate, claimants: rate, ..Limits::default() });
        assert_eq!((0..10).filter(|_| remote.prove([1; 32]).is_ok()).count(), 3);
        assert!(remote.sign(b"x").is_err_and(|why| why.starts_with("too much")), "one budget for both");
        assert_eq!((0..10).filter(|_| remote.commit([1; 32]).is_ok()).count(), 3);
        assert_eq!((0..10).filter(|_| remote.claim(b"nothing").is_ok()).count(), 3, "a budget of its own");
        assert_eq!((0..10).filter(|_| remote.announce("x", None).is_err_and(|why| why.starts_with("x "))).count(), 3);
        assert_eq!(echo.entries.load(Ordering::Relaxed), 6);
        assert!(remote.claim(&contest::claim(Tier::Read)).is_ok());
    }

    #[test]
    fn more_askers_than_streams_wait_for_each_other() {
        let (remote, _) = ends(2, Limits::default());
        thread::scope(|scope| {
            for n in 0..20_u8 {
                let remote = &remote;
                scope.spawn(move || assert_eq!(remote.prove([n; 32]), Ok(vec![n; 32])));
            }
        });
    }

    #[test]
    fn where_nobody_answers_nobody_waits() {
        let (near, far) = UnixStream::pair().unwrap();
        drop(far);
        let remote = Remote::new(vec![near]);
        assert_eq!(remote.prove([0; 32]), Err(GONE.into()));
        assert_eq!(remote.log_file("checkpoint"), None);
        assert_eq!(remote.facts().manifest, b"");
        assert_eq!(remote.manifest(Digest([0; 32])), Err(GONE.into()));
        assert_eq!(remote.claim(b""), Err(GONE.into()));
    }

    #[test]
    fn what_is_no_question_is_the_end_and_nothing_more() {
        let bytes: [&[u8]; 5] = [&[1, 0, 0, 0, 99], &[0, 0, 0, 0], &[0xff; 4], &[2, 0, 0, 0, 6, 0xff], &[5, 0, 0]];
        for bytes in bytes {
            let (mut near, far) = UnixStream::pair().unwrap();
            let answering = Answering::new(Arc::new(Echo::default()), &Limits::default());
            near.write_all(bytes).unwrap();
            near.shutdown(std::net::Shutdown::Write).unwrap();
            answering.attend(far);
            let mut said = Vec::new();
            near.read_to_end(&mut said).unwrap();
            assert!(said.is_empty(), "{bytes:?}");
        }
    }
}
