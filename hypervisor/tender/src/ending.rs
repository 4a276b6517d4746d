//! How a tender ends: its exit code. The supervisor decides by it whether and how soon a fresh cell is started.

/// The end of a tender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The guest was asked to stop and did, or its time to do so was over; or the supervisor is gone.
    Ended,
    /// The supervisor sent nothing that is an order.
    Usage,
    /// The guest, or the machine on its behalf, refused the bundle or the boot info.
    Bundle,
    /// The image is none of ours.
    Image,
    /// The machine could not be made.
    Machine,
    /// A net could not be attached.
    Net,
    /// The jail could not be put up.
    Jail,
    /// The guest gave up: a panic, no memory left, or a code that we do not know. The line before says which.
    GuestExit,
    /// The guest did what it must not, or left a malformed queue; a crash report was printed.
    GuestCrash,
    /// The guest did not end its turn in time; a crash report was printed.
    GuestHung,
    /// The host failed while the guest ran.
    Host,
    /// The process was killed, or ended in a way that no tender knows.
    Unknown,
}

/// All endings with an exit code of their own. The supervisor's `TenderExit` has the same numbers.
const CODES: [(Ending, u8); 11] = [
    (Ending::Ended, 0),
    (Ending::Usage, 40),
    (Ending::Bundle, 41),
    (Ending::Image, 42),
    (Ending::Machine, 43),
    (Ending::Net, 44),
    (Ending::Jail, 45),
    (Ending::GuestExit, 46),
    (Ending::GuestCrash, 47),
    (Ending::GuestHung, 48),
    (Ending::Host, 49),
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

    /// Whether a fresh cell may do better; the others would end the same way again.
    #[must_use]
    pub fn is_worth_a_restart(self) -> bool {
        matches!(self, Self::GuestExit | Self::GuestCrash | Self::GuestHung | Self::Host | Self::Unknown)
    }

    /// The ending that a guest's own exit code means.
    #[must_use]
    pub fn of_guest(code: u32) -> Self {
        use abi::hypercall::exit;
        match code {
            exit::DONE => Self::Ended,
            exit::BAD_BOOT | exit::NO_SEED => Self::Bundle,
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
        for code in [-1, 1, 39, 50, 137, 255] {
            assert_eq!(Ending::from_code(code), Ending::Unknown);
        }
    }
}
