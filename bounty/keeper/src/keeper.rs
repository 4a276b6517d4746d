//! The keeper: owns a contest's log while its box runs, and what goes into it.

use core::net::IpAddr;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use arbiter::crash::{self, Ending};
use arbiter::limits::{DETAIL_LEN_MAX, TIME_MAX};
use arbiter::lines::sealed;
use arbiter::possession::{Asked, Possession};
use arbiter::receipt::Receipt;
use arbiter::{Claim, Context, Digest, Manifest, Tier, Verdict, verify};
use bounty_log::append::{Log, LogFault, Signer, settle};
use bounty_log::change::Promise;
use bounty_log::check::{Trust, check};
use bounty_log::entry::{Entry, Kind};
use bounty_log::limits::CHECKPOINT_LEN_MAX;
use bounty_log::reveal::Reveal;
use bounty_log::store::{Folder as Store, Source};
use bounty_log::{life, names};
use ceremony::log_key::LogKey;
use ceremony::versions::Version;
use ceremony::{Folder, files};

use crate::announced::Announced;
use crate::claims::{Claims, Win};
use crate::hourly::Hourly;
use crate::limits::{COMMITMENTS_MAX, HOUR_S, PROOFS_LEN_MAX, RESTARTS_MAX, SET_BACK_S_MAX};
use crate::prune::prune;
use crate::refused::{OpenFault, Refused};

/// See the module.
#[derive(Debug)]
pub struct Keeper {
    folder: Arc<Folder>,
    operator: String,
    log: Log<LogKey>,
    story: Story,
    announced: Announced,
    /// Held for as long as this lives: two keepers of one log would fork it.
    _lock: File,
}

/// What is known of the log's entries.
#[derive(Debug)]
struct Story {
    /// The last entry's time.
    time: u64,
    /// The last sign of life, while the box is to serve.
    alive: Option<u64>,
    /// When the flags of all tiers last answered in one heartbeat.
    answered: Option<u64>,
    /// Cells that have begun: one by each start, one by each restart.
    cells: u64,
    /// When the versions of the manifest that are not the first were entered, in order.
    changes: Vec<Changed>,
    /// What the receipts say that were given.
    receipts: BTreeSet<Digest>,
    restarts: Hourly,
    commitments: Hourly,
    claims: Claims,
}

/// Where the log has a new version of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// When it was entered.
    pub entered: u64,
    /// The entry's number.
    pub entry: u64,
}

/// A cell that ended and was not to end.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// How.
    pub ending: Ending,
    /// By what.
    pub by: By,
    /// The same in more words. What is no printable ASCII becomes a question mark; the record holds [`DETAIL_LEN_MAX`] bytes of it.
    pub detail: &'a str,
    /// Of what was kept of the time before it.
    pub evidence: Digest,
}

/// What has ended a cell, and so whether somebody can have won something by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The guest, whatever made it do so: who has announced himself is named.
    Guest,
    /// The host, the tender, somebody with a signal; or nobody knows. Nobody is named, and who has announced himself stays so.
    Other,
}

/// What became of a claim.
#[derive(Debug)]
pub struct Judged {
    /// What the arbiter says.
    pub verdict: Verdict,
    /// The entry's number, or why there is none.
    pub entry: Result<u64, Refused>,
}

impl Keeper {
    /// Opens a contest's log, and begins it with the manifest if there is none. Versions of the manifest that the folder has and the log has not are entered.
    ///
    /// # Errors
    /// [`OpenFault`].
    pub fn open(folder: &Arc<Folder>, now: u64) -> Result<Self, OpenFault> {
        let lock = lock(folder)?;
        let store = Store::new(folder.log_path());
        settle(&store, folder.log().key()).map_err(OpenFault::Log)?;
        let head = store.read(names::CHECKPOINT, CHECKPOINT_LEN_MAX);
        let head = head.map_err(|fault| OpenFault::Log(LogFault::Io(names::CHECKPOINT.into(), fault)))?;
        let (folder, operator) = (Arc::clone(folder), folder.operator().to_string());
        let (log, story) = match head {
            None => begin(&folder, store, now)?,
            Some(_) => resume(&folder, &operator, store)?,
        };
        let mut keeper = Self { folder, operator, log, story, announced: Announced::default(), _lock: lock };
        keeper.catch_up(now)?;
        Ok(keeper)
    }

    /// Enters what was changed since.
    fn catch_up(&mut self, now: u64) -> Result<(), OpenFault> {
        let folder = Arc::clone(&self.folder);
        let versions: Vec<&Version> = folder.versions().collect();
        for pair in versions.windows(2).skip(self.story.changes.len()) {
            let [old, new] = pair else { continue };
            let Some(made) = new.made() else { continue };
            let time = self.at(now).map_err(OpenFault::Clock)?;
            let number = made.change.version.saturating_sub(1);
            let manifest = Manifest::read(old.note(), folder.operator()).map_err(|_| OpenFault::OtherContest)?;
            let followed = Promise { version: number, manifest }.follow_at(&made.document, folder.operator(), time);
            followed.map_err(|fault| OpenFault::Change(files::change(made.change.version), fault))?;
            let entry = self.append(Entry { time, kind: Kind::Rules, document: &made.document });
            let entry = entry.map_err(OpenFault::Entered)?;
            self.story.changes.push(Changed { entered: time, entry });
        }
        Ok(())
    }

    /// Where the log has the versions of the manifest that are not the first, in order.
    #[must_use]
    pub fn changes(&self) -> &[Changed] {
        &self.story.changes
    }

    /// The contest.
    #[must_use]
    pub const fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    /// The log's tree: its size, its root, proofs out of it.
    #[must_use]
    pub fn tree(&self) -> &bounty_log::tree::Tree {
        self.log.tree()
    }

    /// The last entry's time.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.story.time
    }

    /// Whether the box is to serve, as the log has it.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.story.alive.is_some()
    }

    /// When the next heartbeat is wanted, while the box is to serve; five minutes later it is missing.
    #[must_use]
    pub fn heartbeat_due(&self) -> Option<u64> {
        self.story.alive.map(|alive| alive.saturating_add(HOUR_S))
    }

    /// What to ask for proofs of possession with: the log's root. It is another after every entry.
    ///
    /// # Panics
    /// Never: a log has the root of its own size.
    #[must_use]
    pub fn nonce(&self) -> [u8; 32] {
        let tree = self.log.tree();
        tree.root(tree.size()).expect("invariant: the root of a tree's own size").0
    }

    /// When the flags of all tiers last answered for the log, if they have.
    #[must_use]
    pub const fn answered(&self) -> Option<u64> {
        self.story.answered
    }

    /// Who has won a tier first.
    #[must_use]
    pub fn won(&self, tier: Tier) -> Option<&Win> {
        self.wins(tier).next()
    }

    /// The claims of a tier that hold and count first, [`WINS_MAX`](crate::limits::WINS_MAX) at most, in the order in which they count.
    pub fn wins(&self, tier: Tier) -> impl Iterator<Item = &Win> {
        self.story.claims.wins(tier)
    }

    /// How many claims of a tier hold.
    #[must_use]
    pub fn holding(&self, tier: Tier) -> usize {
        self.story.claims.holding(tier)
    }

    /// The box begins to serve.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn started(&mut self, now: u64) -> Result<u64, Refused> {
        let time = self.at(now)?;
        self.enter(Entry { time, kind: Kind::Start, document: &[] })
    }

    /// The box has stopped on purpose.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn stopped(&mut self, now: u64) -> Result<u64, Refused> {
        self.runs()?;
        let time = self.at(now)?;
        self.enter(Entry { time, kind: Kind::Stop, document: &[] })
    }

    /// The box serves: proofs of possession, one behind the other, of [`Self::nonce`]. Says whose flags they were; that all have answered, [`Self::answered`] says only of one that has all.
    ///
    /// # Errors
    /// [`Refused`]. If something was entered since the nonce was given, ask again with the new one.
    pub fn heartbeat(&mut self, now: u64, proofs: &[u8]) -> Result<Vec<Tier>, Refused> {
        self.runs()?;
        let time = self.at(now)?;
        let tiers = self.proven(time, proofs)?;
        self.enter(Entry { time, kind: Kind::Heartbeat, document: proofs })?;
        Ok(tiers)
    }

    fn proven(&self, time: u64, proofs: &[u8]) -> Result<Vec<Tier>, Refused> {
        if proofs.len() > PROOFS_LEN_MAX {
            return Err(Refused::ProofsLength);
        }
        let (manifest, nonce, times) = (self.folder.manifest(), self.nonce(), self.story.time..=time);
        let mut tiers = Vec::new();
        for proof in life::proofs(proofs) {
            let possession = Possession::parse(proof).map_err(Refused::Proof)?;
            let tier = possession.body.tier;
            if tiers.contains(&tier) {
                return Err(Refused::Proofs);
            }
            possession.answers(&Asked { tier, nonce, times: times.clone() }, &manifest).map_err(Refused::Proof)?;
            tiers.push(tier);
        }
        if tiers.is_empty() { Err(Refused::Proofs) } else { Ok(tiers) }
    }

    /// A cell has ended. Gives the signed crash record.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn ended(&mut self, now: u64, ended: &Ended<'_>) -> Result<Vec<u8>, Refused> {
        self.runs()?;
        let time = self.at(now)?;
        if self.story.restarts.full_until(time).is_some() {
            return Err(Refused::Restarts);
        }
        let claimants = match ended.by {
            By::Guest => self.announced.named(now),
            By::Other => Vec::new(),
        };
        let detail = plain(ended.detail);
        let body = crash::Body {
            manifest: self.folder.digest(),
            cell: self.story.cells.saturating_sub(1),
            time,
            ending: ended.ending,
            detail: &detail,
            evidence: ended.evidence,
            claimants: claimants.iter().map(String::as_str).collect(),
        };
        let message = body.to_string();
        let record = sealed(&message, &self.folder.flags().sign(Tier::Down, message.as_bytes()));
        self.enter(Entry { time, kind: Kind::Restart, document: &record })?;
        if ended.by == By::Guest {
            self.announced.clear();
        }
        Ok(record)
    }

    /// Somebody commits to a claim. Gives the log's receipt.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn commit(&mut self, now: u64, commitment: Digest) -> Result<Vec<u8>, Refused> {
        let time = self.at(now)?;
        if time >= self.folder.manifest().end {
            return Err(Refused::Over);
        }
        if let Some(until) = self.story.commitments.full_until(time) {
            return Err(Refused::Commitments { until });
        }
        let text = Receipt { manifest: self.folder.digest(), commitment, time }.to_string();
        let key = self.folder.log();
        let receipt = format!("{text}\n{}", key.key().line(&key.sign(text.as_bytes()))).into_bytes();
        self.enter(Entry { time, kind: Kind::Commitment, document: &receipt })?;
        self.story.receipts.insert(Digest::of(&[text.as_bytes()]));
        Ok(receipt)
    }

    /// Somebody hands in a claim, perhaps with what it was committed to ([`Reveal`]). The claim is judged as `bountybox arbiter verify` does, by the version of the manifest that it names, and entered if it holds, or if only the holder
    /// of a flag can have made it; one that only comes too early is not, so that it can be handed in when it holds.
    pub fn claim(&mut self, now: u64, handed: &[u8]) -> Judged {
        let (at, reveal) = (self.at(now), Reveal::of(handed));
        let context = Context { now: *at.as_ref().unwrap_or(&now), commitment: reveal.committed() };
        let verdict = verify(self.judging(reveal.claim).note(), &self.operator, reveal.claim, &context);
        let entry = at.and_then(|time| self.admit(time, &reveal, &verdict));
        Judged { verdict, entry }
    }

    /// The version that a claim names, or the one in force if it names none.
    fn judging(&self, claim: &[u8]) -> &Version {
        version(&self.folder, claim)
    }

    fn admit(&mut self, time: u64, reveal: &Reveal<'_>, verdict: &Verdict) -> Result<u64, Refused> {
        self.story.claims.admit(reveal.claim, verdict, time)?;
        let is_in_force = self.judging(reveal.claim).digest() == self.folder.digest();
        // A receipt and a crash record were made while their version was in force; a claim by itself is to be signed for the one that is.
        let was_before = reveal.commitment.is_some() || Claim::parse(reveal.claim).is_ok_and(|claim| claim.body.record.is_some());
        if !is_in_force && !was_before {
            return Err(Refused::Superseded);
        }
        if let Some((receipt, _)) = reveal.commitment {
            self.has_given(receipt)?;
        }
        let number = self.append(Entry { time, kind: Kind::Claim, document: &reveal.document() })?;
        self.story.claims.entered(reveal.claim, verdict, (time, number));
        Ok(number)
    }

    /// What was given stands in the log, unless the log was put back to what it was before.
    fn has_given(&self, receipt: &[u8]) -> Result<(), Refused> {
        let receipt = Receipt::read(receipt, self.folder.log().key()).map_err(|_| Refused::Receipt)?;
        if self.story.receipts.contains(&Digest::of(&[receipt.to_string().as_bytes()])) { Ok(()) } else { Err(Refused::Receipt) }
    }

    /// Somebody wants to be named in the next crash record. Says until when they are remembered. Each source has one place: what one sender is, one address or all that a customer is given, the
    /// caller knows.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn announce(&mut self, now: u64, claimant: &str, source: IpAddr) -> Result<u64, Refused> {
        self.announced.announce(now, claimant, source)
    }

    /// How many have announced themselves.
    pub fn announced(&mut self, now: u64) -> usize {
        self.announced.len(now)
    }

    const fn runs(&self) -> Result<(), Refused> {
        if self.is_running() { Ok(()) } else { Err(Refused::NotRunning) }
    }

    /// The time of an entry that is made now.
    const fn at(&self, now: u64) -> Result<u64, Refused> {
        at(self.story.time, now)
    }

    fn enter(&mut self, entry: Entry<'_>) -> Result<u64, Refused> {
        let number = self.append(entry)?;
        self.story.goes_on(&entry);
        Ok(number)
    }

    fn append(&mut self, entry: Entry<'_>) -> Result<u64, Refused> {
        let number = self.log.append(&entry)?;
        self.story.time = entry.time;
        prune(&self.folder.log_path(), number);
        Ok(number)
    }
}

fn lock(folder: &Folder) -> Result<File, OpenFault> {
    let lock =
        OpenOptions::new().create(true).append(true).mode(0o600).open(folder.path().join(files::LOG_LOCK)).map_err(OpenFault::Lock)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenFault::Kept),
        Err(TryLockError::Error(fault)) => Err(OpenFault::Lock(fault)),
    }
}

const fn at(last: u64, now: u64) -> Result<u64, Refused> {
    if now > TIME_MAX || last.saturating_sub(now) > SET_BACK_S_MAX {
        return Err(Refused::Clock { last });
    }
    Ok(if now < last { last } else { now })
}

fn begin(folder: &Folder, store: Store, now: u64) -> Result<(Log<LogKey>, Story), OpenFault> {
    let time = at(0, now).map_err(OpenFault::Clock)?;
    let entry = Entry { time, kind: Kind::Manifest, document: first(folder).note() };
    let log = Log::begin(store, folder.log().clone(), &entry).map_err(OpenFault::Log)?;
    Ok((log, Story::new(time)))
}

/// The log's own key has signed what stands there, so its documents are not verified anew; that it is whole is.
fn resume(folder: &Folder, operator: &str, store: Store) -> Result<(Log<LogKey>, Story), OpenFault> {
    let report = check(&store, &Trust { log: folder.log().key(), operator: None, earlier: Vec::new() });
    if !report.is_sound() {
        let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        let more = report.count.saturating_sub(u64::try_from(findings.len()).unwrap_or(u64::MAX));
        return Err(OpenFault::Unsound(findings, more));
    }
    let mut story = Story::new(0);
    for (number, bytes) in (0_u64..).zip(&report.entries) {
        let entry = Entry::parse(bytes).map_err(|_| OpenFault::Entry(number))?;
        match (number, entry.kind) {
            (0, Kind::Manifest) if entry.document == first(folder).note() => {}
            (0, _) => return Err(OpenFault::OtherContest),
            (_, Kind::Manifest) => return Err(OpenFault::Entry(number)),
            (_, Kind::Claim) => {
                let reveal = Reveal::of(entry.document);
                let context = Context { now: entry.time, commitment: reveal.committed() };
                let verdict = verify(version(folder, reveal.claim).note(), operator, reveal.claim, &context);
                story.claims.entered(reveal.claim, &verdict, (entry.time, number));
            }
            (_, Kind::Rules) => story.changed(folder, &entry, number)?,
            (_, Kind::Commitment) => {
                let receipt = Receipt::read(entry.document, folder.log().key()).map_err(|_| OpenFault::Entry(number))?;
                story.receipts.insert(Digest::of(&[receipt.to_string().as_bytes()]));
                story.goes_on(&entry);
            }
            _ => story.goes_on(&entry),
        }
        story.time = entry.time;
    }
    let log = Log::open(store, folder.log().clone()).map_err(OpenFault::Log)?;
    Ok((log, story))
}

/// The version that the ceremony made.
fn first(folder: &Folder) -> &Version {
    folder.versions().next().expect("invariant: a folder has the version that it was made with")
}

/// The version that a claim names, or the one in force if it names none.
fn version<'f>(folder: &'f Folder, claim: &[u8]) -> &'f Version {
    let named = Claim::parse(claim).ok().and_then(|claim| folder.version(&claim.body.manifest));
    named.or_else(|| folder.versions().last()).unwrap_or_else(|| first(folder))
}

impl Story {
    fn new(time: u64) -> Self {
        let (restarts, commitments) = (Hourly::new(RESTARTS_MAX), Hourly::new(COMMITMENTS_MAX));
        let (changes, receipts) = (Vec::new(), BTreeSet::new());
        Self { time, alive: None, answered: None, cells: 0, changes, receipts, restarts, commitments, claims: Claims::new() }
    }

    /// A version that was entered must be the folder's: one that the folder has lost would have the box serve what is no longer promised.
    fn changed(&mut self, folder: &Folder, entry: &Entry<'_>, number: u64) -> Result<(), OpenFault> {
        let version = folder.versions().nth(self.changes.len().saturating_add(1));
        if version.and_then(Version::made).is_none_or(|made| made.document != entry.document) {
            return Err(OpenFault::Version(number));
        }
        self.changes.push(Changed { entered: entry.time, entry: number });
        Ok(())
    }

    fn goes_on(&mut self, entry: &Entry<'_>) {
        match entry.kind {
            Kind::Start => {
                self.alive = Some(entry.time);
                self.cells = self.cells.saturating_add(1);
            }
            Kind::Stop => self.alive = None,
            Kind::Heartbeat => {
                self.alive = Some(entry.time);
                self.answered = if has_all(entry.document) { Some(entry.time) } else { self.answered };
            }
            Kind::Restart => {
                self.restarts.count(entry.time);
                self.cells = self.cells.saturating_add(1);
            }
            Kind::Commitment => self.commitments.count(entry.time),
            Kind::Manifest | Kind::Claim | Kind::Rules => {}
        }
    }
}

/// Whether a heartbeat has a proof of each tier's flag. That they are right was seen when it was entered.
fn has_all(proofs: &[u8]) -> bool {
    let tiers: Vec<Tier> = life::proofs(proofs).filter_map(|proof| Possession::parse(proof).ok()).map(|proof| proof.body.tier).collect();
    Tier::ALL.iter().all(|tier| tiers.contains(tier))
}

/// What a crash record may hold: what a guest has made of its last words is not to keep it from being written.
fn plain(text: &str) -> String {
    let printable = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    let text: String = text.trim_matches(' ').chars().take(DETAIL_LEN_MAX).map(printable).collect();
    let text = text.trim_matches(' ');
    if text.is_empty() { "nothing more is known".into() } else { text.into() }
}
