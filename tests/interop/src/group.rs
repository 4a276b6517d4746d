//! The groups that keys are exchanged with, as far as the matrix tries them, in every spelling.

use core::fmt;

/// A group for the key exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    X25519,
    P256,
    /// X25519MLKEM768, which is for TLS 1.3 only.
    Hybrid,
}

impl Group {
    pub(crate) const ALL: [Self; 3] = [Self::X25519, Self::P256, Self::Hybrid];

    /// Each program has its own spelling: `ECDHE-X25519`, `prime256v1`, `X25519-MLKEM768`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        let word = letters.to_ascii_lowercase();
        let word = ["ecdhe", "ecdh", "group"].iter().fold(word.as_str(), |word, start| word.strip_prefix(start).unwrap_or(word));
        match word {
            "x25519" => Some(Self::X25519),
            "secp256r1" | "prime256v1" | "p256" => Some(Self::P256),
            "x25519mlkem768" | "mlkem768x25519" => Some(Self::Hybrid),
            _ => None,
        }
    }
}

/// IANA's name.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X25519 => "x25519",
            Self::P256 => "secp256r1",
            Self::Hybrid => "X25519MLKEM768",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_group_is_read() {
        for text in ["X25519", "ECDHE-X25519", "x25519", "GROUP-X25519"] {
            assert_eq!(Group::read(text), Some(Group::X25519), "{text}");
        }
        for text in ["P-256", "prime256v1", "ECDHE-SECP256R1", "secp256r1"] {
            assert_eq!(Group::read(text), Some(Group::P256), "{text}");
        }
        for text in ["X25519MLKEM768", "X25519-MLKEM768", "x25519mlkem768", "mlkem768x25519"] {
            assert_eq!(Group::read(text), Some(Group::Hybrid), "{text}");
        }
    }

    #[test]
    fn another_group_is_none_of_them() {
        for text in ["", "P-384", "SecP256r1MLKEM768", "X448", "MLKEM768"] {
            assert_eq!(Group::read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Group::ALL.map(|group| Group::read(&group.to_string())), Group::ALL.map(Some));
    }
}
