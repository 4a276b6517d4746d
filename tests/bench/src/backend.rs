//! The plain backend: one thread, one event loop. A request line `GET /N` is answered with N bytes of body over HTTP/1.1 keep-alive.

use core::fmt::Write as _;
use core::net::SocketAddr;
use std::io::{self, Read, Write};
use std::thread;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::{Outcome, cpu};

/// The listener's token; connections have those above.
const LISTENER: Token = Token(0);

/// A running backend; it ends with the process.
#[derive(Debug)]
pub(crate) struct Backend {
    address: SocketAddr,
}

struct Client {
    tcp: TcpStream,
    request: Vec<u8>,
    head: Vec<u8>,
    body_left: usize,
}

impl Backend {
    pub(crate) fn start() -> Outcome<Self> {
        let mut listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
        let address = listener.local_addr()?;
        let mut poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        thread::spawn(move || {
            let _ = cpu::pin(cpu::GENERATOR);
            let _ = serve(&mut poll, &listener);
        });
        Ok(Self { address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn serve(poll: &mut Poll, listener: &TcpListener) -> io::Result<()> {
    let mut clients: Vec<Option<Client>> = Vec::new();
    let mut free = Vec::new();
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                accept_all(poll, listener, &mut clients, &mut free);
                continue;
            }
            let index = event.token().0 - 1;
            let Some(slot) = clients.get_mut(index) else { continue };
            let ended = slot.as_mut().is_none_or(|client| client.turn().unwrap_or(true));
            if ended && slot.take().is_some() {
                free.push(index);
            }
        }
    }
}

fn accept_all(poll: &Poll, listener: &TcpListener, clients: &mut Vec<Option<Client>>, free: &mut Vec<usize>) {
    while let Ok((mut tcp, _)) = listener.accept() {
        let index = free.pop().unwrap_or_else(|| {
            clients.push(None);
            clients.len() - 1
        });
        let _ = tcp.set_nodelay(true);
        if poll.registry().register(&mut tcp, Token(index + 1), Interest::READABLE | Interest::WRITABLE).is_ok() {
            clients[index] = Some(Client { tcp, request: Vec::new(), head: Vec::new(), body_left: 0 });
        }
    }
}

impl Client {
    /// Reads requests, writes answers. Returns whether the connection has ended.
    fn turn(&mut self) -> io::Result<bool> {
        let mut block = [0; 4096];
        loop {
            if !self.write()? {
                return Ok(false);
            }
            match self.tcp.read(&mut block) {
                Ok(0) => return Ok(true),
                Ok(count) => self.request.extend_from_slice(&block[..count]),
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(fault) => return Err(fault),
            }
            self.answer();
        }
    }

    fn answer(&mut self) {
        let Some(end) = self.request.windows(4).position(|four| four == b"\r\n\r\n") else { return };
        let line = String::from_utf8_lossy(&self.request[..end]).into_owned();
        self.request.drain(..end + 4);
        let path = line.split_whitespace().nth(1).unwrap_or("/0");
        self.body_left = path.trim_start_matches('/').parse().unwrap_or(0);
        let mut head = String::new();
        let _ = write!(head, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", self.body_left);
        self.head = head.into_bytes();
        // A small answer leaves in one write.
        if self.body_left <= 16 * 1024 {
            self.head.resize(self.head.len() + self.body_left, b'b');
            self.body_left = 0;
        }
    }

    /// Whether everything is written.
    fn write(&mut self) -> io::Result<bool> {
        static BODY: [u8; 256 * 1024] = [b'b'; 256 * 1024];
        loop {
            let from_head = !self.head.is_empty();
            let bytes = if from_head { &self.head[..] } else { &BODY[..self.body_left.min(BODY.len())] };
            if bytes.is_empty() {
                return Ok(true);
            }
            match self.tcp.write(bytes) {
                Ok(count) if from_head => drop(self.head.drain(..count)),
                Ok(count) => self.body_left -= count,
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(fault) => return Err(fault),
            }
        }
    }
}
