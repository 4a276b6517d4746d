//! The encoding: a version byte pair, then postcard. Secrets are written and read as one run of bytes, never through a growing buffer.

use alloc::vec;

use super::{Bundle, BundleFault};
use crate::Secret;
use crate::limits::BUNDLE_LEN_MAX;
use alloc::vec::Vec;

/// The first bytes of every bundle; changed with any change of its types.
const VERSION: [u8; 4] = *b"BB\x00\x04";

impl Bundle {
    /// The bytes that [`Self::decode`] takes, in a buffer of their exact size that is wiped when dropped.
    ///
    /// # Errors
    /// What [`Self::check`] says, or [`BundleFault::LimitLength`].
    pub fn encode(&self) -> Result<Secret<Vec<u8>>, BundleFault> {
        self.check()?;
        let body_len = postcard::experimental::serialized_size(self).map_err(|_| BundleFault::Encoding)?;
        let len = body_len.saturating_add(VERSION.len());
        if len > BUNDLE_LEN_MAX {
            return Err(BundleFault::LimitLength);
        }
        let mut bytes = Secret::new(vec![0; len]);
        let (version, body) = bytes.expose_mut().split_at_mut(VERSION.len());
        version.copy_from_slice(&VERSION);
        postcard::to_slice(self, body).map_err(|_| BundleFault::Encoding)?;
        Ok(bytes)
    }

    /// Reads a bundle and checks every rule. The bytes may be anything; whoever holds them wipes them.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleFault> {
        if bytes.len() > BUNDLE_LEN_MAX {
            return Err(BundleFault::LimitLength);
        }
        let body = bytes.strip_prefix(&VERSION).ok_or(BundleFault::Version)?;
        let (bundle, rest) = postcard::take_from_bytes::<Self>(body).map_err(|_| BundleFault::Encoding)?;
        if !rest.is_empty() {
            return Err(BundleFault::Trailing);
        }
        bundle.check()?;
        Ok(bundle)
    }
}

/// How a [`Secret`] enters and leaves a bundle, and nothing else.
pub(super) mod secret {
    use alloc::vec::Vec;
    use core::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    use crate::Secret;

    pub(in super::super) fn serialize<S: Serializer>(secret: &Secret<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(secret.expose())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<Vec<u8>>, D::Error> {
        deserializer.deserialize_bytes(Bytes)
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Secret<Vec<u8>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a run of bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            Ok(Secret::from_slice(bytes))
        }
    }
}
