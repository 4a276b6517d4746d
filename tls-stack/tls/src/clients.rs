//! Clients' certificates: which are let in, and what is known of who was.
//!
//! [`Clients`] is one route's policy, made once; [`Verifier`] puts it to rustls; [`ClientCertificate`] is what remains of a certificate that was let in.
//!
//! webpki builds and verifies the path. What it leaves out is checked here (RFC 5280, 6.1.4 and 4.2.1.3): the key usage of leaf and issuers, the dates of
//! the authorities themselves; and what it leaves open is bounded: the length of the chain, the size of each certificate, the signatures
//! that one handshake may make us verify. Revocation lists count for the whole chain; a list that is out of date, or is missing for an issuer while
//! there are others, refuses, for nothing is known then.

mod certificate;
mod fields;
mod meter;
mod verifier;

use alloc::string::String;
use alloc::vec::Vec;

use keys::altname::AltPattern;
use keys::bundle::ClientAuth;
use rustls::DistinguishedName;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::{CertRevocationList, OwnedCertRevocationList};

pub use certificate::ClientCertificate;
pub(crate) use verifier::{Verifier, fault_of};

use crate::limits::{CA_HINTS_LEN_MAX, CLIENT_CERTIFICATE_LEN_MAX};
use fields::{Fields, Purpose};

/// Whose certificates a route takes.
pub struct Clients {
    required: bool,
    roots: Vec<Root>,
    hints: Vec<DistinguishedName>,
    crls: Vec<CertRevocationList<'static>>,
    allowed: Allowed,
}

/// Why there is no policy. An index counts from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientsFault {
    /// There is no authority.
    NoRoot,
    /// An authority's certificate does not parse, or is none of an authority.
    Root(usize),
    /// A revocation list does not parse, or is of a kind that is not supported (RFC 5280: version 2, with nextUpdate, no delta, not indirect).
    Crl(usize),
    /// A pattern that is none.
    Name(usize),
}

/// An authority, and from when to when it is one.
struct Root {
    anchor: TrustAnchor<'static>,
    not_before_s: u64,
    not_after_s: u64,
}

/// Who of those that the authorities vouch for is let in; everybody if both lists are empty.
#[derive(Debug)]
struct Allowed {
    names: Vec<AltPattern>,
    subjects: Vec<String>,
}

impl Clients {
    /// Puts a policy together.
    ///
    /// # Errors
    /// Says which part cannot work.
    pub fn new(auth: &ClientAuth) -> Result<Self, ClientsFault> {
        let roots = each(&auth.roots, |der| Root::new(der), ClientsFault::Root)?;
        if roots.is_empty() {
            return Err(ClientsFault::NoRoot);
        }
        let crls = each(&auth.crls, |der| OwnedCertRevocationList::from_der(der).ok().map(Into::into), ClientsFault::Crl)?;
        let names = each(&auth.names, |text| AltPattern::parse(text), ClientsFault::Name)?;
        let allowed = Allowed { names, subjects: auth.subjects.clone() };
        Ok(Self { required: auth.required, hints: hints(&roots), roots, crls, allowed })
    }
}

impl core::fmt::Debug for Clients {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (roots, crls) = (self.roots.len(), self.crls.len());
        f.debug_struct("Clients").field("required", &self.required).field("roots", &roots).field("crls", &crls).finish_non_exhaustive()
    }
}

impl Root {
    fn new(der: &[u8]) -> Option<Self> {
        let fields =
            Fields::parse(der).filter(|fields| der.len() <= CLIENT_CERTIFICATE_LEN_MAX && fields.allows(Purpose::SignCertificates))?;
        let (not_before_s, not_after_s) = fields.validity()?;
        let der = CertificateDer::from(der);
        let anchor = webpki::anchor_from_trusted_cert(&der).ok()?.to_owned();
        Some(Self { anchor, not_before_s, not_after_s })
    }

    fn is_valid_at(&self, unix_s: u64) -> bool {
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

/// The authorities' names, by which clients choose their certificate; none if they would make the handshake a large one.
fn hints(roots: &[Root]) -> Vec<DistinguishedName> {
    let hints: Vec<_> = roots.iter().map(|root| DistinguishedName::in_sequence(&root.anchor.subject)).collect();
    let len: usize = hints.iter().map(|hint| hint.as_ref().len()).sum();
    if len > CA_HINTS_LEN_MAX { Vec::new() } else { hints }
}

fn each<I, O>(items: &[I], make: impl Fn(&I) -> Option<O>, fault: fn(usize) -> ClientsFault) -> Result<Vec<O>, ClientsFault> {
    items.iter().enumerate().map(|(index, item)| make(item).ok_or(fault(index))).collect()
}

#[cfg(test)]
mod tests;
