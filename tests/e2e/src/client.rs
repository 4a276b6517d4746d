//! TLS clients: rustls with aws-lc-rs in this process, and what the tests need round it.

use core::net::SocketAddr;
use core::time::Duration;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls_std::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls_std::pki_types::pem::PemObject;
use rustls_std::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls_std::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::{Outcome, keys_dir};

/// No step of a test waits longer for the network.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A connected client.
pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A configuration that trusts the tests' CA and offers `groups`, or rustls' default groups.
///
/// # Errors
/// When the CA cannot be read.
pub fn config(groups: Option<&[&'static dyn SupportedKxGroup]>) -> Outcome<Arc<ClientConfig>> {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(groups) = groups {
        provider.kx_groups = groups.to_vec();
    }
    with_provider(provider)
}

/// A configuration that offers ChaCha20-Poly1305 and nothing else.
///
/// # Errors
/// When the CA cannot be read.
pub fn chacha_only() -> Outcome<Arc<ClientConfig>> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| format!("{:?}", suite.suite()).contains("CHACHA20"));
    with_provider(provider)
}

/// A configuration that speaks TLS 1.2 and nothing else.
///
/// # Errors
/// When the CA cannot be read.
pub fn tls12_only() -> Outcome<Arc<ClientConfig>> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| suite.tls13().is_none());
    with_provider(provider)
}

/// A configuration that shows a certificate when it is asked; both files are PEM.
///
/// # Errors
/// When a file cannot be read.
pub fn showing(chain: &Path, key: &Path) -> Outcome<Arc<ClientConfig>> {
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots()?).with_client_auth_cert(chain, key)?))
}

/// A configuration that trusts these authorities (PEM) alone, and resumes nothing: each handshake shows a certificate.
///
/// # Errors
/// When a file cannot be read.
pub fn trusting(authorities: &[&Path]) -> Outcome<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(CertificateDer::from_pem_file(authority)?)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions()?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.resumption = rustls_std::client::Resumption::disabled();
    Ok(Arc::new(config))
}

fn roots() -> Outcome<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(keys_dir()?.join("ca.pem"))?)?)?;
    Ok(roots)
}

fn with_provider(provider: CryptoProvider) -> Outcome<Arc<ClientConfig>> {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots()?).with_no_client_auth()))
}

/// Connects to `address` with the server name `name`, and finishes the handshake.
///
/// # Errors
/// What TCP or TLS say.
pub fn connect_as(address: SocketAddr, name: &str, config: &Arc<ClientConfig>) -> Outcome<Stream> {
    let tcp = TcpStream::connect_timeout(&address, PATIENCE)?;
    tcp.set_nodelay(true)?;
    finish(tcp, name, config)
}

/// Finishes a handshake on an open connection.
///
/// # Errors
/// What TCP or TLS say.
pub fn finish(mut tcp: TcpStream, name: &str, config: &Arc<ClientConfig>) -> Outcome<Stream> {
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    let mut tls = ClientConnection::new(Arc::clone(config), ServerName::try_from(name.to_owned())?)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    Ok(StreamOwned::new(tls, tcp))
}

/// Connects as `localhost`.
///
/// # Errors
/// What TCP or TLS say.
pub fn connect(address: SocketAddr) -> Outcome<Stream> {
    connect_as(address, "localhost", &config(None)?)
}

/// Sends `line` and reads until the peer's `close_notify`.
///
/// # Errors
/// What TCP or TLS say; a missing `close_notify` too.
pub fn ask(stream: &mut Stream, line: &str) -> Outcome<String> {
    stream.write_all(line.as_bytes())?;
    stream.flush()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Writes what TLS has queued, and reads nothing.
///
/// # Errors
/// What TCP says.
pub fn write_out(stream: &mut Stream) -> io::Result<()> {
    while stream.conn.wants_write() {
        stream.conn.write_tls(&mut stream.sock)?;
    }
    Ok(())
}

/// A `ClientHello` as rustls makes it, in one record.
///
/// # Errors
/// When rustls makes none.
pub fn hello_bytes(tls: &mut ClientConnection) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    tls.write_tls(&mut bytes)?;
    Ok(bytes)
}

/// The same handshake message, cut into records of `size` payload bytes (RFC 8446 section 5.1).
#[must_use]
pub fn cut_into_records(record: &[u8], size: usize) -> Vec<u8> {
    let (header, message) = record.split_at(5.min(record.len()));
    let mut cut = Vec::new();
    for piece in message.chunks(size) {
        cut.extend_from_slice(&header[..3]);
        cut.extend_from_slice(&u16::try_from(piece.len()).unwrap_or(0).to_be_bytes());
        cut.extend_from_slice(piece);
    }
    cut
}
