//! One letter in a mailbox window, for reading and for writing. See [`abi::mailbox`].

use abi::mailbox::{HEADER_LEN, NONE};

use crate::Fault;

/// What stands in a mailbox window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter<'w> {
    /// What it is; never [`abi::mailbox::NONE`].
    pub kind: u32,
    /// Its bytes.
    pub bytes: &'w [u8],
}

/// The letter in this window, if there is one. Its length is believed only after it was held against the window's.
///
/// # Errors
/// [`Fault::WindowTooShort`], and [`Fault::PeerLength`] for a letter that reaches beyond the window.
pub fn letter(window: &[u8]) -> Result<Option<Letter<'_>>, Fault> {
    let ([k0, k1, k2, k3, l0, l1, l2, l3], rest) = window.split_first_chunk::<HEADER_LEN>().ok_or(Fault::WindowTooShort)?;
    let kind = u32::from_le_bytes([*k0, *k1, *k2, *k3]);
    if kind == NONE {
        return Ok(None);
    }
    let len = usize::try_from(u32::from_le_bytes([*l0, *l1, *l2, *l3])).map_err(|_| Fault::PeerLength)?;
    let bytes = rest.get(..len).ok_or(Fault::PeerLength)?;
    Ok(Some(Letter { kind, bytes }))
}

/// Posts a letter in place of what stands there. `fill` is lent all the room that there is, and says how much of it, from its front, is the
/// letter. Says how many bytes of the window are in use now.
///
/// # Errors
/// [`Fault::WindowTooShort`], and [`Fault::Full`] where `fill` claims more than there is room for; then there is no letter.
pub fn post(window: &mut [u8], kind: u32, fill: impl FnOnce(&mut [u8]) -> usize) -> Result<usize, Fault> {
    let (header, rest) = window.split_first_chunk_mut::<HEADER_LEN>().ok_or(Fault::WindowTooShort)?;
    *header = [0; HEADER_LEN];
    let len = fill(rest);
    if len > rest.len() {
        return Err(Fault::Full);
    }
    let [k0, k1, k2, k3] = kind.to_le_bytes();
    let [l0, l1, l2, l3] = u32::try_from(len).map_err(|_| Fault::Full)?.to_le_bytes();
    *header = [k0, k1, k2, k3, l0, l1, l2, l3];
    len.checked_add(HEADER_LEN).ok_or(Fault::Full)
}

/// Takes away the letter in this window; its bytes stay until they are written over.
pub fn discard(window: &mut [u8]) {
    if let Some(header) = window.first_chunk_mut::<HEADER_LEN>() {
        *header = [0; HEADER_LEN];
    }
}
