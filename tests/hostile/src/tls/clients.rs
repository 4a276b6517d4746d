//! Clients' certificates against a route that requires them: bombs (T10), and proofs tampered with (T11).

use std::fs;

use e2e::{Config, Net, Outcome, ensure};
use rcgen::{ExtendedKeyUsagePurpose, GeneralSubtree, Issuer, KeyPair, NameConstraints, SigningKey, date_time_ymd};

use super::alert::{
    BAD_CERTIFICATE, CERTIFICATE_REQUIRED, DECODE_ERROR, DECRYPT_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE,
    UNKNOWN_CA,
};
use super::authority::{MONSTER_LEN, Monster, Shown, Signer, authority, client, issuer};
use super::bytes::{message, vec8, vec16, vec24};
use super::flight::{CERTIFICATE, CERTIFICATE_VERIFY};
use super::hello::{Hello, extension};
use super::peer::{CHANGE_CIPHER_SPEC, HANDSHAKE, record};
use super::schedule::hash;
use super::tickets;
use super::{v12, v13};
use crate::attack::{Attack, Layer, Suite};
use crate::naive::Naive;
use crate::set_up::SetUp;
use crate::target::Target;
use crate::witness::Witness;

/// The name of the route that requires certificates.
const NAME: &str = "clients.example.test";
const ECDSA_P256_SHA256: u16 = 0x0403;
const RSA_PSS_SHA256: u16 = 0x0804;
const CERTIFICATE_EXPIRED: u8 = 45;
const UNSUPPORTED_CERTIFICATE: u8 = 43;
/// The box takes so many certificates of a client.
const CHAIN_MAX: usize = 6;

pub(super) fn suite() -> Suite {
    let chains = CHAINS.iter().map(|(row, name, does, alerts, make)| {
        Attack::new(row, *name, *does, Layer::Clients, Naive::Credulous, |target| {
            let shown = make()?;
            let mut handshake = begin(target)?;
            show(&mut handshake, &shown)?;
            let finished = handshake.finished();
            handshake.say(&finished)?;
            handshake.peer.is_told(alerts)
        })
    });
    let attacks = chains.chain(proofs()).chain(rest()).collect();
    Suite { name: "clients", net: Net::User, set_up, attacks }
}

/// A route that requires certificates, and one that does not.
fn set_up() -> Outcome<SetUp> {
    let (witness, backend) = Witness::start()?;
    let dir = tempfile::tempdir()?;
    let ca = dir.path().join("ca.pem");
    fs::write(&ca, &authority()?.pem)?;
    let client = format!("[route.client]\nmode = \"required\"\nca = \"{}\"", ca.display());
    let config =
        Config::default().route(&[NAME], &[backend.address()]).more(&client).route(&[], &[backend.address()]).more(e2e::eye::ADMIN);
    let config = config.limit("new_per_source_per_s", 100_000).limit("new_per_s", 200_000);
    Ok(SetUp { config, witness, visitor: SetUp::plain()?.visitor, keep: vec![Box::new(backend), Box::new(dir)] })
}

/// A handshake at the route that asks for a certificate.
fn begin(target: &Target) -> Outcome<v13::Handshake> {
    let mut hello = Hello::tls13()?;
    hello.name(NAME);
    let handshake = v13::Handshake::begin(target, &hello)?;
    ensure(handshake.request.is_some(), "no certificate is asked for")?;
    Ok(handshake)
}

/// A Certificate (RFC 8446 section 4.4.2).
fn certificate(chain: &[Vec<u8>]) -> Vec<u8> {
    let list: Vec<u8> = chain.iter().flat_map(|der| [vec24(der), vec16(&[])].concat()).collect();
    message(CERTIFICATE, &[vec8(&[]), vec24(&list)].concat())
}

/// A CertificateVerify of this scheme over a transcript (section 4.4.3).
fn proof(scheme: u16, side: &str, key: &impl SigningKey, transcript: &[u8]) -> Outcome<Vec<u8>> {
    let signed = [&[b' '; 64][..], b"TLS 1.3, ", side.as_bytes(), b" CertificateVerify\0", &hash(transcript)].concat();
    Ok(message(CERTIFICATE_VERIFY, &[&scheme.to_be_bytes()[..], &vec16(&key.sign(&signed)?)].concat()))
}

/// Shows a chain, and proves that its key is held. What is longer than a record goes into several.
fn show(handshake: &mut v13::Handshake, shown: &Shown) -> Outcome {
    let certificate = certificate(&shown.chain);
    handshake.transcript.extend(&certificate);
    certificate.chunks(1 << 14).try_for_each(|part| handshake.peer.send(HANDSHAKE, part))?;
    let proof = proof(ECDSA_P256_SHA256, "client", &shown.key, &handshake.transcript)?;
    handshake.say(&proof)
}

/// An honest client.
fn honest() -> Outcome<Shown> {
    Ok(authority()?.holder(&client()?)?)
}

/// Issuers, each below the one before; the first below the authority.
fn line(count: usize, name: impl Fn(usize) -> String) -> Outcome<Vec<Signer>> {
    let mut line = vec![authority()?.below(issuer(&name(0))?)?];
    for n in 1..count {
        let next = line.last().ok_or("nobody")?.below(issuer(&name(n))?)?;
        line.push(next);
    }
    Ok(line)
}

/// A client below the last of a line, shown with all of them.
fn below(line: &[Signer]) -> Outcome<Shown> {
    let mut shown = line.last().ok_or("nobody")?.holder(&client()?)?;
    shown.chain.extend(line.iter().rev().map(|issuer| issuer.der.clone()));
    Ok(shown)
}

/// Row, name, what it does, the alerts, what is shown (with a right proof and Finished behind).
type Chain = (&'static str, &'static str, &'static str, &'static [u8], fn() -> Outcome<Shown>);

/// What is beyond the box's bounds does not even become a message: then rustls is made to say `decode_error`.
const CHAINS: &[Chain] = &[
    ("T10", "chain_of_100_is_refused", "a chain of 100 certificates, each signed by the next", &[BAD_CERTIFICATE, DECODE_ERROR], || {
        below(&line(99, |n| format!("issuer {n}"))?)
    }),
    ("T10", "chain_of_1_too_many_is_refused", "a chain of 7 certificates that leads to the authority", &[BAD_CERTIFICATE], || {
        below(&line(CHAIN_MAX, |n| format!("issuer {n}"))?)
    }),
    (
        "T10",
        "chain_of_same_names_is_refused",
        "5 issuers of the same name, none of which leads anywhere: factorial path building",
        &[UNKNOWN_CA, BAD_CERTIFICATE],
        || {
            let roots = (0..CHAIN_MAX - 1).map(|_| Signer::root("the same")).collect::<Result<Vec<_>, _>>()?;
            let mut shown = Signer::root("the same")?.holder(&client()?)?;
            shown.chain.extend(roots.into_iter().map(|root| root.der));
            Ok(shown)
        },
    ),
    (
        "T10",
        "name_constraints_without_end_are_refused",
        "an issuer with 10,000 name constraints: a certificate of 200 KB",
        &[BAD_CERTIFICATE, DECODE_ERROR],
        || constrained(10_000, 1),
    ),
    (
        "T10",
        "name_constraints_times_names_are_refused",
        "400 name constraints for 400 names, none of which fits",
        &[BAD_CERTIFICATE, UNSUPPORTED_CERTIFICATE, DECODE_ERROR],
        || constrained(400, 400),
    ),
    ("T10", "certificate_beyond_its_length_is_refused", "a certificate of more than 8 KiB", &[BAD_CERTIFICATE], || {
        let mut params = client()?;
        params.subject_alt_names =
            (0..500).map(|n| Ok(rcgen::SanType::DnsName(format!("a{n:03}.clients.test").try_into()?))).collect::<Outcome<_>>()?;
        Ok(authority()?.holder(&params)?)
    }),
    (
        "T10",
        "issuer_with_rsa_of_16_kbit_is_refused",
        "an issuer with an RSA key of 16 Kbit",
        &[BAD_CERTIFICATE, DECRYPT_ERROR, UNKNOWN_CA],
        || {
            let params = issuer("monster")?;
            let der = authority()?.sign(&params, &Monster::new())?;
            let key = KeyPair::generate()?;
            let leaf = client()?.signed_by(&key, &Issuer::from_params(&params, Monster::new()))?;
            Ok(Shown { chain: vec![leaf.der().to_vec(), der], key })
        },
    ),
    ("T11", "client_of_a_stranger_is_unknown", "a client of another authority", &[UNKNOWN_CA], || {
        Ok(Signer::root("a stranger")?.holder(&client()?)?)
    }),
    (
        "T11",
        "client_of_a_false_authority_is_refused",
        "a client of an authority that has our authority's name",
        &[UNKNOWN_CA, DECRYPT_ERROR],
        || Ok(Signer::root("clients' authority")?.holder(&client()?)?),
    ),
    ("T11", "client_of_a_client_is_refused", "a client signed by a client", &[UNSUPPORTED_CERTIFICATE, UNKNOWN_CA], || {
        let mut params = issuer("a client")?;
        params.is_ca = rcgen::IsCa::ExplicitNoCa;
        below(&[authority()?.below(params)?])
    }),
    ("T11", "expired_client_is_told", "a client of last year's", &[CERTIFICATE_EXPIRED], || {
        let mut params = client()?;
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        Ok(authority()?.holder(&params)?)
    }),
    ("T11", "client_of_the_future_is_told", "a client that is not valid yet", &[CERTIFICATE_EXPIRED], || {
        let mut params = client()?;
        params.not_before = date_time_ymd(4000, 1, 1);
        Ok(authority()?.holder(&params)?)
    }),
    ("T11", "server_as_client_is_unsupported", "a certificate for servers", &[UNSUPPORTED_CERTIFICATE], || {
        let mut params = client()?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(authority()?.holder(&params)?)
    }),
    ("T11", "issuer_as_client_is_unsupported", "an issuer's own certificate", &[UNSUPPORTED_CERTIFICATE], || {
        let issuer = authority()?.below(issuer("an issuer")?)?;
        Ok(Shown { chain: vec![issuer.der], key: issuer.key })
    }),
    ("T11", "garbage_as_client_is_bad", "a certificate that is none", &[BAD_CERTIFICATE, DECODE_ERROR], || {
        Ok(Shown { chain: vec![vec![0x30, 0x82, 0xff, 0xff, 7]], key: KeyPair::generate()? })
    }),
    ("T11", "cut_client_is_bad", "a certificate without its last byte", &[BAD_CERTIFICATE, DECODE_ERROR], || {
        let mut shown = honest()?;
        shown.chain.iter_mut().for_each(|der| der.truncate(der.len() - 1));
        Ok(shown)
    }),
    (
        "T11",
        "flipped_client_is_refused",
        "a certificate with a bit of its signature flipped",
        &[DECRYPT_ERROR, UNKNOWN_CA, BAD_CERTIFICATE],
        || {
            let mut shown = honest()?;
            shown.chain.iter_mut().filter_map(|der| der.last_mut()).for_each(|byte| *byte ^= 1);
            Ok(shown)
        },
    ),
    ("T11", "key_of_another_is_a_decrypt_error", "an honest certificate, and a proof with another key", &[DECRYPT_ERROR], || {
        Ok(Shown { key: KeyPair::generate()?, ..honest()? })
    }),
];

/// A client with so many names below an issuer with so many constraints.
fn constrained(constraints: usize, names: usize) -> Outcome<Shown> {
    let mut params = issuer("constrained")?;
    let permitted_subtrees = (0..constraints).map(|n| GeneralSubtree::DnsName(format!("p{n:05}.test"))).collect();
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    let constrained = authority()?.below(params)?;
    let mut params = client()?;
    params.subject_alt_names =
        (0..names).map(|n| Ok(rcgen::SanType::DnsName(format!("n{n:05}.test").try_into()?))).collect::<Outcome<_>>()?;
    let mut shown = constrained.holder(&params)?;
    shown.chain.push(constrained.der);
    Ok(shown)
}

/// What is said in place of an honest Certificate and proof: name, what it does, the alerts, the act.
type Proof = (&'static str, &'static str, &'static [u8], fn(&mut v13::Handshake, &Shown) -> Outcome);

const PROOFS: &[Proof] = &[
    ("flipped_proof_is_a_decrypt_error", "a proof with one bit flipped", &[DECRYPT_ERROR], |it, shown| {
        it.say(&certificate(&shown.chain))?;
        let mut proof = proof(ECDSA_P256_SHA256, "client", &shown.key, &it.transcript)?;
        *proof.last_mut().ok_or("nothing")? ^= 1;
        it.say(&proof)
    }),
    (
        "proof_of_an_older_transcript_is_a_decrypt_error",
        "a proof over what was said before the certificate",
        &[DECRYPT_ERROR],
        |it, shown| {
            let proof = proof(ECDSA_P256_SHA256, "client", &shown.key, &it.transcript)?;
            it.say(&certificate(&shown.chain))?;
            it.say(&proof)
        },
    ),
    ("proof_of_a_server_is_a_decrypt_error", "a proof in a server's words", &[DECRYPT_ERROR], |it, shown| {
        it.say(&certificate(&shown.chain))?;
        let proof = proof(ECDSA_P256_SHA256, "server", &shown.key, &it.transcript)?;
        it.say(&proof)
    }),
    ("proof_of_no_length_is_refused", "a proof without a signature", &[DECRYPT_ERROR, DECODE_ERROR], |it, shown| {
        it.say(&certificate(&shown.chain))?;
        it.say(&message(CERTIFICATE_VERIFY, &[4, 3, 0, 0]))
    }),
    (
        "proof_by_another_kind_of_key_is_refused",
        "an RSA-PSS proof of an ECDSA key, 16 Kbit long",
        &[DECRYPT_ERROR, ILLEGAL_PARAMETER],
        |it, shown| {
            it.say(&certificate(&shown.chain))?;
            it.say(&message(CERTIFICATE_VERIFY, &[&RSA_PSS_SHA256.to_be_bytes()[..], &vec16(&[7; MONSTER_LEN])].concat()))
        },
    ),
    ("proof_by_an_unknown_scheme_is_refused", "a proof of a scheme that nobody has", &[DECRYPT_ERROR, ILLEGAL_PARAMETER], |it, shown| {
        it.say(&certificate(&shown.chain))?;
        let proof = proof(0x1111, "client", &shown.key, &it.transcript)?;
        it.say(&proof)
    }),
    ("finished_without_a_proof_is_unexpected", "a certificate, and no proof", &[UNEXPECTED_MESSAGE], |it, shown| {
        it.say(&certificate(&shown.chain))?;
        let finished = it.finished();
        it.say(&finished)
    }),
    ("finished_without_a_certificate_is_unexpected", "neither a certificate nor a proof", &[UNEXPECTED_MESSAGE], |it, _| {
        let finished = it.finished();
        it.say(&finished)
    }),
    ("certificate_twice_is_unexpected", "the certificate again in place of the proof", &[UNEXPECTED_MESSAGE], |it, shown| {
        it.say(&certificate(&shown.chain))?;
        it.say(&certificate(&shown.chain))
    }),
    ("proof_before_its_certificate_is_unexpected", "the proof first", &[UNEXPECTED_MESSAGE], |it, shown| {
        let proof = proof(ECDSA_P256_SHA256, "client", &shown.key, &it.transcript)?;
        it.say(&proof)
    }),
    (
        "certificate_of_another_request_is_refused",
        "a Certificate that answers another request",
        &[ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE, DECODE_ERROR],
        |it, _| it.say(&message(CERTIFICATE, &[vec8(b"another"), vec24(&[])].concat())),
    ),
    ("certificate_list_that_overruns_does_not_decode", "a list that is longer than its message", &[DECODE_ERROR], |it, _| {
        it.say(&message(CERTIFICATE, &[0, 0, 9, 9, 1]))
    }),
    ("certificate_of_no_length_is_refused", "an entry without a certificate", &[DECODE_ERROR, BAD_CERTIFICATE], |it, shown| {
        show(it, &Shown { chain: vec![vec![]], key: KeyPair::try_from(shown.key.serialize_der())? })
    }),
    ("no_certificate_is_told_that_one_is_required", "an empty Certificate", &[CERTIFICATE_REQUIRED], |it, _| it.say(&certificate(&[]))),
];

/// These the library refuses by itself, with an alert; the others fail where everything is believed.
const REFUSED_BY_RUSTLS: &[&str] = &[
    "finished_without_a_proof_is_unexpected",
    "finished_without_a_certificate_is_unexpected",
    "certificate_twice_is_unexpected",
    "proof_before_its_certificate_is_unexpected",
    "certificate_of_another_request_is_refused",
    "certificate_list_that_overruns_does_not_decode",
];

fn proofs() -> impl Iterator<Item = Attack> {
    PROOFS.iter().map(|(name, does, alerts, act)| {
        let naive = if REFUSED_BY_RUSTLS.contains(name) { Naive::Hasty } else { Naive::Credulous };
        Attack::new("T11", *name, *does, Layer::Clients, naive, |target| {
            let mut handshake = begin(target)?;
            act(&mut handshake, &honest()?)?;
            handshake.peer.is_told(alerts)
        })
    })
}

fn rest() -> Vec<Attack> {
    vec![
        Attack::new("T11", "honest_client_is_served", "the control: an honest certificate", Layer::Clients, Naive::Silent, |target| {
            let mut handshake = begin(target)?;
            show(&mut handshake, &honest()?)?;
            let finished = handshake.finished();
            handshake.say(&finished)?;
            handshake.established()?.asks("honest\n")
        }),
        Attack::new(
            "T14",
            "ticket_does_not_lead_past_a_certificate",
            "a ticket of a route without clients' certificates (CVE-2025-23419)",
            Layer::Tickets,
            Naive::Obliging,
            |target| {
                let ticket = tickets::ticket(target)?;
                let mut hello = Hello::tls13()?;
                hello.name(NAME);
                let message = tickets::bound(&mut hello, &ticket.identity, &ticket);
                let mut peer = super::peer::Peer::connect(target)?;
                peer.send(HANDSHAKE, &message)?;
                let handshake = v13::Handshake::go_on(peer, &hello, message, None)?;
                ensure(!handshake.resumed && handshake.request.is_some(), "no certificate is asked for")
            },
        ),
        Attack::new("T11", "no_certificate_fails_in_1_2", "an empty Certificate, TLS 1.2", Layer::Clients, Naive::Credulous, |target| {
            let mut handshake = begin12(target)?;
            handshake.say(&message(CERTIFICATE, &vec24(&[])))?;
            finish12(&mut handshake)?;
            handshake.peer.is_told(&[HANDSHAKE_FAILURE, CERTIFICATE_REQUIRED])
        }),
        Attack::new(
            "T11",
            "flipped_proof_is_a_decrypt_error_in_1_2",
            "a proof with one bit flipped, TLS 1.2",
            Layer::Clients,
            Naive::Credulous,
            |target| {
                let (mut handshake, shown) = (begin12(target)?, honest()?);
                show12(&mut handshake, &shown, 1)?;
                handshake.change_cipher_spec()?;
                handshake.peer.is_told(&[DECRYPT_ERROR])
            },
        ),
        Attack::new(
            "T11",
            "proof_left_out_is_unexpected_in_1_2",
            "a certificate, and no proof, TLS 1.2",
            Layer::Clients,
            Naive::Hasty,
            |target| {
                let (mut handshake, shown) = (begin12(target)?, honest()?);
                handshake.say(&message(CERTIFICATE, &vec24(&vec24(&shown.chain.concat()))))?;
                finish12(&mut handshake)?;
                handshake.peer.is_told(&[UNEXPECTED_MESSAGE])
            },
        ),
        Attack::new("T11", "honest_client_is_served_in_1_2", "the control, TLS 1.2", Layer::Clients, Naive::Silent, |target| {
            let (mut handshake, shown) = (begin12(target)?, honest()?);
            show12(&mut handshake, &shown, 0)?;
            handshake.change_cipher_spec()?;
            let finished = handshake.finished();
            handshake.say(&finished)?;
            handshake.asks_behind_finished("honest\n")
        }),
    ]
}

fn begin12(target: &Target) -> Outcome<v12::Handshake> {
    let mut hello = Hello::tls12()?;
    hello.name(NAME);
    hello.remove(extension::TICKET);
    v12::Handshake::begin(target, hello)
}

/// Certificate, exchange and proof; `flip` is what the proof's last byte is changed by.
fn show12(handshake: &mut v12::Handshake, shown: &Shown, flip: u8) -> Outcome {
    handshake.say(&message(CERTIFICATE, &vec24(&vec24(&shown.chain.concat()))))?;
    let exchange = handshake.exchange()?;
    handshake.say(&exchange)?;
    handshake.take_keys()?;
    // The proof still goes unprotected.
    handshake.peer.sealer = None;
    let mut signature = shown.key.sign(&handshake.transcript)?;
    *signature.last_mut().ok_or("no signature")? ^= flip;
    let proof = message(CERTIFICATE_VERIFY, &[&ECDSA_P256_SHA256.to_be_bytes()[..], &vec16(&signature)].concat());
    handshake.say(&proof)
}

/// Exchange, ChangeCipherSpec, and nothing more.
fn finish12(handshake: &mut v12::Handshake) -> Outcome {
    let exchange = handshake.exchange()?;
    handshake.say(&exchange)?;
    handshake.peer.write(&record(CHANGE_CIPHER_SPEC, &[1]));
    Ok(())
}
