//! Every bound of this crate: [`Limits`] can be chosen, the others not.

use core::time::Duration;

use crate::rates::Rate;

/// What a listener grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Of these, from one source.
    pub connections_of_source: usize,
    /// For a PROXY header, and for the head of each request, from the end of the one before on.
    pub head: Duration,
    /// For a request's body.
    pub body: Duration,
    /// For the contest's answer.
    pub answer: Duration,
    /// For a connection, however busy it is. What is being answered then is still answered.
    pub connection: Duration,
    /// Bytes of the log's files that are on their way to readers.
    pub log_bytes: usize,
    /// What asks the guest for signatures, by one source.
    pub asks_of_source: Rate,
    /// The same by all.
    pub asks: Rate,
    /// Claims, by one source.
    pub claims_of_source: Rate,
    /// The same by all; those that hold do not count here.
    pub claims: Rate,
    /// Commitments, by one source.
    pub commitments_of_source: Rate,
    /// The same by all.
    pub commitments: Rate,
    /// Claimants who say that they come, by one source.
    pub claimants_of_source: Rate,
    /// The same by all.
    pub claimants: Rate,
    /// Claims that are looked at although others have used up all room to count their source: at each of [`TURNS_MAX`] places.
    pub turns: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            connections: 256,
            connections_of_source: 16,
            head: 10 * second,
            body: 10 * second,
            answer: 10 * second,
            connection: 120 * second,
            log_bytes: 64 * 1024 * 1024,
            asks_of_source: Rate { burst: 20, every: second },
            asks: Rate { burst: 100, every: second / 10 },
            claims_of_source: Rate { burst: 6, every: 60 * second },
            claims: Rate { burst: 60, every: Duration::from_secs(CLAIM_S) },
            commitments_of_source: Rate { burst: 4, every: 15 * 60 * second },
            commitments: COMMITMENTS,
            claimants_of_source: Rate { burst: 6, every: 60 * second },
            claimants: Rate { burst: 60, every: 10 * second },
            turns: Rate { burst: 2, every: second },
        }
    }
}

/// The head of a request at most, in bytes: its buffer.
pub const HEAD_LEN_MAX: usize = 16 * 1024;
/// Lines in it at most.
pub const HEADERS_MAX: usize = 64;
/// The body of a request at most, in bytes.
pub const BODY_LEN_MAX: usize = 64 * 1024;
/// A claim with what it was committed to at most, in bytes: twice of what a claim may have, so that a receipt may have witnesses.
pub const REVEAL_LEN_MAX: usize = 2 * arbiter::limits::CLAIM_LEN_MAX;
/// A path with its query at most, in bytes.
pub const TARGET_LEN_MAX: usize = 1024;
/// Sources whose rates are known at a time, of each kind of request. Where there are more that are busy, a new one is refused.
pub const SOURCES_MAX: usize = 8192;
/// What so many sources may do, all of an allotment may do together.
pub const ALLOTMENT_SOURCES: u32 = 4;
/// Places at which turns are counted.
pub const TURNS_MAX: usize = 128;
/// Commitments that all make together: no more than the keeper of the log takes in an hour, to which whoever knows both holds them.
pub const COMMITMENTS: Rate = Rate { burst: 30, every: Duration::from_secs(120) };
/// Claims that hold, of one tier, that are shown: whoever has a flag can make any number of them. The others are counted.
pub const WINS_SHOWN_MAX: usize = 4;
/// Threads on which the contest is asked.
pub const THREADS_MAX: usize = 4;
/// Of these, at most so many wait for guest or disk: the page is there all the same.
pub const SLOW_MAX: usize = 2;
/// What room for the log's files is counted in, in bytes.
pub const ROOM_UNIT: usize = 1024;
/// A question to a contest in another process at most, in bytes.
pub const ASK_LEN_MAX: usize = BODY_LEN_MAX;
/// Its answer at most, in bytes: a file of the log, and what stands round it.
pub const ANSWER_LEN_MAX: usize = bounty_log::bundle::LEN_MAX + 64;
/// How long facts and page are shown before they are made anew, unless something is accepted meanwhile.
pub const FRESH: Duration = Duration::from_secs(1);
/// After a connection's time is over: how long what is being answered may still take.
pub const LAST_ANSWER: Duration = Duration::from_secs(10);
/// How long to rest when no connection can be taken, for want of descriptors.
pub const REST: Duration = Duration::from_millis(100);

const _: () = assert!(SLOW_MAX < THREADS_MAX, "a guest that does not answer leaves threads for the page");

/// Seconds in which one more claim may come that does not hold.
const CLAIM_S: u64 = 10;

/// Seconds of a year.
const YEAR: u64 = 366 * 24 * 3600;
const _: () = assert!(
    YEAR / CLAIM_S + COMMITMENTS.within(Duration::from_secs(YEAR)) + YEAR / 3600 < bounty_log::limits::ENTRIES_MAX,
    "whatever is handed in, the log lasts for a year of the default rate"
);
const _: () =
    assert!(BODY_LEN_MAX > 3 * arbiter::limits::CLAIM_LEN_MAX, "the longest claim fits, also where a form writes three bytes for one");
