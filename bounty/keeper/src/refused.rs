//! Why something was not entered into the log. Whoever asked is told.

use core::fmt;
use std::io;

use arbiter::{Fault, Tier};
use bounty_log::append::LogFault;
use bounty_log::change::ChangeFault;
use bounty_log::limits::FINDINGS_MAX;

use crate::limits::{ANNOUNCED_MAX, CLAIMS_IN_ALL_MAX, CLAIMS_MAX, COMMITMENTS_MAX, PROOFS_LEN_MAX, RESTARTS_MAX, SET_BACK_S_MAX, TURN_S};

/// Why a log is not kept.
#[derive(Debug)]
pub enum OpenFault {
    /// Another keeper has it.
    Kept,
    /// Whether another has it cannot be seen.
    Lock(io::Error),
    /// It cannot be read or written.
    Log(LogFault),
    /// It does not hold: what was found first, and how much more.
    Unsound(Vec<String>, u64),
    /// It is the log of another contest.
    OtherContest,
    /// An entry of it, by its number, is none that a keeper writes.
    Entry(u64),
    /// The clock is not believable.
    Clock(Refused),
    /// A file has a version of the manifest that may not follow now.
    Change(String, ChangeFault),
    /// An entry, by its number, has a version of the manifest that the folder has not, or has another.
    Version(u64),
    /// A version of the manifest was not entered.
    Entered(Refused),
}

impl fmt::Display for OpenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("log: another process keeps it, and two would fork it: stop that one first"),
            Self::Lock(fault) => write!(f, "{}: {fault}", ceremony::files::LOG_LOCK),
            Self::Log(fault) => write!(f, "log: {fault}"),
            Self::Unsound(findings, more) => {
                write!(
                    f,
                    "log: it does not hold: {} (and {more} more, of {FINDINGS_MAX} told at most): restore it, `log verify` tells more",
                    findings.join("; ")
                )
            }
            Self::OtherContest => {
                f.write_str("log: it begins with another contest's manifest: move it away, or open the folder that it belongs to")
            }
            Self::Entry(number) => write!(f, "log: entry {number} is none that a keeper writes: restore the log"),
            Self::Clock(refused) => refused.fmt(f),
            Self::Change(file, fault) => write!(f, "{file}: {fault}: remove it, or make it anew"),
            Self::Version(number) => {
                write!(f, "log: entry {number} is a change of the rules that the folder has not: put back its file public/change-N")
            }
            Self::Entered(refused) => refused.fmt(f),
        }
    }
}

impl core::error::Error for OpenFault {}

/// See the module.
#[derive(Debug)]
pub enum Refused {
    /// The log.
    Log(LogFault),
    /// The clock stands before the last entry, by more than is taken for a correction; or beyond all times.
    Clock {
        /// The last entry's.
        last: u64,
    },
    /// The box was not said to have started.
    NotRunning,
    /// A proof is none that was asked for.
    Proof(Fault),
    /// There is none, or there are two of one tier.
    Proofs,
    /// They are longer than those of all tiers may be.
    ProofsLength,
    /// So many crash records were made within the hour.
    Restarts,
    /// So many commitments were taken within the hour.
    Commitments {
        /// When there is room again.
        until: u64,
    },
    /// The contest is over.
    Over,
    /// The claim shows nothing that only the holder of its flag could show.
    Unfounded,
    /// The claim fails by nothing but that its time is still to come.
    Early {
        /// From which second on it holds.
        from: u64,
    },
    /// The very claim is in the log.
    Known,
    /// It names a version of the manifest that is no longer in force, and nothing shows that it was won before.
    Superseded,
    /// The log knows nothing of the receipt.
    Receipt,
    /// So many claims of this tier were entered, within the hour or in all.
    Claims(Tier),
    /// Who announces himself is no Ed25519 key.
    Claimant,
    /// All places are taken, or kept for who stands in line before.
    Announced {
        /// When it is their turn.
        until: u64,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(fault) => write!(f, "log: {fault}"),
            Self::Clock { last } => {
                write!(f, "clock: it is not within {SET_BACK_S_MAX} s of the last entry, {last}, or after it: set it right")
            }
            Self::NotRunning => f.write_str("the box has not been started"),
            Self::Proof(fault) => fault.fmt(f),
            Self::Proofs => f.write_str("possession: one proof at least, and of each tier at most one, is wanted"),
            Self::ProofsLength => write!(f, "possession: longer than {PROOFS_LEN_MAX} bytes"),
            Self::Restarts => write!(f, "{RESTARTS_MAX} crash records were made within the hour, and that is the most"),
            Self::Commitments { until } => {
                write!(f, "{COMMITMENTS_MAX} commitments were taken within the hour, and that is the most: try again after second {until}")
            }
            Self::Over => f.write_str("the contest is over"),
            Self::Unfounded => f.write_str("not entered: the claim is not signed as only the holder of its flag can sign it"),
            Self::Early { from } => write!(f, "not entered: its time is in the future: hand it in again from second {from} on"),
            Self::Known => f.write_str("not entered: it is in the log"),
            Self::Superseded => {
                f.write_str("not entered: the manifest that it names was changed since: sign the claim anew for the one in force")
            }
            Self::Receipt => f.write_str("not entered: the log has no commitment with this receipt"),
            Self::Claims(tier) => {
                write!(
                    f,
                    "not entered: of {tier} there are {CLAIMS_MAX} claims within the hour, or {CLAIMS_IN_ALL_MAX} in all, and that is the most"
                )
            }
            Self::Claimant => f.write_str("claimant: `ed25519:` and a public key in base64 is wanted"),
            Self::Announced { until } => {
                write!(
                    f,
                    "all {ANNOUNCED_MAX} places are taken, or kept for who came before: try again after second {until}, within {TURN_S} s"
                )
            }
        }
    }
}

impl core::error::Error for Refused {}

impl From<LogFault> for Refused {
    fn from(fault: LogFault) -> Self {
        Self::Log(fault)
    }
}
