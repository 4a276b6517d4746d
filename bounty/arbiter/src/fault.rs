//! What is wrong, and where: the document, the line in it, the field, and one of a closed list of faults.

use core::fmt;

use crate::limits::{CERTIFICATES_MAX, CRASH_CLAIMANTS_MAX, NOTE_SIGNATURES_MAX, TIME_MAX};

/// What the arbiter is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    /// The key that is trusted to sign the manifest, and only that: a line of text.
    Operator,
    /// See [`crate::manifest`].
    Manifest,
    /// See [`crate::claim`].
    Claim,
    /// See [`crate::crash`]; it comes within a claim.
    Crash,
    /// See [`crate::receipt`].
    Receipt,
    /// See [`crate::commitment`].
    Opening,
    /// See [`crate::possession`].
    Possession,
    /// The write-up that was committed to: any bytes, of which the digest is handed in.
    WriteUp,
    /// The head of the transparency log, which the arbiter itself is not given.
    Checkpoint,
}

impl Document {
    /// What messages call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Manifest => "manifest",
            Self::Claim => "claim",
            Self::Crash => "crash",
            Self::Receipt => "receipt",
            Self::Opening => "opening",
            Self::Possession => "possession",
            Self::WriteUp => "write-up",
            Self::Checkpoint => "checkpoint",
        }
    }

    /// Its first line, if it has lines: the domain of what is signed. Each ends with the only line feed in it, and no two are the same, so none begins another, and nothing that is signed
    /// as one of them is another of them.
    #[must_use]
    pub const fn head(self) -> &'static str {
        match self {
            Self::Manifest => "bountybox-manifest 1",
            Self::Claim => "bountybox-claim 1",
            Self::Crash => "bountybox-crash 1",
            Self::Receipt => "bountybox-receipt 1",
            Self::Opening => "bountybox-opening 1",
            Self::Possession => "bountybox-possession 1",
            Self::Operator | Self::WriteUp | Self::Checkpoint => "",
        }
    }
}

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// In which document.
    pub document: Document,
    /// In which line, from 1; 0 where it is about the whole.
    pub line: u32,
    /// In which field; empty where it is about the line, or the whole.
    pub field: &'static str,
}

impl Place {
    /// A document as a whole.
    #[must_use]
    pub const fn whole(document: Document) -> Self {
        Self { document, line: 0, field: "" }
    }

    /// What is wrong here.
    #[must_use]
    pub const fn wrong(self, wrong: Wrong) -> Fault {
        Fault { place: self, wrong }
    }
}

/// Something that is wrong. It prints as `document: line 3: field: what is wrong`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What.
    pub wrong: Wrong,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { document, line, field } = self.place;
        write!(f, "{}: ", document.name())?;
        if line > 0 {
            write!(f, "line {line}: ")?;
        }
        if !field.is_empty() {
            write!(f, "{field}: ")?;
        }
        write!(f, "{}", self.wrong)
    }
}

macro_rules! wrongs {
    ($($(#[$doc:meta])* $variant:ident = $code:literal $(($name:ident: $kind:ty))?, $text:literal $(, $argument:expr)*;)*) => {
        /// What can be wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Wrong {
            $(#[doc = $text] $variant $(($kind))?,)*
        }

        impl Wrong {
            /// A word for programs; it never changes its meaning.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant $((wrongs!(@any $kind)))? => $code,)*
                }
            }
        }

        impl fmt::Display for Wrong {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant $(($name))? => write!(f, $text $(, $argument)*),)*
                }
            }
        }
    };
    (@any $kind:ty) => { _ };
}

wrongs! {
    TooLong = "too-long" (max: usize), "longer than {max} bytes";
    Empty = "empty", "nothing stands here";
    Control = "character", "holds a character other than printable ASCII";
    Unended = "unended", "the last line does not end with a line feed";
    Ends = "ends", "the document ends before this field";
    Behind = "behind", "something stands behind the end";
    Head = "head" (head: &'static str), "begins with something else than {head:?}";
    Version = "version" (head: &'static str), "is of another version than {head:?}";
    Order = "order" (key: &'static str), "{key:?} and a space must begin this line";
    Edges = "edges", "begins or ends with a space";
    Number = "number", "not a decimal number without leading zeroes";
    Time = "time", "later than second {}", TIME_MAX;
    Hex = "hex" (digits: usize), "not {digits} lower-case hexadecimal digits";
    Address = "address", "not 0x and 16 lower-case hexadecimal digits";
    Base64 = "base64", "not canonical base64";
    Revision = "revision", "not a revision of 40 or 64 lower-case hexadecimal digits";
    Tier = "tier", "not a tier";
    Key = "key", "not a public key of this kind";
    WeakKey = "weak-key", "a key of small order: anything would be signed by it";
    SameKey = "same-key", "a key that stands for something else already";
    WalletAddress = "wallet-address", "not the P2WPKH address of this tier's key";
    Certificates = "certificates", "1 to {} certificates are wanted", CERTIFICATES_MAX;
    Ascending = "ascending", "not behind the line before it in ascending order";
    Period = "period", "not later than the start";
    Ending = "ending", "not one of crash, hung, exit";
    CrashClaimants = "claimants", "at most {} claimants are named", CRASH_CLAIMANTS_MAX;
    VerifierKey = "verifier-key", "not a verifier key as NAME+ID+BASE64";
    KeyId = "key-id", "the key's number is not that of its name and bytes";
    NoteForm = "note", "not a signed note: text, an empty line, signatures";
    CheckpointForm = "checkpoint", "not the head of this log: its name, its size, its root";
    NoteSignature = "note-signature", "not a signature line as \"\u{2014} NAME BASE64\"";
    NoteSignatures = "note-signatures", "1 to {} signatures are wanted", NOTE_SIGNATURES_MAX;
    Unsigned = "unsigned", "no signature by the key that is trusted";
    SignedTwice = "signed-twice", "a second signature by the same key";
    SignatureForm = "signature-form", "not a signature of this key's kind";
    Signature = "signature", "the signature does not verify";
    HighS = "high-s", "s is in the upper half of its range: negate it";
    NotEd25519 = "claimant-key", "must be ed25519: and a public key in base64, for this tier";
    Manifest = "other-manifest", "names another manifest";
    BeforeStart = "before-start", "before the contest's start";
    AfterEnd = "after-end", "not before the contest's end";
    Future = "future", "later than the time of judging";
    Late = "late", "judged after the contest's end, and no commitment from before it is handed in";
    RecordMissing = "record-missing", "a claim for down holds a crash record";
    RecordTime = "record-time", "the crash lies before the contest's start or after the claim's time";
    RecordClaimant = "record-claimant", "the crash record does not name this claimant";
    Commitment = "other-commitment", "the receipt is for another commitment than claim, write-up and salt make";
    WriteUp = "other-write-up", "the write-up is another than the one that was committed to";
    OtherTier = "other-tier", "the proof is for another tier";
    Nonce = "nonce", "the proof answers another nonce";
    Window = "window", "the proof's time lies outside of what is taken";
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_fault_says_where_it_is_and_what() {
        let place = Place { document: Document::Claim, line: 6, field: "time" };
        assert_eq!(place.wrong(Wrong::Number).to_string(), "claim: line 6: time: not a decimal number without leading zeroes");
        assert_eq!(Place::whole(Document::Manifest).wrong(Wrong::TooLong(9)).to_string(), "manifest: longer than 9 bytes");
        assert_eq!(Wrong::Hex(64).code(), "hex");
    }
}
