//! rustls as the judged client: honest, it accepts the control and notices what it must; careless, it is fooled.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use misbehave::catalogue::{self, CONTROLS, HONEST, HONEST_RESUMED};
use misbehave::judge::{Client, Judge};
use misbehave::misbehaviour::{Evidence, Misbehaviour};
use misbehave::verdict::{Absence, Folly, Notice, Verdict};
use rustls_std::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls_std::crypto::aws_lc_rs::default_provider;
use rustls_std::pki_types::pem::PemObject;
use rustls_std::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_std::time_provider::TimeProvider;
use rustls_std::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, StreamOwned};

const PATIENCE: Duration = Duration::from_secs(2);

/// What rustls bears, and why. Where an RFC's MUST is broken, docs/misbehave.md says so.
const BORNE: &[(&str, &str)] = &[
    ("key-may-not-sign", "webpki does not look at key usage"),
    ("issuer-may-not-sign", "webpki does not look at key usage"),
    ("session-altered", "rustls does not compare the echo of its session id (RFC 8446 4.1.3: it MUST)"),
    ("empty-handshake-record", "rustls bears a bounded number of them (RFC 8446 5.4: it MUST NOT)"),
    ("downgrade-to-1.1", "rustls knows the sign of a downgrade to 1.2 only (RFC 8446 4.1.3: it MUST know both)"),
    ("renegotiation-info-filled", "rustls never renegotiates, and does not look into the extension (RFC 5746 3.4: it MUST)"),
];

fn judge() -> Judge {
    let listen = "127.0.0.1:0".parse().expect("an address");
    Judge::new(listen, time::OffsetDateTime::now_utc(), PATIENCE).expect("a judge")
}

/// Judges a client of this configuration, which comes back where that is what is judged; and what the client itself makes of it.
fn judged(judge: &Judge, one: &Misbehaviour, config: &Arc<ClientConfig>) -> (Verdict, Result<Vec<u8>, ErrorKind>) {
    let address = judge.address().expect("an address");
    let config = Arc::clone(config);
    let comes_back = one.is_resumed();
    let client = thread::spawn(move || {
        let first = ask(address, Arc::clone(&config));
        if comes_back && first.is_ok() { ask(address, config) } else { first }
    });
    let verdict = judge.judge(one, Client::Anybody).expect("judged");
    (verdict, client.join().expect("ends"))
}

fn ask(address: SocketAddr, config: Arc<ClientConfig>) -> Result<Vec<u8>, ErrorKind> {
    let tcp = TcpStream::connect(address).map_err(|fault| fault.kind())?;
    tcp.set_read_timeout(Some(PATIENCE * 3)).map_err(|fault| fault.kind())?;
    let connection = ClientConnection::new(config, ServerName::try_from("localhost").expect("a name")).map_err(|_| ErrorKind::Other)?;
    let mut stream = StreamOwned::new(connection, tcp);
    let mut answer = Vec::new();
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").and_then(|()| stream.read_to_end(&mut answer));
    asked.map(|_| answer).map_err(|fault| fault.kind())
}

/// A new one each time: it remembers its sessions.
fn careful(judge: &Judge) -> Arc<ClientConfig> {
    let builder =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions().expect("versions");
    Arc::new(builder.with_root_certificates(roots(judge)).with_no_client_auth())
}

fn roots(judge: &Judge) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(judge.root().as_bytes()).expect("a certificate")).expect("a root");
    roots
}

/// A clock that stands: nothing ever expires by it.
#[derive(Debug)]
struct Stopped(UnixTime);

impl TimeProvider for Stopped {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// It believes whatever it is shown.
#[derive(Debug)]
struct Credulous;

impl ServerCertVerifier for Credulous {
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
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn careless() -> Arc<ClientConfig> {
    let builder =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions().expect("versions");
    Arc::new(builder.dangerous().with_custom_certificate_verifier(Arc::new(Credulous)).with_no_client_auth())
}

#[test]
fn the_honest_server_is_accepted_in_both_versions_and_by_who_comes_back() {
    let judge = judge();
    for one in CONTROLS {
        let (verdict, answer) = judged(&judge, one, &careful(&judge));
        assert_eq!(verdict, Verdict::Accepted, "{}", one.name);
        assert!(answer.is_ok_and(|answer| answer.ends_with(b"ok\n")), "{}", one.name);
    }
}

#[test]
fn rustls_notices_every_misbehaviour_but_what_is_listed() {
    let judge = judge();
    let mut wrong = Vec::new();
    for one in catalogue::all().filter(|one| one.evidence != Evidence::ExitCode) {
        let (verdict, answer) = judged(&judge, one, &careful(&judge));
        let is_borne = BORNE.iter().any(|(name, _)| *name == one.name);
        let is_noticed = matches!(verdict, Verdict::Noticed(_));
        if is_noticed == is_borne || (is_noticed && answer.is_ok()) {
            let answer = answer.map(|answer| String::from_utf8_lossy(&answer).into_owned());
            wrong.push(format!("{}: {verdict}, and the client has {answer:?}", one.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn a_careless_client_is_fooled_by_every_certificate_that_proves_nothing() {
    let judge = judge();
    let names = [
        "expired",
        "not-yet-valid",
        "expired-intermediate",
        "other-name",
        "name-below",
        "wildcard-below",
        "address-only",
        "nul-in-name",
        "common-name-only",
        "common-name-beside",
        "name-as-mail",
        "self-signed",
        "unknown-ca",
        "namesake",
        "no-intermediate",
        "other-intermediate",
        "issuer-not-ca",
        "issuer-without-constraints",
        "issuer-may-not-sign",
        "path-too-long",
        "name-not-permitted",
        "name-excluded",
        "client-purpose",
        "key-may-not-sign",
        "unknown-critical",
        "unknown-critical-above",
        "altered-leaf",
        "altered-intermediate",
        "altered-name",
        "certificate-of-nothing",
        "proof-altered",
        "proof-of-other-messages",
        "proof-without-certificate-message",
        "proof-of-a-client",
        "proof-by-other-key",
        "proof-of-nothing",
        "exchange-altered",
        "exchange-of-other-hello",
        "refused-unknown-ca",
        "refused-other-name",
        "refused-unknown-ca-1.2",
    ];
    for name in names {
        let one = catalogue::find(name).expect("there");
        let (verdict, answer) = judged(&judge, one, &careless());
        assert_eq!(verdict, Verdict::Fooled(Folly::Data), "{name}");
        assert!(answer.is_ok_and(|answer| answer.ends_with(b"ok\n")), "{name}: it completes, and has its answer");
    }
}

#[test]
fn a_careless_client_still_notices_what_is_not_about_certificates() {
    let (judge, config) = (judge(), careless());
    for name in ["finished-altered", "proof-left-out", "no-certificate", "downgrade-to-1.2", "share-of-zeros", "data-altered"] {
        let (verdict, _) = judged(&judge, catalogue::find(name).expect("there"), &config);
        assert!(matches!(verdict, Verdict::Noticed(Notice::Alert(_))), "{name}: {verdict}");
    }
}

#[test]
fn a_client_whose_clock_stands_comes_back_with_what_has_expired() {
    let judge = judge();
    let clock = Arc::new(Stopped(UnixTime::now()));
    let builder = ClientConfig::builder_with_details(Arc::new(default_provider()), clock).with_safe_default_protocol_versions();
    let config = builder.expect("versions").with_root_certificates(roots(&judge)).with_no_client_auth();
    let (verdict, _) = judged(&judge, catalogue::find("ticket-expired").expect("there"), &Arc::new(config));
    assert_eq!(verdict, Verdict::Fooled(Folly::Offered));
}

#[test]
fn who_comes_only_once_is_not_tried_by_what_is_said_to_who_comes_back() {
    let judge = judge();
    let (address, config) = (judge.address().expect("an address"), careful(&judge));
    let client = thread::spawn(move || ask(address, config));
    assert_eq!(judge.judge(&HONEST_RESUMED, Client::Anybody).expect("judged"), Verdict::Untried);
    assert!(client.join().expect("ends").is_ok(), "its only connection is an honest one");
}

#[test]
fn who_comes_back_without_the_session_is_not_tried() {
    let judge = judge();
    let (address, configs) = (judge.address().expect("an address"), [careful(&judge), careful(&judge)]);
    let client = thread::spawn(move || configs.map(|config| ask(address, config).is_ok()));
    assert_eq!(judge.judge(catalogue::find("resumed-beyond").expect("there"), Client::Anybody).expect("judged"), Verdict::Untried);
    assert_eq!(client.join().expect("ends"), [true, false]);
}

#[test]
fn who_refuses_the_first_connection_is_not_judged_of_the_second() {
    let (judge, other) = (judge(), judge());
    let stranger = careful(&other);
    assert!(matches!(judged(&judge, &HONEST_RESUMED, &stranger).0, Verdict::Refused(Notice::Alert(_))));
    let beyond = catalogue::find("resumed-beyond").expect("there");
    assert_eq!(judged(&judge, beyond, &stranger).0, Verdict::NoClient(Absence::Left));
}

#[test]
fn what_is_no_hello_and_who_does_not_come_are_no_clients() {
    let judge = judge();
    let mut visitor = TcpStream::connect(judge.address().expect("an address")).expect("connects");
    visitor.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("written");
    let verdict = judge.judge(&HONEST, Client::Anybody).expect("judged");
    assert_eq!(verdict.to_string(), "no client (no hello)");
    let nobody = [String::from("true")];
    assert_eq!(judge.judge(&HONEST, Client::Command(&nobody, "")).expect("judged").to_string(), "no client (nobody came)");
}

#[test]
fn a_client_that_hangs_has_gone_on_and_is_ended() {
    // It shakes no hands: a port scanner that waits for more.
    let hangs = ["sh", "-c", "exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 60"].map(String::from);
    let hangs = [&["bash".to_owned()], &hangs[1..]].concat();
    let before = std::time::Instant::now();
    let verdict = judge().judge(&HONEST, Client::Command(&hangs, "")).expect("judged");
    assert_eq!(verdict.to_string(), "no client (no hello)");
    assert!(before.elapsed() < PATIENCE * 6);
}
