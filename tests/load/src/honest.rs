//! An honest client: connects, shakes hands in full, asks, and checks the answer. What it is made to wait for is what a crowd costs everybody else.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use e2e::{Outcome, client, ensure};
use rustls_std::ClientConfig;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::field::{Field, HONEST, HONEST_NAME};
use crate::limits::{HONEST_FAILURES_MAX, HONEST_PATIENCE, VISITS_PER_ROUND};

/// Each visit comes from the next of so many addresses, so that no source is ever near its rate.
const SOURCES: u32 = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Honest {
    target: SocketAddr,
    tls: Arc<ClientConfig>,
    turn: u32,
    failures: Vec<String>,
}

/// How long one had to wait, from its first SYN on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Times {
    /// Until its handshake was done.
    pub(crate) handshake: Duration,
    /// Until it had its answer, whole.
    pub(crate) visit: Duration,
}

impl Honest {
    /// One that resumes nothing.
    pub(crate) fn new(field: &Field) -> Outcome<Self> {
        Ok(Self { target: field.place.front(), tls: client::trusting(&[&field.ca])?, turn: 0, failures: Vec::new() })
    }

    /// What went wrong so far.
    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// A round of visits, one after the other: the 99th percentiles.
    pub(crate) fn round(&mut self) -> Outcome<Times> {
        let mut times = Vec::with_capacity(VISITS_PER_ROUND);
        while times.len() < VISITS_PER_ROUND {
            match self.visit() {
                Ok(one) => times.push(one),
                Err(fault) => self.failures.push(fault.to_string()),
            }
            ensure(self.failures.len() <= HONEST_FAILURES_MAX, format!("honest clients fail: {:?}", self.failures))?;
        }
        let p99 = |of: fn(&Times) -> Duration| percentile(times.iter().map(of).collect(), 99);
        Ok(Times { handshake: p99(|one| one.handshake), visit: p99(|one| one.visit) })
    }

    fn visit(&mut self) -> Outcome<Times> {
        self.turn = (self.turn + 1) % SOURCES;
        let source = Ipv4Addr::from_bits(HONEST.to_bits() + 1 + self.turn);
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SockAddr::from(SocketAddr::from((source, 0))))?;
        let start = Instant::now();
        socket.connect_timeout(&SockAddr::from(self.target), HONEST_PATIENCE)?;
        let mut stream = client::finish(TcpStream::from(socket), HONEST_NAME, &self.tls)?;
        let handshake = start.elapsed();
        let answer = client::ask(&mut stream, "and me?\n")?;
        let visit = start.elapsed();
        ensure(answer == "answer to and me?\n", format!("got {answer:?}"))?;
        stream.conn.send_close_notify();
        client::write_out(&mut stream)?;
        ensure(visit < HONEST_PATIENCE, format!("it took {visit:?}"))?;
        Ok(Times { handshake, visit })
    }
}

/// The value that so many of a hundred are not above (nearest rank); zero of none.
pub(crate) fn percentile(mut values: Vec<Duration>, of_100: usize) -> Duration {
    values.sort_unstable();
    let rank = (values.len() * of_100).div_ceil(100).max(1);
    values.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(values: impl Iterator<Item = u64>) -> Vec<Duration> {
        values.map(Duration::from_millis).collect()
    }

    #[test]
    fn p99_of_a_hundred_is_the_second_longest() {
        assert_eq!(percentile(millis((1..=100).rev()), 99), Duration::from_millis(99));
        assert_eq!(percentile(millis(1..=250), 99), Duration::from_millis(248), "the third longest of a round");
    }

    #[test]
    fn the_median_is_the_middle_one_and_of_none_there_is_none() {
        assert_eq!(percentile(millis(1..=5), 50), Duration::from_millis(3));
        assert_eq!(percentile(millis(7..=7), 50), Duration::from_millis(7));
        assert_eq!(percentile(Vec::new(), 99), Duration::ZERO);
    }
}
