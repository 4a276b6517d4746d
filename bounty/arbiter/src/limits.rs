//! Every bound of this crate. `docs/arbiter.md` holds the same numbers, and a test compares them.

/// A signed note at most, in bytes: a manifest or a receipt.
pub const NOTE_LEN_MAX: usize = 65_536;
/// Signatures under one note at most. C2SP asks that 16 be taken.
pub const NOTE_SIGNATURES_MAX: usize = 16;
/// One signature of a note at most, in bytes, its key's number included: what a post-quantum witness may need.
pub const NOTE_SIGNATURE_LEN_MAX: usize = 8_192;
/// A claim at most, in bytes.
pub const CLAIM_LEN_MAX: usize = 8_192;
/// A crash record at most, in bytes.
pub const CRASH_LEN_MAX: usize = 4_096;
/// A proof of possession at most, in bytes.
pub const POSSESSION_LEN_MAX: usize = 1_024;
/// What opens a commitment at most, in bytes.
pub const OPENING_LEN_MAX: usize = 1_024;

/// A contest's name at most, in bytes.
pub const NAME_LEN_MAX: usize = 128;
/// A prize's text at most, in bytes.
pub const PRIZE_LEN_MAX: usize = 256;
/// Certificates of one manifest at most.
pub const CERTIFICATES_MAX: usize = 16;
/// The name of a key that signs notes at most, in bytes.
pub const KEY_NAME_LEN_MAX: usize = 128;
/// A claimant at most, in bytes.
pub const CLAIMANT_LEN_MAX: usize = 128;
/// A claim's text at most, in bytes.
pub const TEXT_LEN_MAX: usize = 1_024;
/// What a crash record says in words at most, in bytes.
pub const DETAIL_LEN_MAX: usize = 256;
/// Claimants that one crash record names at most.
pub const CRASH_CLAIMANTS_MAX: usize = 16;
/// A signature by a flag's key at most, in bytes: ECDSA over secp256k1 in DER.
pub const SIGNATURE_LEN_MAX: usize = 72;
/// The latest second that is a time: the end of the year 9999.
pub const TIME_MAX: u64 = 253_402_300_799;

/// What base64 makes of so many bytes.
pub(crate) const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

const _: () =
    assert!(base64_len(CRASH_LEN_MAX) + TEXT_LEN_MAX + CLAIMANT_LEN_MAX + 512 <= CLAIM_LEN_MAX, "a claim holds the longest crash record");
const _: () = assert!(CRASH_CLAIMANTS_MAX * 64 + DETAIL_LEN_MAX + 512 <= CRASH_LEN_MAX, "a crash record holds the most claimants");
const _: () = assert!((PRIZE_LEN_MAX + 128) * 8 + CERTIFICATES_MAX * 80 + 4096 <= NOTE_LEN_MAX, "a note holds the longest manifest");
