//! What a box that is there to be broken is told beside its routes: flags, a prize, and the doors behind which it can be won (docs/challenge.md).

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::wire;
use crate::Secret;

/// The guest's part in a contest.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contest {
    /// SHA-256 of the text that the operator signs.
    pub manifest: [u8; 32],
    /// What a peer that is let in at one of the `doors` gets, byte for byte; not empty, at most [`PRIZE_LEN_MAX`](crate::limits::PRIZE_LEN_MAX) bytes.
    #[serde(with = "wire::secret")]
    pub prize: Secret<Vec<u8>>,
    /// The flags that the guest holds and signs with, no two of one tier. The flag of `read` is not among them: it lies in a window of its own.
    pub flags: Vec<Flag>,
    /// What the published word must hold for the guest to sign with the flag of `write`.
    pub write_value: u64,
    /// Where it can be won by authentication; no two of one listener.
    pub doors: Vec<Door>,
}

/// A flag's private half.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// Whose.
    pub tier: FlagTier,
    /// [`FLAG_LEN`](crate::limits::FLAG_LEN) bytes: an Ed25519 seed (RFC 8032 section 5.1.5), for the wallet a scalar of secp256k1, most significant byte first.
    #[serde(with = "wire::secret")]
    pub key: Secret<Vec<u8>>,
}

/// The tiers whose flag the guest is given in its bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FlagTier {
    /// Released to whoever passes mutual authentication.
    Auth,
    /// Signs for whoever can write.
    Write,
    /// The TLS key of the box's own certificate at its doors.
    Key,
    /// A key of a public chain.
    Wallet,
}

/// A listener whose connections are not routed, but held against an authority that has signed for nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// Index into [`Bundle::listeners`](super::Bundle::listeners).
    pub listener: u16,
    /// Which end of TLS the box is.
    pub role: Role,
    /// Index into [`Bundle::certificates`](super::Bundle::certificates): what the box shows.
    pub certificate: u16,
    /// The certificate of the authority that the peer's certificate must come from, DER.
    pub authority: Vec<u8>,
    /// The DNS name that the peer's certificate must hold, in lower case.
    pub peer: String,
}

/// Which end of TLS the box is at a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// A server that demands a certificate.
    Server,
    /// A client, on the connection that the peer has made.
    Reverse,
    /// A client, on a connection that the box makes to the address that has knocked, at this port.
    CallBack {
        /// Not zero.
        port: u16,
    },
}
