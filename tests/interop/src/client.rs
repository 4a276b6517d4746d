//! The clients: each is asked for a page over a handshake of a given kind, and tells what it agreed on and what it got.

mod curl;
mod gnutls;
mod openssl;
mod program;

use core::net::SocketAddr;
use std::path::PathBuf;

use e2e::{Outcome, ensure};

use crate::authority::Identity;
use crate::command::{self, Ended};
use crate::suite::Version;

/// What a client is to do.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) address: SocketAddr,
    /// What the client trusts, and nothing else.
    pub(crate) root: PathBuf,
    pub(crate) version: Version,
    pub(crate) resume: bool,
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
        Self { address, root, version: Version::Tls13, resume: false, identity: None, path: path.to_owned() }
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
    pub(crate) resumed: bool,
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
    /// The program that has to be there.
    program: &'static str,
    version: &'static [&'static str],
    /// Whether it takes tickets in TLS 1.2. The box has no other way to resume: it remembers nothing of a session.
    tickets_12: bool,
    ask: fn(&Ask) -> Outcome<Answer>,
}

/// Every client of the matrix.
pub(crate) const ALL: [Client; 6] = [
    Client { name: "curl", program: "curl", version: &["curl", "--version"], tickets_12: false, ask: curl::ask },
    Client { name: "openssl", program: "openssl", version: &["openssl", "version"], tickets_12: true, ask: openssl::ask },
    Client { name: "gnutls", program: "gnutls-cli", version: &["gnutls-cli", "--version"], tickets_12: true, ask: gnutls::ask },
    Client { name: "java", program: "javac", version: &["javac", "--version"], tickets_12: true, ask: program::java },
    Client {
        name: "node",
        program: "node",
        version: &["node", "-p", "`Node.js ${process.version} with OpenSSL ${process.versions.openssl}`"],
        tickets_12: true,
        ask: program::node,
    },
    Client {
        name: "python",
        program: "python3",
        version: &[program::PYTHON, "-c", program::PYTHON_VERSION],
        tickets_12: true,
        ask: program::python,
    },
];

impl Client {
    /// Why it cannot be asked here, if so.
    pub(crate) fn missing(&self) -> Option<String> {
        command::find(self.program).is_none().then(|| format!("no {}", self.program))
    }

    /// What it calls itself.
    pub(crate) fn version(&self) -> Outcome<String> {
        let (program, arguments) = self.version.split_first().ok_or("no command")?;
        let said = command::check(program.as_ref(), arguments)?;
        // What follows is other libraries, and what was said already.
        let line = said.lines().next().unwrap_or_default();
        Ok([" zlib/", " (Library"].iter().fold(line, |line, end| line.split(end).next().unwrap_or_default()).to_owned())
    }

    /// Asks, and has the answer.
    ///
    /// # Errors
    /// When there is none: the handshake or the verification failed, or the client says less than it should.
    pub(crate) fn ask(&self, ask: &Ask) -> Outcome<Answer> {
        (self.ask)(ask).map_err(|fault| format!("{}: {fault}", self.name).into())
    }

    /// Whether it can resume. curl takes tickets in TLS 1.3 only.
    pub(crate) fn resumes(&self, version: Version) -> bool {
        version == Version::Tls13 || self.tickets_12
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
