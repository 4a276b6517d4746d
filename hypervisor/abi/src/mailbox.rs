//! The mailbox: how the operator's words reach a guest that serves, and how it answers.
//!
//! Two windows, each holding one letter at most: a [`Header`] and the letter's bytes behind it. The tender posts into the inbox, which the
//! guest cannot write, before it lets the guest go on; the guest has posted its answer into the outbox when it comes to its next `wait`,
//! where the tender takes it and empties both windows. Tender and guest never run at the same time, so a letter needs no number: what stands
//! in a window belongs to this turn, and what a guest posts unasked is thrown away unread.

/// First bytes of a mailbox window.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Header {
    /// What the letter is; [`NONE`] where there is none.
    pub kind: u32,
    /// Bytes of the letter behind this header. More than the window holds is malformed.
    pub len: u32,
}

/// `kind`, both ways: no letter.
pub const NONE: u32 = 0;

/// `kind`, to the guest: the bytes are a bundle; serve new connections by it. Answered by [`DONE`] without bytes, or by [`REFUSED`].
pub const RELOAD: u32 = 1;
/// `kind`, to the guest: say how things stand. Answered by [`DONE`] and bytes that only the supervisor reads.
pub const STATUS: u32 = 2;

/// `kind`, to the guest of a contest: prove that you hold your flags. The bytes are a nonce of [`NONCE_LEN`]. Answered by [`DONE`] and the proofs, one behind the other, or by [`REFUSED`].
pub const PROVE: u32 = 3;
/// `kind`, to the guest of a contest: sign these bytes with the flag of `write`, if its word holds its value. Answered by [`DONE`] and the signature, or by [`REFUSED`].
pub const SIGN: u32 = 4;

/// The bytes of a [`PROVE`] letter.
pub const NONCE_LEN: usize = 32;

/// `kind`, from the guest: done as told.
pub const DONE: u32 = 1;
/// `kind`, from the guest: nothing was done; the bytes say why, in UTF-8, at most [`crate::limits::REASON_LEN_MAX`] of them.
pub const REFUSED: u32 = 2;

/// Length of the header in bytes.
pub const HEADER_LEN: usize = size_of::<Header>();

const _: () = assert!(HEADER_LEN == 8, "no padding");
