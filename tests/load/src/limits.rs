//! Every bound of this program.

use core::time::Duration;

/// A child lives no longer than this, whatever becomes of its parent.
pub(crate) const CHILD_LIFE_MAX: Duration = Duration::from_secs(600);
/// The shortest sleep of a child whose next client is due; and the longest of one that waits for nothing but the word to end.
pub(crate) const TICK: Duration = Duration::from_millis(5);
pub(crate) const SLEEP_MAX: Duration = Duration::from_millis(500);
/// Connections that one client's place is given at most, in a run.
pub(crate) const BEGINNINGS_PER_PLACE: u64 = 64;
/// How many of a child's clients go in a tick, at the end.
pub(crate) const LEAVING_PER_TICK: usize = 4;
/// How long a child may take to end once it is told to.
pub(crate) const CHILD_END: Duration = Duration::from_secs(60);
/// How long a crowd may take to come to stand.
pub(crate) const CROWD_STANDS: Duration = Duration::from_secs(180);
/// How long the box may take to see that a crowd has gone, and to give its memory back.
pub(crate) const BOX_SETTLES: Duration = Duration::from_secs(60);
/// How long an honest client waits for anything; longer is a failure.
pub(crate) const HONEST_PATIENCE: Duration = Duration::from_secs(15);
/// So many failures of honest clients end a case.
pub(crate) const HONEST_FAILURES_MAX: usize = 10;

/// Visits of honest clients in a round: its p99 is the third longest.
pub(crate) const VISITS_PER_ROUND: usize = 250;
/// Rounds in each phase of a case.
pub(crate) const ROUNDS: usize = 12;

/// The times of a visit beside a crowd, against those without one.
pub(crate) const RATIO_MAX: f64 = 2.0;
/// What an idle connection may take, in bytes.
pub(crate) const IDLE_LEN_MAX: u64 = 16 * 1024;
/// How far children stand back for others.
pub(crate) const NICENESS: i32 = 19;
/// How often a case is measured at most.
pub(crate) const ATTEMPTS_MAX: u32 = 3;
