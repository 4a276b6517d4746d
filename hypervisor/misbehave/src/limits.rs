//! Every bound of this crate.

use core::time::Duration;

/// The longest handshake message that a client may send: above that it is not one that we could learn anything from.
pub const MESSAGE_LEN_MAX: usize = 1 << 17;
/// Records of a client that are read while its reaction is waited for.
pub const RECORDS_MAX: usize = 256;
/// A conversation takes at most so many times what a client may take for one thing.
pub const PATIENCES_MAX: u32 = 4;
/// A client that was answered may take so long to leave.
pub const DRAIN: Duration = Duration::from_millis(500);
/// What was given for a second has expired after that, by the clock of any client: some count whole seconds, and forgive one.
pub const EXPIRED: Duration = Duration::from_secs(4);
/// How often it is looked whether somebody has come, or has ended.
pub const LOOK: Duration = Duration::from_millis(2);
