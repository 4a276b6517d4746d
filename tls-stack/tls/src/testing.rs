//! What this crate's tests talk to: real rustls clients over aws-lc-rs, joined to a [`Session`] in memory.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::time::Duration;
use std::sync::LazyLock;

use keys::profile::Profile;
use keys::{Secret, Signer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion};

use crate::{Clients, Clock, Config, ConfigParts, Event, Identity, Provider, Session, TicketKeys, TicketTimes, Tickets, Version};

pub(crate) mod duo;
pub(crate) mod pki;

pub(crate) const NAME: &str = "box.example.org";
pub(crate) const START: Duration = Duration::from_secs(1_800_000_000);
pub(crate) const LIFETIME_S: u32 = 3600;

static AUTHORITY: LazyLock<CertifiedIssuer<'static, KeyPair>> = LazyLock::new(|| {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
});

pub(crate) static PROVIDER: LazyLock<Provider> = LazyLock::new(|| Provider::new(Secret::new([7; 32])));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    P256,
    P384,
    Ed25519,
    Rsa,
}

/// A leaf of the test authority. Its common name tells the kind, so that tests can see which one was served.
pub(crate) fn identity(kind: KeyKind, names: &[&str]) -> Identity {
    certified(kind, names, names)
}

/// An identity for `names` whose certificate is good for `sans`.
pub(crate) fn certified(kind: KeyKind, names: &[&str], sans: &[&str]) -> Identity {
    let key = match kind {
        KeyKind::P256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap(),
        KeyKind::P384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(),
        KeyKind::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap(),
        KeyKind::Rsa => rsa(),
    };
    let mut params = CertificateParams::new(sans.iter().map(ToString::to_string).collect::<Vec<String>>()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, format!("{kind:?} {}", names.first().unwrap_or(&"")));
    let leaf = params.signed_by(&key, &*AUTHORITY).unwrap();
    let signer = Signer::from_der(&Secret::new(key.serialize_der())).unwrap();
    Identity::new(vec![leaf.der().to_vec()], signer, names.iter().map(ToString::to_string).collect()).unwrap()
}

/// An identity of two certificates, and both as they are to be shown.
pub(crate) fn chained(name: &str) -> (Identity, Vec<Vec<u8>>) {
    let issuer = pki::intermediate("intermediate", &AUTHORITY);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_string()]).unwrap().signed_by(&key, &issuer).unwrap();
    let chain = vec![leaf.der().to_vec(), issuer.der().to_vec()];
    let signer = Signer::from_der(&Secret::new(key.serialize_der())).unwrap();
    (Identity::new(chain.clone(), signer, vec![name.to_string()]).unwrap(), chain)
}

fn rsa() -> KeyPair {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    let key = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    KeyPair::try_from(der.as_ref()).unwrap()
}

/// What a server configuration of a test differs in.
pub(crate) struct Server {
    pub(crate) identities: Vec<Identity>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) min_version: Version,
    pub(crate) tickets: Option<(TicketKeys, &'static [u8], usize)>,
    pub(crate) clients: Option<Arc<Clients>>,
    /// Suites and groups.
    pub(crate) offer: (Vec<u16>, Vec<u16>),
    pub(crate) clock: Clock,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            identities: vec![identity(KeyKind::P256, &[NAME])],
            alpn: vec![],
            min_version: Version::Tls12,
            tickets: None,
            clients: None,
            offer: (Profile::default().suites(), Profile::default().groups()),
            clock: Clock::new(START),
        }
    }
}

/// Ticket keys of a boot with this seed; they change twice in a lifetime.
pub(crate) fn ticket_keys(seed: u8, clock: &Clock) -> TicketKeys {
    TicketKeys::of_boot(&Secret::new([seed; 32]), TICKET_TIMES, clock)
}

pub(crate) const TICKET_TIMES: TicketTimes = TicketTimes { lifetime_s: LIFETIME_S, rotation_s: LIFETIME_S / 2 };

impl Server {
    pub(crate) fn config(self) -> Config {
        let tickets = self.tickets.as_ref().map(|(keys, domain, count)| Tickets { keys, domain, count: *count });
        let (identities, alpn, min_version, clients) = (self.identities, self.alpn, self.min_version, self.clients);
        let provider = &PROVIDER.with(&self.offer.0, &self.offer.1).unwrap();
        Config::new(ConfigParts { provider, clock: &self.clock, identities, alpn, min_version, clients, tickets }).unwrap()
    }
}

/// What a client of a test differs in.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) suites: Option<SupportedCipherSuite>,
    pub(crate) groups: Vec<&'static dyn SupportedKxGroup>,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) sni: bool,
    pub(crate) resumption: bool,
    /// The chain that it shows when it is asked, and the leaf's key.
    pub(crate) certificate: Option<(Vec<CertificateDer<'static>>, Arc<KeyPair>)>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            suites: None,
            groups: vec![],
            versions: vec![&rustls::version::TLS13, &rustls::version::TLS12],
            alpn: vec![],
            sni: true,
            resumption: false,
            certificate: None,
        }
    }
}

impl Client {
    pub(crate) fn tls12() -> Self {
        Self { versions: vec![&rustls::version::TLS12], ..Self::default() }
    }

    pub(crate) fn of(version: Version) -> Self {
        if version == Version::Tls12 { Self::tls12() } else { Self { versions: vec![&rustls::version::TLS13], ..Self::default() } }
    }

    pub(crate) fn config(self) -> Arc<ClientConfig> {
        let mut provider = CryptoProvider { ..default_provider() };
        if let Some(suite) = self.suites {
            provider.cipher_suites = vec![suite];
        }
        if !self.groups.is_empty() {
            provider.kx_groups = self.groups;
        }
        let mut roots = RootCertStore::empty();
        roots.add(AUTHORITY.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&self.versions).unwrap();
        let builder = builder.with_root_certificates(roots);
        let mut config = match self.certificate {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into()).unwrap(),
        };
        config.alpn_protocols = self.alpn;
        config.enable_sni = self.sni;
        config.enable_secret_extraction = true;
        if !self.resumption {
            config.resumption = Resumption::disabled();
        }
        Arc::new(config)
    }
}

/// A client and a session, joined in memory.
pub(crate) struct Pair {
    pub(crate) client: ClientConnection,
    pub(crate) session: Session,
    pub(crate) config: Config,
    pub(crate) events: Vec<Event>,
    pub(crate) plain: Vec<u8>,
    /// The longest slice that the session gets at once.
    pub(crate) segment_len: usize,
    /// What the client made of what it got, if it gave up.
    pub(crate) client_fault: Option<rustls::Error>,
}

impl Pair {
    pub(crate) fn new(config: &Config, client: &Arc<ClientConfig>) -> Self {
        Self::named(config, client, NAME)
    }

    pub(crate) fn named(config: &Config, client: &Arc<ClientConfig>, name: &str) -> Self {
        let name = ServerName::try_from(name.to_string()).unwrap();
        Self {
            client: ClientConnection::new(Arc::clone(client), name).unwrap(),
            session: Session::new(),
            config: config.clone(),
            events: vec![],
            plain: vec![],
            segment_len: usize::MAX,
            client_fault: None,
        }
    }

    /// Exchanges bytes until both sides are silent.
    pub(crate) fn run(&mut self) -> &mut Self {
        loop {
            let sent = self.client_bytes();
            let said = !sent.is_empty();
            self.deliver(&sent);
            let back = self.session_bytes();
            if back.is_empty() && !said {
                return self;
            }
            self.client_reads(&back);
        }
    }

    /// A pair that has shaken hands.
    pub(crate) fn established(config: &Config, client: &Arc<ClientConfig>) -> Self {
        let mut pair = Self::new(config, client);
        pair.run();
        assert!(pair.session.is_established(), "{:?} {:?}", pair.events, pair.client_fault);
        pair
    }

    /// Everything that the client wants to send.
    pub(crate) fn client_bytes(&mut self) -> Vec<u8> {
        let mut bytes = vec![];
        while self.client.wants_write() && self.client.write_tls(&mut bytes).unwrap() > 0 {}
        bytes
    }

    /// Everything that the session wants to send.
    pub(crate) fn session_bytes(&mut self) -> Vec<u8> {
        let mut bytes = vec![];
        let mut buf = [0; 1500];
        while self.session.wants_transmit() {
            let len = self.session.poll_transmit(&mut buf);
            bytes.extend_from_slice(&buf[..len]);
        }
        bytes
    }

    pub(crate) fn client_reads(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.client_fault.is_none() {
            self.client.read_tls(&mut bytes).unwrap();
            self.client_fault = self.client.process_new_packets().err();
        }
    }

    /// Gives bytes to the session and answers its hello.
    pub(crate) fn deliver(&mut self, bytes: &[u8]) {
        for segment in bytes.chunks(self.segment_len.min(bytes.len()).max(1)) {
            let mut segment = segment.to_vec();
            let mut taken = 0;
            loop {
                let step = self.session.receive(&mut segment[taken..], &mut self.plain);
                taken += step;
                let progress = self.collect_events();
                if taken == segment.len() || (step == 0 && !progress) {
                    break;
                }
            }
            assert_eq!(taken, segment.len(), "a session with room takes everything");
        }
    }

    fn collect_events(&mut self) -> bool {
        let before = self.events.len();
        while let Some(event) = self.session.poll_event() {
            if matches!(event, Event::Hello(_)) {
                self.session.accept(&self.config);
            }
            self.events.push(event);
        }
        self.events.len() > before
    }

    /// Sends data to the client and gives back what the client read.
    pub(crate) fn send(&mut self, data: &[u8]) -> Vec<u8> {
        use std::io::Read;
        let mut read = vec![];
        let mut rest = data;
        let mut buf = vec![0; 20_000];
        while !rest.is_empty() {
            let sent = self.session.send(rest, &mut buf);
            assert!(sent.produced > 0);
            rest = &rest[sent.consumed..];
            self.client_reads(&buf[..sent.produced]);
            let mut part = vec![0; 1 << 16];
            while let Ok(len @ 1..) = self.client.reader().read(&mut part) {
                read.extend_from_slice(&part[..len]);
            }
        }
        read
    }

    /// Sends data from the client.
    pub(crate) fn client_sends(&mut self, data: &[u8]) {
        use std::io::Write;
        for part in data.chunks(30_000) {
            self.client.writer().write_all(part).unwrap();
            let bytes = self.client_bytes();
            self.deliver(&bytes);
        }
    }

    pub(crate) fn summary(&self) -> &crate::Summary {
        let found = self.events.iter().find_map(|event| if let Event::Established(summary) = event { Some(summary) } else { None });
        found.unwrap_or_else(|| panic!("not established: {:?}, client: {:?}", self.events, self.client_fault))
    }

    pub(crate) fn fault(&self) -> Option<crate::Fault> {
        self.events.iter().find_map(|event| if let Event::Fault(fault) = event { Some(*fault) } else { None })
    }
}
