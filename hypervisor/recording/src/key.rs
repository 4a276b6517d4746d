//! Whom a recording is for: an X25519 key of age's, the public half on the box and the secret half with the operator.

use core::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

const RECIPIENT: &str = "age";
const IDENTITY: &str = "age-secret-key-";

/// The public half: `age1..`. It seals and cannot open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Recipient(pub(crate) [u8; 32]);

impl Recipient {
    /// Reads what `age-keygen` prints as the public key; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        decode(RECIPIENT, text).map(|bytes| Self(*bytes))
    }

    /// The key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hrp = Hrp::parse(RECIPIENT).map_err(|_| fmt::Error)?;
        bech32::encode_lower_to_fmt::<Bech32, _>(out, hrp, &self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The secret half: `AGE-SECRET-KEY-1..`. Wiped when it is dropped.
pub struct Identity(pub(crate) StaticSecret);

impl Identity {
    /// The first identity in a file as `age-keygen` writes it: lines that begin with `#` are remarks.
    #[must_use]
    pub fn parse_file(text: &str) -> Option<Self> {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
        decode(IDENTITY, line).map(|bytes| Self(StaticSecret::from(*bytes)))
    }

    /// The identity of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(StaticSecret::from(bytes))
    }

    /// The other half.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient(PublicKey::from(&self.0).to_bytes())
    }

    /// The line that [`Identity::parse_file`] reads.
    #[must_use]
    pub fn to_line(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(128));
        if let Ok(hrp) = Hrp::parse(IDENTITY) {
            let mut bytes = self.0.to_bytes();
            // Writing to a string cannot fail, and the length is bech32's to bear.
            let _written = bech32::encode_upper_to_fmt::<Bech32, _>(&mut *line, hrp, &bytes);
            bytes.zeroize();
        }
        line
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Identity(..)")
    }
}

fn decode(prefix: &str, text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let checked = CheckedHrpstring::new::<Bech32>(text).ok()?;
    if !checked.hrp().as_str().eq_ignore_ascii_case(prefix) {
        return None;
    }
    let mut key = Zeroizing::new([0; 32]);
    let mut bytes = checked.byte_iter();
    for place in key.iter_mut() {
        *place = bytes.next()?;
    }
    bytes.next().is_none().then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `age-keygen` of age 1.1.1.
    const SECRET: &str = "AGE-SECRET-KEY-1A4SYKQUCVZ94HHHKRMUC96ZK8RTGFVULTQ6JN3ML8FHKLCJ28USQWG5NFZ";

    #[test]
    fn halves_are_written_as_they_are_read() {
        let identity = Identity::from_bytes([7; 32]);
        let recipient = identity.recipient();
        assert_eq!(Recipient::parse(&recipient.to_string()), Some(recipient));
        assert!(recipient.to_string().starts_with("age1"));
        let file = format!("# created: today\n# public key: x\n\n{}\n", *identity.to_line());
        assert_eq!(Identity::parse_file(&file).unwrap().recipient(), recipient);
    }

    #[test]
    fn what_age_itself_calls_a_key_is_one() {
        assert!(Identity::parse_file(SECRET).is_some());
    }

    #[test]
    fn what_is_no_key_is_none() {
        let good = Identity::from_bytes([7; 32]).recipient().to_string();
        let damaged = good.replace(&good[10..11], if &good[10..11] == "q" { "p" } else { "q" });
        for wrong in ["", "age1", "age", &damaged, &good[..good.len() - 1], &good.replace("age1", "agx1"), SECRET, "age1\u{e9}"] {
            assert_eq!(Recipient::parse(wrong), None, "{wrong}");
        }
        assert!(Identity::parse_file(&good).is_none() && Identity::parse_file("# nothing\n").is_none());
    }
}
