//! What a backend hears before the first byte of its connection: the PROXY header, where the route says so.

use alloc::vec::Vec;

use keys::bundle::ProxyOut;
use net::{FlowId, Net};
use proxy::{Addresses, Known, Tls};
use tls::{ClientCertificate, Summary, Version};

use super::client::{Client, Written};
use super::relay::copy;

/// See the module. Nothing is left of it once it has gone out.
#[derive(Debug, Default)]
pub(super) struct Preface {
    bytes: Vec<u8>,
    written: usize,
}

impl Preface {
    /// For a backend of the client's route.
    pub(super) fn of(client: &Client) -> Self {
        let addresses = Addresses::new(client.log.accepted.peer, client.reached);
        let bytes = match client.proxy {
            ProxyOut::Off => Vec::new(),
            ProxyOut::V1 => proxy::line(&addresses).to_vec(),
            ProxyOut::V2 => proxy::block(&addresses, None),
            ProxyOut::V2Tls => proxy::block(&addresses, Some(&known(client))),
        };
        Self { bytes, written: 0 }
    }

    /// Goes on with it; nothing else may go to the backend before all of it has gone.
    pub(super) fn write(&mut self, back: &mut Net, flow: FlowId) -> Written {
        while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
            match back.send(flow, |space| copy(rest, space)) {
                Ok(len) if len > 0 => self.written = self.written.saturating_add(len),
                _ => {
                    back.want_room(flow, rest.len());
                    return Written::Waiting;
                }
            }
        }
        *self = Self::default();
        Written::All
    }
}

/// What is known of the client's TLS. Where TLS passes through that is the name alone: what is agreed on is between client and backend.
fn known(client: &Client) -> Known<'_> {
    let summary = client.log.handshake.as_ref().map(|(summary, _)| &**summary);
    Known {
        alpn: summary.and_then(|summary| summary.alpn.as_deref()),
        authority: summary.and_then(|summary| summary.server_name.as_deref()).or(client.server_name.as_deref()),
        tls: summary.map(tls),
    }
}

fn tls(summary: &Summary) -> Tls<'_> {
    Tls {
        version: match summary.version {
            Version::Tls12 => "TLSv1.2",
            Version::Tls13 => "TLSv1.3",
        },
        cipher: cipher(summary.suite),
        group: summary.group.and_then(group),
        client: summary.client.as_deref().map(certificate),
        ..Tls::default()
    }
}

fn certificate(client: &ClientCertificate) -> proxy::ClientCertificate<'_> {
    proxy::ClientCertificate { der: &client.der, common_name: client.common_name.as_deref() }
}

/// A suite by the name that OpenSSL has for it, which is what receivers of this protocol know.
fn cipher(suite: u16) -> Option<&'static str> {
    Some(match suite {
        0x1301 => "TLS_AES_128_GCM_SHA256",
        0x1302 => "TLS_AES_256_GCM_SHA384",
        0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
        0xc02b => "ECDHE-ECDSA-AES128-GCM-SHA256",
        0xc02c => "ECDHE-ECDSA-AES256-GCM-SHA384",
        0xc02f => "ECDHE-RSA-AES128-GCM-SHA256",
        0xc030 => "ECDHE-RSA-AES256-GCM-SHA384",
        0xcca8 => "ECDHE-RSA-CHACHA20-POLY1305",
        0xcca9 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        _ => return None,
    })
}

fn group(group: u16) -> Option<&'static str> {
    Some(match group {
        0x0017 => "secp256r1",
        0x0018 => "secp384r1",
        0x001d => "x25519",
        0x11ec => "X25519MLKEM768",
        _ => return None,
    })
}
