//! Whose certificate the box takes where it is the client.

use keys::names;
use rustls::pki_types::DnsName;

use super::ClientsFault;
use super::fields::Role;
use super::policy::Policy;

/// The servers of one place: one authority, one name, and nothing left open.
#[derive(Debug)]
pub struct Servers {
    /// The name that their certificate must have, and that they are asked for.
    pub(crate) name: DnsName<'static>,
    pub(super) policy: Policy,
}

impl Servers {
    /// A server's certificate must lead to this authority, have this DNS name (as it is, no wildcard and no common name), and say that it is
    /// a server's and no client's, that its key signs, and that it is no authority.
    ///
    /// # Errors
    /// The authority is none, or the name is no DNS name.
    pub fn new(authority: &[u8], name: &str) -> Result<Self, ClientsFault> {
        let wanted = names::parse_name(name).ok_or(ClientsFault::Name(0))?;
        let name = DnsName::try_from(wanted.clone()).map_err(|_| ClientsFault::Name(0))?;
        Ok(Self { name, policy: Policy::strict(Role::Server, authority, wanted)? })
    }
}
