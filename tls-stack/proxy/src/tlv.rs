//! The fields behind the addresses of version 2 (sections 2.2.1 to 2.2.7): what is said of TLS.

use alloc::vec::Vec;

use crate::limits::{ALPN_LEN_MAX, CERTIFICATE_LEN_MAX, TEXT_LEN_MAX};

/// What is known of a connection besides its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known<'a> {
    /// The protocol that was agreed on (ALPN).
    pub alpn: Option<&'a [u8]>,
    /// The host name that the client asked for (SNI).
    pub authority: Option<&'a str>,
    /// What was agreed on; none where TLS is not ended by the sender.
    pub tls: Option<Tls<'a>>,
}

/// What is known of a TLS session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tls<'a> {
    /// As in `TLSv1.3`.
    pub version: &'a str,
    /// As in `TLS_AES_128_GCM_SHA256` or `ECDHE-RSA-AES128-GCM-SHA256`.
    pub cipher: Option<&'a str>,
    /// The key exchange's group, as in `X25519`.
    pub group: Option<&'a str>,
    /// How the server's certificate was signed, as in `RSA-SHA256`.
    pub signature: Option<&'a str>,
    /// The kind of the server's key, as in `RSA2048`.
    pub key: Option<&'a str>,
    /// The client's certificate, if it showed one and it was verified.
    pub client: Option<ClientCertificate<'a>>,
}

/// A client's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientCertificate<'a> {
    /// All of it, in DER.
    pub der: &'a [u8],
    /// The common name of its subject.
    pub common_name: Option<&'a str>,
}

/// The registered kinds of fields.
pub(crate) mod kind {
    pub(crate) const ALPN: u8 = 0x01;
    pub(crate) const AUTHORITY: u8 = 0x02;
    pub(crate) const CRC32C: u8 = 0x03;
    pub(crate) const SSL: u8 = 0x20;
    pub(crate) const SSL_VERSION: u8 = 0x21;
    pub(crate) const SSL_COMMON_NAME: u8 = 0x22;
    pub(crate) const SSL_CIPHER: u8 = 0x23;
    pub(crate) const SSL_SIGNATURE: u8 = 0x24;
    pub(crate) const SSL_KEY: u8 = 0x25;
    pub(crate) const SSL_GROUP: u8 = 0x26;
    pub(crate) const SSL_CLIENT_CERTIFICATE: u8 = 0x28;
}

/// The client speaks TLS.
const CLIENT_SSL: u8 = 1;
/// It has shown a certificate over this connection, and in this session. Sessions with one are never resumed, so it is always both.
const CLIENT_CERTIFICATE: u8 = 2 | 4;
/// "Non-zero" where the client has shown no certificate (section 2.2.6).
const NOT_VERIFIED: u32 = 1;

impl Known<'_> {
    /// Appends the fields to a header.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        field(out, kind::ALPN, self.alpn.filter(|alpn| alpn.len() <= ALPN_LEN_MAX));
        field(out, kind::AUTHORITY, text(self.authority));
        if let Some(tls) = &self.tls {
            let mut value = Vec::new();
            tls.write(&mut value);
            field(out, kind::SSL, Some(&value));
        }
    }
}

impl Tls<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let (flags, verify) = if self.client.is_some() { (CLIENT_SSL | CLIENT_CERTIFICATE, 0) } else { (CLIENT_SSL, NOT_VERIFIED) };
        out.push(flags);
        out.extend_from_slice(&u32::to_be_bytes(verify));
        field(out, kind::SSL_VERSION, text(Some(self.version)));
        field(out, kind::SSL_CIPHER, text(self.cipher));
        field(out, kind::SSL_GROUP, text(self.group));
        field(out, kind::SSL_SIGNATURE, text(self.signature));
        field(out, kind::SSL_KEY, text(self.key));
        if let Some(client) = &self.client {
            field(out, kind::SSL_COMMON_NAME, text(client.common_name));
            field(out, kind::SSL_CLIENT_CERTIFICATE, Some(client.der).filter(|der| der.len() <= CERTIFICATE_LEN_MAX));
        }
    }
}

/// A text that is not too long to be said.
fn text(text: Option<&str>) -> Option<&[u8]> {
    text.map(str::as_bytes).filter(|text| text.len() <= TEXT_LEN_MAX)
}

/// Appends a field, if it has a value.
pub(crate) fn field(out: &mut Vec<u8>, kind: u8, value: Option<&[u8]>) {
    let Some((value, len)) = value.and_then(|value| Some((value, u16::try_from(value.len()).ok()?))) else { return };
    out.push(kind);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(value);
}
