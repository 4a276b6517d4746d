//! One TCP connection in user space. It does only what its caller says: no timer, no retransmission, no answer to a RST. `Read` and `Write` are there
//! for those who want a stream on top, and acknowledge what comes in order.

use core::time::Duration;
use std::io::{self, Read, Write};
use std::sync::{Arc, Weak};
use std::time::Instant;

use crate::{Path, Seen, Segment, Tcp, Wire, flag};

/// What a step waits at first.
const PATIENCE: Duration = Duration::from_secs(5);
/// Data of a segment that [`Write`] sends.
const PAYLOAD_LEN_MAX: usize = 1400;

/// See the module.
#[derive(Debug)]
pub struct Peer {
    wire: Wire,
    path: Path,
    /// The next sequence number to send.
    pub next: u32,
    /// The next sequence number that is expected.
    pub expected: u32,
    /// The last acknowledgement that came.
    pub acknowledged: u32,
    /// The window field to send.
    pub window: u16,
    /// The last window field that came.
    pub offered: u16,
    /// The other end's scale, if both scale.
    pub scale: u8,
    /// No step waits longer.
    pub patience: Duration,
    /// Data that came in order, not yet read.
    unread: Vec<u8>,
    /// The other end has sent its FIN.
    pub finished: bool,
    /// The other end has sent a RST.
    pub reset: bool,
    life: Arc<()>,
}

impl Peer {
    /// A connection that is still closed.
    #[must_use]
    pub fn new(wire: Wire, path: Path, first: u32) -> Self {
        Self {
            wire,
            path,
            next: first,
            expected: 0,
            acknowledged: first,
            window: 64_240,
            offered: 0,
            scale: 0,
            patience: PATIENCE,
            unread: Vec::new(),
            finished: false,
            reset: false,
            life: Arc::default(),
        }
    }

    /// Tells whether this peer is still there: its other end may go on for a while after it is not.
    #[must_use]
    pub fn life(&self) -> Weak<()> {
        Arc::downgrade(&self.life)
    }

    /// Its path, from here to there.
    #[must_use]
    pub fn path(&self) -> Path {
        self.path
    }

    /// A bare ACK of where it stands.
    #[must_use]
    pub fn here(&self) -> Segment {
        Segment { sequence: self.next, ack: self.expected, window: self.window, ..Segment::default() }
    }

    /// Sends a segment, and forgets it.
    ///
    /// # Errors
    /// What the wire says.
    pub fn send(&self, segment: &Segment) -> io::Result<()> {
        self.send_frame(&self.path.tcp(segment))
    }

    /// Sends a frame, and forgets it.
    ///
    /// # Errors
    /// When the wire takes it not even after a while.
    pub fn send_frame(&self, frame: &[u8]) -> io::Result<()> {
        let end = Instant::now() + self.patience;
        while !self.wire.send(frame)? {
            if Instant::now() > end {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    /// The next segment of this connection; nothing is answered.
    ///
    /// # Errors
    /// What the wire says.
    pub fn hear(&mut self, until: Instant) -> io::Result<Option<Tcp>> {
        while let Some(frame) = self.wire.receive(until)? {
            // A packet socket hears what other sockets send, too.
            let seen = Seen::parse(frame).filter(|seen| seen.from == self.path.to.mac);
            let ours = |tcp: &Tcp| tcp.from == self.path.to.socket() && tcp.to == self.path.from.socket();
            if let Some(tcp) = seen.and_then(|seen| seen.tcp()).filter(ours) {
                return Ok(Some(tcp));
            }
        }
        Ok(None)
    }

    /// All segments of this connection for a while; nothing is answered.
    ///
    /// # Errors
    /// What the wire says.
    pub fn hear_for(&mut self, time: Duration) -> io::Result<Vec<Tcp>> {
        let (end, mut heard) = (Instant::now() + time, Vec::new());
        while let Some(tcp) = self.hear(end)? {
            heard.push(tcp);
        }
        Ok(heard)
    }

    /// What came and was not heard yet does not count.
    ///
    /// # Errors
    /// What the wire says.
    pub fn forget(&mut self) -> io::Result<()> {
        while self.wire.receive(Instant::now())?.is_some() {}
        self.unread.clear();
        Ok(())
    }

    /// Sends a SYN, and gives the SYN-ACK.
    ///
    /// # Errors
    /// When something else comes, or nothing.
    pub fn knock(&mut self, syn: &Segment) -> io::Result<Tcp> {
        self.send(syn)?;
        let answer = self.hear(Instant::now() + self.patience)?.ok_or(io::ErrorKind::TimedOut)?;
        if answer.flags != flag::SYN | flag::ACK || answer.ack != syn.sequence.wrapping_add(1) {
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, format!("no SYN-ACK but {answer:?}")));
        }
        self.next = answer.ack;
        self.acknowledged = answer.ack;
        self.expected = answer.sequence.wrapping_add(1);
        self.offered = answer.window;
        self.scale = answer.option(3).and_then(|scale| scale.first().copied()).unwrap_or(0);
        Ok(answer)
    }

    /// The whole handshake.
    ///
    /// # Errors
    /// When something else than a SYN-ACK comes, or nothing.
    pub fn connect(&mut self) -> io::Result<()> {
        let syn = Segment { window: self.window, ..Segment::syn(self.next) };
        self.knock(&syn)?;
        self.send(&self.here())
    }

    /// Takes the next segment as a receiver does: data and FIN in order are acknowledged, a RST is noted. `None` if none came.
    ///
    /// # Errors
    /// What the wire says.
    pub fn take(&mut self, until: Instant) -> io::Result<Option<Tcp>> {
        let Some(tcp) = self.hear(until)? else { return Ok(None) };
        self.note(&tcp);
        if tcp.flags & flag::RST != 0 {
            self.reset = true;
        } else if tcp.span() > 0 {
            if tcp.sequence == self.expected {
                self.expected = self.expected.wrapping_add(tcp.span());
                self.unread.extend_from_slice(&tcp.payload);
                self.finished |= tcp.flags & flag::FIN != 0;
            }
            self.send(&self.here())?;
        }
        Ok(Some(tcp))
    }

    /// Notes what a segment acknowledges and offers.
    fn note(&mut self, tcp: &Tcp) {
        if tcp.flags & flag::ACK != 0 && tcp.ack.wrapping_sub(self.acknowledged).cast_signed() >= 0 {
            self.acknowledged = tcp.ack;
            self.offered = tcp.window;
        }
    }

    /// Sends data as one segment, and waits until it is acknowledged.
    ///
    /// # Errors
    /// When it is not, or the connection is reset.
    pub fn say(&mut self, data: &[u8]) -> io::Result<()> {
        let segment = Segment { flags: flag::ACK | flag::PSH, payload: data.to_vec(), ..self.here() };
        self.next = self.next.wrapping_add(u32::try_from(data.len()).unwrap_or(0));
        self.send(&segment)?;
        self.wait_acknowledged()
    }

    /// Sends a FIN, and waits until it is acknowledged.
    ///
    /// # Errors
    /// When it is not, or the connection is reset.
    pub fn finish(&mut self) -> io::Result<()> {
        self.send(&Segment { flags: flag::ACK | flag::FIN, ..self.here() })?;
        self.next = self.next.wrapping_add(1);
        self.wait_acknowledged()
    }

    /// Takes what comes until the other end's FIN.
    ///
    /// # Errors
    /// When it does not come, or the connection is reset.
    pub fn await_end(&mut self) -> io::Result<()> {
        self.take_until("a FIN", |peer| peer.finished)
    }

    fn wait_acknowledged(&mut self) -> io::Result<()> {
        self.take_until("an ACK", |peer| peer.acknowledged == peer.next)
    }

    fn take_until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) -> io::Result<()> {
        let end = Instant::now() + self.patience;
        while !done(self) {
            if self.take(end)?.is_none() {
                let stands = (self.next, self.acknowledged, self.expected);
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("{what} never came; next, acknowledged, expected: {stands:?}"),
                ));
            }
            if self.reset {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        Ok(())
    }
}

impl Read for Peer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.take_until("data", |peer| !peer.unread.is_empty() || peer.finished)?;
        let len = buffer.len().min(self.unread.len());
        buffer[..len].copy_from_slice(&self.unread[..len]);
        self.unread.drain(..len);
        Ok(len)
    }
}

impl Write for Peer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let data = &data[..data.len().min(PAYLOAD_LEN_MAX)];
        self.say(data)?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whoever is left alone ends the connection, so that nothing of it stays behind.
impl Drop for Peer {
    fn drop(&mut self) {
        if self.expected != 0 && !self.reset {
            let _ = self.send(&Segment { flags: flag::RST, ..self.here() });
        }
    }
}
