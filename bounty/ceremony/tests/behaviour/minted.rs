//! What is minted is what the manifest says, opens what it is to open, and nothing else.

use crate::written::{NOW, START, names, order, written};
use arbiter::lines::sealed;
use arbiter::note::VerifierKey;
use arbiter::{Context, Digest, Manifest, Tier, Verdict, claim, verify};
use ceremony::{DoorName, Folder, Mode, PerDoor, Place};
use keys::Secret;
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use ring::signature::{Ed25519KeyPair, KeyPair};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};

#[test]
fn two_contests_share_no_secret() {
    let (one, other) = (written(Mode::Sealed), written(Mode::Sealed));
    let secrets = |written: &crate::written::Written| -> Vec<(String, Vec<u8>)> {
        written.files().into_iter().filter(|(name, _)| name.starts_with("secret/") || name == "operator.key").collect()
    };
    let (one_secrets, other_secrets) = (secrets(&one), secrets(&other));
    assert_eq!(one_secrets.len(), 13, "operator, log, page, eight flags, two clients");
    for (name, bytes) in &one_secrets {
        assert!(other_secrets.iter().all(|(_, other)| other != bytes), "{name}");
        let same = one_secrets.iter().filter(|(_, other)| other == bytes).count();
        assert_eq!(same, 1, "{name} stands for two things");
    }
    let (one, other) = (one.open(), other.open());
    assert_ne!(one.digest(), other.digest());
    let (places, others) = (one.places(), other.places());
    assert!(places.0 != others.0 && places.1 != others.1 && places.2 != others.2);
}

#[test]
fn the_manifest_is_the_operators_and_says_what_was_ordered() {
    let written = written(Mode::Sealed);
    let folder = written.open();
    let (names, note) = (names(), std::fs::read(written.path.join("public/manifest")).unwrap());
    let order = order(&names, Mode::Sealed);
    let manifest = Manifest::read(&note, folder.operator()).unwrap();
    assert_eq!((manifest.name, manifest.source, manifest.start, manifest.end), (order.name, order.source, order.start, order.end));
    assert_eq!((manifest.image, manifest.tender, manifest.configuration), (order.image, order.tender, order.configuration));
    assert_eq!(manifest.rules, Digest::of(&[order.rules.as_bytes()]));
    assert_eq!(manifest.log.name(), "Bounty.example.test/log");
    assert_eq!(manifest.certificates.len(), 8, "three authorities, three of the box, the page's, and what signed that");
    assert_eq!(folder.page().names, ["bounty.example.test"]);
    let stranger = VerifierKey::new("Bounty.example.test/operator", manifest.log.key()).unwrap();
    assert!(Manifest::read(&note, &stranger).is_err());
}

#[test]
fn the_published_pages_are_apart() {
    for _ in 0..4 {
        let (read, write, value) = written(Mode::Sealed).open().places();
        assert!(read.is_multiple_of(4096) && write.is_multiple_of(4096) && read.abs_diff(write) >= (1 << 20) + 4096 && value != 0);
    }
}

/// Whether a certificate is taken by whoever trusts that authority, for that use.
fn is_taken(certificate: &[u8], authority: &[u8], usage: KeyUsage, now: u64) -> bool {
    let (certificate, authority) = (CertificateDer::from(certificate), CertificateDer::from(authority));
    let anchor = webpki::anchor_from_trusted_cert(&authority).unwrap();
    let certificate = EndEntityCert::try_from(&certificate).unwrap();
    let now = UnixTime::since_unix_epoch(core::time::Duration::from_secs(now));
    certificate.verify_for_usage(ALL_VERIFICATION_ALGS, &[anchor], &[], now, usage, None, None).is_ok()
}

fn has_name(certificate: &[u8], name: &str) -> bool {
    let certificate = CertificateDer::from(certificate);
    let certificate = EndEntityCert::try_from(&certificate).unwrap();
    certificate.verify_is_valid_for_subject_name(&ServerName::try_from(name).unwrap()).is_ok()
}

#[test]
fn each_certificate_is_of_one_authority_one_use_and_one_name() {
    let folder = written(Mode::Sealed).open();
    let all = [
        (DoorName::Server, DoorName::Reverse, "peer.reverse.bountybox"),
        (DoorName::CallBack, DoorName::CallBack, "box.call-back.bountybox"),
        (DoorName::Reverse, DoorName::Server, "peer.server.bountybox"),
    ];
    for (door, issuer, name) in all {
        let certificate = &folder.shown(door).certificate;
        for authority in DoorName::ALL {
            for (usage, is_server) in [(KeyUsage::server_auth(), true), (KeyUsage::client_auth(), false)] {
                let wanted = authority == issuer && is_server == (door == DoorName::Server);
                let taken = is_taken(certificate, &folder.shown(authority).authority, usage, START);
                assert_eq!(taken, wanted, "{door} by {authority}, as a server: {is_server}");
            }
        }
        let uses = if door == DoorName::Server { KeyUsage::server_auth() } else { KeyUsage::client_auth() };
        assert!(!is_taken(certificate, &folder.shown(issuer).authority, uses, crate::written::END + 31 * 86_400), "it expires");
        let every = DoorName::ALL.into_iter().flat_map(|door| [door.peer(), door.own()]);
        assert!(every.into_iter().all(|other| has_name(certificate, other) == (other == name)), "{door}");
    }
}

#[test]
fn the_box_may_talk_to_itself_between_server_and_reverse_alone() {
    let folder = written(Mode::Sealed).open();
    // (who shows, who judges, as a server)
    for door in DoorName::ALL {
        for judge in DoorName::ALL {
            let usage = if judge == DoorName::Server { KeyUsage::client_auth() } else { KeyUsage::server_auth() };
            let certificate = &folder.shown(door).certificate;
            let passes = is_taken(certificate, &folder.shown(judge).authority, usage, START) && has_name(certificate, judge.peer());
            let bridged = matches!((door, judge), (DoorName::Server, DoorName::Reverse) | (DoorName::Reverse, DoorName::Server));
            assert_eq!(passes, bridged, "what is shown at {door} is judged at {judge}");
        }
    }
}

#[test]
fn the_flag_of_key_is_the_key_of_the_servers_certificate() {
    let folder = written(Mode::Sealed).open();
    let certificate = folder.certificate(DoorName::Server);
    let key = folder.flags().bytes(Tier::Key);
    let signer = keys::Signer::from_der(&certificate.key).unwrap();
    let der = CertificateDer::from(certificate.chain[0].as_slice());
    let shown = EndEntityCert::try_from(&der).unwrap().subject_public_key_info();
    assert_eq!(*shown, *signer.public_key_spki());
    let pair = Ed25519KeyPair::from_seed_unchecked(key.expose()).unwrap();
    assert!(shown.ends_with(pair.public_key().as_ref()));
    assert_eq!(folder.manifest().flag(Tier::Key).key.to_string(), folder.flags().public(Tier::Key).to_string());
}

/// The keys in a prize, as somebody who has won reads them.
fn keys_of(prize: &Secret<Vec<u8>>) -> Vec<Vec<u8>> {
    PrivatePkcs8KeyDer::pem_slice_iter(prize.expose()).map(|key| key.unwrap().secret_pkcs8_der().to_vec()).collect()
}

fn judged(folder: &Folder, tier: Tier, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Verdict {
    let body = claim::Body { manifest: folder.digest(), tier, claimant: "somebody", text: "won", time: START, record: None }.to_string();
    let claim = sealed(&body, &sign(body.as_bytes()));
    verify(folder.manifest_note(), &folder.operator().to_string(), &claim, &Context { now: START, commitment: None })
}

#[test]
fn the_prize_holds_the_keys_that_win() {
    let folder = written(Mode::Sealed).open();
    let prize = folder.prize();
    let text = core::str::from_utf8(prize.expose()).unwrap();
    assert!(text.starts_with(&format!("bountybox-prize 1\nmanifest {}\n", folder.digest())), "{text}");
    assert!(prize.expose().len() <= keys::limits::PRIZE_LEN_MAX);
    let [auth, wallet] = <[Vec<u8>; 2]>::try_from(keys_of(&prize)).unwrap();
    let auth = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&auth).unwrap();
    let won = judged(&folder, Tier::Auth, |message| auth.sign(message).as_ref().to_vec());
    assert!(matches!(won, Verdict::Falsified { tier: Tier::Auth, .. }), "{won}");
    // Behind the constant head of PKCS#8.
    let scalar = &wallet[33..65];
    let signing = k256::ecdsa::SigningKey::from_slice(scalar).unwrap();
    let won = judged(&folder, Tier::Wallet, |message| {
        let signature: k256::ecdsa::Signature = k256::ecdsa::signature::Signer::sign(&signing, message);
        signature.to_der().as_bytes().to_vec()
    });
    assert!(matches!(won, Verdict::Falsified { tier: Tier::Wallet, .. }), "{won}");
    let lost = judged(&folder, Tier::Read, |message| auth.sign(message).as_ref().to_vec());
    assert!(matches!(lost, Verdict::NotFalsified { .. }), "{lost}");
}

/// What openssl reads and signs with is what everybody can claim with.
#[test]
fn openssl_reads_every_key() {
    let written = written(Mode::Sealed);
    for (name, _) in written.files().into_iter().filter(|(name, _)| name.starts_with("secret/") || name == "operator.key") {
        let done =
            std::process::Command::new("openssl").args(["pkey", "-noout", "-text", "-in"]).arg(written.path.join(&name)).output().unwrap();
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn every_flag_wins_its_own_tier_and_no_other() {
    let folder = written(Mode::Sealed).open();
    let ours = |tier: &Tier| *tier != Tier::Down;
    for tier in Tier::ALL.into_iter().filter(ours) {
        for flag in Tier::ALL.into_iter().filter(ours) {
            let verdict = judged(&folder, tier, |message| folder.flags().sign(flag, message));
            assert_eq!(matches!(verdict, Verdict::Falsified { .. }), tier == flag, "{tier} with {flag}: {verdict}");
        }
    }
}

#[test]
fn what_the_guest_gets_is_a_sound_contest_of_this_manifest() {
    let folder = written(Mode::Sealed).open();
    let place = |listener, certificate| Place { listener, certificate };
    let contest = folder.contest(&PerDoor { server: place(1, 4), call_back: place(2, 5), reverse: place(3, 6) });
    assert_eq!(contest.manifest, folder.digest().0);
    assert_eq!(contest.write_value, folder.places().2);
    assert_eq!(contest.flags.len(), 4);
    assert_eq!(contest.doors.iter().map(|door| (door.listener, door.certificate)).collect::<Vec<_>>(), [(1, 4), (2, 5), (3, 6)]);
    assert_eq!(contest.doors[1].role, keys::bundle::Role::CallBack { port: 4435 });
    assert_eq!(contest.doors[0].peer, "peer.server.bountybox");
    for (flag, tier) in contest.flags.iter().zip([Tier::Auth, Tier::Write, Tier::Key, Tier::Wallet]) {
        assert_eq!(flag.key, folder.flags().bytes(tier), "{tier}");
    }
}

#[test]
fn a_page_of_the_operators_own_is_taken_if_its_key_is_its_own() {
    let names = names();
    let mint = |names: &[String]| {
        let order = keys::mint::Order {
            names,
            algorithm: keys::mint::Algorithm::EcdsaP384,
            now: core::time::Duration::from_secs(NOW),
            validity: core::time::Duration::from_secs(86_400),
        };
        keys::mint::mint(&order).unwrap()
    };
    let (one, other) = (mint(&names), mint(&names));
    let mut order = order(&names, Mode::Sealed);
    order.page = ceremony::Page::Own { chain: &one.chain_pem, key: &one.key_pem };
    let minted = ceremony::mint(&order).unwrap();
    let dir = tempfile::tempdir().unwrap();
    minted.write(&dir.path().join("contest")).unwrap();
    let folder = Folder::open(&dir.path().join("contest")).unwrap();
    assert_eq!(folder.manifest().certificates.len(), 6, "what will be renewed is not promised");
    order.page = ceremony::Page::Own { chain: &one.chain_pem, key: &other.key_pem };
    assert_eq!(ceremony::mint(&order).unwrap_err(), ceremony::MintFault::Order(ceremony::OrderFault::Page));
}
