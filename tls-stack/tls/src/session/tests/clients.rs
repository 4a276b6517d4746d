//! Clients' certificates in real handshakes: who gets in, what everybody else is told, and that nobody resumes past them.

use alloc::sync::Arc;
use alloc::vec;

use keys::bundle::ClientAuth;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, ClientConfig, Error, SignatureScheme};

use crate::testing::pki::{Authority, Leaf, crl, leaf, root};
use crate::testing::{Client, Pair, START, Server, ticket_keys};
use crate::{Alert, CertificateFault, Clients, Clock, Config, Fault, TicketKeys, Version};

const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

/// Whether a client must show a certificate.
const REQUIRED: bool = true;
const OPTIONAL: bool = false;

struct Route(ClientAuth);

impl Route {
    fn of(root: &Authority, required: bool) -> Self {
        Self(ClientAuth { required, roots: vec![root.der().to_vec()], crls: vec![], names: vec![], subjects: vec![] })
    }

    fn clients(&self) -> Arc<Clients> {
        Arc::new(Clients::new(&self.0).unwrap())
    }

    fn config(&self) -> Config {
        Server { clients: Some(self.clients()), ..Server::default() }.config()
    }

    /// With the keys and the domain of a route that issues tickets.
    fn with_tickets(&self, keys: &TicketKeys) -> Config {
        Server { clients: Some(self.clients()), tickets: Some((keys.clone(), b"route", 2)), ..Server::default() }.config()
    }
}

fn showing(version: Version, leaf: &Leaf) -> Client {
    Client { certificate: Some(leaf.shown_with(&[])), ..Client::of(version) }
}

/// The fault of the session, and the alert that the client has seen.
fn refusal(config: &Config, client: &Arc<ClientConfig>) -> (Option<Fault>, Option<AlertDescription>) {
    let mut pair = Pair::new(config, client);
    pair.run();
    let seen = match pair.client_fault {
        Some(Error::AlertReceived(alert)) => Some(alert),
        _ => None,
    };
    (pair.fault(), seen)
}

#[test]
fn a_good_certificate_is_let_in_and_told() {
    let root = root("root");
    let robot = leaf("robot", &root, |_| ());
    for (version, required) in VERSIONS.into_iter().flat_map(|version| [(version, REQUIRED), (version, OPTIONAL)]) {
        let mut pair = Pair::established(&Route::of(&root, required).config(), &showing(version, &robot).config());
        pair.client_sends(b"ping");
        assert_eq!(pair.plain, b"ping");
        let mut summary = pair.summary().clone();
        let client = summary.client.clone().unwrap();
        assert_eq!(
            (client.der.as_slice(), client.subject.as_str(), client.common_name.as_deref()),
            (&*robot.der, "CN=robot", Some("robot"))
        );
        summary.forget_client_der();
        let kept = summary.client.unwrap();
        assert_eq!((kept.der.len(), kept.subject.as_str()), (0, "CN=robot"));
    }
}

#[test]
fn without_a_certificate_an_optional_route_serves_and_a_required_one_says_certificate_required() {
    let root = root("root");
    for version in VERSIONS {
        let client = Client::of(version).config();
        let pair = Pair::established(&Route::of(&root, OPTIONAL).config(), &client);
        assert_eq!(pair.summary().client, None);
        let (fault, seen) = refusal(&Route::of(&root, REQUIRED).config(), &client);
        assert_eq!(fault, Some(Fault::PeerCertificate(CertificateFault::Missing, Alert::CERTIFICATE_REQUIRED)), "{version:?}");
        assert_eq!(seen, Some(AlertDescription::CertificateRequired));
    }
}

#[test]
fn a_route_that_asks_for_none_gets_none() {
    let robot = leaf("robot", &root("root"), |_| ());
    for version in VERSIONS {
        let pair = Pair::established(&Server::default().config(), &showing(version, &robot).config());
        assert_eq!(pair.summary().client, None);
    }
}

#[test]
fn each_fault_has_its_alert_and_the_client_sees_it() {
    let (root, other) = (root("root"), root("other"));
    let robot = leaf("robot", &root, |_| ());
    let of_other = leaf("robot", &other, |_| ());
    let for_servers = leaf("robot", &root, |leaf| leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth]);
    let old = leaf("robot", &root, |leaf| leaf.not_after = rcgen::date_time_ymd(2026, 1, 1));
    let plain = || Route::of(&root, OPTIONAL);
    let listed = |revoked: &[u64], until| Route(ClientAuth { crls: vec![crl(&root, revoked, until)], ..plain().0 });
    let closed = Route(ClientAuth { subjects: vec!["someone".into()], ..plain().0 });
    use AlertDescription as D;
    use CertificateFault as F;
    let cases = [
        (plain(), &of_other, F::UnknownIssuer, D::UnknownCA),
        (plain(), &for_servers, F::Purpose, D::UnsupportedCertificate),
        (plain(), &old, F::Expired, D::CertificateExpired),
        (listed(&[7], 2030), &robot, F::Revoked, D::CertificateRevoked),
        (listed(&[], 2026), &robot, F::RevocationExpired, D::UnknownCA),
        (closed, &robot, F::NotAllowed, D::AccessDenied),
    ];
    for (route, shown, fault, alert) in cases {
        for version in VERSIONS {
            let said = refusal(&route.config(), &showing(version, shown).config());
            assert_eq!(said, (Some(Fault::PeerCertificate(fault, Alert(alert.into()))), Some(alert)), "{version:?}");
        }
    }
}

/// Shows a certificate with another's key.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl ResolvesClientCert for Impostor {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let root = root("root");
    let (robot, thief) = (leaf("robot", &root, |_| ()), leaf("thief", &root, |_| ()));
    for version in VERSIONS {
        let mut client = Arc::unwrap_or_clone(showing(version, &robot).config());
        let key = PrivatePkcs8KeyDer::from(thief.key.serialize_der()).into();
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
        client.client_auth_cert_resolver = Arc::new(Impostor(Arc::new(CertifiedKey::new(vec![robot.der.clone()], key))));
        let (fault, seen) = refusal(&Route::of(&root, REQUIRED).config(), &Arc::new(client));
        assert_eq!(fault, Some(Fault::PeerCertificate(CertificateFault::Signature, Alert::DECRYPT_ERROR)), "{version:?}");
        assert_eq!(seen, Some(AlertDescription::DecryptError));
    }
}

#[test]
fn a_route_with_client_certificates_issues_no_tickets_and_resumes_nothing() {
    let root = root("root");
    let robot = leaf("robot", &root, |_| ());
    let keys = ticket_keys(1, &Clock::new(START));
    for version in VERSIONS {
        let config = Route::of(&root, REQUIRED).with_tickets(&keys);
        let client = Client { resumption: true, ..showing(version, &robot) }.config();
        for _ in 0..2 {
            let pair = Pair::established(&config, &client);
            assert!(!pair.summary().resumed && pair.summary().client.is_some());
            assert_eq!(pair.client.tls13_tickets_received(), 0);
        }
    }
}

/// The class of CVE-2025-23419: what an anonymous handshake has proven is not what this route asks for. The ticket even is of the same keys and domain, as after
/// a reload that has turned client certificates on.
#[test]
fn a_ticket_from_a_route_without_client_certificates_does_not_resume_into_one_with_them() {
    let root = root("root");
    let robot = leaf("robot", &root, |_| ());
    let keys = ticket_keys(1, &Clock::new(START));
    for version in VERSIONS {
        let anonymous = Server { tickets: Some((keys.clone(), b"route", 2)), ..Server::default() }.config();
        let client = Client { resumption: true, ..Client::of(version) }.config();
        assert!(!Pair::established(&anonymous, &client).summary().resumed);
        assert!(Pair::established(&anonymous, &client).summary().resumed, "{version:?}: the ticket is good where it came from");
        let (fault, _) = refusal(&Route::of(&root, REQUIRED).with_tickets(&keys), &client);
        assert_eq!(fault, Some(Fault::PeerCertificate(CertificateFault::Missing, Alert::CERTIFICATE_REQUIRED)), "{version:?}");
        let optional = Pair::established(&Route::of(&root, OPTIONAL).with_tickets(&keys), &client);
        assert!(!optional.summary().resumed);
        // One that has a certificate is asked for it.
        let client = Client { resumption: true, ..showing(version, &robot) }.config();
        assert!(!Pair::established(&anonymous, &client).summary().resumed);
        let pair = Pair::established(&Route::of(&root, REQUIRED).with_tickets(&keys), &client);
        assert!(!pair.summary().resumed && pair.summary().client.is_some(), "{version:?}");
    }
}

/// The other direction: what was proven to one route is not carried to another that never asked.
#[test]
fn a_session_with_a_client_certificate_does_not_resume_anywhere() {
    let root = root("root");
    let robot = leaf("robot", &root, |_| ());
    let keys = ticket_keys(1, &Clock::new(START));
    for version in VERSIONS {
        let anonymous = Server { tickets: Some((keys.clone(), b"route", 2)), ..Server::default() }.config();
        let client = Client { resumption: true, ..showing(version, &robot) }.config();
        assert!(Pair::established(&Route::of(&root, REQUIRED).with_tickets(&keys), &client).summary().client.is_some());
        let pair = Pair::established(&anonymous, &client);
        assert!(!pair.summary().resumed && pair.summary().client.is_none(), "{version:?}");
    }
}
