//! The tender: the jailed host process of one guest.
//!
//! One thread, one cell. Its life is a chain of steps, each of which consumes the one before:
//! open ([`channel`]: the parcel) -> load (`machine::Cell`) -> attach ([`nets`]) -> jail ([`jail`]) -> run.
//!
//! - [`order`]: what the supervisor asks for; [`channel`]: how it gets here; [`ending`]: how a tender ends, as an exit code;
//! - `start`: the chain above, as [`tend`]; `run`: the lock-step loop; [`poller`]: readiness of the host's descriptors;
//! - [`mailbox`]: the supervisor's letters to the guest, and its answers;
//! - [`nets`]: where frames go: `user` (host sockets) and `tap`; [`egress`]: what a guest may say on a TAP; `callers`: whom a guest may call back;
//! - [`jail`]: what this process gives up before the guest's first instruction; [`handover`]: how a process gets its descriptors;
//! - [`log`], [`report`], [`mod@line`]: what is printed, and how guest-made text is kept from doing harm;
//! - `recorder`: what the guest is given and gives, written down; [`replay`]: run again from it; `witness`: what both look at;
//! - `capture`: the public link's frames, for a contest's evidence;
//! - [`access`], [`journal`]: the access log's lines, and where they go;
//! - [`limits`]: every bound.
//!
//! The tender never parses secrets, never trusts a number from the guest, and never blocks but in one `epoll_pwait2` with nothing to do.
//!
//! ```
//! use tender::ending::Ending;
//! assert_eq!(Ending::from_code(Ending::GuestHung.code().into()), Ending::GuestHung);
//! ```
#![forbid(unsafe_code)]

pub mod access;
mod callers;
mod capture;
pub mod channel;
pub mod contest;
pub mod egress;
pub mod ending;
pub mod handover;
pub mod jail;
pub mod journal;
pub mod limits;
pub mod line;
pub mod log;
pub mod mailbox;
pub mod nets;
pub mod order;
pub mod poller;
mod probe;
mod recorder;
pub mod replay;
pub mod report;
mod run;
mod start;
mod witness;

pub use probe::{Use, check_image, mark_close_on_exec, probe};
pub use start::tend;
