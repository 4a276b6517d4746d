//! Every bound of this crate.

use arbiter::limits::{CRASH_CLAIMANTS_MAX, POSSESSION_LEN_MAX};

/// Proofs of one heartbeat at most, in bytes: one of each flag.
pub const PROOFS_LEN_MAX: usize = arbiter::Tier::ALL.len() * POSSESSION_LEN_MAX;

/// Over how long things are counted, in seconds.
pub const HOUR_S: u64 = 3600;

/// Crash records in an hour at most: one each five seconds, which is more than a box restarts.
pub const RESTARTS_MAX: usize = 720;

/// Commitments in an hour at most. Anybody may make them, so they are what the log's size in the end depends on.
pub const COMMITMENTS_MAX: usize = 60;

/// Entered claims of one tier in an hour at most. Only who holds its flag can make them.
pub const CLAIMS_MAX: usize = 16;

/// Entered claims of one tier in all at most.
pub const CLAIMS_IN_ALL_MAX: usize = 4096;

/// For how long an announcement is remembered, in seconds.
pub const ANNOUNCED_S: u64 = 15 * 60;

/// Announcements that are remembered at most.
pub const ANNOUNCED_MAX: usize = CRASH_CLAIMANTS_MAX;

/// For how long a place is kept for who was told to come for it, in seconds.
pub const TURN_S: u64 = 60;

/// Sources that stand in line for a place at most: more than the page lets announce themselves while one waits.
pub const WAITING_MAX: usize = 256;

/// Claims of one tier that are known by more than their number: those that counted first.
pub const WINS_MAX: usize = 4;

/// By how much the clock may be set back, in seconds, until nothing is entered any more.
pub const SET_BACK_S_MAX: u64 = 300;

/// One file of evidence at most, in bytes.
pub const EVIDENCE_LEN_MAX: u64 = 1 << 30;

/// Files of one kind of evidence at most.
pub const EVIDENCE_FILES_MAX: usize = 1 << 16;

/// What strangers may do in seven years fits the log, with a heartbeat and a start each hour.
const _: () = assert!(
    (COMMITMENTS_MAX as u64 + 2) * 24 * 365 * 7 + (CLAIMS_IN_ALL_MAX as u64) * 8 < bounty_log::limits::ENTRIES_MAX,
    "seven years of them fit a log"
);
