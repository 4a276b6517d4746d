//! How the arbiter's types travel between processes: it has no other crate's traits.

/// A digest, as its bytes.
pub(crate) mod digest {
    use arbiter::Digest;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        digest.0.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        Deserialize::deserialize(deserializer).map(Digest)
    }
}

/// Two digests, as their bytes.
pub(crate) mod digests {
    use arbiter::Digest;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(digests: &[Digest; 2], serializer: S) -> Result<S::Ok, S::Error> {
        digests.map(|digest| digest.0).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[Digest; 2], D::Error> {
        <[[u8; 32]; 2]>::deserialize(deserializer).map(|digests| digests.map(Digest))
    }
}

/// A tier, as its name.
pub(crate) mod tier {
    use arbiter::Tier;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(tier: &Tier, serializer: S) -> Result<S::Ok, S::Error> {
        tier.name().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tier, D::Error> {
        Tier::from_name(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no tier"))
    }
}
