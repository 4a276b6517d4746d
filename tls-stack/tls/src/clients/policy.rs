//! What chains are taken, at either end: authorities, revocation lists, and who of those that are vouched for.
//!
//! A usual policy is RFC 5280's: what a certificate does not say restricts nothing. A strict one is for certificates that were made for one
//! place: what is not said is refused, and so is what is said of more than that place. Both go the same way and cost the same at most.

use alloc::string::String;
use alloc::vec::Vec;

use keys::altname::{AltName, AltPattern};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, RevocationOptions, RevocationOptionsBuilder};

use super::ClientsFault;
use super::fields::{Fields, Purpose, Role};
use super::meter::{Meter, Metered};
use super::verdict::fault_from;
use crate::CertificateFault;
use crate::limits::{CLIENT_CERTIFICATE_LEN_MAX, CLIENT_CHAIN_MAX};

/// See the module.
pub(crate) struct Policy {
    pub(super) role: Role,
    pub(super) roots: Vec<Root>,
    pub(super) crls: Vec<CertRevocationList<'static>>,
    pub(super) admitted: Admitted,
}

/// Who of those that the authorities vouch for is taken.
#[derive(Debug)]
pub(super) enum Admitted {
    /// Everybody whose certificate does not say that it is for something else, if both lists are empty; else who is on one of them.
    Usual { names: Vec<AltPattern>, subjects: Vec<String> },
    /// Who has this DNS name in the certificate, letter by letter, and in it that it is for this role and no other.
    Strict(String),
}

/// An authority, and from when to when it is one.
pub(super) struct Root {
    pub(super) anchor: TrustAnchor<'static>,
    pub(super) not_before_s: u64,
    pub(super) not_after_s: u64,
}

impl Policy {
    /// One authority, one name (in lower case), one role.
    pub(super) fn strict(role: Role, authority: &[u8], name: String) -> Result<Self, ClientsFault> {
        let root = Root::new(authority).ok_or(ClientsFault::Root(0))?;
        Ok(Self { role, roots: [root].into(), crls: Vec::new(), admitted: Admitted::Strict(name) })
    }

    /// Whether this chain is taken at this time. Cheap checks come first.
    pub(super) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: &[&'static dyn SignatureVerificationAlgorithm],
    ) -> Result<(), CertificateFault> {
        let mut chain = core::iter::once(leaf).chain(issuers);
        if issuers.len() >= CLIENT_CHAIN_MAX || chain.any(|certificate| certificate.len() > CLIENT_CERTIFICATE_LEN_MAX) {
            return Err(CertificateFault::Limit);
        }
        let fields = Fields::parse(leaf).ok_or(CertificateFault::Encoding)?;
        if !self.admitted.suits(&fields, self.role) {
            return Err(CertificateFault::Purpose);
        }
        self.verify_path(leaf, issuers, now, algorithms)?;
        if self.admitted.names(&fields) { Ok(()) } else { Err(CertificateFault::NotAllowed) }
    }

    /// Whether a path leads from the leaf to an authority.
    fn verify_path(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: &[&'static dyn SignatureVerificationAlgorithm],
    ) -> Result<(), CertificateFault> {
        let meter = Meter::new();
        let metered: Vec<_> = algorithms.iter().map(|algorithm| Metered { algorithm: *algorithm, meter: &meter }).collect();
        let metered: Vec<_> = metered.iter().map(|algorithm| algorithm as &dyn SignatureVerificationAlgorithm).collect();
        let anchors: Vec<TrustAnchor<'_>> = self.roots.iter().filter(|root| root.is_valid_at(now.as_secs())).map(Root::anchor).collect();
        let crls: Vec<_> = self.crls.iter().collect();
        let leaf = EndEntityCert::try_from(leaf).map_err(|error| fault_from(&error, &meter))?;
        let usage = self.role.usage();
        let path = leaf.verify_for_usage(&metered, &anchors, issuers, now, usage, revocation(&crls), None);
        let path = path.map_err(|error| fault_from(&error, &meter))?;
        // RFC 5280, 6.1.4 (n), which webpki leaves out.
        let signs = |der: &[u8]| Fields::parse(der).is_some_and(|issuer| issuer.allows(Purpose::SignCertificates));
        if path.intermediate_certificates().all(|issuer| signs(&issuer.der())) { Ok(()) } else { Err(CertificateFault::Purpose) }
    }
}

/// The whole chain, with lists that are in date; without any list no revocation.
fn revocation<'a>(crls: &'a [&'a webpki::CertRevocationList<'a>]) -> Option<RevocationOptions<'a>> {
    let builder = RevocationOptionsBuilder::new(crls).ok()?;
    Some(builder.with_expiration_policy(ExpirationPolicy::Enforce).build())
}

impl Role {
    fn usage(self) -> KeyUsage {
        match self {
            Self::Client => KeyUsage::client_auth(),
            Self::Server => KeyUsage::server_auth(),
        }
    }
}

impl Admitted {
    /// Whether the key may be used at that end of a handshake, as far as the certificate tells. webpki looks at the extended key usage as
    /// well, where there is one.
    fn suits(&self, fields: &Fields<'_>, role: Role) -> bool {
        match self {
            Self::Usual { .. } => fields.allows(Purpose::Sign),
            Self::Strict(_) => fields.is_for_nothing_but(role),
        }
    }

    fn names(&self, fields: &Fields<'_>) -> bool {
        match self {
            Self::Usual { names, subjects } => {
                let everybody = names.is_empty() && subjects.is_empty();
                let named = || fields.alt_names().any(|name| names.iter().any(|pattern| pattern.covers(name)));
                let subject = || fields.common_name().is_some_and(|name| subjects.iter().any(|subject| subject == name));
                everybody || named() || subject()
            }
            // RFC 4343: case is no part of a name. No wildcard equals a name, and common names are not looked at (RFC 9525).
            Self::Strict(wanted) => fields.alt_names().any(|name| matches!(name, AltName::Dns(name) if name.eq_ignore_ascii_case(wanted))),
        }
    }
}

impl Root {
    pub(super) fn new(der: &[u8]) -> Option<Self> {
        let fields =
            Fields::parse(der).filter(|fields| der.len() <= CLIENT_CERTIFICATE_LEN_MAX && fields.allows(Purpose::SignCertificates))?;
        let (not_before_s, not_after_s) = fields.validity()?;
        let der = CertificateDer::from(der);
        let anchor = webpki::anchor_from_trusted_cert(&der).ok()?.to_owned();
        Some(Self { anchor, not_before_s, not_after_s })
    }

    pub(super) fn is_valid_at(&self, unix_s: u64) -> bool {
        (self.not_before_s..=self.not_after_s).contains(&unix_s)
    }

    /// The same without a copy.
    fn anchor(&self) -> TrustAnchor<'_> {
        TrustAnchor {
            subject: self.anchor.subject.as_ref().into(),
            subject_public_key_info: self.anchor.subject_public_key_info.as_ref().into(),
            name_constraints: self.anchor.name_constraints.as_ref().map(|constraints| constraints.as_ref().into()),
        }
    }
}

impl core::fmt::Debug for Policy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (roots, crls) = (self.roots.len(), self.crls.len());
        f.debug_struct("Policy").field("role", &self.role).field("roots", &roots).field("crls", &crls).finish_non_exhaustive()
    }
}
