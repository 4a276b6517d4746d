//! rustls with aws-lc-rs, in this process: the same protocol code as the box's, over other cryptography.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use e2e::Outcome;
use rustls_std::client::Resumption;
use rustls_std::crypto::aws_lc_rs::{self, kx_group};
use rustls_std::pki_types::pem::PemObject;
use rustls_std::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls_std::{ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, RootCertStore, StreamOwned, version};

use super::{ALPN, Answer, Ask, NAME, body};
use crate::base64;
use crate::group::Group;
use crate::home::Home;
use crate::suite::{Version, iana};

/// A test compares them with `Cargo.lock`.
pub(super) const VERSION: &[&str] = &["rustls 0.23.46 with aws-lc-rs 1.19.0"];
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn ask(_: Home, ask: &Ask) -> Outcome<Answer> {
    let config = Arc::new(config(ask)?);
    if ask.resume {
        get(&config, ask)?;
    }
    get(&config, ask)
}

fn config(ask: &Ask) -> Outcome<ClientConfig> {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(group) = ask.group {
        provider.kx_groups = vec![match group {
            Group::X25519 => kx_group::X25519,
            Group::P256 => kx_group::SECP256R1,
            Group::Hybrid => kx_group::X25519MLKEM768,
        }];
    }
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&ask.root)?)?;
    let only = match ask.version {
        Version::Tls12 => &version::TLS12,
        Version::Tls13 => &version::TLS13,
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[only])?.with_root_certificates(roots);
    let mut config = match &ask.identity {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let chain = CertificateDer::pem_file_iter(&own.chain)?.collect::<Result<Vec<_>, _>>()?;
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&own.key)?)?
        }
    };
    config.alpn_protocols = vec![ALPN.into()];
    config.resumption = Resumption::in_memory_sessions(1);
    Ok(config)
}

fn get(config: &Arc<ClientConfig>, ask: &Ask) -> Outcome<Answer> {
    let tcp = TcpStream::connect_timeout(&ask.address, PATIENCE)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(config), ServerName::try_from(NAME)?)?, tcp);
    stream.write_all(ask.request().as_bytes())?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    let told = &stream.conn;
    let group = told.negotiated_key_exchange_group().map(|group| format!("{:?}", group.name()));
    let suite = told.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_"));
    Ok(Answer {
        version: match told.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => Version::Tls12,
            Some(ProtocolVersion::TLSv1_3) => Version::Tls13,
            other => return Err(format!("version {other:?}").into()),
        },
        suite: suite.as_deref().and_then(iana).ok_or("no suite")?,
        alpn: told.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        group: group.as_deref().and_then(Group::read),
        resumed: told.handshake_kind().map(|kind| kind == HandshakeKind::Resumed),
        chain: told.peer_certificates().unwrap_or_default().iter().map(|one| base64::encode(one)).collect(),
        body: body(&response)?,
        local: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_those_that_are_linked() {
        let lock = include_str!("../../../../Cargo.lock");
        let has = |name: &str, version: &str| lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n"));
        let words: Vec<_> = VERSION[0].split(' ').collect();
        assert!(has(words[0], words[1]) && has(words[3], words[4]), "{words:?}");
    }
}
