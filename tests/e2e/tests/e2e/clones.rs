//! Cells of one configuration share nothing random (ATTACKS H2): not a second box, and not a box whose tender was killed.
//!
//! What a cell draws is seen from outside: the random of each `ServerHello` and the X25519 share that goes with it. All of it is cut into pieces at every offset,
//! so that a stream that is met again is known even where it has another beginning. And a ticket of one cell is none to the next.

use core::time::Duration;
use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use e2e::running::CELL;
use e2e::{Config, Machine, Net, Outcome, Place, Running, backend, client, ensure};
use rustls_std::crypto::aws_lc_rs::kx_group::X25519;
use rustls_std::pki_types::ServerName;
use rustls_std::{ClientConfig, ClientConnection, HandshakeKind};

/// Handshakes with each cell.
const HANDSHAKES: usize = 32;
/// Two random pieces of this length are never equal: the test looks at some 5,000.
const PIECE_LEN: usize = 8;
/// Of a `ServerHello`'s random and of an X25519 share.
const DRAWN_LEN: usize = 32;
/// From the record's first byte to the random: record header (5), message header (4), version (2); RFC 8446 section 4.1.3.
const RANDOM_AT: usize = 11;
/// The head of the only share that a `ServerHello` holds: the extension, its length, x25519, the length (RFC 8446 section 4.2.8).
const SHARE_HEAD: [u8; 8] = [0, 51, 0, 36, 0, 29, 0, 32];
/// Another port than the first box's.
const SECOND_PORT: u16 = 18_447;

pub(crate) fn share_nothing(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let config = Config::one_route(&[answer.address()]);
    let mut seen = Seen::default();
    let running = Running::start(place, &config)?;
    seen.harvest(&running)?;
    let visitor = client::config(None)?;
    ensure(visit(&running, &visitor)? == HandshakeKind::Full, "a client that was never there resumes")?;
    ensure(visit(&running, &visitor)? == HandshakeKind::Resumed, "a ticket is none even to its own cell: the test is blind")?;

    replace_cell(&running)?;
    seen.harvest(&running)?;
    ensure(visit(&running, &visitor)? == HandshakeKind::Full, "a fresh cell takes a ticket of the one before")?;

    let second_place = Place::new(place.machine, Net::User)?.on_port(SECOND_PORT + u16::from(place.machine == Machine::Process));
    let second = Running::start(&second_place, &config)?;
    seen.harvest(&second)?;
    ensure(visit(&second, &visitor)? == HandshakeKind::Full, "a box takes a ticket of another that shares no ticket key")
}

/// Kills the tender, and waits until the next cell serves.
fn replace_cell(running: &Running) -> Outcome {
    running.kill(CELL)?;
    running.wait_for_count("ready", 2, Duration::from_secs(20))
}

/// Asks a question, which is what brings tickets, and says how the handshake went.
fn visit(running: &Running, config: &Arc<ClientConfig>) -> Outcome<HandshakeKind> {
    let mut stream = client::connect_as(running.address(), "localhost", config)?;
    ensure(client::ask(&mut stream, "who?\n")? == "answer to who?\n", "no answer")?;
    Ok(stream.conn.handshake_kind().ok_or("no handshake")?)
}

/// All pieces of what cells have drawn.
#[derive(Debug, Default)]
struct Seen {
    pieces: HashSet<[u8; PIECE_LEN]>,
}

impl Seen {
    fn harvest(&mut self, running: &Running) -> Outcome {
        let config = client::config(Some(&[X25519]))?;
        for _ in 0..HANDSHAKES {
            for drawn in server_hello(running, &config)? {
                for piece in drawn.array_windows() {
                    ensure(self.pieces.insert(*piece), format!("{piece:02x?} of {drawn:02x?} was seen before"))?;
                }
            }
        }
        Ok(())
    }
}

/// The random and the share of one `ServerHello`.
fn server_hello(running: &Running, config: &Arc<ClientConfig>) -> Outcome<[[u8; DRAWN_LEN]; 2]> {
    let mut tls = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
    let mut tcp = TcpStream::connect(running.address())?;
    tcp.set_read_timeout(Some(client::PATIENCE))?;
    tcp.write_all(&client::hello_bytes(&mut tls)?)?;
    let (end, mut heard, mut chunk) = (Instant::now() + client::PATIENCE, Vec::new(), [0; 4096]);
    loop {
        if let (Some(random), Some(share)) = (drawn_at(&heard, RANDOM_AT), share(&heard)) {
            return Ok([random, share]);
        }
        let len = tcp.read(&mut chunk)?;
        ensure(len > 0 && Instant::now() < end, format!("no ServerHello in {} bytes", heard.len()))?;
        heard.extend_from_slice(chunk.get(..len).unwrap_or_default());
    }
}

fn share(heard: &[u8]) -> Option<[u8; DRAWN_LEN]> {
    let head = heard.windows(SHARE_HEAD.len()).position(|window| window == SHARE_HEAD)?;
    drawn_at(heard, head + SHARE_HEAD.len())
}

fn drawn_at(heard: &[u8], at: usize) -> Option<[u8; DRAWN_LEN]> {
    heard.get(at..)?.first_chunk().copied()
}
