//! A child that is backends: it takes every connection, holds it, and sends nothing, or as much as it can.

use std::io::{self, Read, Write};

use e2e::Outcome;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::limits::SLEEP_MAX;
use crate::orders::{Progress, Serve};
use crate::voice::Voice;

/// Carries out the orders until standard input ends.
pub(crate) fn run(orders: &Serve) -> Outcome {
    let mut backends = Backends::new(orders)?;
    let mut voice = Voice::new();
    let mut events = Events::with_capacity(1024);
    while voice.goes_on() {
        voice.say(backends.progress)?;
        backends.poll.poll(&mut events, Some(SLEEP_MAX))?;
        for event in &events {
            backends.turn(event.token().0)?;
        }
    }
    Ok(())
}

/// Listeners have the first tokens; connections those behind them.
struct Backends {
    endless: bool,
    poll: Poll,
    listeners: Vec<TcpListener>,
    connections: Vec<Option<TcpStream>>,
    free: Vec<usize>,
    progress: Progress,
    block: Vec<u8>,
}

impl Backends {
    fn new(orders: &Serve) -> Outcome<Self> {
        let poll = Poll::new()?;
        let mut listeners = Vec::new();
        for (address, index) in orders.addresses.iter().zip(0..) {
            let mut listener = TcpListener::bind(*address)?;
            poll.registry().register(&mut listener, Token(index), Interest::READABLE)?;
            listeners.push(listener);
        }
        let (connections, free, progress, block) = (Vec::new(), Vec::new(), Progress::default(), vec![0x5a; 64 * 1024]);
        Ok(Self { endless: orders.endless, poll, listeners, connections, free, progress, block })
    }

    fn turn(&mut self, token: usize) -> Outcome {
        match token.checked_sub(self.listeners.len()) {
            None => self.accept_all(token),
            Some(index) => {
                self.go_on(index);
                Ok(())
            }
        }
    }

    fn accept_all(&mut self, listener: usize) -> Outcome {
        loop {
            let mut tcp = match self.listeners[listener].accept() {
                Ok((tcp, _)) => tcp,
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(fault) => return Err(fault.into()),
            };
            let index = self.free.pop().unwrap_or(self.connections.len());
            let token = Token(self.listeners.len() + index);
            self.poll.registry().register(&mut tcp, token, Interest::READABLE | Interest::WRITABLE)?;
            if index == self.connections.len() {
                self.connections.push(None);
            }
            self.connections[index] = Some(tcp);
            self.progress.begun += 1;
            self.progress.open += 1;
        }
    }

    fn go_on(&mut self, index: usize) {
        let Some(Some(tcp)) = self.connections.get_mut(index) else { return };
        let goes = swallow(tcp) && (!self.endless || pour(tcp, &self.block));
        if !goes {
            self.connections[index] = None;
            self.free.push(index);
            self.progress.open -= 1;
            self.progress.ended += 1;
        }
    }
}

/// Reads and forgets. Whether the other side goes on.
fn swallow(tcp: &mut TcpStream) -> bool {
    let mut block = [0; 4096];
    loop {
        match tcp.read(&mut block) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(fault) => return fault.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// Sends until nothing more is taken. Whether the other side goes on.
fn pour(tcp: &mut TcpStream, block: &[u8]) -> bool {
    loop {
        match tcp.write(block) {
            Ok(0) => return false,
            Ok(1..) => {}
            Err(fault) => return fault.kind() == io::ErrorKind::WouldBlock,
        }
    }
}
