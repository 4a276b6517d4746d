//! A client that has shaken hands with a session of ours, and whose keys are then in our hands. It is rustls, and it looks at no certificate.
//!
//! Nothing is left of one input for the next: neither a ticket nor where a generator stands. Otherwise what an input does would hang on those before it, and what a fuzzer finds could not be
//! seen again.

use core::cell::RefCell;
use std::io::Read;
use std::sync::{Arc, LazyLock};

use keys::profile::Profile;
use keys::{Secret, Signer};
use rustls_std::client::Resumption;
use rustls_std::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls_std::crypto::{CryptoProvider, SupportedKxGroup, ring as provider};
use rustls_std::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_std::{
    ClientConfig, ClientConnection, ConnectionTrafficSecrets, DigitallySignedStruct, Error, ExtractedSecrets, HandshakeKind, KeyLog,
    SignatureScheme,
};
use tls::{Clock, Config, ConfigParts, Event, Identity, Provider, Session, TicketKeys, TicketTimes, Tickets, Version};

use crate::draws::Draws;
use crate::exchange::{self, Side};
use crate::sealing::Sealing;
use crate::setting::{IDENTITY, NAME};

/// A session of ours that is established, and the other end's keys.
pub(crate) struct Established {
    pub(crate) session: Session,
    /// The client's direction.
    pub(crate) sealer: Sealing,
    /// The server's direction.
    pub(crate) opener: Sealing,
}

/// What our session shakes hands by.
fn server_config() -> Config {
    let provider = Provider::with_groups(Secret::new([7; 32]), exchange::of_server)
        .with(&Profile::Intermediate.suites(), &[29])
        .expect("suites and a group");
    let clock = Clock::new(core::time::Duration::from_secs(1_800_000_000));
    let keys = TicketKeys::of_boot(&Secret::new([8; 32]), TicketTimes { lifetime_s: 7200, rotation_s: 3600 }, &clock);
    let signer = Signer::from_der(&Secret::new(IDENTITY.key.clone())).expect("a key");
    let identities = vec![Identity::new(vec![IDENTITY.certificate.clone()], signer, vec![NAME.to_owned()]).expect("an identity")];
    let tickets = Some(Tickets { keys: &keys, domain: b"route", count: 1 });
    let parts =
        ConfigParts { provider: &provider, clock: &clock, identities, alpn: vec![], min_version: Version::Tls12, clients: None, tickets };
    Config::new(parts).expect("a configuration that works")
}

static CLIENTS: LazyLock<[ClientConfig; 2]> = LazyLock::new(|| [Version::Tls12, Version::Tls13].map(client));
/// Servers whose tickets a client keeps.
const TICKETS_OF_MAX: usize = 4;

/// The configuration of clients of this version. They keep their tickets, and have none yet.
pub(crate) fn client_config(version: Version) -> Arc<ClientConfig> {
    let mut config = CLIENTS[usize::from(version == Version::Tls13)].clone();
    config.resumption = Resumption::in_memory_sessions(TICKETS_OF_MAX);
    Arc::new(config)
}

fn client(version: Version) -> ClientConfig {
    let (suite, versions) = match version {
        Version::Tls12 => (provider::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, [&rustls_std::version::TLS12]),
        Version::Tls13 => (provider::cipher_suite::TLS13_AES_128_GCM_SHA256, [&rustls_std::version::TLS13]),
    };
    // The second group is the certificate's (RFC 8422 section 5.1).
    let kx_groups: Vec<&'static dyn SupportedKxGroup> = vec![&Side::Client, provider::kx_group::SECP256R1];
    let crypto = CryptoProvider { cipher_suites: vec![suite], kx_groups, secure_random: &Draws, ..provider::default_provider() };
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto)).with_protocol_versions(&versions).expect("a version");
    let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::new(Blind)).with_no_client_auth();
    config.enable_secret_extraction = true;
    config.key_log = Arc::new(Ear);
    config
}

impl Established {
    /// Shakes hands: of those who meet again if it is a resumption.
    pub(crate) fn new(version: Version, is_resumed: bool) -> Self {
        let (server, client) = (server_config(), client_config(version));
        if is_resumed {
            Self::shake(&server, &client, version, false);
        }
        Self::shake(&server, &client, version, is_resumed)
    }

    fn shake(server: &Config, client: &Arc<ClientConfig>, version: Version, is_resumed: bool) -> Self {
        HEARD.take();
        let name = ServerName::try_from(NAME).expect("a name");
        let mut client = ClientConnection::new(Arc::clone(client), name).expect("a client");
        let mut session = Session::new();
        let mut behind = Vec::new();
        for _ in 0..4 {
            say(&mut client, &mut session, server);
            let heard = hear(&mut client, &mut session);
            if !heard.is_empty() {
                behind = heard;
            }
        }
        assert!(session.is_established() && !client.is_handshaking(), "the handshake is not done");
        assert_eq!(client.handshake_kind() == Some(HandshakeKind::Resumed), is_resumed);
        let [sealer, mut opener] = keys(client, version);
        // TLS 1.3: the tickets came under the traffic's keys.
        if version == Version::Tls13 {
            records(&behind).for_each(|record| drop(opener.open(record).expect("a ticket")));
        }
        Self { session, sealer, opener }
    }
}

fn say(client: &mut ClientConnection, session: &mut Session, server: &Config) {
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).expect("room");
    }
    let mut taken = 0;
    for _ in 0..2 {
        taken += session.receive(&mut bytes[taken..], &mut Vec::new());
        while let Some(event) = session.poll_event() {
            match event {
                Event::Hello(_) => session.accept(server),
                Event::Established(_) => {}
                Event::PeerClosed | Event::Fault(_) => assert!(session.is_established(), "{event:?}"),
            }
        }
    }
    assert_eq!(taken, bytes.len());
}

/// Gives the client what the session has to say, and gives it back.
fn hear(client: &mut ClientConnection, session: &mut Session) -> Vec<u8> {
    let bytes = transmit(session);
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        client.read_tls(&mut rest).expect("room");
        client.process_new_packets().expect("a server that is right");
        let _none = client.reader().read(&mut []);
    }
    bytes
}

/// Everything that the session wants to send.
pub(crate) fn transmit(session: &mut Session) -> Vec<u8> {
    let (mut bytes, mut buf) = (Vec::new(), [0; 2048]);
    while session.wants_transmit() {
        let len = session.poll_transmit(&mut buf);
        bytes.extend_from_slice(&buf[..len]);
    }
    bytes
}

/// The records in these bytes; the last may be cut.
pub(crate) fn records(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let [_, _, _, high, low] = *rest.first_chunk()?;
        let len = (5 + usize::from(u16::from_be_bytes([high, low]))).min(rest.len());
        let (record, behind) = rest.split_at(len);
        rest = behind;
        Some(record)
    })
}

fn keys(client: ClientConnection, version: Version) -> [Sealing; 2] {
    if version == Version::Tls13 {
        let [server, client] = traffic_secrets();
        return [client, server].map(|secret| Sealing::of_secret(&secret));
    }
    let ExtractedSecrets { tx, rx } = client.dangerous_extract_secrets().expect("secrets");
    [tx, rx].map(|(sequence, secrets)| {
        let ConnectionTrafficSecrets::Aes128Gcm { key, iv } = secrets else { unreachable!("the suite is AES-128-GCM") };
        Sealing::tls12(key.as_ref(), iv.as_ref().try_into().expect("12 bytes"), sequence)
    })
}

thread_local! {
    /// The secrets of the last handshake of TLS 1.3 on this thread: the client's and the server's of the traffic, the server's of the handshake.
    static HEARD: RefCell<[Vec<u8>; 3]> = const { RefCell::new([Vec::new(), Vec::new(), Vec::new()]) };
}

/// Before a handshake whose secrets are asked for.
pub(crate) fn forget_secrets() {
    HEARD.take();
}

/// The secrets of the traffic: the server's, the client's.
pub(crate) fn traffic_secrets() -> [Vec<u8>; 2] {
    HEARD.with_borrow(|[client, server, _]| [server.clone(), client.clone()])
}

/// The secret that the server's part of the handshake is sealed with.
pub(crate) fn handshake_secret() -> Vec<u8> {
    HEARD.with_borrow(|[_, _, handshake]| handshake.clone())
}

/// Listens for secrets, at either end.
#[derive(Debug)]
pub(crate) struct Ear;

impl KeyLog for Ear {
    fn log(&self, label: &str, _: &[u8], secret: &[u8]) {
        let index = match label {
            "CLIENT_TRAFFIC_SECRET_0" => 0,
            "SERVER_TRAFFIC_SECRET_0" => 1,
            "SERVER_HANDSHAKE_TRAFFIC_SECRET" => 2,
            _ => return,
        };
        HEARD.with_borrow_mut(|heard| heard[index] = secret.to_vec());
    }
}

/// Believes every certificate: it is not what is looked at here.
#[derive(Debug)]
struct Blind;

impl ServerCertVerifier for Blind {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
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
        vec![SignatureScheme::ED25519]
    }
}
