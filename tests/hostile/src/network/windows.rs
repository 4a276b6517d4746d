//! Soon.
use super::below::Below;
pub(super) const ATTACKS: &[Below] = &[];
