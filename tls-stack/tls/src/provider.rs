//! The cryptography that rustls is allowed to use: ring's, our hybrid group, our generator.
//!
//! Nothing outside the tables of [`keys::profile`] can be negotiated: no RSA key exchange, no CBC, no SHA-1, no finite fields.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use keys::Secret;
use keys::profile::Profile;
use rustls::crypto::ring::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{NamedGroup, SupportedCipherSuite};

use crate::hybrid::X25519_ML_KEM_768;
use crate::random::Drbg;

/// Suites, groups and randomness, shared by every configuration of a process.
///
/// Make one and keep it, and derive others [`with`](Self::with) it: rustls holds its generator for ever, so each new one costs some 48 bytes that are
/// never given back.
#[derive(Debug, Clone)]
pub struct Provider {
    pub(crate) crypto: Arc<CryptoProvider>,
    pub(crate) random: &'static Drbg,
    /// Those that may be asked for.
    groups: Arc<[&'static dyn SupportedKxGroup]>,
}

/// Why there is no provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderFault {
    /// No suite at all, or one that is none of ours.
    Suite,
    /// No group at all, or one that is none of ours.
    Group,
}

impl Provider {
    /// A provider with all suites and groups, whose own randomness comes from `seed`, and from nothing else.
    ///
    /// ring's ephemeral keys and signature nonces do not: ring asks the machine (in the guest, the platform's `getrandom`).
    pub fn new(seed: Secret<[u8; 32]>) -> Self {
        Self::with_groups(seed, |_| None)
    }

    /// The same, but whatever key exchange `other` names in place of one of ours takes that one's place: for who wants ephemeral keys from a seed as
    /// well. It must be the same group.
    pub fn with_groups(seed: Secret<[u8; 32]>, other: impl Fn(NamedGroup) -> Option<&'static dyn SupportedKxGroup>) -> Self {
        let random: &'static Drbg = Box::leak(Box::new(Drbg::new(seed.into_zeroizing())));
        let groups: Arc<[_]> = GROUPS.into_iter().map(|group| other(group.name()).unwrap_or(group)).collect();
        let all = Profile::Intermediate;
        let crypto = crypto(random, &groups, &all.suites(), &all.groups()).expect("invariant: a test goes through both tables");
        Self { crypto: Arc::new(crypto), random, groups }
    }

    /// The same randomness with these suites and groups, by IANA's numbers. The client's order of suites decides, our order of groups.
    ///
    /// # Errors
    /// A number that is not in the tables of [`keys::profile`], or none at all.
    pub fn with(&self, suites: &[u16], groups: &[u16]) -> Result<Self, ProviderFault> {
        let crypto = crypto(self.random, &self.groups, suites, groups)?;
        Ok(Self { crypto: Arc::new(crypto), random: self.random, groups: Arc::clone(&self.groups) })
    }

    /// A fresh secret from the same randomness.
    pub fn draw_secret(&self) -> Secret<[u8; 32]> {
        let mut secret = Secret::new([0; 32]);
        self.random.draw(secret.expose_mut());
        secret
    }
}

fn crypto(
    random: &'static Drbg,
    all: &[&'static dyn SupportedKxGroup],
    suites: &[u16],
    groups: &[u16],
) -> Result<CryptoProvider, ProviderFault> {
    let suites: Option<Vec<_>> = suites.iter().map(|number| suite(*number)).collect();
    let group = |number: &u16| all.iter().copied().find(|group| u16::from(group.name()) == *number);
    let groups: Option<Vec<_>> = groups.iter().map(group).collect();
    Ok(CryptoProvider {
        cipher_suites: suites.filter(|suites| !suites.is_empty()).ok_or(ProviderFault::Suite)?,
        kx_groups: groups.filter(|groups| !groups.is_empty()).ok_or(ProviderFault::Group)?,
        secure_random: random,
        ..default_provider()
    })
}

fn suite(number: u16) -> Option<SupportedCipherSuite> {
    const ALL: [SupportedCipherSuite; 9] = [
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ];
    ALL.into_iter().find(|suite| u16::from(suite.suite()) == number)
}

const GROUPS: [&dyn SupportedKxGroup; 4] = [&X25519_ML_KEM_768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use keys::bundle::Version;
    use keys::profile::{self, SUITES};
    use rustls::ProtocolVersion;

    fn provider() -> Provider {
        Provider::new(Secret::new([3; 32]))
    }

    #[test]
    fn the_tables_say_what_rustls_says() {
        let all = provider().crypto;
        assert_eq!((all.cipher_suites.len(), all.kx_groups.len()), (SUITES.len(), profile::GROUPS.len()));
        for (suite, row) in all.cipher_suites.iter().zip(SUITES) {
            let name = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
            let version = if suite.tls13().is_some() { Version::Tls13 } else { Version::Tls12 };
            assert_eq!((name.as_str(), u16::from(suite.suite()), version), (row.name, row.number, row.version));
        }
        for (group, row) in all.kx_groups.iter().zip(profile::GROUPS) {
            assert!(format!("{:?}", group.name()).eq_ignore_ascii_case(row.name), "{row:?}");
            let in_tls12 = group.usable_for_version(ProtocolVersion::TLSv1_2);
            assert_eq!((u16::from(group.name()), in_tls12), (row.number, row.min_version == Version::Tls12));
        }
    }

    #[test]
    fn what_is_asked_for_is_what_there_is_in_its_order() {
        let some = provider().with(&[0x1303, 0xc02f], &[24, 29]).unwrap().crypto;
        let suites: Vec<u16> = some.cipher_suites.iter().map(|suite| suite.suite().into()).collect();
        let groups: Vec<u16> = some.kx_groups.iter().map(|group| group.name().into()).collect();
        assert_eq!((suites, groups), (alloc::vec![0x1303, 0xc02f], alloc::vec![24, 29]));
    }

    #[test]
    fn unknown_or_no_suites_and_groups_are_refused() {
        let provider = provider();
        for suites in [&[][..], &[0x1301, 0xc013]] {
            assert_eq!(provider.with(suites, &[29]).unwrap_err(), ProviderFault::Suite);
        }
        for groups in [&[][..], &[29, 256]] {
            assert_eq!(provider.with(&[0x1301], groups).unwrap_err(), ProviderFault::Group);
        }
    }
}
