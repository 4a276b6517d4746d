//! The fields of a ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2).

use alloc::string::String;
use alloc::vec::Vec;

use super::Hello;
use crate::Alert;

const CLIENT_HELLO: u8 = 1;
const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
pub(super) const SUPPORTED_VERSIONS: u16 = 43;

const HOST_NAME: u8 = 0;
const SESSION_ID_LEN_MAX: usize = 32;

pub(super) fn hello(message: &[u8]) -> Result<Hello, Alert> {
    let mut reader = Reader(message);
    if reader.u8()? != CLIENT_HELLO {
        return Err(Alert::UNEXPECTED_MESSAGE);
    }
    let mut body = Reader(reader.vec24()?);
    reader.end()?;
    let legacy_version = body.u16()?;
    body.take(32)?;
    if body.vec8()?.len() > SESSION_ID_LEN_MAX {
        return Err(Alert::DECODE_ERROR);
    }
    let suites = body.vec16()?;
    if suites.is_empty() || suites.len() % 2 != 0 || body.vec8()?.is_empty() {
        return Err(Alert::DECODE_ERROR);
    }
    let mut hello = Hello { tls12: legacy_version >= TLS12, ..Hello::default() };
    // A hello may end without extensions (RFC 5246 §7.4.1.2).
    if !body.0.is_empty() {
        let list = body.vec16()?;
        body.end()?;
        extensions(list, &mut hello)?;
    }
    if hello.tls12 || hello.tls13 { Ok(hello) } else { Err(Alert::PROTOCOL_VERSION) }
}

fn extensions(list: &[u8], hello: &mut Hello) -> Result<(), Alert> {
    let mut reader = Reader(list);
    let mut seen = 0_u8;
    while !reader.0.is_empty() {
        let (kind, body) = (reader.u16()?, reader.vec16()?);
        let bit = match kind {
            SERVER_NAME => 1,
            ALPN => 2,
            SUPPORTED_VERSIONS => 4,
            _ => continue,
        };
        // RFC 8446 §4.2: there MUST NOT be more than one extension of a type.
        if seen & bit != 0 {
            return Err(Alert::ILLEGAL_PARAMETER);
        }
        seen |= bit;
        match kind {
            SERVER_NAME => hello.server_name = server_name(body)?,
            ALPN => hello.alpn = alpn(body)?,
            _ => supported_versions(body, hello)?,
        }
    }
    Ok(())
}

/// RFC 6066 §3: one name of each type at most; only host names have ever been defined.
fn server_name(body: &[u8]) -> Result<Option<String>, Alert> {
    let mut reader = Reader(body);
    let mut names = Reader(reader.vec16()?);
    reader.end()?;
    let (kind, name) = (names.u8()?, names.vec16()?);
    if !names.0.is_empty() || kind != HOST_NAME {
        return Err(Alert::ILLEGAL_PARAMETER);
    }
    let text = core::str::from_utf8(name).map_err(|_| Alert::ILLEGAL_PARAMETER)?;
    // Literal addresses are not permitted, yet some clients send them: as if there were no name.
    if text.parse::<core::net::IpAddr>().is_ok() {
        return Ok(None);
    }
    keys::names::parse_name(text).map(Some).ok_or(Alert::ILLEGAL_PARAMETER)
}

/// RFC 7301 §3.1: a list of at least one name, none of them empty.
fn alpn(body: &[u8]) -> Result<Vec<u8>, Alert> {
    let mut reader = Reader(body);
    let list = reader.vec16()?;
    reader.end()?;
    let mut names = Reader(list);
    if list.is_empty() {
        return Err(Alert::DECODE_ERROR);
    }
    while !names.0.is_empty() {
        if names.vec8()?.is_empty() {
            return Err(Alert::DECODE_ERROR);
        }
    }
    Ok(list.to_vec())
}

/// RFC 8446 §4.2.1: where this extension stands, it alone says what the client speaks.
fn supported_versions(body: &[u8], hello: &mut Hello) -> Result<(), Alert> {
    let mut reader = Reader(body);
    let list = reader.vec8()?;
    reader.end()?;
    if list.is_empty() || list.len() % 2 != 0 {
        return Err(Alert::DECODE_ERROR);
    }
    let offers = |version: u16| list.chunks_exact(2).any(|v| v == version.to_be_bytes());
    hello.tls12 = offers(TLS12);
    hello.tls13 = offers(TLS13);
    Ok(())
}

/// The names of a ProtocolNameList that [`alpn`] has found sound.
#[derive(Clone)]
pub(super) struct Names<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Names<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(*len))?;
        self.0 = rest;
        Some(name)
    }
}

/// Takes fields from the front of a slice; what is missing is a `decode_error`.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Alert> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Alert::DECODE_ERROR)?;
        self.0 = rest;
        Ok(head)
    }

    fn number<const N: usize>(&mut self) -> Result<usize, Alert> {
        Ok(self.take(N)?.iter().fold(0, |n, byte| (n << 8) | usize::from(*byte)))
    }

    pub(super) fn u8(&mut self) -> Result<u8, Alert> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    pub(super) fn u16(&mut self) -> Result<u16, Alert> {
        Ok(self.take(2)?.try_into().map_or(0, u16::from_be_bytes))
    }

    pub(super) fn vec8(&mut self) -> Result<&'a [u8], Alert> {
        let len = self.number::<1>()?;
        self.take(len)
    }

    pub(super) fn vec16(&mut self) -> Result<&'a [u8], Alert> {
        let len = self.number::<2>()?;
        self.take(len)
    }

    fn vec24(&mut self) -> Result<&'a [u8], Alert> {
        let len = self.number::<3>()?;
        self.take(len)
    }

    fn end(&self) -> Result<(), Alert> {
        if self.0.is_empty() { Ok(()) } else { Err(Alert::DECODE_ERROR) }
    }
}
