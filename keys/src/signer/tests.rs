//! Behaviours of the signer.
