//! Behaviours of the mint.
