//! Certificates for clients, honest and not: an authority of the run's own, and whatever it can be made to sign.

use std::sync::OnceLock;

use e2e::Outcome;
use misbehave::authority::named;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyUsagePurpose, PublicKeyData, SignatureAlgorithm, SigningKey};

pub(crate) use misbehave::authority::{Shown, Signer, issuer};

/// The authority that the box trusts for clients.
pub(crate) fn authority() -> Outcome<&'static Signer> {
    static AUTHORITY: OnceLock<Signer> = OnceLock::new();
    if AUTHORITY.get().is_none() {
        let _ = AUTHORITY.set(Signer::root("clients' authority")?);
    }
    AUTHORITY.get().ok_or_else(|| "no authority".into())
}

/// Parameters of a client.
pub(crate) fn client() -> Outcome<CertificateParams> {
    let mut params = CertificateParams::new(vec!["attacker.clients.test".to_owned()])?;
    params.distinguished_name = named("attacker");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

/// An RSA key of 16 Kbit that nobody has: a modulus, and signatures made of nothing.
pub(crate) struct Monster(Vec<u8>);

/// Length of its modulus.
pub(crate) const MONSTER_LEN: usize = 2048;

impl Monster {
    /// RSAPublicKey (RFC 8017 appendix A.1.1): a modulus that is odd and has its top bit set, and 65537.
    pub(crate) fn new() -> Self {
        let modulus = [&[0x02, 0x82, 0x08, 0x01, 0x00][..], &[0xff; MONSTER_LEN]].concat();
        let exponent = [0x02, 0x03, 0x01, 0x00, 0x01];
        let len = u16::try_from(modulus.len() + exponent.len()).unwrap_or_default().to_be_bytes();
        Self([&[0x30, 0x82][..], &len, &modulus, &exponent].concat())
    }
}

impl PublicKeyData for Monster {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl SigningKey for Monster {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(vec![7; MONSTER_LEN])
    }
}
