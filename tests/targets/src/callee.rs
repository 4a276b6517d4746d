//! A real server for the box to call, right or wrong as it is told: rustls, which shows any certificate and signs with any key.

use std::sync::{Arc, LazyLock};

use keys::{Secret, Signer};
use peers::{Authority, ExtendedKeyUsage, KeyUsage, Named, Order, Path, Tamper, Validity};
use rcgen::CertificateParams;
use rustls_std::client::danger::HandshakeSignatureValid;
use rustls_std::crypto::{CryptoProvider, SupportedKxGroup, ring as provider};
use rustls_std::pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use rustls_std::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls_std::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls_std::sign::CertifiedKey;
use rustls_std::{ConnectionTrafficSecrets, DigitallySignedStruct, DistinguishedName, Error, ExtractedSecrets, KeyLog, SignatureScheme};
use rustls_std::{ServerConfig, ServerConnection};
use tls::{Caller, CallerParts, Clock, Identity, Provider, Servers, Version};

use crate::draws::Draws;
use crate::exchange::{self, Side};
use crate::peer::Ear;
use crate::sealing::Sealing;

/// The name that servers are asked for.
pub(crate) const CALLED: &str = "called.test";
/// 2027.
const NOW: core::time::Duration = core::time::Duration::from_secs(1_800_000_000);
/// AES-128-GCM for both versions, which is what [`Sealing`] seals with.
const SUITES: [u16; 2] = [0x1301, 0xc02b];
/// X25519, and P-256 for who wants another hello.
const GROUPS: [u16; 2] = [29, 23];

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::seeded("of the called", *b"targets: of the called.."));

/// What servers show. The first [`GOOD`] are right.
static SHOWN: LazyLock<Vec<Arc<CertifiedKey>>> = LazyLock::new(|| {
    let right = || Order::for_server(CALLED);
    let made = |order: &Order| {
        let shown = AUTHORITY.make(order);
        certified(shown.chain, shown.key)
    };
    let stranger = Authority::seeded("of the called", *b"targets: of a stranger..").make(&right());
    let [one, other] = [(); 2].map(|()| AUTHORITY.make(&right()));
    vec![
        made(&right()),
        made(&Order { path: Path::Intermediate, ..right() }),
        certified(stranger.chain, stranger.key),
        // Another's certificate, and none.
        certified(one.chain, other.key.clone()),
        certified(vec![], other.key),
        made(&Order::for_client(CALLED)),
        made(&Order { extended_key_usage: ExtendedKeyUsage::Both, ..right() }),
        made(&Order { extended_key_usage: ExtendedKeyUsage::Absent, ..right() }),
        made(&Order { key_usage: KeyUsage::Absent, ..right() }),
        made(&Order { key_usage: KeyUsage::SignAll, ..right() }),
        made(&Order { named: Named::Dns("other.test".into()), ..right() }),
        made(&Order { named: Named::Dns("*.test".into()), ..right() }),
        made(&Order { named: Named::CommonName(CALLED.into()), ..right() }),
        made(&Order { validity: Validity::Past, ..right() }),
        made(&Order { validity: Validity::Future, ..right() }),
        made(&Order { tamper: Tamper::Signature, ..right() }),
        made(&Order { tamper: Tamper::Content, ..right() }),
        made(&Order { path: Path::Intermediate, tamper: Tamper::IssuerSignature, ..right() }),
        made(&Order { path: Path::NotAnAuthority, ..right() }),
        made(&Order { path: Path::Unconstrained, ..right() }),
        made(&Order { path: Path::SelfSigned, ..right() }),
    ]
});

/// How many of them are right.
const GOOD: usize = 2;

fn certified(chain: Vec<Vec<u8>>, key: Vec<u8>) -> Arc<CertifiedKey> {
    let key = provider::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(key)).expect("a key");
    Arc::new(CertifiedKey::new(chain.into_iter().map(Into::into).collect(), key))
}

/// What those who call show, and whom they trust: made once, as it holds nothing that an input could change.
static CALLING: LazyLock<Calling> = LazyLock::new(|| {
    let key = peers::ed25519(b"targets: the key of who calls...");
    let params = CertificateParams::new([CALLING_NAME.to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("ring signs").der().to_vec();
    let servers = Arc::new(Servers::new(AUTHORITY.der(), CALLED).expect("an authority and a name"));
    Calling { certificate, key: key.serialize_der(), servers }
});

const CALLING_NAME: &str = "box.test";

struct Calling {
    certificate: Vec<u8>,
    key: Vec<u8>,
    servers: Arc<Servers>,
}

/// Two that call alike: each has a generator of its own, and both begin at the same seed. What they show is signed with Ed25519, which draws nothing.
pub(crate) fn callers() -> [Caller; 2] {
    [(); 2].map(|()| {
        let provider = Provider::with_groups(Secret::new([5; 32]), exchange::of_client).with(&SUITES, &GROUPS).expect("suites and groups");
        let signer = Signer::from_der(&Secret::new(CALLING.key.clone())).expect("a key");
        let identity = Identity::new(vec![CALLING.certificate.clone()], signer, vec![CALLING_NAME.to_owned()]).expect("an identity");
        let (clock, servers) = (&Clock::new(NOW), Arc::clone(&CALLING.servers));
        let parts = CallerParts { provider: &provider, clock, identity, servers, min_version: Version::Tls12 };
        Caller::new(parts).expect("a configuration that works")
    })
}

/// What a server is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) version: Version,
    /// It asks for our certificate.
    pub(crate) asks: bool,
    /// It wants a key share of the group of which none is in our first hello.
    pub(crate) retries: bool,
    /// Which certificate it shows.
    shown: usize,
}

impl Manner {
    /// Half of all servers have nothing wrong.
    pub(crate) fn new(how: u8, shown: u8) -> Self {
        let version = if how & 1 == 0 { Version::Tls13 } else { Version::Tls12 };
        let shown = usize::from(shown) % (2 * SHOWN.len());
        Self { version, asks: how & 2 != 0, retries: how & 4 != 0, shown: if shown < SHOWN.len() { shown } else { 0 } }
    }

    /// Whether a client may take what is shown.
    pub(crate) fn is_good(self) -> bool {
        self.shown < GOOD
    }

    /// The certificate itself.
    pub(crate) fn leaf(self) -> &'static [u8] {
        SHOWN[self.shown].cert.first().map_or(&[], |leaf| leaf)
    }

    /// One such server.
    pub(crate) fn server(self) -> ServerConnection {
        let mut config =
            CONFIGS[usize::from(self.version == Version::Tls13) | usize::from(self.asks) << 1 | usize::from(self.retries) << 2].clone();
        config.cert_resolver = Arc::new(Shows(Arc::clone(&SHOWN[self.shown])));
        ServerConnection::new(Arc::new(config)).expect("a server")
    }
}

static CONFIGS: LazyLock<[ServerConfig; 8]> =
    LazyLock::new(|| core::array::from_fn(|choice| config([Version::Tls12, Version::Tls13][choice & 1], choice & 2 != 0, choice & 4 != 0)));

fn config(version: Version, asks: bool, retries: bool) -> ServerConfig {
    let (suite, versions) = match version {
        Version::Tls12 => (provider::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, [&rustls_std::version::TLS12]),
        Version::Tls13 => (provider::cipher_suite::TLS13_AES_128_GCM_SHA256, [&rustls_std::version::TLS13]),
    };
    let group: &'static dyn SupportedKxGroup = if retries { provider::kx_group::SECP256R1 } else { &Side::Server };
    let crypto =
        CryptoProvider { cipher_suites: vec![suite], kx_groups: vec![group], secure_random: &Draws, ..provider::default_provider() };
    let builder = ServerConfig::builder_with_provider(Arc::new(crypto)).with_protocol_versions(&versions).expect("a version");
    let builder = if asks { builder.with_client_cert_verifier(Arc::new(Anybody)) } else { builder.with_no_client_auth() };
    let mut config = builder.with_cert_resolver(Arc::new(Shows(Arc::clone(&SHOWN[0]))));
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.enable_secret_extraction = true;
    config.key_log = Arc::new(Ear) as Arc<dyn KeyLog>;
    config
}

/// The server's direction and the client's, of TLS 1.2. None of a server that has given up.
pub(crate) fn keys(server: ServerConnection) -> Option<[Sealing; 2]> {
    let ExtractedSecrets { tx, rx } = server.dangerous_extract_secrets().ok()?;
    Some([tx, rx].map(|(sequence, secrets)| {
        let ConnectionTrafficSecrets::Aes128Gcm { key, iv } = secrets else { unreachable!("the suite is AES-128-GCM") };
        Sealing::tls12(key.as_ref(), iv.as_ref().try_into().expect("12 bytes"), sequence)
    }))
}

/// Shows this, whatever it is asked for.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Asks for a certificate, and takes any.
#[derive(Debug)]
struct Anybody;

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(&self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: UnixTime) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
