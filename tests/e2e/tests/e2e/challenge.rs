//! A contest's box from outside: its doors, its proofs, its log, its claims, and how one is minted.

pub(crate) mod bridging;
pub(crate) mod changed;
pub(crate) mod claims;
pub(crate) mod doors;
pub(crate) mod down;
pub(crate) mod matrix;
pub(crate) mod page;
pub(crate) mod possession;
pub(crate) mod sealed;
pub(crate) mod siege;
