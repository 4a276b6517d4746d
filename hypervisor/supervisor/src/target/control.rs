//! The second channel: whether the box lives, what came of it so far, and the wish that it be brought back. One request at a time, each bounded in time.

use core::net::SocketAddr;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use harness::visit::Visit;
use serde_json::{Value, json};

use super::tally::Tally;
use crate::admin::http::{self, JSON, Response};

#[derive(Debug)]
pub(super) struct Control {
    listener: TcpListener,
    address: SocketAddr,
}

/// What somebody asked for.
#[derive(Debug)]
pub(super) enum Asked {
    /// Nothing but what was answered already.
    Nothing,
    Reset(Answer),
    Stop(Answer),
}

/// Somebody who waits for an answer.
#[derive(Debug)]
pub(super) struct Answer(TcpStream);

impl Answer {
    pub(super) fn give(mut self, body: &Value) {
        // Who has gone does not want it.
        let _gone = http::write(&mut self.0, &Response { status: 200, kind: JSON, body: format!("{body}\n") });
    }
}

/// What is told to whoever looks: whether all is well, and how it stands.
pub(super) struct Look {
    is_sound: bool,
    text: String,
    status: Value,
}

/// Looks at the guest, by asking it.
pub(super) fn look(visit: &mut Visit<'_>, tally: &Tally) -> Look {
    let verdict = match visit.probe() {
        Ok(verdict) => verdict.to_string(),
        Err(fault) => fault.to_string(),
    };
    let is_sound = visit.verdict().is_sound();
    let status = json!({
        "version": 1, "sessions": tally.sessions(), "full": tally.full(), "findings": tally.found(), "lasted_ms": visit.lasted().as_secs_f64() * 1e3,
        "verdict": visit.verdict().name(), "text": verdict, "state_at_start": tally.state(),
    });
    Look { is_sound, text: verdict, status }
}

impl Control {
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hears whoever waits. `look` is called for those who want to know.
    pub(super) fn hear(&self, look: impl FnOnce() -> Look) -> Asked {
        let Ok((mut stream, _)) = self.listener.accept() else { return Asked::Nothing };
        let Ok(()) = stream.set_nonblocking(false) else { return Asked::Nothing };
        let mut wish = Wish::None;
        let answered = http::converse(&mut stream, |request| match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/healthz") => {
                let Look { is_sound, text, .. } = look();
                Some(Response::text(if is_sound { 200 } else { 503 }, format!("{text}\n")))
            }
            ("GET", "/status") => Some(Response { status: 200, kind: JSON, body: format!("{}\n", look().status) }),
            ("POST", "/reset") => {
                wish = Wish::Reset;
                None
            }
            ("POST", "/stop") => {
                wish = Wish::Stop;
                None
            }
            (_, "/healthz" | "/status") => Some(Response::text(405, "only GET\n")),
            (_, "/reset" | "/stop") => Some(Response::text(405, "only POST\n")),
            _ => Some(Response::text(404, "here are /healthz /status /reset /stop\n")),
        });
        match (answered, wish) {
            (Ok(()), Wish::Reset) => Asked::Reset(Answer(stream)),
            (Ok(()), Wish::Stop) => Asked::Stop(Answer(stream)),
            (Ok(()), Wish::None) | (Err(_), _) => Asked::Nothing,
        }
    }
}

enum Wish {
    None,
    Reset,
    Stop,
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
