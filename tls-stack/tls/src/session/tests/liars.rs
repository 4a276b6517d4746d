//! Servers that speak TLS well and lie: a wrong Finished, a wrong key, no certificate, a second hello for nothing.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use peers::Order;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider};
use rustls::crypto::hmac::Tag;
use rustls::crypto::tls12::Prf;
use rustls::crypto::tls13::{Hkdf, HkdfExpander, OkmBlock};
use rustls::crypto::{ActiveKeyExchange, CipherSuiteCommon, CryptoProvider};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, ServerConfig, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite};

use crate::testing::NAME;
use crate::testing::duo::{Calling, Dialled, End, OF_SERVERS};
use crate::{Alert, CertificateFault, Fault, Session, Version};

const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

/// Shows this chain, whatever it is asked for, and signs with this key, whosever it is.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A server of these suites with this chain and this key.
fn server(suites: Vec<SupportedCipherSuite>, version: Version, chain: Vec<Vec<u8>>, key: Vec<u8>) -> Arc<ServerConfig> {
    let provider = Arc::new(CryptoProvider { cipher_suites: suites, ..default_provider() });
    let versions = if version == Version::Tls12 { [&rustls::version::TLS12] } else { [&rustls::version::TLS13] };
    let key = provider.key_provider.load_private_key(PrivatePkcs8KeyDer::from(key).into()).unwrap();
    let shown = CertifiedKey::new(chain.into_iter().map(Into::into).collect(), key);
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions).unwrap();
    Arc::new(builder.with_no_client_auth().with_cert_resolver(Arc::new(Shows(Arc::new(shown)))))
}

/// The faults of our end, and what the server has heard of them.
fn outcome(config: &Arc<ServerConfig>) -> (Vec<Fault>, Option<Error>) {
    let mut dialled = Dialled::new(&Calling::default().caller(), config);
    dialled.run();
    assert!(!dialled.client.session.is_established());
    (dialled.client.faults(), dialled.server_fault)
}

fn told(alert: Alert) -> Option<Error> {
    Some(Error::AlertReceived(alert.0.into()))
}

/// A key schedule that is right but for the value of the Finished.
struct Wrong<T>(T);

fn turned(value: &[u8]) -> Vec<u8> {
    value.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == 0)).collect()
}

impl Hkdf for Wrong<&'static dyn Hkdf> {
    fn extract_from_zero_ikm(&self, salt: Option<&[u8]>) -> Box<dyn HkdfExpander> {
        self.0.extract_from_zero_ikm(salt)
    }

    fn extract_from_secret(&self, salt: Option<&[u8]>, secret: &[u8]) -> Box<dyn HkdfExpander> {
        self.0.extract_from_secret(salt, secret)
    }

    fn expander_for_okm(&self, okm: &OkmBlock) -> Box<dyn HkdfExpander> {
        self.0.expander_for_okm(okm)
    }

    fn hmac_sign(&self, key: &OkmBlock, message: &[u8]) -> Tag {
        Tag::new(&turned(self.0.hmac_sign(key, message).as_ref()))
    }
}

impl Prf for Wrong<&'static dyn Prf> {
    fn for_key_exchange(
        &self,
        output: &mut [u8; 48],
        kx: Box<dyn ActiveKeyExchange>,
        peer: &[u8],
        label: &[u8],
        seed: &[u8],
    ) -> Result<(), Error> {
        self.0.for_key_exchange(output, kx, peer, label, seed)
    }

    fn for_secret(&self, output: &mut [u8], secret: &[u8], label: &[u8], seed: &[u8]) {
        self.0.for_secret(output, secret, label, seed);
        if label == b"server finished" {
            output[0] ^= 1;
        }
    }
}

fn common(of: &CipherSuiteCommon) -> CipherSuiteCommon {
    CipherSuiteCommon { suite: of.suite, hash_provider: of.hash_provider, confidentiality_limit: of.confidentiality_limit }
}

/// Two suites whose servers end with a wrong Finished.
fn wrong_at_the_end() -> Vec<SupportedCipherSuite> {
    let right = cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().unwrap();
    let hkdf_provider: &'static dyn Hkdf = Box::leak(Box::new(Wrong(right.hkdf_provider)));
    let new = Tls13CipherSuite { common: common(&right.common), hkdf_provider, aead_alg: right.aead_alg, quic: None };
    let SupportedCipherSuite::Tls12(right) = cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 else { panic!("a suite of TLS 1.2") };
    let prf_provider: &'static dyn Prf = Box::leak(Box::new(Wrong(right.prf_provider)));
    let old = Tls12CipherSuite { common: common(&right.common), prf_provider, kx: right.kx, sign: right.sign, aead_alg: right.aead_alg };
    vec![SupportedCipherSuite::Tls13(Box::leak(Box::new(new))), SupportedCipherSuite::Tls12(Box::leak(Box::new(old)))]
}

#[test]
fn a_wrong_finished_is_refused_with_decrypt_error() {
    let shown = OF_SERVERS.make(&Order::for_server(NAME));
    for version in VERSIONS {
        let (faults, heard) = outcome(&server(wrong_at_the_end(), version, shown.chain.clone(), shown.key.clone()));
        assert_eq!((faults, heard), (vec![Fault::Peer(Alert::DECRYPT_ERROR)], told(Alert::DECRYPT_ERROR)), "{version:?}");
    }
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let (shown, other) = (OF_SERVERS.make(&Order::for_server(NAME)), OF_SERVERS.make(&Order::for_server(NAME)));
    for version in VERSIONS {
        let config = server(default_provider().cipher_suites, version, shown.chain.clone(), other.key.clone());
        let wanted = Fault::PeerCertificate(CertificateFault::Signature, Alert::DECRYPT_ERROR);
        assert_eq!(outcome(&config), (vec![wanted], told(Alert::DECRYPT_ERROR)), "{version:?}");
    }
}

/// RFC 8446 §4.4.2.4.
#[test]
fn a_server_without_a_certificate_is_refused_with_decode_error() {
    let key = OF_SERVERS.make(&Order::for_server(NAME)).key;
    for version in VERSIONS {
        let config = server(default_provider().cipher_suites, version, vec![], key.clone());
        let wanted = Fault::PeerCertificate(CertificateFault::Missing, Alert::DECODE_ERROR);
        assert_eq!(outcome(&config), (vec![wanted], told(Alert::DECODE_ERROR)), "{version:?}");
    }
}

/// RFC 8446 §4.1.3: the random that makes a ServerHello a HelloRetryRequest.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A HelloRetryRequest for a group, in answer to this hello.
fn retry(hello: &[u8], group: u16) -> Vec<u8> {
    let session_id = &hello[5 + 4 + 34..][..33];
    let [high, low] = group.to_be_bytes();
    let extensions = [0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, high, low];
    let body = [&[3, 3][..], &RETRY, session_id, &[0x13, 1, 0], &extensions].concat();
    let len = u8::try_from(body.len()).unwrap();
    [&[22, 3, 3, 0, len + 4, 2, 0, 0, len][..], &body].concat()
}

#[test]
fn a_second_hello_is_said_once_and_only_for_a_reason() {
    let dial = || {
        let mut end = End::new(Session::dial(&Calling::default().caller()));
        let hello = end.bytes();
        (end, hello)
    };
    let (mut end, hello) = dial();
    end.deliver(&retry(&hello, 0x17), None);
    assert_eq!(end.faults(), []);
    assert!(end.bytes().len() > 200, "the second hello");
    end.deliver(&retry(&hello, 0x18), None);
    assert_eq!(end.faults(), [Fault::Peer(Alert::UNEXPECTED_MESSAGE)]);
    assert_eq!(end.bytes(), [21, 3, 3, 0, 2, 2, 10]);
    for (group, what) in [(0x11ec, "its share was there"), (0x19, "nobody offered it"), (0x100, "nobody offered it")] {
        let (mut end, hello) = dial();
        end.deliver(&retry(&hello, group), None);
        assert_eq!(end.faults(), [Fault::Peer(Alert::ILLEGAL_PARAMETER)], "{group:x}: {what}");
        assert_eq!(end.bytes(), [21, 3, 3, 0, 2, 2, 47], "{group:x}: {what}");
    }
}
