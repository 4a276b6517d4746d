//! Certificates of every kind, at both ends: exactly those that were meant are taken.
//!
//! What should come of an order is said here, by a rule that knows nothing of the code that it judges.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use std::sync::LazyLock;

use peers::{Authority, ExtendedKeyUsage, KeyUsage, Named, Order, Path, Shown, Tamper, Validity};

use crate::testing::duo::{Calling, Duo, OF_CLIENTS, OF_SERVERS, identity_of};
use crate::testing::{NAME, START, Server};
use crate::{CertificateFault, Clients, Config, Fault, Servers, Version};

/// An authority of another door, and one of another door that has the name of ours.
static STRANGERS: LazyLock<[Authority; 2]> = LazyLock::new(|| [Authority::new("of another door"), Authority::new("of clients")]);

/// Whose certificates are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looked {
    AtClients,
    AtServers,
}

const BOTH: [Looked; 2] = [Looked::AtClients, Looked::AtServers];

/// Who makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    Ours,
    /// The authority for the other role at the same door.
    OtherRole,
    OtherDoor,
    Namesake,
}

const MAKERS: [Maker; 4] = [Maker::Ours, Maker::OtherRole, Maker::OtherDoor, Maker::Namesake];

impl Looked {
    fn maker(self, maker: Maker) -> &'static Authority {
        match (self, maker) {
            (Self::AtClients, Maker::Ours) | (Self::AtServers, Maker::OtherRole) => &OF_CLIENTS,
            (Self::AtServers, Maker::Ours) | (Self::AtClients, Maker::OtherRole) => &OF_SERVERS,
            (_, Maker::OtherDoor) => &STRANGERS[0],
            (_, Maker::Namesake) => &STRANGERS[1],
        }
    }

    fn wanted(self) -> ExtendedKeyUsage {
        if self == Self::AtClients { ExtendedKeyUsage::Client } else { ExtendedKeyUsage::Server }
    }

    /// Without a connection.
    fn verdict(self, shown: &Shown) -> Result<(), CertificateFault> {
        let chain: Vec<&[u8]> = shown.chain.iter().map(Vec::as_slice).collect();
        match self {
            Self::AtClients => Clients::strict(OF_CLIENTS.der(), NAME).unwrap().verify(&chain, START).map(|_| ()),
            Self::AtServers => Servers::new(OF_SERVERS.der(), NAME).unwrap().verify(&chain, START).map(|_| ()),
        }
    }
}

fn names() -> Vec<Named> {
    let dns = ["box.example.org", "other.example.org", "*.example.org", "box.example.org.example.net", "a.box.example.org", "example.org"];
    dns.iter().map(|name| Named::Dns(name.to_string())).chain([Named::CommonName(NAME.to_string())]).collect()
}

/// The rule: all of this, and nothing else.
fn should_pass(looked: Looked, maker: Maker, order: &Order) -> bool {
    maker == Maker::Ours
        && matches!(order.path, Path::Direct | Path::Intermediate)
        && order.extended_key_usage == looked.wanted()
        && order.key_usage == KeyUsage::Sign
        && order.validity == Validity::Now
        && order.named == Named::Dns(NAME.to_string())
        && order.tamper == Tamper::Nothing
}

/// All orders; those where nothing is spoilt because there is nothing are left out.
fn orders() -> impl Iterator<Item = (Maker, Order)> {
    let mut all = vec![];
    for maker in MAKERS {
        for path in Path::ALL {
            for extended_key_usage in ExtendedKeyUsage::ALL {
                for key_usage in KeyUsage::ALL {
                    for validity in Validity::ALL {
                        for named in names() {
                            for tamper in Tamper::ALL {
                                let named = named.clone();
                                all.push((maker, Order { path, extended_key_usage, key_usage, validity, named, tamper }));
                            }
                        }
                    }
                }
            }
        }
    }
    all.into_iter().filter(|(_, order)| order.tamper != Tamper::IssuerSignature || order.path.has_issuer())
}

/// In how many ways it differs from the right one.
fn wrongs(looked: Looked, maker: Maker, order: &Order) -> usize {
    let wrongs = [
        maker != Maker::Ours,
        !matches!(order.path, Path::Direct | Path::Intermediate),
        order.extended_key_usage != looked.wanted(),
        order.key_usage != KeyUsage::Sign,
        order.validity != Validity::Now,
        order.named != Named::Dns(NAME.to_string()),
        order.tamper != Tamper::Nothing,
    ];
    wrongs.into_iter().filter(|wrong| *wrong).count()
}

/// What one wrong thing is called.
fn called(looked: Looked, maker: Maker, order: &Order) -> &'static [CertificateFault] {
    use CertificateFault as F;
    match order {
        // The namesake's key is another, which shows where the name is that of the authority that is looked for.
        _ if maker == Maker::Namesake && looked == Looked::AtClients && order.path == Path::Direct => &[F::Signature],
        _ if maker != Maker::Ours => &[F::UnknownIssuer, F::Signature],
        Order { path: Path::SelfSigned, .. } => &[F::UnknownIssuer],
        Order { path: Path::NotAnAuthority | Path::Unconstrained, .. } => &[F::Purpose],
        Order { validity: Validity::Past, .. } => &[F::Expired],
        Order { validity: Validity::Future, .. } => &[F::NotYetValid],
        Order { tamper: Tamper::Signature | Tamper::Content | Tamper::IssuerSignature, .. } => &[F::Signature],
        Order { named, .. } if *named != Named::Dns(NAME.to_string()) => &[F::NotAllowed],
        _ => &[F::Purpose],
    }
}

#[test]
fn of_all_orders_exactly_those_that_were_meant_pass() {
    for looked in BOTH {
        let mut passed = vec![];
        let mut count = 0;
        for (maker, order) in orders() {
            // Each wrong thing with each two others; not all of them at once have to be signed.
            if wrongs(looked, maker, &order) > 3 {
                continue;
            }
            let verdict = looked.verdict(&looked.maker(maker).make(&order));
            assert_eq!(verdict.is_ok(), should_pass(looked, maker, &order), "{looked:?} {maker:?} {order:?} {verdict:?}");
            if wrongs(looked, maker, &order) == 1 {
                assert!(called(looked, maker, &order).contains(&verdict.unwrap_err()), "{looked:?} {maker:?} {order:?} {verdict:?}");
            }
            passed.extend(verdict.is_ok().then_some(order.path));
            count += 1;
        }
        assert_eq!(passed, [Path::Direct, Path::Intermediate]);
        assert!(count > 2000, "{count}");
    }
}

/// The end that shows it, against a session at the other end that is in order.
fn duo(looked: Looked, version: Version, shown: Shown) -> Duo {
    let strict = Some(Arc::new(Clients::strict(OF_CLIENTS.der(), NAME).unwrap()));
    let config = |shown: &Shown| -> Config {
        Server { identities: vec![identity_of(shown)], clients: strict.clone(), ..Server::default() }.config()
    };
    // X25519 alone, which is cheap (and the curve of the certificates): there are many of these.
    let calling = || {
        let usual = Calling::of(version);
        Calling { offer: (usual.offer.0.clone(), vec![0x1d, 0x17]), ..usual }
    };
    let mut duo = match looked {
        Looked::AtClients => {
            let config = config(&OF_SERVERS.make(&Order::for_server(NAME)));
            Duo::new(&Calling { shown, ..calling() }.caller(), &config)
        }
        Looked::AtServers => Duo::new(&calling().caller(), &config(&shown)),
    };
    duo.run();
    duo
}

#[test]
fn in_handshakes_exactly_those_that_were_meant_pass() {
    for looked in BOTH {
        let chosen: Vec<_> = orders().filter(|(maker, order)| wrongs(looked, *maker, order) <= 2).collect();
        assert!(chosen.len() > 200, "{}", chosen.len());
        for (maker, order) in chosen {
            let shown = looked.maker(maker).make(&order);
            for version in [Version::Tls12, Version::Tls13] {
                let duo = duo(looked, version, shown.clone());
                let (judge, other) = if looked == Looked::AtClients { (&duo.server, &duo.client) } else { (&duo.client, &duo.server) };
                let what = (looked, maker, &order, version, &judge.events);
                if should_pass(looked, maker, &order) {
                    let peer = if looked == Looked::AtClients { &judge.summary().client } else { &judge.summary().server };
                    assert_eq!(peer.as_ref().unwrap().der, shown.chain[0], "{what:?}");
                    assert!(judge.faults().is_empty() && other.faults().is_empty(), "{what:?}");
                } else {
                    let [Fault::PeerCertificate(fault, alert)] = judge.faults()[..] else { panic!("{what:?}") };
                    assert!(!judge.session.is_established(), "{what:?}");
                    assert_eq!(Err(fault), looked.verdict(&shown), "{what:?}");
                    assert_eq!(other.faults(), [Fault::PeerAlert(alert)], "{what:?}");
                }
            }
        }
    }
}

/// RFC 4343: case is no part of a name.
#[test]
fn a_name_is_one_in_any_case_and_beside_others() {
    use rcgen::{ExtendedKeyUsagePurpose, SanType};
    let authority = crate::testing::pki::root("root");
    for (names, expected) in [
        (&["BOX.Example.ORG"][..], Ok(())),
        (&["other.example.org", NAME], Ok(())),
        (&["box.example.org."], Err(CertificateFault::NotAllowed)),
        (&["*.example.org", "*", ""], Err(CertificateFault::NotAllowed)),
        (&[], Err(CertificateFault::NotAllowed)),
    ] {
        let leaf = crate::testing::pki::leaf(NAME, &authority, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.subject_alt_names = names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
        });
        for wanted in [NAME, "Box.example.org", "box.example.org."] {
            let servers = Servers::new(authority.der(), wanted).unwrap();
            assert_eq!(servers.verify(&[&leaf.der], START).map(|_| ()), expected, "{names:?} {wanted}");
        }
    }
}

/// Extended key usages that only a broken authority would write: what cannot be read to its end is not taken for what stands first.
#[test]
fn a_list_of_usages_must_be_whole() {
    use rcgen::{CertificateParams, CustomExtension, IsCa, KeyPair, KeyUsagePurpose, SanType};
    let authority = crate::testing::pki::root("root");
    let verdict = |usages: &[u8]| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.subject_alt_names = vec![SanType::DnsName(NAME.try_into().unwrap())];
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 37], usages.to_vec())];
        let leaf = params.signed_by(&KeyPair::generate().unwrap(), &authority).unwrap();
        Clients::strict(authority.der(), NAME).unwrap().verify(&[leaf.der()], START).map(|_| ())
    };
    let client = [6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2];
    let list = |parts: &[&[u8]]| keys::der::write(keys::der::SEQUENCE, parts).unwrap();
    assert_eq!(verdict(&list(&[&client])), Ok(()));
    assert_eq!(verdict(&list(&[&client, &[5, 0]])), Err(CertificateFault::Purpose));
    assert_eq!(verdict(&list(&[&client, &[6, 9, 0]])), Err(CertificateFault::Purpose));
    let server = [6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
    assert_eq!(verdict(&list(&[&client, &server])), Err(CertificateFault::Purpose));
    assert_eq!(verdict(&[list(&[&client]), list(&[&server])].concat()), Err(CertificateFault::Encoding));
}
