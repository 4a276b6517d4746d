//! The secrets of sessions as records of the log, in an image that is there to give them away. They come behind everything else that a turn logs, and wait for a turn that leaves them
//! room: so all else is logged as it would be without them.

use appliance::keylog;

/// Logs what waits, as far as there is room.
pub(crate) fn tell() {
    while platform::log_room() >= SECRET_LEN_MAX {
        match keylog::pop() {
            Some(secret) => defmt::info!("secret {=[u8]}", &secret),
            None => return,
        }
    }
}

/// What one takes in the log at most, in bytes, stuffed.
const SECRET_LEN_MAX: usize = 256;
