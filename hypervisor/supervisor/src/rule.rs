//! What configuration, certificates and keys are held to: each rule's stable code, how grave a breach is, the exit code, and what to do.
//!
//! The codes are part of `check --json` and never change their meaning. `docs/check.md` lists them, and a test compares.

use crate::exit::Exit;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; everything goes on.
    Warning,
    /// Nothing is started.
    Error,
}

impl Severity {
    /// `warning` or `error`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

macro_rules! rules {
    ($($variant:ident $code:literal $severity:ident $exit:ident $advice:literal;)*) => {
        /// One rule. A variant's text is the advice that goes with a breach of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Rule {
            $(#[doc = $advice] $variant,)*
        }

        impl Rule {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name in `--json`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// How grave a breach is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// How the process ends if this is all that is wrong and it is an error.
            #[must_use]
            pub const fn exit(self) -> Exit {
                match self { $(Self::$variant => Exit::$exit,)* }
            }

            /// What to do about it.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

rules! {
    ConfigUnreadable "config-unreadable" Error Config "name an existing file with --config FILE; `bountybox --help` shows an example";
    ConfigSyntax "config-syntax" Error Config "correct the line; the file is TOML";
    UnknownKey "unknown-key" Error Config "remove the key or correct its name";
    MissingKey "missing-key" Error Config "add it";
    WrongType "wrong-type" Error Config "give a value of the type that is named";
    WrongValue "wrong-value" Error Config "give one of the values that are named";
    OutOfRange "out-of-range" Error Config "give a number within the bounds that are named";
    Duplicate "duplicate" Error Config "keep one of the two";
    TooMany "too-many" Error Config "remove some";
    Misplaced "misplaced" Error Config "remove it, or choose the mode that it belongs to";
    CertificateUnreadable "certificate-unreadable" Error Certificate "correct the path (it is relative to the configuration file) or make the file readable";
    CertificateFormat "certificate-format" Error Certificate "give a PEM file: the leaf first, then its intermediates; `openssl x509 -inform der` turns DER into PEM";
    CertificateDamaged "certificate-damaged" Error Certificate "get the file anew from who issued it";
    CertificateExpired "certificate-expired" Error Certificate "renew it (`bountybox mint --force` for a minted one)";
    CertificateNotYet "certificate-not-yet-valid" Error Certificate "wait, or set this machine's clock right";
    CertificateSoon "certificate-expires-soon" Warning Certificate "renew it soon";
    CertificateAuthority "certificate-is-authority" Error Certificate "use a leaf certificate that the authority issued (`bountybox mint` makes one)";
    CertificateWeakKey "certificate-weak-key" Error Certificate "have a certificate issued for ECDSA P-256, or for RSA with 2048 bits or more";
    CertificateSha1 "certificate-weak-signature" Error Certificate "have it issued anew: clients refuse SHA-1 and MD5";
    CertificateNoNames "certificate-without-names" Error Certificate "have it issued with its DNS names or IP addresses in subjectAltName; clients ignore the common name";
    CertificatePurpose "certificate-purpose" Error Certificate "have it issued for server authentication (extended key usage serverAuth)";
    CertificateShadowed "certificate-shadowed" Warning Certificate "remove one of the two; the first is used";
    CertificateUnused "certificate-unused" Warning Certificate "remove it, or add a route for one of its names";
    ChainOrder "chain-order" Error Certificate "put the leaf first, and behind each certificate the one that issued it";
    ChainGap "chain-gap" Error Certificate "add the missing intermediate certificate, or remove what does not belong here";
    ChainIncomplete "chain-incomplete" Warning Certificate "append the intermediate certificates of who issued it; clients do not fetch them";
    ChainRoot "chain-has-root" Warning Certificate "remove the root: clients have it or do not trust it, and it costs bytes in each handshake";
    ChainSignature "chain-signature" Error Certificate "get the chain anew from who issued it: a signature in it does not fit";
    ChainRefused "chain-refused" Error Certificate "have it issued anew: clients that check as rustls does would refuse it";
    RouteNotCovered "route-not-covered" Error Certificate "add a certificate that covers the name, or correct the name";
    ClientCaNoAuthority "client-ca-no-authority" Error Certificate "name the certificates of the authorities that issue your clients' certificates (CA:TRUE, keyCertSign)";
    ClientCaOutOfDate "client-ca-out-of-date" Warning Certificate "replace it: whoever it vouches for is refused";
    CrlUnreadable "crl-unreadable" Error Certificate "give a readable file with revocation lists, PEM or DER; the path is relative to the configuration file";
    CrlRefused "crl-refused" Error Certificate "get the list anew from its issuer: version 2 with nextUpdate, whole, signed with its issuer's key";
    CrlTooLong "crl-too-long" Error Certificate "have the authority drop expired certificates from its list, or issue shorter-lived ones";
    CrlExpired "crl-expired" Warning Certificate "get the current list from its issuer; until then its clients are refused";
    CrlMissing "crl-missing" Warning Certificate "add a list of that authority too, or remove all lists to turn revocation off";
    TicketKeyUnusable "ticket-key-unusable" Error Key "make one with `openssl rand -hex 32`, the same file on all boxes that share it, at mode 0600";
    KeyUnreadable "key-unreadable" Error Key "correct the path (it is relative to the configuration file) or make the file readable";
    KeyFormat "key-format" Error Key "give a PEM file with one unencrypted key in PKCS#8, SEC1 or PKCS#1";
    KeyEncrypted "key-encrypted" Error Key "decrypt it first: `openssl pkey -in FILE -out NEW`, and keep NEW at mode 0600";
    KeyRefused "key-refused" Error Key "use ECDSA P-256 or P-384, Ed25519, or RSA with 2048 to 4096 bits (`bountybox mint` makes one)";
    KeyWeak "key-weak" Error Key "make a new key and have a certificate issued for it";
    KeyMismatch "key-mismatch" Error Key "name the key that belongs to the certificate; are two files mixed up?";
    ChallengeFolder "challenge-folder" Error Challenge "restore the file from the ceremony's folder, or mint another contest with `bountybox challenge init`";
    ChallengeConfiguration "challenge-configuration" Warning Challenge "put back what `bountybox challenge init` wrote, or tell visitors what you have changed: the manifest promises the other";
    KeyReadable "key-readable-by-others" Warning Key "chmod 600 the file, and think about who may have read it";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_distinct() {
        let codes: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
        assert_eq!(codes.len(), Rule::ALL.len());
    }

    #[test]
    fn the_page_about_check_lists_every_rule() {
        let page = include_str!("../../../docs/check.md");
        let row =
            |rule: &Rule| format!("| `{}` | {} | {} | {} |\n", rule.code(), rule.severity().name(), rule.exit().code(), rule.advice());
        assert!(page.contains(&Rule::ALL.iter().map(row).collect::<String>()), "docs/check.md is out of date");
    }
}
