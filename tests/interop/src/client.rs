//! The clients: each is asked for a page over a handshake of a given kind, and tells what it agreed on and what it got.

mod all;
mod botan;
mod curl;
mod gnutls;
mod openssl;
mod program;
mod rustls;

use core::net::SocketAddr;
use std::path::PathBuf;

use e2e::{Outcome, ensure};

use crate::authority::{Identity, Key};
use crate::command::Ended;
use crate::group::Group;
use crate::home::Home;
use crate::suite::Version;

pub(crate) use all::{HERE, all};

/// What a client is to do.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) address: SocketAddr,
    /// What the client trusts, and nothing else.
    pub(crate) root: PathBuf,
    pub(crate) version: Version,
    pub(crate) resume: bool,
    /// The only group that it may offer; without one it is left to itself.
    pub(crate) group: Option<Group>,
    /// The client's own certificate.
    pub(crate) identity: Option<Identity>,
    pub(crate) path: String,
}

/// The name that every client asks for and checks.
pub(crate) const NAME: &str = "localhost";
/// The protocol that every client offers.
pub(crate) const ALPN: &str = "http/1.1";

impl Ask {
    /// A request for `path`, over TLS 1.3, without more.
    pub(crate) fn new(address: SocketAddr, root: PathBuf, path: &str) -> Self {
        Self { address, root, version: Version::Tls13, resume: false, group: None, identity: None, path: path.to_owned() }
    }

    pub(crate) fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    pub(crate) fn resuming(mut self) -> Self {
        self.resume = true;
        self
    }

    pub(crate) fn identity(mut self, identity: &Identity) -> Self {
        self.identity = Some(identity.clone());
        self
    }

    fn request(&self) -> String {
        format!("GET {} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n", self.path)
    }
}

/// What a client says of its last connection. `None`: it does not say.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) version: Version,
    /// IANA's name.
    pub(crate) suite: &'static str,
    pub(crate) alpn: Option<String>,
    /// Not every client tells it, and few tell it of a resumed session.
    pub(crate) group: Option<Group>,
    pub(crate) resumed: Option<bool>,
    /// The certificates that the server sent, as base64 of their DER, leaf first; some clients tell the leaf only, and none tells them of a resumed
    /// session for sure.
    pub(crate) chain: Vec<String>,
    pub(crate) body: Vec<u8>,
    /// Its own address; curl alone tells it.
    pub(crate) local: Option<SocketAddr>,
}

/// A client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    pub(crate) name: &'static str,
    /// The system that it belongs to.
    home: Home,
    /// The program that has to be there; none for a library in this program.
    program: &'static str,
    /// What it is asked for its version with; or, for a library, that version.
    version: &'static [&'static str],
    /// The versions in which it takes our tickets. The box has no other way to resume: it remembers nothing of a session.
    resumes: &'static [Version],
    /// Whether it knows X25519MLKEM768.
    hybrid: bool,
    /// The versions in which it verifies Ed25519.
    ed25519: &'static [Version],
    ask: fn(Home, &Ask) -> Outcome<Answer>,
}

impl Client {
    /// Why it cannot be asked here, if so.
    pub(crate) fn missing(&self) -> Option<String> {
        if self.program.is_empty() { None } else { self.home.missing(self.program) }
    }

    /// Its name, as a part of a trial's.
    pub(crate) fn slug(&self) -> String {
        self.name.replace(", ", "_of_").replace(' ', "_")
    }

    /// What it calls itself.
    pub(crate) fn version(&self) -> Outcome<String> {
        let (program, arguments) = self.version.split_first().ok_or("no command")?;
        let said = if arguments.is_empty() { (*program).to_owned() } else { self.home.check(program, arguments)? };
        // What follows is other libraries, and what was said already.
        let line = said.lines().next().unwrap_or_default();
        Ok([" zlib/", " (Library"].iter().fold(line, |line, end| line.split(end).next().unwrap_or_default()).to_owned())
    }

    /// Asks, and has the answer.
    ///
    /// # Errors
    /// When there is none: the handshake or the verification failed, or the client says less than it should.
    pub(crate) fn ask(&self, ask: &Ask) -> Outcome<Answer> {
        (self.ask)(self.home, ask).map_err(|fault| format!("{}: {fault}", self.name).into())
    }

    /// Whether it can resume.
    pub(crate) fn resumes(&self, version: Version) -> bool {
        self.resumes.contains(&version)
    }

    /// Whether it knows a group.
    pub(crate) fn knows(&self, group: Group) -> bool {
        group != Group::Hybrid || self.hybrid
    }

    /// Whether it verifies certificates of this kind.
    pub(crate) fn verifies(&self, key: Key, version: Version) -> bool {
        key != Key::Ed25519 || self.ed25519.contains(&version)
    }
}

/// What `openssl s_client` gets that knows these signature algorithms only.
pub(crate) fn with_signatures(ask: &Ask, algorithms: &str) -> Outcome<Answer> {
    openssl::with(ask, &["-sigalgs", algorithms])
}

/// The body of an HTTP response somewhere in `text`, by its length; clients print other things around it.
fn body(text: &[u8]) -> Outcome<Vec<u8>> {
    let start = find(text, b"HTTP/1.1 200 OK\r\n").ok_or("no response")?;
    let response = &text[start..];
    let head = find(response, b"\r\n\r\n").ok_or("the response's head has no end")?;
    let fields = String::from_utf8_lossy(&response[..head]).to_ascii_lowercase();
    let len = fields.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    let body = &response[head + 4..];
    let len = len.ok_or("the response has no length")?;
    ensure(body.len() >= len, format!("{} of {len} bytes came", body.len()))?;
    Ok(body[..len].to_vec())
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// What stands behind `key` on the last line that begins with it.
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().rev().find_map(|line| line.trim().strip_prefix(key)).map(str::trim)
}

/// `ended`, if it ended well.
fn succeeded(ended: Ended) -> Outcome<Ended> {
    if ended.success { Ok(ended) } else { Err(ended.said().into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_cut_out_of_what_stands_around_it() {
        let text = b"noise\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcclosed\n";
        assert_eq!(body(text).ok(), Some(b"abc".to_vec()));
        assert!(body(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc").is_err());
        assert!(body(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").is_err());
    }

    #[test]
    fn the_last_line_of_a_key_counts() {
        assert_eq!(field("a: 1\n  a: 2\nb: 3\n", "a:"), Some("2"));
        assert_eq!(field("a: 1\n", "c:"), None);
    }
}
