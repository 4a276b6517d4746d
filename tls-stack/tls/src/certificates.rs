//! Which certificate a client gets: by name first (exact, then one-label wildcard, then the default), by kind of key second.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use keys::{Kind, Scheme, Signer, names};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{CipherSuite, Error, NamedGroup, SignatureAlgorithm, SignatureScheme};

use crate::ConfigFault;

/// A certificate chain, the key of its leaf, and the names that it serves.
#[derive(Debug)]
pub struct Identity {
    names: Vec<String>,
    kind: Kind,
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
        let kind = signer.kind();
        Ok(Self { names, kind, certified: Arc::new(CertifiedKey::new(chain, Arc::new(Key(Arc::new(signer))))) })
    }

    /// Whether the client can verify what this key signs, and, in TLS 1.2, use a certificate on its curve (RFC 8422 section 5.1; in TLS 1.3 the
    /// signature scheme names the curve). Who names no curves leaves them to us.
    fn serves(&self, asked: &Asked<'_>) -> bool {
        let curve = match self.kind {
            Kind::EcdsaP256 => Some(NamedGroup::secp256r1),
            Kind::EcdsaP384 => Some(NamedGroup::secp384r1),
            Kind::Ed25519 | Kind::Rsa { .. } => None,
        };
        let has_curve = || curve.is_none_or(|curve| asked.curves.is_none_or(|curves| curves.contains(&curve)));
        self.certified.key.choose_scheme(asked.schemes).is_some() && has_curve()
    }

    /// The chain and the key, in rustls' shape.
    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
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
    /// the work (T12). `None` where no key can.
    fn choose(&self, asked: &Asked<'_>) -> Option<&Identity> {
        let ranked = |rank| {
            let fits = move |identity: &&Identity| asked.name.as_deref().is_some_and(|name| identity.rank(name) == Some(rank));
            cheapest(self.0.iter().filter(fits).filter(|identity| identity.serves(asked)))
        };
        ranked(0).or_else(|| ranked(1)).or_else(|| cheapest(self.default_group().filter(|identity| identity.serves(asked))))
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
    /// Never `None`: a missing certificate would make rustls say `access_denied`. With a key that cannot sign it finds nothing in common, and says
    /// `handshake_failure` (RFC 8446 section 4.4.2.2, RFC 5246 section 7.4.2).
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let chosen = self.choose(&Asked::by(&hello)).map(|identity| Arc::clone(&identity.certified));
        Some(chosen.unwrap_or_else(|| Arc::new(CertifiedKey::new(Vec::new(), Arc::new(Mute)))))
    }
}

/// What a hello says about the certificate that it wants.
#[derive(Debug)]
struct Asked<'a> {
    name: Option<String>,
    schemes: &'a [SignatureScheme],
    /// Those that a certificate may be on, if the client limits them.
    curves: Option<&'a [NamedGroup]>,
}

impl<'a> Asked<'a> {
    fn by(hello: &'a ClientHello<'_>) -> Self {
        let is_old = !hello.cipher_suites().iter().any(is_of_1_3);
        let curves = hello.named_groups().filter(|_| is_old);
        Self { name: hello.server_name().and_then(names::parse_name), schemes: hello.signature_schemes(), curves }
    }
}

/// 0x1301 and on (RFC 8446 appendix B.4): whoever offers one speaks TLS 1.3, and so do we.
fn is_of_1_3(suite: &CipherSuite) -> bool {
    u16::from(*suite) >> 8 == 0x13
}

/// No key at all, for a client that could not use any of ours.
#[derive(Debug)]
struct Mute;

impl SigningKey for Mute {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        None
    }

    /// None that a suite of TLS 1.2 goes with.
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Unknown(u8::MAX)
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
