//! What the page asks of whoever runs the contest.

use core::net::IpAddr;

use arbiter::{Claim, Context, Digest, Tier, Verdict, verify};
use bounty_log::reveal::Reveal;
use serde::{Deserialize, Serialize};

use crate::coded;

/// Whoever runs the contest. All of it is called on threads that may wait for the guest or the disk, a few at a time; only [`Contest::facts`] and
/// [`Contest::manifest`] are to answer at once, from what is known. What the facts say is shown for a second.
pub trait Contest: Send + Sync {
    /// How it stands.
    fn facts(&self) -> Facts;

    /// The signed manifest of this digest, whichever of the contest's versions it is: a claim is judged by the one that it names. `None`: it has no such version.
    ///
    /// # Errors
    /// Why there is no answer now, as a sentence for whoever asked.
    fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, String>;

    /// The answers of all flags that can answer to a nonce: documents `bountybox-possession 1`, one behind the other.
    ///
    /// # Errors
    /// Why there is no answer now, as a sentence for whoever asked.
    fn prove(&self, nonce: [u8; 32]) -> Result<Vec<u8>, String>;

    /// The signature of the flag of `write` under the message of a claim, 64 bytes, if the published word holds the published value, and the one behind it what stands for
    /// this message.
    ///
    /// # Errors
    /// Why there is none, as a sentence for whoever asked.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String>;

    /// Judges a claim and, if only the holder of its flag can have signed it, appends it to the log. What is given is a claim, or a [reveal](bounty_log::reveal): a claim with what it was committed to, which
    /// is judged and logged with it. One that is in the log already is not appended again: anybody can hand in what the log shows.
    ///
    /// # Errors
    /// Why it was not judged, as a sentence for whoever asked.
    fn claim(&self, claim: &[u8]) -> Result<Judged, String>;

    /// Appends a commitment to the log; the receipt.
    ///
    /// # Errors
    /// Why it was not taken, as a sentence for whoever asked.
    fn commit(&self, commitment: [u8; 32]) -> Result<Vec<u8>, String>;

    /// Notes that a claimant is about to send something: who is announced when the guest ends is named in the crash's record, wherever it came from. The source only counts how many places one sender
    /// may hold, and is an [`allotment`](crate::rates::allotment), not the address. `None`: it is not known.
    ///
    /// # Errors
    /// Why it was not noted, as a sentence for whoever asked.
    fn announce(&self, claimant: &str, source: Option<IpAddr>) -> Result<(), String>;

    /// A file of the log by its name: `checkpoint`, `tile/..`. No other names are asked for than those of [`crate::tiles`].
    fn log_file(&self, name: &str) -> Option<Vec<u8>>;
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What the arbiter says, as it prints: `Falsified`, `NotFalsified` or `SetupError`, and a line for each thing that it says of it.
    pub verdict: String,
    /// The number of its entry in the log, or why it has none, as a sentence.
    pub entry: Result<u64, String>,
}

/// How the contest stands at one moment. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The manifest's note. Prizes, flags, start and end are read out of it.
    pub manifest: Vec<u8>,
    /// The key that signed it, as `NAME+ID+BASE64`.
    pub operator: String,
    /// The text of the rules that are in force.
    pub rules: String,
    /// How the manifest came to be this one: the versions that followed on the log's first entry, in order.
    pub changes: Vec<Changed>,
    /// The time.
    pub now: u64,
    /// Since when the box serves.
    pub since: u64,
    /// When all flags last answered for the log, if they have.
    pub heartbeat: Option<u64>,
    /// Cells.
    pub cells: Cells,
    /// The claims of the log that hold: of each tier those that count first, in the order in which they count.
    pub wins: Vec<Win>,
    /// How many more of each tier hold, in the tiers' order.
    pub unshown: [u64; Tier::ALL.len()],
    /// What was tried so far.
    pub effort: Effort,
    /// Where it can be tried.
    pub doors: Vec<Door>,
    /// On which machine the guest runs: `kvm` or `process`.
    pub machine: String,
    /// SHA-256 of the image that runs.
    #[serde(with = "coded::digest")]
    pub image: Digest,
}

impl Facts {
    /// A contest of which nothing is known but what was promised.
    #[must_use]
    pub fn new(manifest: Vec<u8>, operator: String) -> Self {
        Self {
            manifest,
            operator,
            rules: String::new(),
            changes: Vec::new(),
            now: 0,
            since: 0,
            heartbeat: None,
            cells: Cells::default(),
            wins: Vec::new(),
            unshown: [0; Tier::ALL.len()],
            effort: Effort::default(),
            doors: Vec::new(),
            machine: String::new(),
            image: Digest([0; 32]),
        }
    }
}

/// Seconds by which the facts' clock may be behind: [`FRESH`](crate::limits::FRESH), and what is cut off of a second.
const FACTS_AGE_S: u64 = 2;

/// Whether what is handed in is a claim that holds: such a one does not wait for what others have used up.
pub(crate) fn holds(contest: &dyn Contest, facts: &Facts, handed: &[u8]) -> bool {
    let reveal = Reveal::of(handed);
    let Ok(claim) = Claim::parse(reveal.claim) else { return false };
    let Ok(Some(manifest)) = contest.manifest(claim.body.manifest) else { return false };
    // The facts are of a moment ago: a claim that was signed since is not of the future.
    let now = claim.body.time.clamp(facts.now, facts.now.saturating_add(FACTS_AGE_S));
    let context = Context { now, commitment: reveal.committed() };
    matches!(verify(&manifest, &facts.operator, reveal.claim, &context), Verdict::Falsified { .. })
}

/// A version of the manifest that followed on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Its number: the log begins with 1.
    pub version: u64,
    /// When the log took it.
    pub time: u64,
    /// The number of its entry.
    pub entry: u64,
    /// The manifest before, and the new one.
    #[serde(with = "coded::digests")]
    pub manifests: [Digest; 2],
    /// The rules before, and the new ones.
    #[serde(with = "coded::digests")]
    pub rules: [Digest; 2],
}

/// The guests so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cells {
    /// Begun.
    pub started: u64,
    /// Ended, by how.
    pub ended: Vec<Count>,
}

/// How often something happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// What: a word of a closed set, not something that a client chose.
    pub name: String,
    /// How often.
    pub count: u64,
}

impl Count {
    /// So many of these.
    pub fn new(name: impl Into<String>, count: u64) -> Self {
        Self { name: name.into(), count }
    }

    /// All of them.
    #[must_use]
    pub fn total(counts: &[Self]) -> u64 {
        counts.iter().fold(0, |sum, each| sum.saturating_add(each.count))
    }
}

/// A claim that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Win {
    /// What was won.
    #[serde(with = "coded::tier")]
    pub tier: Tier,
    /// By whom, as the claim says.
    pub claimant: String,
    /// What they have to say about it.
    pub text: String,
    /// When the log took the claim.
    pub time: u64,
    /// When the log took its commitment, if it came with one.
    pub committed: Option<u64>,
    /// The number of its entry.
    pub entry: u64,
}

/// What clients did, over all cells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Connections.
    pub connections: u64,
    /// Handshakes that succeeded, by version.
    pub handshakes: Vec<Count>,
    /// Handshakes and connections that failed, by kind.
    pub failures: Vec<Count>,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
}

/// Where the box can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// What it is called.
    pub name: String,
    /// Its port, on the page's host.
    pub port: u16,
    /// What it does, as a sentence.
    pub about: String,
}
