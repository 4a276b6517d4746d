//! One TLS client connection on a non-blocking socket.

use core::net::SocketAddr;
use std::io::{self, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls_std::pki_types::ServerName;
use rustls_std::{ClientConfig, ClientConnection, HandshakeKind};

use crate::Outcome;

/// A client connection.
#[derive(Debug)]
pub(crate) struct Connection {
    tls: ClientConnection,
    tcp: TcpStream,
}

impl Connection {
    /// Starts connecting.
    pub(crate) fn open(address: SocketAddr, config: &Arc<ClientConfig>, registry: &Registry, token: Token) -> Outcome<Self> {
        let mut tcp = TcpStream::connect(address)?;
        let tls = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
        registry.register(&mut tcp, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { tls, tcp })
    }

    /// Moves what can be moved. Returns whether the peer has ended.
    pub(crate) fn pump(&mut self) -> Outcome<bool> {
        self.flush()?;
        let mut ended = false;
        loop {
            match self.tls.read_tls(&mut self.tcp) {
                Ok(0) => {
                    ended = true;
                    break;
                }
                Ok(_) => {
                    self.tls.process_new_packets()?;
                }
                Err(fault) if again(&fault) => break,
                // rustls' own buffer is full: the caller reads plaintext first.
                Err(fault) if fault.kind() == io::ErrorKind::Other => break,
                Err(fault) => return Err(fault.into()),
            }
        }
        self.flush()?;
        Ok(ended)
    }

    /// Writes what TLS has queued.
    pub(crate) fn flush(&mut self) -> Outcome {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.tcp) {
                Ok(_) => {}
                Err(fault) if again(&fault) => break,
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    /// Whether the handshake goes on.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Whether a session was resumed.
    pub(crate) fn resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Queues plaintext.
    pub(crate) fn say(&mut self, plain: &[u8]) -> Outcome {
        self.tls.writer().write_all(plain)?;
        self.flush()
    }

    /// Reads plaintext into `block`: 0 when there is none now.
    pub(crate) fn read(&mut self, block: &mut [u8]) -> Outcome<usize> {
        match self.tls.reader().read(block) {
            Ok(count) => Ok(count),
            Err(fault) if again(&fault) => Ok(0),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Ends it: `close_notify`, then FIN by dropping it.
    pub(crate) fn close(mut self, registry: &Registry) -> Outcome {
        self.tls.send_close_notify();
        self.flush()?;
        Ok(registry.deregister(&mut self.tcp)?)
    }
}

fn again(fault: &io::Error) -> bool {
    matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected | io::ErrorKind::Interrupted)
}
