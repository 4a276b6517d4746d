//! Whom the terminator speaks for: the PROXY header with which it begins a connection.

use core::net::IpAddr;
use std::io;

use proxy::{Decoder, Header};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Takes the header, and not a byte more. The client, unless the connection is the terminator's own.
pub(super) async fn named(stream: &mut TcpStream) -> io::Result<Option<IpAddr>> {
    let mut decoder = Decoder::default();
    let mut chunk = [0; 1024];
    loop {
        let seen = stream.peek(&mut chunk).await?;
        if seen == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (taken, header) = decoder.receive(chunk.get(..seen).unwrap_or_default());
        stream.read_exact(chunk.get_mut(..taken).unwrap_or_default()).await?;
        match header {
            Ok(None) => {}
            Ok(Some(Header::Own)) => return Ok(None),
            Ok(Some(Header::Client(addresses))) => return Ok(Some(addresses.source().ip())),
            Err(fault) => return Err(io::Error::new(io::ErrorKind::InvalidData, fault)),
        }
    }
}
