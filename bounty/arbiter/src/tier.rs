//! The tiers: what can be won, and what each of them shows.

use core::fmt;

/// A tier. Each has a key pair of its own, and its public half in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// What the service releases to a peer that passes mutual authentication.
    Auth,
    /// What stands at a published address in the guest's memory.
    Read,
    /// What signs once a published word holds a published value.
    Write,
    /// The private key of the box's certificate.
    Key,
    /// What only code that runs in the guest can ask of the gate.
    Exec,
    /// A file in the tender's jail.
    Escape,
    /// A cell that ended because of what somebody sent: the box's signed record of it.
    Down,
    /// The key of a wallet on a public chain.
    Wallet,
}

impl Tier {
    /// All of them, in the manifest's order.
    pub const ALL: [Self; 8] = [Self::Auth, Self::Read, Self::Write, Self::Key, Self::Exec, Self::Escape, Self::Down, Self::Wallet];

    /// Its name in every document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Read => "read",
            Self::Write => "write",
            Self::Key => "key",
            Self::Exec => "exec",
            Self::Escape => "escape",
            Self::Down => "down",
            Self::Wallet => "wallet",
        }
    }

    /// The tier of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_one_tier() {
        for tier in Tier::ALL {
            assert_eq!(Tier::from_name(tier.name()), Some(tier));
        }
        assert_eq!(Tier::from_name("Read"), None);
    }
}
