//! Who signs certificates, honest and not: an issuer can be made to sign anything.
//!
//! The judge's own [`Authority`] is a root that clients trust and an intermediate below it. Both are made anew for each judgement and their keys are
//! never written down, so that a root that somebody forgot to remove is worth nothing.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData,
};
use time::{Duration, OffsetDateTime};

/// What cannot be made is not made.
pub type Made<T> = Result<T, rcgen::Error>;

/// Somebody who can sign: its certificate and its key.
#[derive(Debug)]
pub struct Signer {
    params: CertificateParams,
    /// The key that it signs with.
    pub key: KeyPair,
    /// Its certificate.
    pub der: Vec<u8>,
    /// The same as text.
    pub pem: String,
}

/// What is shown, leaf first, and the leaf's key.
#[derive(Debug)]
pub struct Shown {
    /// Certificates.
    pub chain: Vec<Vec<u8>>,
    /// The leaf's.
    pub key: KeyPair,
}

/// Parameters of an issuer.
///
/// # Errors
/// None: there are no names in it that could be wrong.
pub fn issuer(name: &str) -> Made<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// A common name.
#[must_use]
pub fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

impl Signer {
    /// It signs itself.
    ///
    /// # Errors
    /// No key could be made, here and below.
    pub fn root(name: &str) -> Made<Self> {
        Self::signing_itself(issuer(name)?, KeyPair::generate()?)
    }

    /// The same, of other parameters.
    ///
    /// # Errors
    /// It could not be signed.
    pub fn signing_itself(params: CertificateParams, key: KeyPair) -> Made<Self> {
        let certificate = params.self_signed(&key)?;
        Ok(Self { params, key, der: certificate.der().to_vec(), pem: certificate.pem() })
    }

    /// Another signer below this one.
    ///
    /// # Errors
    /// It could not be signed.
    pub fn below(&self, params: CertificateParams) -> Made<Self> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key))?;
        Ok(Self { params, key, der: certificate.der().to_vec(), pem: certificate.pem() })
    }

    /// A certificate for a public key.
    ///
    /// # Errors
    /// It could not be signed.
    pub fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> Made<Vec<u8>> {
        Ok(params.signed_by(key, &Issuer::from_params(&self.params, &self.key))?.der().to_vec())
    }

    /// Somebody right below this one, with a key of its own.
    ///
    /// # Errors
    /// It could not be signed.
    pub fn holder(&self, params: &CertificateParams) -> Made<Shown> {
        let key = KeyPair::generate()?;
        Ok(Shown { chain: vec![self.sign(params, &key)?], key })
    }
}

/// Whom the judged clients trust.
#[derive(Debug)]
pub struct Authority {
    now: OffsetDateTime,
    pub(crate) root: Signer,
    pub(crate) intermediate: Signer,
}

/// The name that clients ask for.
pub const NAME: &str = "localhost";

impl Authority {
    /// A root and an intermediate, of this moment.
    ///
    /// # Errors
    /// No key could be made.
    pub fn new(now: OffsetDateTime) -> Made<Self> {
        let dated = |name| issuer(name).map(|params| good_for(params, now, -1, 30));
        let root = Signer::signing_itself(dated("misbehave: root")?, KeyPair::generate()?)?;
        let intermediate = root.below(identified(dated("misbehave: intermediate")?))?;
        Ok(Self { now, root, intermediate })
    }

    /// The root's certificate: what clients are to trust.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.root.pem
    }

    /// Parameters of another issuer.
    pub(crate) fn issuer(&self, name: &str) -> Made<CertificateParams> {
        Ok(identified(good_for(issuer(name)?, self.now, -1, 30)))
    }

    /// Parameters of a sound leaf for [`NAME`].
    pub(crate) fn leaf(&self) -> Made<CertificateParams> {
        self.leaf_for(&[NAME, "127.0.0.1"])
    }

    /// The same for other names.
    pub(crate) fn leaf_for(&self, names: &[&str]) -> Made<CertificateParams> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named("misbehave: leaf");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(identified(good_for(params, self.now, -1, 30)))
    }

    /// Valid from so many days from now until so many.
    pub(crate) fn dated(&self, params: CertificateParams, from: i64, until: i64) -> CertificateParams {
        good_for(params, self.now, from, until)
    }

    /// A leaf below the intermediate, with the intermediate's certificate behind it.
    pub(crate) fn chain(&self, leaf: &CertificateParams) -> Made<Shown> {
        self.chain_below(&self.intermediate, leaf)
    }

    /// The same below another signer.
    pub(crate) fn chain_below(&self, signer: &Signer, leaf: &CertificateParams) -> Made<Shown> {
        let mut shown = signer.holder(leaf)?;
        shown.chain.push(signer.der.clone());
        Ok(shown)
    }
}

/// Says which key signed it: some clients demand that (RFC 5280 section 4.2.1.1).
fn identified(mut params: CertificateParams) -> CertificateParams {
    params.use_authority_key_identifier_extension = true;
    params
}

fn good_for(mut params: CertificateParams, now: OffsetDateTime, from: i64, until: i64) -> CertificateParams {
    params.not_before = now.saturating_add(Duration::days(from));
    params.not_after = now.saturating_add(Duration::days(until));
    params
}
