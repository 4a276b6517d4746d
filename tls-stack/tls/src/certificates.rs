//! Which certificate a client gets: by name first (exact, then one-label wildcard, then the default), by kind of key second.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use keys::{Kind, Scheme, Signer, names};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use crate::ConfigFault;

/// A certificate chain, the key of its leaf, and the names that it serves.
#[derive(Debug)]
pub struct Identity {
    names: Vec<String>,
    certified: Arc<CertifiedKey>,
}

impl Identity {
    /// Takes a chain in DER, the leaf first; the names are DNS names, or `*.` and a DNS name.
    ///
    /// # Errors
    /// [`ConfigFault::KeyMismatch`] if the leaf is not the key's, [`ConfigFault::Chain`] if there is no leaf or it does not parse.
    pub fn new(chain: Vec<Vec<u8>>, signer: Signer, names: Vec<String>) -> Result<Self, ConfigFault> {
        let chain: Vec<_> = chain.into_iter().map(Into::into).collect();
        let leaf = rustls::server::ParsedCertificate::try_from(chain.first().ok_or(ConfigFault::Chain)?);
        let spki = leaf.map_err(|_| ConfigFault::Chain)?.subject_public_key_info();
        if !signer.matches(&spki) {
            return Err(ConfigFault::KeyMismatch);
        }
        let names = names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        Ok(Self { names, certified: Arc::new(CertifiedKey::new(chain, Arc::new(Key(Arc::new(signer))))) })
    }

    /// How well this identity fits a name; lower is better, none is not at all.
    fn rank(&self, name: &str) -> Option<u8> {
        let exact = self.names.iter().any(|own| own == name);
        let wildcard = || self.names.iter().any(|pattern| names::covers(pattern, name));
        if exact { Some(0) } else { wildcard().then_some(1) }
    }
}

/// The identities of one configuration. The first one, and those that share its names, serve who asks for no name or an unknown one.
#[derive(Debug)]
pub(crate) struct Certificates(Vec<Identity>);

impl Certificates {
    pub(crate) fn new(identities: Vec<Identity>) -> Result<Self, ConfigFault> {
        match identities.len() {
            0 => Err(ConfigFault::NoCertificate),
            1..=crate::limits::IDENTITIES_MAX => Ok(Self(identities)),
            _ => Err(ConfigFault::TooManyCertificates),
        }
    }

    /// The best fitting identity whose key can sign what the client can verify; of several the first that is no RSA key, which costs us ten times
    /// the work (T12). Where no key can, the default: rustls then finds nothing in common and
    /// says handshake_failure, whereas a missing certificate would make it say access_denied.
    fn choose(&self, name: Option<&str>, offered: &[SignatureScheme]) -> Option<&Identity> {
        let usable = |identity: &&Identity| identity.certified.key.choose_scheme(offered).is_some();
        let ranked = |rank| {
            let fits = move |identity: &&Identity| name.is_some_and(|name| identity.rank(name) == Some(rank));
            cheapest(self.0.iter().filter(fits).filter(usable))
        };
        ranked(0).or_else(|| ranked(1)).or_else(|| cheapest(self.default_group().filter(usable))).or(self.0.first())
    }

    fn default_group(&self) -> impl Iterator<Item = &Identity> {
        let names = self.0.first().map(|identity| &identity.names);
        self.0.iter().filter(move |identity| Some(&identity.names) == names)
    }
}

/// The first that is no RSA key, or else the first.
fn cheapest<'a>(identities: impl Iterator<Item = &'a Identity>) -> Option<&'a Identity> {
    identities.min_by_key(|identity| identity.certified.key.algorithm() == SignatureAlgorithm::RSA)
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().and_then(names::parse_name);
        self.choose(name.as_deref(), hello.signature_schemes()).map(|identity| Arc::clone(&identity.certified))
    }
}

/// A [`Signer`] in rustls' shape.
#[derive(Debug)]
struct Key(Arc<Signer>);

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        let offers = |scheme: &&Scheme| offered.contains(&SignatureScheme::from(scheme.code()));
        let scheme = *self.0.kind().schemes().iter().find(offers)?;
        Some(Box::new(Choice { signer: Arc::clone(&self.0), scheme }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.kind() {
            Kind::EcdsaP256 | Kind::EcdsaP384 => SignatureAlgorithm::ECDSA,
            Kind::Ed25519 => SignatureAlgorithm::ED25519,
            Kind::Rsa { .. } => SignatureAlgorithm::RSA,
        }
    }
}

#[derive(Debug)]
struct Choice {
    signer: Arc<Signer>,
    scheme: Scheme,
}

impl rustls::sign::Signer for Choice {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.signer.sign(self.scheme, message).map_err(|_| Error::General("the key did not sign".into()))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::from(self.scheme.code())
    }
}
