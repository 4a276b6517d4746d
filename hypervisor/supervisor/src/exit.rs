//! The exit codes of the two processes: one enum each, and the only place where their numbers stand.
//!
//! Scripts rely on the numbers: they never change their meaning, and a number that falls out of use is not used again. `docs/exit-codes.md`
//! holds the same tables, and a test compares them.

use std::fmt;

use tender::ending::Ending;

macro_rules! exit_codes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal, $meaning:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name {
            $(#[doc = $meaning] $variant = $code,)*
        }

        impl $name {
            /// All of them, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The number that the operating system sees.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The code of a number, if it is one of ours.
            #[must_use]
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|exit| exit.code() == code)
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.meaning())
            }
        }

        impl From<$name> for std::process::ExitCode {
            fn from(exit: $name) -> Self {
                exit.code().into()
            }
        }
    };
}

exit_codes! {
    /// How `bountybox` ends.
    Exit {
        Success = 0, "Done as asked; for run and demo: ended by Ctrl-C or SIGTERM after draining; for arbiter verify: the claim holds.";
        Internal = 1, "A fault of bountybox itself; please report it.";
        Usage = 2, "The command line is wrong.";
        Config = 10, "The configuration file is missing, unreadable or wrong.";
        Certificate = 11, "A certificate chain is missing, damaged, weak, out of date, out of order, or does not cover its routes.";
        Key = 12, "A private key is missing, damaged, weak, or not its certificate's.";
        Image = 13, "The guest image is missing, damaged, or not one that may run.";
        Machine = 14, "The machine that was asked for is not to be had here.";
        Net = 15, "A listener, a TAP or a backend's name could not be had.";
        Permission = 16, "The operating system does not allow what is needed.";
        Output = 17, "A file could not be written, or stands there already.";
        Guest = 18, "The guest crashed, hung or gave up, and is not to be restarted (again).";
        Tender = 19, "The tender died of something other than its guest.";
        Findings = 20, "More than one kind of thing is wrong; the findings say which.";
        Unreachable = 21, "No running bountybox answers on the admin socket, or not in time.";
        Refused = 22, "The running bountybox refused what was asked; the message says why.";
        Differs = 23, "The replay went another way than the recording; the differences say where.";
        Recording = 24, "The recording is damaged or was changed, is for another key, or is none.";
        OtherImage = 25, "The recording was made with another guest image.";
        Fooled = 26, "The judged client was fooled at least once; the names are listed.";
        NoClient = 27, "No client came to be judged, or not for everything; or a name that was asked for, or a whole group, was left untried.";
        Control = 28, "The judged client refused the honest server, so what it noticed means nothing.";
        Broken = 29, "An input did to the guest what none may; the verdict says what.";
        NotFalsified = 30, "The judged claim does not hold; the reasons say why.";
        SetupError = 31, "There is nothing to judge a claim by: key, manifest or a file is wrong.";
        Fuzzer = 32, "The command that was to fuzz the target failed, and nothing was found.";
        Rewritten = 33, "The transparency log does not hold: the findings say what is missing, altered or was rewritten.";
        Challenge = 34, "The contest's folder or log does not hold, or a contest cannot be minted as it was asked for.";
    }
}

exit_codes! {
    /// How the hidden `bountybox tender` process ends. The supervisor reads it; people see it in logs.
    TenderExit {
        Ended = 0, "The guest ended by itself, having drained.";
        Usage = 40, "Not started by a supervisor: no parcel on the inherited socket, or a damaged one.";
        Bundle = 41, "The boot bundle was refused.";
        Image = 42, "The guest image was refused.";
        Machine = 43, "The machine could not be had or set up.";
        Net = 44, "A link could not be attached.";
        Jail = 45, "The jail could not be closed, so the guest was not started.";
        GuestExit = 46, "The guest gave up with a code of its own.";
        GuestCrash = 47, "The guest crashed; the report stands in the log.";
        GuestHung = 48, "The guest did not come back in time.";
        Host = 49, "The host failed while the guest ran.";
    }
}

impl TenderExit {
    /// Whether a fresh cell may do better: the others would fail the same way again.
    #[must_use]
    pub const fn is_worth_a_restart(self) -> bool {
        matches!(self, Self::GuestExit | Self::GuestCrash | Self::GuestHung | Self::Host)
    }
}

impl Exit {
    /// How a supervisor ends whose cell ended so, and is not started anew.
    #[must_use]
    pub const fn after(ending: Ending) -> Self {
        match ending {
            Ending::Ended => Self::Success,
            Ending::Image => Self::Image,
            Ending::Machine => Self::Machine,
            Ending::Net => Self::Net,
            Ending::Jail => Self::Permission,
            Ending::Bundle | Ending::GuestExit | Ending::GuestCrash | Ending::GuestHung => Self::Guest,
            Ending::Usage | Ending::Host | Ending::Unknown => Self::Tender,
        }
    }
}

/// The table at the end of `--help`.
#[must_use]
pub fn help() -> String {
    let rows = Exit::ALL.iter().map(|exit| format!("  {:>2}  {}\n", exit.code(), exit.meaning()));
    format!("Exit codes:\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_are_distinct_over_both_processes() {
        let numbers = Exit::ALL.iter().map(|exit| exit.code()).chain(TenderExit::ALL.iter().skip(1).map(|exit| exit.code()));
        let distinct: BTreeSet<u8> = numbers.clone().collect();
        assert_eq!(distinct.len(), numbers.count());
    }

    #[test]
    fn the_tender_uses_the_numbers_that_stand_here() {
        assert!(TenderExit::ALL.iter().all(|exit| Ending::from_code(exit.code().into()).code() == exit.code()));
    }

    #[test]
    fn numbers_come_back_as_their_codes() {
        assert!(Exit::ALL.iter().all(|&exit| Exit::from_code(exit.code()) == Some(exit)));
        assert_eq!(Exit::from_code(99), None);
        assert_eq!(TenderExit::from_code(47), Some(TenderExit::GuestCrash));
    }

    #[test]
    fn the_tender_ends_with_the_same_numbers() {
        use tender::ending::Ending;
        for exit in TenderExit::ALL {
            let ending = Ending::from_code(exit.code().into());
            assert_eq!(ending.code(), exit.code());
            assert_eq!(ending.is_worth_a_restart(), exit.is_worth_a_restart(), "{exit:?}");
        }
    }

    #[test]
    fn the_page_about_exit_codes_holds_the_same_tables() {
        let page = include_str!("../../../docs/exit-codes.md");
        let rows = |codes: Vec<(u8, &str)>| codes.iter().map(|(code, meaning)| format!("| {code} | {meaning} |\n")).collect::<String>();
        assert!(page.contains(&rows(Exit::ALL.iter().map(|exit| (exit.code(), exit.meaning())).collect())), "supervisor's table");
        assert!(page.contains(&rows(TenderExit::ALL.iter().map(|exit| (exit.code(), exit.meaning())).collect())), "tender's table");
    }
}
