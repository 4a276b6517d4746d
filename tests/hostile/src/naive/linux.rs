//! A kernel's own TCP in a namespace of its own: the control. A public endpoint of one purpose may be stricter than a general host, and is.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicU32, Ordering};
use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::thread;

use e2e::Outcome;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use socket2::{Domain, Socket, Type};

use super::Server;
use super::segment::{ADDRESS_V4, ADDRESS_V6, FAR, NEAR, PORT, ip};

/// Ends with its namespace's last socket.
pub(super) struct Linux {
    namespace: String,
}

pub(super) fn start() -> Outcome<Linux> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let linux = Linux { namespace: format!("bb-linux-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)) };
    let name = &linux.namespace;
    ip(&["netns", "add", name])?;
    ip(&["link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", name])?;
    ip(&["link", "set", NEAR, "addrgenmode", "none", "up"])?;
    ip(&["-n", name, "addr", "add", &format!("{ADDRESS_V4}/24"), "dev", FAR])?;
    ip(&["-n", name, "addr", "add", &format!("{ADDRESS_V6}/64"), "dev", FAR, "nodad"])?;
    ip(&["-n", name, "link", "set", FAR, "up"])?;
    let inside = File::open(format!("/run/netns/{name}"))?;
    let listener = thread::spawn(move || listen(&inside)).join().map_err(|_| "the listener's thread panicked")??;
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(|stream| drop(thread::spawn(move || serve(stream)))));
    Ok(linux)
}

/// A listener of both families.
fn listen(inside: &File) -> io::Result<TcpListener> {
    move_into_link_name_space(inside.as_fd(), Some(LinkNameSpaceType::Network))?;
    let socket = Socket::new(Domain::IPV6, Type::STREAM, None)?;
    socket.set_only_v6(false)?;
    socket.bind(&SocketAddr::from(([0_u16; 8], PORT)).into())?;
    socket.listen(64)?;
    Ok(socket.into())
}

/// Reads until what comes is no TLS, or over.
fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    while let len @ 1.. = io::Read::read(&mut stream, &mut buffer)? {
        if buffer[..len].first() == Some(&b'G') {
            stream.shutdown(std::net::Shutdown::Write)?;
        }
    }
    Ok(())
}

impl Server for Linux {
    fn address(&self) -> SocketAddr {
        SocketAddr::from((ADDRESS_V4, PORT))
    }
}

impl Drop for Linux {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.namespace]);
    }
}
