//! Peers' certificates: which are taken, and what is known of who was.
//!
//! [`Clients`] is one route's policy, made once, and [`Servers`] that of the box where it is the client; [`Verifier`] puts them to rustls;
//! [`PeerCertificate`] is what remains of a certificate that was taken.
//!
//! webpki builds and verifies the path. What it leaves out is checked here (RFC 5280, 6.1.4 and 4.2.1.3): the key usage of leaf and issuers, the dates of
//! the authorities themselves; and what it leaves open is bounded: the length of the chain, the size of each certificate, the signatures
//! that one handshake may make us verify. Revocation lists count for the whole chain; a list that is out of date, or is missing for an issuer while
//! there are others, refuses, for nothing is known then.

mod certificate;
mod fields;
mod meter;
mod policy;
mod servers;
mod verdict;
mod verifier;

use alloc::vec::Vec;

use keys::altname::AltPattern;
use keys::bundle::ClientAuth;
use keys::names;
use rustls::DistinguishedName;
use webpki::OwnedCertRevocationList;

pub use certificate::{ClientCertificate, PeerCertificate};
pub use servers::Servers;
pub(crate) use verdict::fault_of;
pub(crate) use verifier::Verifier;

use crate::limits::CA_HINTS_LEN_MAX;
use fields::Role;
use policy::{Admitted, Policy, Root};

/// Whose certificates a route takes.
#[derive(Debug)]
pub struct Clients {
    required: bool,
    hints: Vec<DistinguishedName>,
    policy: Policy,
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
    /// A pattern that is none, or, for a strict policy, a name that is none.
    Name(usize),
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
        let admitted = Admitted::Usual { names, subjects: auth.subjects.clone() };
        Ok(Self { required: auth.required, hints: hints(&roots), policy: Policy { role: Role::Client, roots, crls, admitted } })
    }

    /// The clients of one place, each of which must show a certificate. It leads to this authority, has this DNS name (as it is, no wildcard
    /// and no common name), and says that it is a client's and no server's, that its key signs, and that it is no authority.
    ///
    /// # Errors
    /// The authority is none, or the name is no DNS name.
    pub fn strict(authority: &[u8], name: &str) -> Result<Self, ClientsFault> {
        let name = names::parse_name(name).ok_or(ClientsFault::Name(0))?;
        let policy = Policy::strict(Role::Client, authority, name)?;
        Ok(Self { required: true, hints: hints(&policy.roots), policy })
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
