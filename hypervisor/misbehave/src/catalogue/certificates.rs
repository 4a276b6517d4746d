//! Certificates that prove nothing (RFC 5280, RFC 8446 section 4.4.2, RFC 9525).

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType,
};

use crate::authority::{Authority, Made, Shown, Signer, named};
use crate::misbehaviour::Misbehaviour;
use crate::v12::flip_last;
use crate::v13::{HONEST, Script, certificate};
use crate::wire::bytes::vec16;
use crate::wire::registry::alert::{
    BAD_CERTIFICATE, CERTIFICATE_EXPIRED, CERTIFICATE_UNKNOWN, DECODE_ERROR, DECRYPT_ERROR, ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE,
    UNKNOWN_CA, UNSUPPORTED_CERTIFICATE, UNSUPPORTED_EXTENSION,
};

/// RFC 8446 section 4.4.2.4 leaves it to the client which of them says it.
const ANY: &[u8] = &[BAD_CERTIFICATE, UNSUPPORTED_CERTIFICATE, CERTIFICATE_EXPIRED, CERTIFICATE_UNKNOWN, UNKNOWN_CA, DECRYPT_ERROR];

const fn shown(name: &'static str, wrong: &'static str, rfc: &'static str, chain: fn(&Authority) -> Made<Shown>) -> Misbehaviour {
    Misbehaviour::tls13(name, wrong, rfc, ANY, Script { chain, ..HONEST })
}

pub(super) const ALL: &[Misbehaviour] = &[
    shown("expired", "the leaf has expired", "RFC 5280 6.1.3 (a)(2)", |it| it.chain(&it.dated(it.leaf()?, -30, -1))),
    shown("not-yet-valid", "the leaf is not valid yet", "RFC 5280 6.1.3 (a)(2)", |it| it.chain(&it.dated(it.leaf()?, 1, 30))),
    shown("expired-intermediate", "the intermediate has expired", "RFC 5280 6.1.3 (a)(2)", |it| {
        let expired = it.root.below(it.dated(it.issuer("misbehave: expired")?, -30, -1))?;
        it.chain_below(&expired, &it.leaf()?)
    }),
    shown("other-name", "the leaf is for another name", "RFC 9525 6.1", |it| it.chain(&it.leaf_for(&["other.test"])?)),
    shown("name-below", "the leaf is for a name below the one asked for", "RFC 9525 6.3", |it| it.chain(&it.leaf_for(&["www.localhost"])?)),
    shown("wildcard-below", "the leaf is for `*.localhost`, which has one label more than the name asked for", "RFC 9525 6.3", |it| {
        it.chain(&it.leaf_for(&["*.localhost"])?)
    }),
    shown("address-only", "the leaf is for the address alone, not for the name", "RFC 9525 6.1", |it| {
        it.chain(&it.leaf_for(&["127.0.0.1"])?)
    }),
    shown("nul-in-name", "the leaf is for `localhost`, a NUL byte and `.other.test`", "RFC 5280 4.2.1.6", |it| {
        it.chain(&it.leaf_for(&["localhost\0.other.test"])?)
    }),
    shown("common-name-only", "the name stands in the subject alone", "RFC 9525 2", |it| {
        let mut leaf = it.leaf_for(&[])?;
        leaf.distinguished_name = named("localhost");
        it.chain(&leaf)
    }),
    shown("common-name-beside", "the name stands in the subject, another one where names belong", "RFC 9525 2, RFC 6125 6.4.4", |it| {
        let mut leaf = it.leaf_for(&["other.test"])?;
        leaf.distinguished_name = named("localhost");
        it.chain(&leaf)
    }),
    shown("name-as-mail", "the name stands in a mail address", "RFC 9525 6.1", |it| {
        let mut leaf = it.leaf_for(&[])?;
        leaf.subject_alt_names = vec![SanType::Rfc822Name("root@localhost".try_into()?)];
        it.chain(&leaf)
    }),
    shown("self-signed", "the leaf has signed itself", "RFC 5280 6.1", |it| {
        let key = KeyPair::generate()?;
        let own = Signer::signing_itself(it.leaf()?, key)?;
        Ok(Shown { chain: vec![own.der], key: own.key })
    }),
    shown("unknown-ca", "the root is none that is trusted", "RFC 5280 6.1", |it| {
        let root = Signer::signing_itself(it.issuer("misbehave: nobody")?, KeyPair::generate()?)?;
        it.chain_below(&root, &it.leaf()?)
    }),
    shown("namesake", "the root has the name of the trusted one, and another key", "RFC 5280 6.1.3 (a)(1)", |it| {
        let root = Signer::signing_itself(it.issuer("misbehave: root")?, KeyPair::generate()?)?;
        it.chain_below(&root.below(it.issuer("misbehave: intermediate")?)?, &it.leaf()?)
    }),
    shown("no-intermediate", "the intermediate is not shown", "RFC 8446 4.4.2", |it| it.intermediate.holder(&it.leaf()?)),
    shown("other-intermediate", "the intermediate is shown that did not sign", "RFC 5280 6.1.3 (a)(4)", |it| {
        let other = it.root.below(it.issuer("misbehave: other")?)?;
        let mut shown = it.intermediate.holder(&it.leaf()?)?;
        shown.chain.push(other.der);
        Ok(shown)
    }),
    shown("issuer-not-ca", "a leaf has signed the leaf: its basic constraints do not make it an authority", "RFC 5280 6.1.4 (k)", |it| {
        let mut issuer = it.issuer("misbehave: no authority")?;
        issuer.is_ca = IsCa::ExplicitNoCa;
        it.chain_below(&it.root.below(issuer)?, &it.leaf()?)
    }),
    shown("issuer-without-constraints", "the issuer has no basic constraints", "RFC 5280 6.1.4 (k)", |it| {
        let mut issuer = it.issuer("misbehave: no constraints")?;
        issuer.is_ca = IsCa::NoCa;
        it.chain_below(&it.root.below(issuer)?, &it.leaf()?)
    }),
    shown("issuer-may-not-sign", "the issuer's key usage does not let it sign certificates", "RFC 5280 6.1.4 (n)", |it| {
        let mut issuer = it.issuer("misbehave: no signer")?;
        issuer.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        it.chain_below(&it.root.below(issuer)?, &it.leaf()?)
    }),
    shown("path-too-long", "an issuer stands below one that allows none", "RFC 5280 6.1.4 (l)", |it| {
        let mut last = it.issuer("misbehave: last issuer")?;
        last.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let last = it.root.below(last)?;
        let mut shown = it.chain_below(&last.below(it.issuer("misbehave: one too many")?)?, &it.leaf()?)?;
        shown.chain.push(last.der);
        Ok(shown)
    }),
    shown("name-not-permitted", "the issuer may sign for `permitted.test` alone", "RFC 5280 6.1.3 (b)", |it| {
        constrained(it, |subtree| NameConstraints { permitted_subtrees: vec![subtree], excluded_subtrees: vec![] }, "permitted.test")
    }),
    shown("name-excluded", "the issuer may not sign for `localhost`", "RFC 5280 6.1.3 (c)", |it| {
        constrained(it, |subtree| NameConstraints { permitted_subtrees: vec![], excluded_subtrees: vec![subtree] }, "localhost")
    }),
    shown("client-purpose", "the leaf is for clients alone (extended key usage)", "RFC 5280 4.2.1.12", |it| {
        let mut leaf = it.leaf()?;
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        it.chain(&leaf)
    }),
    shown("key-may-not-sign", "the leaf's key usage does not let it sign", "RFC 8446 4.4.2.2", |it| {
        let mut leaf = it.leaf()?;
        leaf.key_usages = vec![KeyUsagePurpose::KeyAgreement];
        it.chain(&leaf)
    }),
    shown("unknown-critical", "a critical extension that nobody knows", "RFC 5280 6.1.5 (f)", |it| it.chain(&critical(it.leaf()?))),
    shown("unknown-critical-above", "the same in the intermediate", "RFC 5280 6.1.4 (o)", |it| {
        it.chain_below(&it.root.below(critical(it.issuer("misbehave: critical")?))?, &it.leaf()?)
    }),
    shown("altered-leaf", "the leaf's signature is altered by a bit", "RFC 5280 6.1.3 (a)(1)", |it| {
        let mut shown = it.chain(&it.leaf()?)?;
        if let Some(leaf) = shown.chain.first_mut() {
            flip_last(leaf, 1);
        }
        Ok(shown)
    }),
    shown("altered-intermediate", "the intermediate's signature is altered by a bit", "RFC 5280 6.1.3 (a)(1)", |it| {
        let mut shown = it.chain(&it.leaf()?)?;
        if let Some(intermediate) = shown.chain.last_mut() {
            flip_last(intermediate, 1);
        }
        Ok(shown)
    }),
    shown("altered-name", "the leaf was for `locaihost` when it was signed", "RFC 5280 6.1.3 (a)(1)", |it| {
        let mut shown = it.chain(&it.leaf_for(&["locaihost"])?)?;
        let leaf = shown.chain.first_mut().map(|leaf| replace(leaf, b"locaihost", b"localhost"));
        debug_assert_eq!(leaf, Some(true), "the name stands in the certificate as it is");
        Ok(shown)
    }),
    Misbehaviour::tls13(
        "certificate-of-nothing",
        "bytes that are no certificate",
        "RFC 8446 4.4.2",
        &[BAD_CERTIFICATE, DECODE_ERROR, UNSUPPORTED_CERTIFICATE, CERTIFICATE_UNKNOWN],
        Script {
            chain: |it| {
                let mut shown = it.chain(&it.leaf()?)?;
                if let Some(leaf) = shown.chain.first_mut() {
                    *leaf = b"no certificate".to_vec();
                }
                Ok(shown)
            },
            ..HONEST
        },
    ),
    Misbehaviour::tls13(
        "empty-certificate",
        "a Certificate without a certificate",
        "RFC 8446 4.4.2.4",
        &[DECODE_ERROR],
        Script {
            flight: |it| {
                it.shown.chain.clear();
                it.honest()
            },
            ..HONEST
        },
    ),
    Misbehaviour::tls13(
        "no-certificate",
        "neither Certificate nor CertificateVerify",
        "RFC 8446 4.4",
        &[UNEXPECTED_MESSAGE],
        Script {
            flight: |it| {
                it.extensions(&[]);
                it.finish();
                Ok(())
            },
            ..HONEST
        },
    ),
    Misbehaviour::tls13(
        "unasked-in-certificate",
        "an extension beside the certificate that was not asked for",
        "RFC 8446 4.4.2",
        &[UNSUPPORTED_EXTENSION, ILLEGAL_PARAMETER],
        Script {
            flight: |it| {
                it.extensions(&[]);
                let unknown = [&0xfafa_u16.to_be_bytes()[..], &vec16(&[])].concat();
                it.say(&certificate(&it.shown.chain, &unknown));
                it.prove()?;
                it.finish();
                Ok(())
            },
            ..HONEST
        },
    ),
];

fn constrained(it: &Authority, of: fn(GeneralSubtree) -> NameConstraints, name: &str) -> Made<Shown> {
    let mut issuer = it.issuer("misbehave: constrained")?;
    issuer.name_constraints = Some(of(GeneralSubtree::DnsName(name.to_owned())));
    let mut leaf = it.leaf_for(&["localhost"])?;
    leaf.is_ca = IsCa::ExplicitNoCa;
    it.chain_below(&it.root.below(issuer)?, &leaf)
}

/// An arc of ITU-T's for examples (2.999).
fn critical(mut params: CertificateParams) -> CertificateParams {
    let mut unknown = CustomExtension::from_oid_content(&[2, 999, 1], vec![5, 0]);
    unknown.set_criticality(true);
    params.custom_extensions.push(unknown);
    params
}

/// Puts bytes in the place of others of the same length.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) -> bool {
    let found = bytes.windows(from.len()).position(|window| window == from);
    let place = found.and_then(|start| bytes.get_mut(start..start + from.len()));
    place.is_some_and(|place| {
        place.copy_from_slice(to);
        true
    })
}
