//! Servers on rustls, with what is commonly forgotten.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};

use e2e::backend::Backend;
use e2e::{Outcome, keys_dir};
use rustls_std::client::danger::HandshakeSignatureValid;
use rustls_std::crypto::aws_lc_rs;
use rustls_std::pki_types::pem::PemObject;
use rustls_std::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls_std::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls_std::server::{NoClientAuth, ProducesTickets};
use rustls_std::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, ServerConnection, SignatureScheme};

use super::{Naive, obliging};
use crate::witness::Witness;

pub(super) fn start(naive: Naive, witness: Witness) -> Outcome<Backend> {
    let (config, alone) = (Arc::new(config(naive)?), Mutex::new(()));
    Ok(Backend::start(move |stream| {
        let turn = (naive == Naive::OneAtATime).then(|| alone.lock());
        let served = serve(naive, stream, ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?, &witness);
        drop(turn);
        served
    })?)
}

fn config(naive: Naive) -> Outcome<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(keys_dir()?.join("chain.pem"))?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(keys_dir()?.join("key.pem"))?;
    let verifier: Arc<dyn ClientCertVerifier> = if naive == Naive::Credulous { Arc::new(Credulous) } else { Arc::new(NoClientAuth) };
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions()?;
    let mut config = builder.with_client_cert_verifier(verifier).with_single_cert(chain, key)?;
    match naive {
        Naive::SharedTickets | Naive::Obliging => config.ticketer = Arc::new(Plain),
        Naive::Eager => config.max_early_data_size = 16 * 1024,
        _ => {}
    }
    Ok(config)
}

fn serve(naive: Naive, mut stream: TcpStream, mut tls: ServerConnection, witness: &Witness) -> io::Result<()> {
    if naive == Naive::Obliging && obliging::takes_ticket(&mut stream)? {
        return Ok(());
    }
    while tls.is_handshaking() {
        step(naive, &mut stream, &mut tls)?;
    }
    match naive {
        Naive::Deaf => io::copy(&mut stream, &mut io::sink()).map(drop),
        Naive::Spinning => spin(&mut stream, &mut tls),
        _ => converse(naive, &mut stream, &mut tls, witness),
    }
}

/// Takes what has come, and says what is to be said.
fn step(naive: Naive, stream: &mut TcpStream, tls: &mut ServerConnection) -> io::Result<bool> {
    let read = if naive == Naive::Deaf { read_record(stream, tls)? } else { tls.read_tls(stream)? };
    let processed = tls.process_new_packets();
    if processed.is_err() && naive == Naive::Hasty {
        return processed.map(|_| false).map_err(io::Error::other);
    }
    while tls.wants_write() {
        tls.write_tls(stream)?;
    }
    processed.map_err(io::Error::other)?;
    if read == 0 && tls.is_handshaking() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read > 0) }
}

/// Reads one record and no more: what is behind it must not be seen.
fn read_record(stream: &mut TcpStream, tls: &mut ServerConnection) -> io::Result<usize> {
    let mut record = vec![0; 5];
    stream.read_exact(&mut record)?;
    let len = 5 + usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(len, 0);
    stream.read_exact(record.get_mut(5..).unwrap_or_default())?;
    let mut rest = &record[..];
    while !rest.is_empty() {
        tls.read_tls(&mut rest)?;
    }
    Ok(len)
}

/// A line, its answer, and what follows.
fn converse(naive: Naive, stream: &mut TcpStream, tls: &mut ServerConnection, witness: &Witness) -> io::Result<()> {
    let mut plain = Vec::new();
    let line = loop {
        take_plain(tls, &mut plain)?;
        if let Some(end) = plain.iter().position(|byte| *byte == b'\n') {
            break plain.drain(..=end).collect::<Vec<_>>();
        }
        if !step(naive, stream, tls)? {
            return Ok(());
        }
    };
    let line = String::from_utf8_lossy(&line).into_owned();
    tls.writer().write_all(format!("answer to {line}").as_bytes())?;
    if !line.contains("stay") {
        tls.send_close_notify();
    }
    while tls.wants_write() {
        tls.write_tls(stream)?;
    }
    witness.listen(&line, &mut Following { naive, stream, tls, plain });
    stream.shutdown(Shutdown::Both)
}

fn take_plain(tls: &mut ServerConnection, plain: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 4096];
    loop {
        match tls.reader().read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(len) => plain.extend_from_slice(part.get(..len).unwrap_or_default()),
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(fault) => return Err(fault),
        }
    }
}

/// What the backend reads of the rest of the stream.
struct Following<'a> {
    naive: Naive,
    stream: &'a mut TcpStream,
    tls: &'a mut ServerConnection,
    plain: Vec<u8>,
}

impl Read for Following<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.plain.is_empty() {
            let more = step(self.naive, self.stream, self.tls);
            take_plain(self.tls, &mut self.plain)?;
            // Here an end is an end, whoever made it: nobody asks for close_notify.
            if !more.unwrap_or(false) && self.plain.is_empty() {
                return Ok(0);
            }
        }
        let len = out.len().min(self.plain.len());
        self.plain.drain(..len).zip(out).for_each(|(byte, out)| *out = byte);
        Ok(len)
    }
}

/// Reads until there is plaintext, which behind a close_notify there never is.
fn spin(stream: &mut TcpStream, tls: &mut ServerConnection) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let mut plain = Vec::new();
    while plain.len() < usize::from(u16::MAX) {
        let mut first = [0];
        if let Ok(0) = stream.peek(&mut first) {
            return Ok(());
        }
        let _ = tls.read_tls(stream);
        tls.process_new_packets().map_err(io::Error::other)?;
        take_plain(tls, &mut plain)?;
    }
    Ok(())
}

/// Tickets that are their own contents: whoever has one may change it, and it opens everywhere.
#[derive(Debug)]
struct Plain;

impl ProducesTickets for Plain {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        7200
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        Some(plain.to_vec())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        Some(cipher.to_vec())
    }
}

/// Asks for a certificate, and believes whatever it is shown.
#[derive(Debug)]
struct Credulous;

impl ClientCertVerifier for Credulous {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

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
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
