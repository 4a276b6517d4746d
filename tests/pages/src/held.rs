//! A contest that is held on secrets that are known: what the page is given in tests, with a log in a folder.

use core::net::IpAddr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use arbiter::claim::{self, Claim};
use arbiter::crash;
use arbiter::receipt::Receipt;
use arbiter::{Context, Digest, Manifest, Tier, Verdict, possession, verify};
use bounty_log::append::Log;
use bounty_log::entry::{Entry, Kind};
use bounty_log::reveal::Reveal;
use bounty_log::store::{Folder, Source};
use bounty_page::contest::{Cells, Changed, Contest, Count, Door, Effort, Facts, Judged, Win};
use bounty_page::{Assets, Limits, Peers, Served, Site, serve};
use contest::{START, TIME};
use tempfile::TempDir;

/// When it is, until a test moves the clock.
pub const NOW: u64 = TIME + 900;

/// The rules that it promises.
pub const RULES: &str = "\
1. The box is yours to attack, from the network and with anything that you send to it: its doors, its page, its TLS, its TCP.
2. Leave the host, its neighbours and other people alone. Floods prove nothing: whoever is refused for want of room has not won.
3. A tier is won by the first claim in the log that the arbiter calls Falsified. Later ones are told beside it.
4. Tell how it was done within ninety days. Until then, commit to your write-up and keep it.
5. What the arbiter says is what counts, also against the operator.
";

/// The manifest of [`contest`] with rules that one can read.
fn manifest(address: &str) -> Manifest<'_> {
    Manifest { name: "The example box", rules: Digest::of(&[RULES.as_bytes()]), ..contest::manifest(address) }
}

/// As its operator publishes it.
#[must_use]
pub fn manifest_note() -> Vec<u8> {
    static NOTE: LazyLock<Vec<u8>> = LazyLock::new(|| contest::note(&manifest(&contest::address()).to_string(), &["operator"]));
    NOTE.clone()
}

/// What names the contest.
#[must_use]
pub fn manifest_digest() -> Digest {
    static DIGEST: LazyLock<Digest> = LazyLock::new(|| manifest(&contest::address()).digest());
    *DIGEST
}

/// A claim of this contest that holds.
#[must_use]
pub fn claim(tier: Tier, text: &str) -> Vec<u8> {
    let claimant = contest::claimant("claimant");
    let crash = || contest::seal("down", &crash::Body { manifest: manifest_digest(), ..contest::crash_body(&claimant) });
    let record = (tier == Tier::Down).then(crash);
    let body = claim::Body { manifest: manifest_digest(), text, record, ..contest::claim_body(tier, &claimant) };
    contest::seal(contest::claims_with(tier), &body)
}

/// See the module.
#[derive(Debug)]
pub struct Held {
    dir: TempDir,
    clock: AtomicU64,
    /// Whether the published word holds the published value.
    is_written: AtomicBool,
    /// Whether it has no manifest to give out any more.
    is_leaving: AtomicBool,
    /// How long the guest takes to answer.
    slowness_ms: AtomicU64,
    book: Mutex<Book>,
}

/// What changes.
#[derive(Debug)]
struct Book {
    log: Log<contest::Holder>,
    effort: Effort,
    wins: Vec<Win>,
    /// Claims, and the numbers of their entries.
    claims: Vec<(Vec<u8>, u64)>,
    announced: Vec<(String, Option<IpAddr>)>,
    changes: Vec<Changed>,
}

impl Default for Held {
    fn default() -> Self {
        Self::new()
    }
}

impl Held {
    /// A contest that has run for a while.
    ///
    /// # Panics
    /// Where no log can be written.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let first = Entry { time: START, kind: Kind::Manifest, document: &manifest_note() };
        let mut log = Log::begin(Folder::new(dir.path()), contest::holder("log"), &first).expect("a log");
        log.append(&Entry { time: NOW - 600, kind: Kind::Start, document: b"" }).expect("appended");
        let effort = Effort {
            connections: 1_204_773,
            handshakes: vec![Count::new("TLS 1.3", 911_204), Count::new("TLS 1.2", 32_118)],
            failures: vec![Count::new("no certificate", 201_443), Count::new("peer closed", 48_911), Count::new("decode error", 11_097)],
            bytes_in: 9_126_805_504,
            bytes_out: 31_138_512_896,
        };
        let book = Book { log, effort, wins: Vec::new(), claims: Vec::new(), announced: Vec::new(), changes: Vec::new() };
        Self {
            dir,
            clock: AtomicU64::new(NOW),
            is_written: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
            slowness_ms: AtomicU64::new(0),
            book: Mutex::new(book),
        }
    }

    /// Moves the clock.
    pub fn set_clock(&self, now: u64) {
        self.clock.store(now, Ordering::SeqCst);
    }

    /// Makes the published word hold the published value.
    pub fn write_the_word(&self) {
        self.is_written.store(true, Ordering::SeqCst);
    }

    /// Gives out no manifest any more, as a box that is about to stop.
    pub fn leave(&self) {
        self.is_leaving.store(true, Ordering::SeqCst);
    }

    /// Makes the guest take so long to answer.
    pub fn slow_down(&self, ms: u64) {
        self.slowness_ms.store(ms, Ordering::SeqCst);
    }

    /// So many connections more.
    pub fn connect(&self, more: u64) {
        self.book().effort.connections += more;
    }

    /// The operator has changed something before now.
    pub fn change(&self, changed: Changed) {
        self.book().changes.push(changed);
    }

    /// Who said that he comes, and from where.
    #[must_use]
    pub fn announced(&self) -> Vec<(String, Option<IpAddr>)> {
        self.book().announced.clone()
    }

    /// Where the log lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// How long the log is.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.book().log.tree().size()
    }

    fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contest for Held {
    fn facts(&self) -> Facts {
        let now = self.now();
        let book = self.book();
        let door = |name: &str, port, about: &str| Door { name: name.into(), port, about: about.into() };
        Facts {
            manifest: manifest_note(),
            operator: contest::operator(),
            rules: RULES.into(),
            changes: book.changes.clone(),
            now,
            since: START,
            heartbeat: Some(now.saturating_sub(754)),
            cells: Cells { started: 4, ended: vec![Count::new("crash", 2), Count::new("hung", 1)] },
            wins: book.wins.clone(),
            unshown: [0; Tier::ALL.len()],
            effort: book.effort.clone(),
            doors: vec![
                door("Server", 10_000, "The box is a TLS server that demands your certificate, and sends the prize if it takes it."),
                door(
                    "Reverse",
                    10_001,
                    "You connect over TCP; on that connection the box is the TLS client. It sends the prize if it takes your certificate.",
                ),
                door(
                    "Call back",
                    10_002,
                    "You connect over TCP; the box closes that, and connects to your address at port 10003 as a TLS client.",
                ),
            ],
            machine: "kvm".into(),
            image: manifest(&contest::address()).image,
        }
    }

    /// Before the one in force there was that of [`contest`]: name and rules have changed since.
    fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, String> {
        if self.is_leaving.load(Ordering::SeqCst) {
            return Err("the box is about to stop".into());
        }
        let versions = [(manifest_digest(), manifest_note()), (contest::manifest_digest(), contest::manifest_note())];
        Ok(versions.into_iter().find_map(|(of, note)| (of == digest).then_some(note)))
    }

    fn prove(&self, nonce: [u8; 32]) -> Result<Vec<u8>, String> {
        thread::sleep(Duration::from_millis(self.slowness_ms.load(Ordering::SeqCst)));
        let body = |tier| possession::Body { manifest: manifest_digest(), tier, nonce, time: self.now() };
        let proof = |tier: Tier| contest::seal(tier.name(), &body(tier));
        Ok([Tier::Auth, Tier::Read, Tier::Write, Tier::Key, Tier::Wallet].map(proof).concat())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        if self.is_written.load(Ordering::SeqCst) {
            Ok(contest::sign("write", message))
        } else {
            Err("the word does not hold the value".into())
        }
    }

    fn claim(&self, claim: &[u8]) -> Result<Judged, String> {
        let (now, reveal) = (self.now(), Reveal::of(claim));
        let read = Claim::parse(reveal.claim);
        let named = read.as_ref().ok().and_then(|read| self.manifest(read.body.manifest).ok()?).unwrap_or_else(manifest_note);
        let verdict = verify(&named, &contest::operator(), reveal.claim, &Context { now, commitment: reveal.committed() });
        let Ok(read) = read else {
            return Ok(Judged { verdict: verdict.to_string(), entry: Err("it cannot be read as a claim".into()) });
        };
        if read.body.manifest != manifest_digest() && reveal.commitment.is_none() {
            return Ok(Judged { verdict: verdict.to_string(), entry: Err("it names an earlier version: sign it anew".into()) });
        }
        let mut book = self.book();
        if let Some((_, number)) = book.claims.iter().find(|(known, _)| known == claim) {
            return Ok(Judged { verdict: verdict.to_string(), entry: Ok(*number) });
        }
        let entry = book.log.append(&Entry { time: now, kind: Kind::Claim, document: claim }).map_err(|fault| fault.to_string());
        if let Ok(number) = entry {
            book.claims.push((claim.to_vec(), number));
            if let Verdict::Falsified { tier, committed, .. } = verdict {
                let (claimant, text) = (read.body.claimant.into(), read.body.text.into());
                book.wins.push(Win { tier, claimant, text, time: now, committed, entry: number });
            }
        }
        Ok(Judged { verdict: verdict.to_string(), entry })
    }

    fn commit(&self, commitment: [u8; 32]) -> Result<Vec<u8>, String> {
        let time = self.now();
        let receipt = Receipt { manifest: manifest_digest(), commitment: Digest(commitment), time };
        let receipt = contest::note(&receipt.to_string(), &["log"]);
        let appended = self.book().log.append(&Entry { time, kind: Kind::Commitment, document: &receipt });
        appended.map(|_| receipt).map_err(|fault| fault.to_string())
    }

    fn announce(&self, claimant: &str, peer: Option<IpAddr>) -> Result<(), String> {
        self.book().announced.push((claimant.into(), peer));
        Ok(())
    }

    fn log_file(&self, name: &str) -> Option<Vec<u8>> {
        Folder::new(self.dir.path()).read(name, bounty_log::bundle::LEN_MAX).ok()?
    }
}

/// A contest and its page, on a port of its own.
#[derive(Debug)]
pub struct Open {
    /// The contest.
    pub held: Arc<Held>,
    /// The page.
    pub served: Served,
}

impl Open {
    /// Serves a page with the arbiter for browsers, if that is wanted.
    ///
    /// # Panics
    /// Where no port can be had.
    #[must_use]
    pub fn new(peers: Peers, limits: Limits, assets: Assets) -> Self {
        let held = Arc::new(Held::new());
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let contest: Arc<dyn Contest> = held.clone();
        let served = serve(listener, peers, contest, Site { base, assets }, limits).expect("a page");
        Self { held, served }
    }

    /// With bounds that tests do not meet.
    #[must_use]
    pub fn plain(assets: Assets) -> Self {
        Self::new(Peers::Connect, Limits::default(), assets)
    }

    /// Where a browser reaches it: by the only name that it resolves.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.served.address().port())
    }
}

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
