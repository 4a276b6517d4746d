//! The clients: one thread, one event loop, TLS 1.3, X25519, and no more work than a client must do.
//!
//! The certificate is not verified (the verification of its signature would make the generator the bottleneck); every subject gets the same
//! treatment. Tickets are used where a job is about them, and not kept where none is.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use mio::{Events, Poll, Token};
use rustls_std::client::Resumption;
use rustls_std::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls_std::crypto::aws_lc_rs;
use rustls_std::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_std::{ClientConfig, DigitallySignedStruct, SignatureScheme, version};

use crate::Outcome;
use crate::connection::Connection;
use crate::tickets::Tickets;

/// What one connection does once it is open.
pub(crate) trait Script {
    /// The handshake is done. `false` ends the connection.
    fn opened(&mut self, connection: &mut Connection) -> Outcome<bool>;
    /// Plaintext may have come. `false` ends the connection.
    fn readable(&mut self, connection: &mut Connection) -> Outcome<bool>;
}

/// What a run of the generator came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally {
    /// Handshakes finished.
    pub(crate) handshakes: u32,
    /// Those of them that resumed a session.
    pub(crate) resumed: u32,
    /// How long it ran.
    pub(crate) elapsed: Duration,
}

/// A generator of connections.
#[derive(Debug)]
pub(crate) struct Generator {
    config: Arc<ClientConfig>,
    address: core::net::SocketAddr,
    poll: Poll,
}

struct Slot<S> {
    connection: Connection,
    script: S,
    open: bool,
}

impl Generator {
    /// One whose clients make full handshakes.
    pub(crate) fn new(address: core::net::SocketAddr) -> Outcome<Self> {
        Self::with(address, Resumption::disabled())
    }

    /// One whose clients resume with these tickets.
    pub(crate) fn resuming(address: core::net::SocketAddr, tickets: &Arc<Tickets>) -> Outcome<Self> {
        let tickets: Arc<Tickets> = Arc::clone(tickets);
        Self::with(address, Resumption::store(tickets))
    }

    fn with(address: core::net::SocketAddr, resumption: Resumption) -> Outcome<Self> {
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
        provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256];
        let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[&version::TLS13])?;
        let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified)).with_no_client_auth();
        config.resumption = resumption;
        Ok(Self { config: Arc::new(config), address, poll: Poll::new()? })
    }

    /// Keeps `concurrency` connections going, each with a script of its own, and replaces those that end, for `duration`.
    pub(crate) fn run<S: Script>(&mut self, concurrency: usize, duration: Duration, mut script: impl FnMut() -> S) -> Outcome<Tally> {
        let mut slots = Vec::new();
        for index in 0..concurrency {
            slots.push(self.open(index, script())?);
        }
        let mut events = Events::with_capacity(1024);
        let start = Instant::now();
        let (mut handshakes, mut resumed) = (0, 0);
        while start.elapsed() < duration {
            self.poll.poll(&mut events, Some(Duration::from_millis(100)))?;
            for event in &events {
                let index = event.token().0;
                let (done, finished) = turn(&mut slots[index])?;
                handshakes += u32::from(finished);
                resumed += u32::from(finished && slots[index].connection.resumed());
                if done {
                    let next = self.open(index, script())?;
                    core::mem::replace(&mut slots[index], next).connection.close(self.poll.registry())?;
                }
            }
        }
        Ok(Tally { handshakes, resumed, elapsed: start.elapsed() })
    }

    /// Opens `count` connections, `window` at a time, and hands them over once all are open.
    pub(crate) fn hold(&mut self, count: usize) -> Outcome<Vec<Connection>> {
        const WINDOW: usize = 64;
        let mut held = Vec::new();
        while held.len() < count {
            let batch = WINDOW.min(count - held.len());
            let mut slots: Vec<_> = (0..batch).map(|index| self.open(index, Idle)).collect::<Outcome<_>>()?;
            let mut events = Events::with_capacity(1024);
            let end = Instant::now() + Duration::from_secs(20);
            while slots.iter().any(|slot| !slot.open) {
                if Instant::now() > end {
                    return Err(format!("only {} connections could be opened", held.len()).into());
                }
                self.poll.poll(&mut events, Some(Duration::from_millis(100)))?;
                for event in &events {
                    if let Some(slot) = slots.get_mut(event.token().0) {
                        turn(slot)?;
                    }
                }
            }
            held.extend(slots.into_iter().map(|slot| slot.connection));
        }
        Ok(held)
    }

    fn open<S: Script>(&self, index: usize, script: S) -> Outcome<Slot<S>> {
        let connection = Connection::open(self.address, &self.config, self.poll.registry(), Token(index))?;
        Ok(Slot { connection, script, open: false })
    }
}

/// Moves one connection on: whether it is done, and whether its handshake has just finished.
fn turn<S: Script>(slot: &mut Slot<S>) -> Outcome<(bool, bool)> {
    let ended = slot.connection.pump()?;
    let mut finished = false;
    if !slot.open && !slot.connection.is_handshaking() {
        slot.open = true;
        finished = true;
        if !slot.script.opened(&mut slot.connection)? {
            return Ok((true, true));
        }
    }
    if slot.open && !slot.script.readable(&mut slot.connection)? {
        return Ok((true, finished));
    }
    if ended {
        return Err("the server ended a connection by itself".into());
    }
    Ok((false, finished))
}

struct Idle;

impl Script for Idle {
    fn opened(&mut self, _: &mut Connection) -> Outcome<bool> {
        Ok(true)
    }

    fn readable(&mut self, _: &mut Connection) -> Outcome<bool> {
        Ok(true)
    }
}

/// Takes any certificate: see the top of this file.
#[derive(Debug)]
struct Unverified;

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls_std::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls_std::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls_std::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
