//! How a tender ends: its exit code. The supervisor decides by it whether and how soon a fresh cell is started.

/// The end of a tender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The guest was asked to stop and did, or its time to do so was over.
    Done,
    /// The guest panicked.
    GuestPanic,
    /// The guest's heap is exhausted.
    GuestOutOfMemory,
    /// The guest refused its boot info, bundle or seed.
    GuestRefusedBoot,
    /// The guest ended with a code that we do not know, or ended unasked.
    GuestExit,
    /// The guest did what it must not; a crash report was printed.
    GuestCrash,
    /// The guest did not end its turn in time; a crash report was printed.
    GuestHung,
    /// The guest left a malformed queue; a crash report was printed.
    GuestHostileQueue,
    /// The supervisor sent nothing that is an order.
    BadOrder,
    /// The image is none of ours.
    BadImage,
    /// The machine could not be made, or failed.
    HostMachine,
    /// A net could not be attached, or the host failed while it ran.
    HostNet,
    /// The jail could not be put up.
    HostJail,
    /// The supervisor is gone.
    Orphaned,
    /// The process was killed, or ended in a way that no tender knows.
    Unknown,
}

/// All endings with an exit code of their own.
const CODES: [(Ending, u8); 14] = [
    (Ending::Done, 0),
    (Ending::GuestPanic, 40),
    (Ending::GuestOutOfMemory, 41),
    (Ending::GuestRefusedBoot, 42),
    (Ending::GuestExit, 43),
    (Ending::GuestCrash, 44),
    (Ending::GuestHung, 45),
    (Ending::GuestHostileQueue, 46),
    (Ending::BadOrder, 50),
    (Ending::BadImage, 51),
    (Ending::HostMachine, 52),
    (Ending::HostNet, 53),
    (Ending::HostJail, 54),
    (Ending::Orphaned, 55),
];

impl Ending {
    /// The exit code of the tender process.
    #[must_use]
    pub fn code(self) -> u8 {
        CODES.iter().find(|(ending, _)| *ending == self).map_or(1, |(_, code)| *code)
    }

    /// What an exit code of a tender process means.
    #[must_use]
    pub fn from_code(code: i32) -> Self {
        CODES.iter().find(|(_, known)| i32::from(*known) == code).map_or(Self::Unknown, |(ending, _)| *ending)
    }

    /// Whether a fresh cell may do better: it ended for the guest's reasons, or for none that is known.
    #[must_use]
    pub fn may_restart(self) -> bool {
        !matches!(self, Self::BadOrder | Self::BadImage | Self::HostMachine | Self::HostJail | Self::GuestRefusedBoot | Self::Orphaned)
    }

    /// The ending that a guest's own exit code means.
    #[must_use]
    pub fn of_guest(code: u32) -> Self {
        use abi::hypercall::exit;
        match code {
            exit::DONE => Self::Done,
            exit::PANIC => Self::GuestPanic,
            exit::OUT_OF_MEMORY => Self::GuestOutOfMemory,
            exit::BAD_BOOT | exit::NO_SEED => Self::GuestRefusedBoot,
            _ => Self::GuestExit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_distinct_and_leads_back() {
        for (ending, code) in CODES {
            assert_eq!(Ending::from_code(code.into()), ending);
            assert_eq!(ending.code(), code);
        }
    }

    #[test]
    fn codes_that_no_tender_has_are_unknown() {
        for code in [-1, 1, 47, 56, 137, 255] {
            assert_eq!(Ending::from_code(code), Ending::Unknown);
        }
    }
}
