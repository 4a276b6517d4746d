//! The box joined with itself: what comes from one of its doors goes to the other. It finds a peer there that it lets in, and we see nothing but sealed records.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Read, Write};
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
    thread::scope(|scope| {
        let back = scope.spawn(|| pass(&other, &one));
        let moved = pass(&one, &other);
        // What comes back is as good as ended: both ends close.
        let _ended = back.join();
        Ok(moved?)
    })
}

/// Passes on what comes, and its end.
fn pass(from: &TcpStream, mut to: &TcpStream) -> io::Result<u64> {
    let mut from = from.take(MOVED_MAX);
    let moved = io::copy(&mut from, &mut to)?;
    to.flush()?;
    let _gone = to.shutdown(Shutdown::Write);
    Ok(moved)
}
