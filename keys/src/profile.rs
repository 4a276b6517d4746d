//! What TLS may negotiate, by IANA's names and numbers, and the profiles that choose among it by name.
//!
//! Nothing that is not in these tables can be configured, and nothing in them is weak: ECDHE and AEAD throughout, no finite fields, no CBC, no
//! SHA-1, no RSA key exchange. Numbers travel in the bundle; a test of the `tls` crate holds the tables against what it can do.
//!
//! ```
//! use keys::profile::{Group, Profile, Suite};
//! assert_eq!(Suite::named("TLS13_AES_128_GCM_SHA256").map(|suite| suite.number), Some(0x1301));
//! assert_eq!(Group::named("X25519MLKEM768").map(|group| group.number), Some(0x11ec));
//! assert_eq!(Profile::Modern.suites(), [0x1301, 0x1302, 0x1303]);
//! ```

use alloc::vec::Vec;

use crate::bundle::Version;

/// A cipher suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suite {
    /// IANA's number.
    pub number: u16,
    /// IANA's name; those of TLS 1.3 begin with `TLS_` there, and with `TLS13_` in many tools: both are read.
    pub name: &'static str,
    /// The only version that it works with.
    pub version: Version,
}

/// A key exchange group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// IANA's number.
    pub number: u16,
    /// IANA's name.
    pub name: &'static str,
    /// The oldest version that it works with.
    pub min_version: Version,
}

/// A profile of Mozilla's Server Side TLS guideline, as far as it is safe today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// TLS 1.3 alone.
    Modern,
    /// TLS 1.3, and 1.2 with what is sound of it.
    #[default]
    Intermediate,
}

const fn suite(number: u16, name: &'static str, version: Version) -> Suite {
    Suite { number, name, version }
}

const fn group(number: u16, name: &'static str, min_version: Version) -> Group {
    Group { number, name, min_version }
}

/// Every suite, best first.
pub const SUITES: [Suite; 9] = [
    suite(0x1301, "TLS_AES_128_GCM_SHA256", Version::Tls13),
    suite(0x1302, "TLS_AES_256_GCM_SHA384", Version::Tls13),
    suite(0x1303, "TLS_CHACHA20_POLY1305_SHA256", Version::Tls13),
    suite(0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Version::Tls12),
    suite(0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Version::Tls12),
    suite(0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Version::Tls12),
    suite(0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Version::Tls12),
    suite(0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Version::Tls12),
    suite(0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Version::Tls12),
];

/// Every group, best first.
pub const GROUPS: [Group; 4] = [
    group(0x11ec, "X25519MLKEM768", Version::Tls13),
    group(29, "x25519", Version::Tls12),
    group(23, "secp256r1", Version::Tls12),
    group(24, "secp384r1", Version::Tls12),
];

impl Suite {
    /// The suite of this name. Case does not matter.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let short = name.get(..6).filter(|start| start.eq_ignore_ascii_case("TLS13_")).and_then(|_| name.get(6..));
        SUITES.into_iter().find(|suite| {
            let of_tls13 = short.filter(|_| suite.version == Version::Tls13);
            let own = suite.name.strip_prefix("TLS_").unwrap_or(suite.name);
            suite.name.eq_ignore_ascii_case(name) || of_tls13.is_some_and(|short| own.eq_ignore_ascii_case(short))
        })
    }

    /// The suite of this number.
    #[must_use]
    pub fn numbered(number: u16) -> Option<Self> {
        SUITES.into_iter().find(|suite| suite.number == number)
    }
}

impl Group {
    /// The group of this name; OpenSSL's names for the same are read as well. Case does not matter.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let alias = ALIASES.into_iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map_or(name, |(_, name)| name);
        GROUPS.into_iter().find(|group| group.name.eq_ignore_ascii_case(alias))
    }

    /// The group of this number.
    #[must_use]
    pub fn numbered(number: u16) -> Option<Self> {
        GROUPS.into_iter().find(|group| group.number == number)
    }
}

/// What OpenSSL calls two of them, and with it nginx, HAProxy and the rest.
const ALIASES: [(&str, &str); 4] =
    [("prime256v1", "secp256r1"), ("P-256", "secp256r1"), ("P-384", "secp384r1"), ("X25519_MLKEM768", "X25519MLKEM768")];

impl Profile {
    /// The oldest version.
    #[must_use]
    pub const fn min_version(self) -> Version {
        match self {
            Self::Modern => Version::Tls13,
            Self::Intermediate => Version::Tls12,
        }
    }

    /// The suites' numbers, best first.
    #[must_use]
    pub fn suites(self) -> Vec<u16> {
        SUITES.iter().filter(|suite| suite.version >= self.min_version()).map(|suite| suite.number).collect()
    }

    /// The groups' numbers, best first.
    #[must_use]
    pub fn groups(self) -> Vec<u16> {
        GROUPS.iter().map(|group| group.number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_by_their_other_names() {
        assert_eq!(Suite::named("TLS13_AES_128_GCM_SHA256"), Suite::named("tls_aes_128_gcm_sha256"));
        assert_eq!(Suite::named("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256").unwrap().number, 0xc02f);
        assert_eq!(Group::named("prime256v1"), Group::named("secp256r1"));
        assert_eq!(Group::named("X25519").unwrap().number, 29);
    }

    #[test]
    fn what_is_weak_or_unknown_has_no_entry() {
        for name in [
            "",
            "TLS13_",
            "TLS13_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
            "é",
        ] {
            assert_eq!(Suite::named(name), None, "{name}");
        }
        for name in ["", "ffdhe2048", "secp521r1", "X448"] {
            assert_eq!(Group::named(name), None, "{name}");
        }
        assert_eq!((Suite::numbered(0xc013), Group::numbered(256)), (None, None));
    }

    #[test]
    fn every_entry_is_found_by_its_own_name_and_number() {
        for suite in SUITES {
            assert_eq!((Suite::named(suite.name), Suite::numbered(suite.number)), (Some(suite), Some(suite)));
        }
        for group in GROUPS {
            assert_eq!((Group::named(group.name), Group::numbered(group.number)), (Some(group), Some(group)));
        }
    }

    #[test]
    fn modern_is_tls13_alone_and_intermediate_all() {
        assert!(Profile::Modern.suites().iter().all(|&number| Suite::numbered(number).unwrap().version == Version::Tls13));
        assert_eq!(Profile::Intermediate.suites().len(), SUITES.len());
        assert_eq!(Profile::default().min_version(), Version::Tls12);
    }
}
