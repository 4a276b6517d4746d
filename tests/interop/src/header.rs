//! A decoder of PROXY protocol headers (versions 1 and 2) that shares no code with the box: what a backend makes of what the box sends.
//!
//! Written from HAProxy's `doc/proxy-protocol.txt` alone.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::io::{self, BufRead};

use crate::base64;

/// A decoded header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: u8,
    pub(crate) source: SocketAddr,
    pub(crate) target: SocketAddr,
    tlvs: Vec<(u8, Vec<u8>)>,
    /// Whether the checksum is right; `None` without one.
    checksum: Option<bool>,
}

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The types of version 2 (section 2.2.1 and on), and those inside of `PP2_TYPE_SSL`.
const ALPN: u8 = 0x01;
const AUTHORITY: u8 = 0x02;
const CRC32C: u8 = 0x03;
const SSL: u8 = 0x20;
const INSIDE_SSL: [(u8, &str); 6] =
    [(0x21, "version"), (0x22, "cn"), (0x23, "cipher"), (0x24, "signature"), (0x25, "key"), (0x26, "group")];
/// `PP2_SUBTYPE_SSL_CLIENT_CERT`, the raw certificate.
const CERTIFICATE: u8 = 0x28;

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Header {
    /// Reads one, of either version.
    ///
    /// # Errors
    /// When there is none, or it is cut off.
    pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Self> {
        let mut first = [0; 1];
        from.read_exact(&mut first)?;
        match first[0] {
            b'P' => read_text(from),
            b'\r' => read_binary(from),
            _ => Err(bad("neither a PROXY header of version 1 nor of version 2")),
        }
    }

    /// The value of a type of version 2.
    fn value(&self, kind: u8) -> Option<&[u8]> {
        self.tlvs.iter().find(|(found, _)| *found == kind).map(|(_, value)| value.as_slice())
    }

    /// What it says, a line for each thing: for a page that tells the client.
    pub(crate) fn lines(&self) -> String {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let mut lines = format!("proxy={}\nsource={}\ntarget={}\n", self.version, self.source, self.target);
        for (kind, name) in [(ALPN, "alpn"), (AUTHORITY, "authority")] {
            lines.extend(self.value(kind).map(|value| format!("{name}={}\n", text(value))));
        }
        lines.extend(self.checksum.map(|right| format!("checksum={}\n", if right { "right" } else { "wrong" })));
        lines + &self.value(SSL).map_or(String::new(), ssl_lines)
    }
}

/// `PP2_TYPE_SSL`: what the client had, how its certificate was verified, and more (section 2.2.6).
fn ssl_lines(value: &[u8]) -> String {
    let Some((&[client, a, b, c, d], inside)) = value.split_first_chunk() else { return "ssl=cut off\n".into() };
    let mut lines = format!("ssl.client={client:#04x}\nssl.verify={}\n", u32::from_be_bytes([a, b, c, d]));
    for (kind, value) in tlvs(inside).unwrap_or_default() {
        if let Some((_, name)) = INSIDE_SSL.iter().find(|(known, _)| *known == kind) {
            lines.push_str(&format!("ssl.{name}={}\n", String::from_utf8_lossy(&value)));
        } else if kind == CERTIFICATE {
            lines.push_str(&format!("ssl.certificate={}\n", base64::encode(&value)));
        } else {
            lines.push_str(&format!("ssl.{kind:#04x}={}\n", base64::encode(&value)));
        }
    }
    lines
}

/// Version 1: `PROXY TCP4 source target port port`, of which the first byte is gone already.
fn read_text(from: &mut impl BufRead) -> io::Result<Header> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.strip_suffix("\r\n").ok_or_else(|| bad("version 1: no end of line"))?;
    let [rest, family, source, target, source_port, target_port] = line.split(' ').collect::<Vec<_>>()[..] else {
        return Err(bad("version 1: not six words"));
    };
    let address = |ip: &str, port: &str| -> Option<SocketAddr> { Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?)) };
    let addresses = address(source, source_port).zip(address(target, target_port));
    let (source, target) = addresses.ok_or_else(|| bad("version 1: no addresses"))?;
    if rest != "ROXY" || family != if source.is_ipv4() { "TCP4" } else { "TCP6" } || source.is_ipv4() != target.is_ipv4() {
        return Err(bad("version 1: neither TCP4 nor TCP6"));
    }
    Ok(Header { version: 1, source, target, tlvs: Vec::new(), checksum: None })
}

/// Version 2, of which the first byte is gone already.
fn read_binary(from: &mut impl BufRead) -> io::Result<Header> {
    let mut header = vec![b'\r'; 16];
    from.read_exact(&mut header[1..])?;
    if &header[..12] != SIGNATURE || header[12] != 0x21 {
        return Err(bad("version 2: another signature or command"));
    }
    let len = usize::from(u16::from_be_bytes([header[14], header[15]]));
    header.resize(16 + len, 0);
    from.read_exact(&mut header[16..])?;
    let body = &header[16..];
    let (addresses, rest) = match header[13] {
        0x11 => (body.first_chunk().map(v4), body.get(12..)),
        0x21 => (body.first_chunk().map(v6), body.get(36..)),
        _ => return Err(bad("version 2: neither TCP over IPv4 nor over IPv6")),
    };
    let ((source, target), rest) = addresses.zip(rest).ok_or_else(|| bad("version 2: no addresses"))?;
    let tlvs = tlvs(rest).ok_or_else(|| bad("version 2: a TLV is cut off"))?;
    let checksum = tlvs.iter().any(|(kind, _)| *kind == CRC32C).then(|| checksum_is_right(&header));
    Ok(Header { version: 2, source, target, tlvs, checksum })
}

fn v4(bytes: &[u8; 12]) -> (SocketAddr, SocketAddr) {
    let ip = |at: usize| IpAddr::V4(Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]));
    let port = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    (SocketAddr::new(ip(0), port(8)), SocketAddr::new(ip(4), port(10)))
}

fn v6(bytes: &[u8; 36]) -> (SocketAddr, SocketAddr) {
    let ip = |at: usize| {
        let mut ip = [0; 16];
        ip.copy_from_slice(&bytes[at..at + 16]);
        IpAddr::V6(Ipv6Addr::from(ip))
    };
    let port = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    (SocketAddr::new(ip(0), port(32)), SocketAddr::new(ip(16), port(34)))
}

fn tlvs(mut bytes: &[u8]) -> Option<Vec<(u8, Vec<u8>)>> {
    let mut found = Vec::new();
    while let Some((&[kind, high, low], rest)) = bytes.split_first_chunk() {
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        found.push((kind, value.to_vec()));
        bytes = rest;
    }
    bytes.is_empty().then_some(found)
}

/// Section 2.2.3: over the whole header with zeros in the place of the checksum.
fn checksum_is_right(header: &[u8]) -> bool {
    let mut at = if header[13] == 0x11 { 28 } else { 52 };
    let mut header = header.to_vec();
    while let Some(&[kind, high, low]) = header.get(at..).and_then(<[u8]>::first_chunk) {
        at += 3;
        if kind == CRC32C {
            let Some(place) = header.get_mut(at..at + 4) else { return false };
            let said = [place[0], place[1], place[2], place[3]];
            place.fill(0);
            return u32::from_be_bytes(said) == crc32c(&header);
        }
        at += usize::from(u16::from_be_bytes([high, low]));
    }
    false
}

/// CRC-32C (RFC 3720, appendix B.4), a bit at a time.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(tlvs: &[u8]) -> Vec<u8> {
        let len = u16::try_from(12 + tlvs.len()).expect("short").to_be_bytes();
        let body = [&[192, 0, 2, 1, 192, 0, 2, 2, 0x10, 0, 0x01, 0xbb][..], tlvs].concat();
        [&SIGNATURE[..], &[0x21, 0x11], &len, &body].concat()
    }

    #[test]
    fn the_checksum_is_the_one_of_the_rfc() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn version_1_is_read_up_to_the_end_of_its_line() {
        let mut from = &b"PROXY TCP6 2001:db8::1 2001:db8::2 4096 443\r\nrest"[..];
        let header = Header::read(&mut from).expect("a header");
        assert_eq!((header.version, header.source), (1, "[2001:db8::1]:4096".parse().expect("an address")));
        assert_eq!(from, b"rest");
        for wrong in
            ["PROXY TCP4 ::1 ::2 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.5 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n", "GET / HTTP/1.1\r\n"]
        {
            assert!(Header::read(&mut wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn version_2_is_read_with_its_tlvs() {
        let ssl = [&[SSL, 0, 5 + 3 + 7, 1, 0, 0, 0, 0, 0x21, 0, 7][..], b"TLSv1.3"].concat();
        let bytes = v2(&[&[AUTHORITY, 0, 1, b'x'][..], &ssl].concat());
        let lines = Header::read(&mut &bytes[..]).expect("a header").lines();
        assert_eq!(
            lines,
            "proxy=2\nsource=192.0.2.1:4096\ntarget=192.0.2.2:443\nauthority=x\nssl.client=0x01\nssl.verify=0\nssl.version=TLSv1.3\n"
        );
        assert!(Header::read(&mut &v2(&[AUTHORITY, 0, 2, b'x'])[..]).is_err());
        assert!(Header::read(&mut &bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn a_checksum_is_checked() {
        let mut bytes = v2(&[CRC32C, 0, 4, 0, 0, 0, 0]);
        let right = crc32c(&bytes).to_be_bytes();
        let at = bytes.len() - 4;
        bytes[at..].copy_from_slice(&right);
        assert_eq!(Header::read(&mut &bytes[..]).expect("a header").checksum, Some(true));
        bytes[at] ^= 1;
        assert_eq!(Header::read(&mut &bytes[..]).expect("a header").checksum, Some(false));
        assert_eq!(Header::read(&mut &v2(&[])[..]).expect("a header").checksum, None);
    }
}
