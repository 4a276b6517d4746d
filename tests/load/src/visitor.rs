//! One client: a non-blocking socket, and what its manner makes of it. Once a handshake is done and TLS is no longer needed, the socket alone is kept.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::io::{self, Read, Write};
use std::sync::Arc;

use e2e::Outcome;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use rustls_std::pki_types::ServerName;
use rustls_std::{ClientConfig, ClientConnection};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::orders::Manner;

/// The receive buffer of who never reads, in bytes; the kernel doubles it.
const DEAF_BUFFER: usize = 8 * 1024;

/// What all clients of a child have in common.
#[derive(Debug)]
pub(crate) struct Makings {
    pub(crate) manner: Manner,
    pub(crate) target: SocketAddr,
    pub(crate) name: ServerName<'static>,
    pub(crate) tls: Arc<ClientConfig>,
    /// A whole hello, as it stands in its record.
    pub(crate) hello: Vec<u8>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Visitor {
    tcp: TcpStream,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Connecting,
    Shaking(Box<ClientConnection>),
    /// It says so much of its hello and then nothing, or byte by byte.
    Saying(usize),
    /// It stands, and says no more.
    Standing,
    /// It stands, and says a byte now and then.
    Speaking(Box<ClientConnection>),
}

/// What an event came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Goes,
    /// It has come to stand.
    Stands,
    /// The other side has ended it.
    Ended,
}

impl Visitor {
    /// Begins to connect from `source`.
    pub(crate) fn begin(makings: &Makings, source: Ipv4Addr, registry: &Registry, token: Token) -> Outcome<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        // It leaves by a RST, and nothing of it stays in this host's kernel.
        socket.set_linger(Some(Duration::ZERO))?;
        if makings.manner == Manner::Deaf {
            socket.set_recv_buffer_size(DEAF_BUFFER)?;
        }
        socket.bind(&SockAddr::from(SocketAddr::from((source, 0))))?;
        match socket.connect(&SockAddr::from(makings.target)) {
            Err(fault) if fault.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => return Err(fault.into()),
            Ok(()) | Err(_) => {}
        }
        let mut tcp = TcpStream::from_std(socket.into());
        registry.register(&mut tcp, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { tcp, stage: Stage::Connecting })
    }

    /// The socket is ready for something, or broken.
    pub(crate) fn ready(&mut self, makings: &Makings, event: &Event) -> Turn {
        if event.is_error() || event.is_write_closed() {
            return Turn::Ended;
        }
        self.go_on(makings, event.is_writable()).unwrap_or(Turn::Ended)
    }

    fn go_on(&mut self, makings: &Makings, writable: bool) -> Outcome<Turn> {
        match &mut self.stage {
            Stage::Connecting if !writable => Ok(Turn::Goes),
            Stage::Connecting => self.connected(makings),
            Stage::Shaking(tls) => {
                pump(tls, &mut self.tcp)?;
                if tls.is_handshaking() || tls.wants_write() { Ok(Turn::Goes) } else { Ok(self.shaken(makings.manner)) }
            }
            Stage::Speaking(tls) => pump(tls, &mut self.tcp).map(|()| Turn::Goes),
            Stage::Standing if makings.manner == Manner::Deaf => Ok(Turn::Goes),
            Stage::Standing | Stage::Saying(_) => Ok(swallow(&mut self.tcp)),
        }
    }

    fn connected(&mut self, makings: &Makings) -> Outcome<Turn> {
        let hello_len = makings.hello.len();
        let say = match makings.manner {
            Manner::Silent => 0,
            Manner::HalfHello => hello_len / 2,
            Manner::WholeHello => hello_len,
            Manner::DripHello => 1,
            Manner::Idle | Manner::DripStream | Manner::Deaf => {
                self.stage = Stage::Shaking(Box::new(ClientConnection::new(Arc::clone(&makings.tls), makings.name.clone())?));
                return self.go_on(makings, true);
            }
        };
        self.tcp.write_all(makings.hello.get(..say).unwrap_or_default())?;
        self.stage = Stage::Saying(say);
        Ok(Turn::Stands)
    }

    fn shaken(&mut self, manner: Manner) -> Turn {
        match core::mem::replace(&mut self.stage, Stage::Standing) {
            Stage::Shaking(tls) if manner == Manner::DripStream => self.stage = Stage::Speaking(tls),
            _ => {}
        }
        Turn::Stands
    }

    /// It is time for one byte more.
    pub(crate) fn drip(&mut self, makings: &Makings) -> Turn {
        self.one_byte(makings).map_or(Turn::Ended, |()| Turn::Goes)
    }

    fn one_byte(&mut self, makings: &Makings) -> Outcome {
        match &mut self.stage {
            Stage::Saying(said) if makings.manner == Manner::DripHello => {
                let byte = makings.hello.get(*said..=*said).unwrap_or_default();
                self.tcp.write_all(byte)?;
                *said += byte.len();
            }
            Stage::Speaking(tls) => {
                tls.writer().write_all(b"x")?;
                flush(tls, &mut self.tcp)?;
            }
            Stage::Connecting | Stage::Shaking(_) | Stage::Saying(_) | Stage::Standing => {}
        }
        Ok(())
    }
}

/// Moves what can be moved; that the other side has ended is an error.
fn pump(tls: &mut ClientConnection, tcp: &mut TcpStream) -> Outcome {
    flush(tls, tcp)?;
    loop {
        match tls.read_tls(tcp) {
            Ok(0) => return Err("ended".into()),
            Ok(_) => {
                tls.process_new_packets()?;
            }
            Err(fault) if again(&fault) => break,
            Err(fault) => return Err(fault.into()),
        }
    }
    flush(tls, tcp)
}

fn flush(tls: &mut ClientConnection, tcp: &mut TcpStream) -> Outcome {
    while tls.wants_write() {
        match tls.write_tls(tcp) {
            Ok(_) => {}
            Err(fault) if again(&fault) => break,
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(())
}

/// Reads and forgets: tickets, an alert.
fn swallow(tcp: &mut TcpStream) -> Turn {
    let mut block = [0; 4096];
    loop {
        match tcp.read(&mut block) {
            Ok(0) => return Turn::Ended,
            Ok(_) => {}
            Err(fault) if again(&fault) => return Turn::Goes,
            Err(_) => return Turn::Ended,
        }
    }
}

fn again(fault: &io::Error) -> bool {
    matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
