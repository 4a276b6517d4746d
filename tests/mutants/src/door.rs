//! TLS at the door where the box is a server: a client with a certificate that is none of its own authority's, or none of its own.

use core::time::Duration;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls_std::client::ResolvesClientCert;
use rustls_std::crypto::aws_lc_rs;
use rustls_std::pki_types::pem::PemObject;
use rustls_std::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls_std::sign::CertifiedKey;
use rustls_std::{ClientConfig, ClientConnection, RootCertStore, SignatureScheme, StreamOwned};

use crate::{Outcome, Target};

/// No step waits longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than any prize.
const PRIZE_LEN_MAX: u64 = 64 * 1024;
/// What the box's certificate at this door is made out to.
const NAME: &str = "peer.reverse.bountybox";
/// What a client's certificate must be made out to.
const CLIENT_NAME: &str = "peer.server.bountybox";

/// What a client shows: a certificate, and the key that it signs with, whether that is the certificate's or not.
#[derive(Debug)]
pub struct Shown(Arc<CertifiedKey>);

impl Shown {
    /// A certificate that nobody has signed but its own key.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn self_signed() -> Outcome<Self> {
        let own = rcgen::generate_simple_self_signed([CLIENT_NAME.to_owned()])?;
        Self::new(own.cert.der().to_vec().into(), &own.signing_key)
    }

    /// Somebody else's certificate, and a key that has nothing to do with it.
    ///
    /// # Errors
    /// No key can be made.
    pub fn somebodys(certificate: CertificateDer<'static>) -> Outcome<Self> {
        Self::new(certificate, &KeyPair::generate()?)
    }

    /// A certificate that the door's authority has signed, with the right name, for a key that is there to encrypt and for nothing else.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn for_another_use(target: &Target) -> Outcome<Self> {
        let mut authority = CertificateParams::default();
        authority.distinguished_name = DistinguishedName::new();
        authority.distinguished_name.push(DnType::CommonName, "bountybox authority of the door server");
        let authority_key = fs::read_to_string(target.lab.join("authority-server.pem"))?;
        let mut params = CertificateParams::new([CLIENT_NAME.to_owned()])?;
        params.key_usages = [KeyUsagePurpose::KeyEncipherment].into();
        params.is_ca = IsCa::ExplicitNoCa;
        let key = KeyPair::generate()?;
        let signed = params.signed_by(&key, &Issuer::new(authority, KeyPair::from_pem(&authority_key)?))?;
        Self::new(signed.der().to_vec().into(), &key)
    }

    fn new(certificate: CertificateDer<'static>, key: &KeyPair) -> Outcome<Self> {
        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        // Not held against the certificate, as a library's own ways would.
        Ok(Self(Arc::new(CertifiedKey::new(vec![certificate], aws_lc_rs::sign::any_supported_type(&key)?))))
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// What the box sends to a client that shows this; nothing, if it sends it away.
///
/// # Errors
/// The door is not there.
pub fn prize(target: &Target, shown: Shown) -> Outcome<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&target.file("authority-reverse.pem")?)?)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions()?;
    let config = builder.with_root_certificates(roots).with_client_cert_resolver(Arc::new(shown));
    let tcp = TcpStream::connect_timeout(&target.server, PATIENCE)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    let session = ClientConnection::new(Arc::new(config), ServerName::try_from(NAME)?)?;
    let mut prize = Vec::new();
    match StreamOwned::new(session, tcp).take(PRIZE_LEN_MAX).read_to_end(&mut prize) {
        Err(fault) if !says_no(&fault) => Err(fault.into()),
        _ => Ok(prize),
    }
}

/// An alert, or a reset behind it.
fn says_no(fault: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData, UnexpectedEof};
    matches!(fault.kind(), InvalidData | UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}
