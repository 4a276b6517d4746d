//! What the page asks for, answered: by the log's keeper, by the guest, by the board.

use core::net::IpAddr;
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arbiter::lines::sealed;
use arbiter::possession::Body;
use arbiter::{Digest, Tier};
use bounty_log::bundle;
use bounty_log::store::{Folder as Store, Source as _};
use bounty_page::contest::{Cells, Changed, Count, Door, Win};
use bounty_page::limits::COMMITMENTS;
use bounty_page::{Facts, Judged};
use ceremony::versions::Version;
use ceremony::{DoorName, Folder, PerDoor};
use keeper::Keeper;
use tender::mailbox::Ask;

use super::effort::Effort;
use crate::admin::board::Board;
use crate::cli::unix_now;
use crate::limits::ASK_PATIENCE;
use crate::plan;

/// See the module.
#[derive(Debug)]
pub(super) struct Desk {
    folder: Arc<Folder>,
    keeper: Arc<Mutex<Keeper>>,
    board: Arc<Board>,
    doors: PerDoor<u16>,
    image: Digest,
    effort: Mutex<Effort>,
}

/// How long a fresh status may take.
const STATUS_PATIENCE: Duration = Duration::from_millis(500);

const _: () = assert!(
    COMMITMENTS.within(Duration::from_secs(keeper::limits::HOUR_S)) <= keeper::limits::COMMITMENTS_MAX as u64,
    "what the page lets through is taken"
);
const _: () = assert!(keeper::limits::WINS_MAX >= bounty_page::limits::WINS_SHOWN_MAX, "what the page shows is known");

impl Desk {
    pub(super) fn new(plan: &plan::Challenge, image: Digest, keeper: Arc<Mutex<Keeper>>, board: Arc<Board>) -> Self {
        let PerDoor { server, call_back, reverse } = plan.doors;
        let doors = PerDoor { server: server.port(), call_back: call_back.port(), reverse: reverse.port() };
        Self { folder: Arc::clone(&plan.folder), keeper, board, doors, image, effort: Mutex::default() }
    }

    /// The log's keeper. Whoever holds it may ask the guest, which the watching thread passes on without ever holding it.
    pub(super) fn keeper(&self) -> MutexGuard<'_, Keeper> {
        lock(&self.keeper)
    }

    /// Proofs of all flags: those that the guest holds answer from there; those of `exec`, `escape` and `down` are not its to hold, and answer from here.
    pub(super) fn proofs(&self, nonce: [u8; 32]) -> Result<Vec<u8>, String> {
        let mut proofs = self.board.ask_guest(Ask::Prove(nonce), ASK_PATIENCE)?;
        let time = unix_now().as_secs();
        for tier in [Tier::Exec, Tier::Escape, Tier::Down] {
            let message = Body { manifest: self.folder.digest(), tier, nonce, time }.to_string();
            proofs.extend(sealed(&message, &self.folder.flags().sign(tier, message.as_bytes())));
        }
        Ok(proofs)
    }

    /// Has the guest and the box prove, to the log, that the flags are there. Says which have not answered: while a cell starts there are no proofs at all, so each of these is missed.
    pub(super) fn heartbeat(&self) -> Result<Vec<Tier>, String> {
        let mut keeper = self.keeper();
        let proofs = self.proofs(keeper.nonce())?;
        let proven = keeper.heartbeat(unix_now().as_secs(), &proofs).map_err(|refused| refused.to_string())?;
        Ok(Tier::ALL.into_iter().filter(|tier| !proven.contains(tier)).collect())
    }

    /// The versions of the manifest behind the first, and where the log has them.
    fn changes(&self) -> Vec<Changed> {
        let keeper = self.keeper();
        let made = self.folder.versions().filter_map(Version::made);
        let told = made.zip(keeper.changes()).map(|(made, entered)| Changed {
            version: made.change.version,
            time: entered.entered,
            entry: entered.entry,
            manifests: [made.change.from, made.change.to],
            rules: [made.change.from_rules, made.change.to_rules],
        });
        told.collect()
    }

    fn doors(&self) -> Vec<Door> {
        let about = |door| match door {
            DoorName::Server => "A TLS server that demands a certificate of its own authority.".to_owned(),
            DoorName::CallBack => {
                format!("Knock, and the box connects to your address, port {}, as a TLS client.", self.folder.ports().dials)
            }
            DoorName::Reverse => "A TLS client, on the connection that you have made.".to_owned(),
        };
        DoorName::ALL.map(|door| Door { name: door.word().into(), port: *self.doors.of(door), about: about(door) }).into()
    }
}

impl bounty_page::Contest for Desk {
    fn facts(&self) -> Facts {
        let board = self.board.ask(STATUS_PATIENCE);
        let mut effort = lock(&self.effort);
        if let Some((status, _)) = &board.status {
            effort.take(status);
        }
        let effort = effort.told();
        let (heartbeat, wins, unshown) = {
            let keeper = self.keeper();
            (keeper.answered(), wins(&keeper), unshown(&keeper))
        };
        Facts {
            manifest: self.folder.manifest_note().to_vec(),
            operator: self.folder.operator().to_string(),
            rules: self.folder.rules().into(),
            changes: self.changes(),
            now: unix_now().as_secs(),
            since: board.started_unix.as_secs(),
            heartbeat,
            cells: Cells {
                started: board.restarts.saturating_add(1),
                ended: board.exits.iter().map(|(name, count)| Count::new(*name, *count)).collect(),
            },
            wins,
            unshown,
            effort,
            doors: self.doors(),
            machine: board.machine.into(),
            image: self.image,
        }
    }

    fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, String> {
        Ok(self.folder.version(&digest).map(|version| version.note().to_vec()))
    }

    fn prove(&self, nonce: [u8; 32]) -> Result<Vec<u8>, String> {
        self.proofs(nonce)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        self.board.ask_guest(Ask::Sign(message.to_vec()), ASK_PATIENCE)
    }

    fn claim(&self, claim: &[u8]) -> Result<Judged, String> {
        let keeper::Judged { verdict, entry } = self.keeper().claim(unix_now().as_secs(), claim);
        Ok(Judged { verdict: verdict.to_string(), entry: entry.map_err(|refused| refused.to_string()) })
    }

    fn commit(&self, commitment: [u8; 32]) -> Result<Vec<u8>, String> {
        self.keeper().commit(unix_now().as_secs(), Digest(commitment)).map_err(|refused| refused.to_string())
    }

    fn announce(&self, claimant: &str, source: Option<IpAddr>) -> Result<(), String> {
        let source = source.ok_or("your address is not known here")?;
        self.keeper().announce(unix_now().as_secs(), claimant, source).map(|_| ()).map_err(|refused| refused.to_string())
    }

    fn log_file(&self, name: &str) -> Option<Vec<u8>> {
        Store::new(self.folder.log_path()).read(name, bundle::LEN_MAX).ok().flatten()
    }
}

/// Those of each tier that count first, in the order in which they count.
fn wins(keeper: &Keeper) -> Vec<Win> {
    let told = |tier| {
        keeper.wins(tier).map(move |won| Win {
            tier,
            claimant: won.claimant.clone(),
            text: won.text.clone(),
            time: won.entered,
            committed: won.committed,
            entry: won.entry,
        })
    };
    Tier::ALL.into_iter().flat_map(told).collect()
}

/// How many more of each tier hold.
fn unshown(keeper: &Keeper) -> [u64; Tier::ALL.len()] {
    let more = |tier| keeper.holding(tier).saturating_sub(keeper.wins(tier).count());
    Tier::ALL.map(|tier| u64::try_from(more(tier)).unwrap_or(u64::MAX))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
