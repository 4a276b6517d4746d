//! rustls with aws-lc-rs as a judged client: a command of this program.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use e2e::Outcome;
use rustls_std::crypto::aws_lc_rs::default_provider;
use rustls_std::pki_types::pem::PemObject;
use rustls_std::pki_types::{CertificateDer, ServerName};
use rustls_std::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A test compares it with `Cargo.lock`.
pub(crate) const VERSION: &str = "rustls 0.23.46 with aws-lc-rs";
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks; and once more, with what it remembers, if it is to resume.
///
/// # Errors
/// Whatever the client does not like.
pub(crate) fn ask(arguments: &[String]) -> Outcome {
    let [address, port, name, root, times] = arguments else { return Err("ADDRESS PORT NAME ROOT once|resume".into()) };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root)?)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions()?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let (config, place) = (Arc::new(config), (address.as_str(), port.parse()?));
    if times == "resume" {
        ask_once(&config, place, name)?;
    }
    ask_once(&config, place, name)
}

fn ask_once(config: &Arc<ClientConfig>, place: (&str, u16), name: &str) -> Outcome {
    let tcp = TcpStream::connect(place)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    let name = ServerName::try_from(name.to_owned())?;
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(config), name)?, tcp);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_linked() {
        let lock = include_str!("../../../Cargo.lock");
        let words: Vec<&str> = VERSION.split(' ').collect();
        assert!(lock.contains(&format!("name = \"{}\"\nversion = \"{}\"\n", words[0], words[1])));
    }
}
