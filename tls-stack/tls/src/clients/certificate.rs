//! What remains of a peer's certificate: for the access log, and for the PROXY header to the backend.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use keys::limits::CLIENT_NAME_LEN_MAX;

use super::fields::Fields;
use crate::limits::SUBJECT_LEN_MAX;

/// The certificate that a peer has shown, and whose key it has proven to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The leaf in DER; empty once [`Summary::forget_client_der`](crate::Summary::forget_client_der) was called.
    pub der: Vec<u8>,
    /// The subject as RFC 4514 writes it, as in `CN=robot,O=Example`; what does not fit into [`SUBJECT_LEN_MAX`] bytes is cut off. Printable ASCII alone: what is
    /// not is escaped.
    pub subject: String,
    /// The most specific common name, as the authority wrote it: it may hold any character. None if there is none, or it is no text, or longer than
    /// [`CLIENT_NAME_LEN_MAX`].
    pub common_name: Option<String>,
}

/// A client's.
pub type ClientCertificate = PeerCertificate;

impl PeerCertificate {
    /// Reads a certificate that was verified.
    pub(crate) fn parse(der: &[u8]) -> Option<Self> {
        let fields = Fields::parse(der)?;
        let common_name = fields.common_name().filter(|name| name.len() <= CLIENT_NAME_LEN_MAX).map(Into::into);
        Some(Self { der: der.to_vec(), subject: fields.subject(), common_name })
    }
}

const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// The value of an attribute, if it is of a kind of text that is still in use.
pub(super) fn text(tag: u8, value: &[u8]) -> Option<&str> {
    matches!(tag, UTF8_STRING | PRINTABLE_STRING | IA5_STRING).then(|| core::str::from_utf8(value).ok())?
}

/// RFC 4514: the last attribute first, with the short names of its section 3.
pub(super) fn distinguished_name<'a>(attributes: impl Iterator<Item = (&'a [u8], u8, &'a [u8])>) -> String {
    let attributes: Vec<_> = attributes.collect();
    let mut out = String::new();
    for (kind, tag, value) in attributes.into_iter().rev() {
        if !out.is_empty() {
            out.push(',');
        }
        push_kind(kind, &mut out);
        push_value(text(tag, value), value, &mut out);
        if out.len() > SUBJECT_LEN_MAX {
            out.truncate(SUBJECT_LEN_MAX);
            return out;
        }
    }
    out
}

fn push_kind(kind: &[u8], out: &mut String) {
    const SHORT: [(&[u8], &str); 9] = [
        (&[0x55, 4, 3], "CN"),
        (&[0x55, 4, 5], "serialNumber"),
        (&[0x55, 4, 6], "C"),
        (&[0x55, 4, 7], "L"),
        (&[0x55, 4, 8], "ST"),
        (&[0x55, 4, 10], "O"),
        (&[0x55, 4, 11], "OU"),
        (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
        (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    ];
    match SHORT.iter().find(|(oid, _)| *oid == kind) {
        Some((_, name)) => out.push_str(name),
        None => push_oid(kind, out),
    }
    out.push('=');
}

/// The dotted form; numbers beyond 32 bits end it.
fn push_oid(kind: &[u8], out: &mut String) {
    let mut number = 0_u32;
    let mut is_first = true;
    for byte in kind {
        let Some(shifted) = number.checked_mul(128) else { return };
        number = shifted | u32::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        let _ = match (core::mem::replace(&mut is_first, false), number) {
            (true, 0..80) => write!(out, "{}.{}", number / 40, number % 40),
            (true, _) => write!(out, "2.{}", number - 80),
            (false, _) => write!(out, ".{number}"),
        };
        number = 0;
    }
}

/// RFC 4514, 2.4: text with its special characters escaped, anything else in hexadecimal.
fn push_value(text: Option<&str>, value: &[u8], out: &mut String) {
    let Some(text) = text else {
        out.push('#');
        value.iter().take(SUBJECT_LEN_MAX).for_each(|byte| push_hex(*byte, out));
        return;
    };
    let last = text.len().saturating_sub(1);
    for (at, byte) in text.bytes().enumerate().take(SUBJECT_LEN_MAX) {
        let at_edge = (at == 0 && matches!(byte, b' ' | b'#')) || (at == last && byte == b' ');
        match byte {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' | b'=' => out.extend(['\\', char::from(byte)]),
            b' ' | b'#' if at_edge => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                out.push('\\');
                push_hex(byte, out);
            }
        }
    }
}

fn push_hex(byte: u8, out: &mut String) {
    out.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(attributes: &[(&[u8], u8, &[u8])]) -> String {
        distinguished_name(attributes.iter().copied())
    }

    #[test]
    fn the_most_specific_comes_first_and_unknown_kinds_are_dotted() {
        let organisation: (&[u8], u8, &[u8]) = (&[0x55, 4, 10], UTF8_STRING, b"Example, Inc.");
        let name: (&[u8], u8, &[u8]) = (&[0x55, 4, 3], PRINTABLE_STRING, b"robot");
        let mail: (&[u8], u8, &[u8]) = (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], IA5_STRING, b"a@b");
        assert_eq!(written(&[organisation, name]), "CN=robot,O=Example\\, Inc.");
        assert_eq!(written(&[mail]), "1.2.840.113549.1.9.1=a@b");
        assert_eq!(written(&[]), "");
    }

    #[test]
    fn nothing_but_printable_ascii_comes_out() {
        let cn = |value: &'static [u8]| written(&[(&[0x55, 4, 3], UTF8_STRING, value)]);
        assert_eq!(cn(b" \n\xc3\xa9# "), "CN=\\ \\0a\\c3\\a9#\\ ");
        assert_eq!(cn(b"a=\"b\""), "CN=a\\=\\\"b\\\"");
        assert_eq!(cn(b"\xff"), "CN=#ff");
        assert_eq!(written(&[(&[0x55, 4, 3], 0x1e, &[0, 65])]), "CN=#0041");
    }

    #[test]
    fn it_is_cut_off_at_its_bound() {
        let long = [b'a'; SUBJECT_LEN_MAX];
        assert_eq!(written(&[(&[0x55, 4, 3], UTF8_STRING, &long), (&[0x55, 4, 6], UTF8_STRING, b"XX")]).len(), SUBJECT_LEN_MAX);
    }
}
