//! The box joined with itself: what comes from one of its doors goes to the other. It finds a peer there that it lets in, and we see nothing but sealed records.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;

use crate::Outcome;

/// No step waits longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than the box ever has to say to itself.
const MOVED_MAX: u64 = 1024 * 1024;

/// Joins two doors until both have said their last; returns how many bytes came from the first.
///
/// # Errors
/// What TCP says.
pub fn join(one: SocketAddr, other: SocketAddr) -> Outcome<u64> {
    let connect = |door| -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&door, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    let (one, other) = (connect(one)?, connect(other)?);
    Ok(thread::scope(|scope| {
        scope.spawn(|| pass(&other, &one));
        pass(&one, &other)
    }))
}

/// Passes on what comes, and its end, until there is nobody to pass it to. Returns how many bytes came.
fn pass(mut from: &TcpStream, mut to: &TcpStream) -> u64 {
    let (mut moved, mut buffer) = (0_u64, [0; 16 * 1024]);
    while moved < MOVED_MAX {
        let len = from.read(&mut buffer).unwrap_or(0);
        if len == 0 || to.write_all(&buffer[..len]).is_err() {
            break;
        }
        moved = moved.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
    }
    let _gone = to.shutdown(Shutdown::Write);
    moved
}
