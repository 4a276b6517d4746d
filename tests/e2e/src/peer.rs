//! Who comes to a contest's doors: certificates by the laboratory's authorities, rustls at both ends, and a bridge between two doors.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use peers::{Authority, Order, Shown};
use rustls_std::client::Resumption;
use rustls_std::crypto::aws_lc_rs;
use rustls_std::pki_types::pem::PemObject;
use rustls_std::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls_std::server::WebPkiClientVerifier;
use rustls_std::sign::{CertifiedKey, SingleCertAndKey};
use rustls_std::version::{TLS12, TLS13};
use rustls_std::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use socket2::{Domain, Socket, Type};

use crate::Outcome;
use crate::client::PATIENCE;
use crate::contest::{Contest, Door};

/// How a prize begins.
pub const PRIZE: &[u8] = b"bountybox-prize 1\n";

/// The authority of a door, whose key the laboratory publishes.
///
/// # Errors
/// When the folder has none.
pub fn authority(contest: &Contest, door: Door) -> Outcome<Authority> {
    let certificate = CertificateDer::from_pem_file(contest.path(&format!("public/authority-{}.pem", door.word())))?;
    let key = contest.text(&format!("lab/authority-{}.pem", door.word()))?;
    Ok(Authority::known(&common_name(door), &certificate, &key).ok_or("no key of an authority")?)
}

/// The name of the authority of a door.
#[must_use]
pub fn common_name(door: Door) -> String {
    format!("bountybox authority of the door {}", door.word())
}

/// What is right at a door.
#[must_use]
pub fn right(door: Door) -> Order {
    if door == Door::Server { Order::for_client(&door.peer()) } else { Order::for_server(&door.peer()) }
}

/// Certificate and key in DER, in files that openssl's `-certform DER -keyform DER` reads, in this folder: the arguments that name them.
///
/// # Errors
/// When they cannot be written.
pub fn files(shown: &Shown, dir: &std::path::Path) -> Outcome<Vec<String>> {
    let (certificate, key) = (dir.join("peer.der"), dir.join("peer.key"));
    fs::write(&certificate, shown.chain.first().ok_or("no certificate")?)?;
    fs::write(&key, &shown.key)?;
    let path = |path: &std::path::Path| path.display().to_string();
    Ok(["-certform", "DER", "-cert", &path(&certificate), "-keyform", "DER", "-key", &path(&key)].map(str::to_owned).to_vec())
}

/// A peer with rustls: it trusts the authority that has signed what the box shows at this door, and shows this.
#[derive(Debug, Clone)]
pub struct Peer {
    door: Door,
    roots: Arc<RootCertStore>,
    identity: Arc<SingleCertAndKey>,
    version: &'static SupportedProtocolVersion,
}

/// What came of a conversation: what was read, and what ended it before its time.
#[derive(Debug)]
pub struct Told {
    /// All that was sent to us.
    pub plain: Vec<u8>,
    /// What TLS or TCP said, unless all was well to the end.
    pub fault: Option<String>,
}

impl Told {
    /// Whether it is the whole prize, and an orderly end.
    #[must_use]
    pub fn is_prize(&self) -> bool {
        self.plain.starts_with(PRIZE) && self.fault.is_none()
    }
}

impl Peer {
    /// See the type. With an even `turn` it speaks TLS 1.3, with an odd one TLS 1.2.
    ///
    /// # Errors
    /// When the folder of the contest is not as it should be, or rustls does not take the key.
    pub fn new(contest: &Contest, door: Door, shown: &Shown, turn: usize) -> Outcome<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(contest.path(&format!("public/authority-{}.pem", door.issuer().word())))?)?;
        let chain = shown.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let key = PrivateKeyDer::try_from(shown.key.clone())?;
        let key = aws_lc_rs::default_provider().key_provider.load_private_key(key)?;
        // Not asked whether they belong together: what was tampered with is shown as it is.
        let identity = Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)));
        let version = if turn.is_multiple_of(2) { &TLS13 } else { &TLS12 };
        Ok(Self { door, roots: Arc::new(roots), identity, version })
    }

    /// Speaks on a connection until the box ends it.
    ///
    /// # Errors
    /// When rustls cannot begin.
    pub fn talk(&self, tcp: TcpStream) -> Outcome<Told> {
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        tcp.set_nodelay(true)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        if self.door == Door::Server {
            let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[self.version])?;
            let builder = builder.with_root_certificates(Arc::clone(&self.roots));
            let mut config = builder.with_client_cert_resolver(Arc::clone(&self.identity) as _);
            config.resumption = Resumption::disabled();
            let tls = ClientConnection::new(Arc::new(config), ServerName::try_from(self.door.own())?)?;
            return Ok(told(&mut StreamOwned::new(tls, tcp)));
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.roots), Arc::clone(&provider)).build()?;
        let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[self.version])?;
        let config = builder.with_client_cert_verifier(verifier).with_cert_resolver(Arc::clone(&self.identity) as _);
        Ok(told(&mut StreamOwned::new(ServerConnection::new(Arc::new(config))?, tcp)))
    }

    /// Goes to its door of the contest, from this address: what came of it, and from where the box was reached.
    ///
    /// # Errors
    /// When there is no connection, or the box does not call back.
    pub fn visit(&self, contest: &Contest, from: Ipv4Addr) -> Outcome<(Told, SocketAddr)> {
        // Who does not listen is not called.
        let listener = (self.door == Door::CallBack).then(|| listen(from, contest.dials())).transpose()?;
        let tcp = connect(from, contest.door(self.door))?;
        let source = tcp.local_addr()?;
        let Some(listener) = listener else { return Ok((self.talk(tcp)?, source)) };
        let (called, _) = accept(&listener).map_err(|fault| format!("{from} was not called back: {fault}"))?;
        Ok((self.talk(called)?, source))
    }
}

fn told(stream: &mut impl Read) -> Told {
    let mut plain = Vec::new();
    let fault = stream.read_to_end(&mut plain).err().map(|fault| fault.to_string());
    Told { plain, fault }
}

/// A connection from this address.
///
/// # Errors
/// What TCP says.
pub fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// A listener at this address, also shortly after another.
///
/// # Errors
/// What TCP says.
pub fn listen(at: Ipv4Addr, port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((at, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The next connection to a listener.
///
/// # Errors
/// When none comes.
pub fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match listener.accept() {
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock && Instant::now() < end => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Err(io::ErrorKind::TimedOut.into()),
            Err(fault) => return Err(fault),
            Ok((stream, from)) => {
                stream.set_nonblocking(false)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                return Ok((stream, from));
            }
        }
    }
}

/// One record that went over a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whether it went from the first end to the second.
    pub forth: bool,
    /// How many went the same way before it.
    pub number: usize,
    /// Its five bytes of header, and what is behind.
    pub bytes: Vec<u8>,
}

/// Carries records between two connections until both have ended, each changed by `change` on its way. What was carried, in order, as it came.
///
/// # Errors
/// When a connection cannot be shared.
pub fn bridge(one: &TcpStream, two: &TcpStream, change: impl Fn(&mut Record) + Sync) -> Outcome<Vec<Record>> {
    let seen = Mutex::new(Vec::new());
    let carry = |from: &TcpStream, to: &TcpStream, forth: bool| -> io::Result<()> {
        let (mut reader, mut writer) = (from, to);
        for number in 0.. {
            let mut bytes = vec![0; 5];
            if reader.read_exact(&mut bytes).is_err() {
                break;
            }
            let mut rest = vec![0; u16::from_be_bytes([bytes[3], bytes[4]]).into()];
            reader.read_exact(&mut rest)?;
            bytes.extend(rest);
            let mut record = Record { forth, number, bytes };
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
            change(&mut record);
            writer.write_all(&record.bytes)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        for (from, to, forth) in [(one, two, true), (two, one, false)] {
            let carry = &carry;
            scope.spawn(move || {
                // Whatever ended it, the other end hears of it.
                let _ = carry(from, to, forth);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    });
    Ok(seen.into_inner().unwrap_or_else(PoisonError::into_inner))
}
