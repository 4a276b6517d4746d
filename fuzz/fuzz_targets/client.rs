//! Boundary: the certificates that a client shows, whatever they hold, against a policy with an authority, a name and a subject.
#![no_main]
#![forbid(unsafe_code)]

use core::time::Duration;
use std::sync::LazyLock;

use keys::bundle::ClientAuth;
use libfuzzer_sys::fuzz_target;
use tls::Clients;

/// A self-signed authority of `openssl req -x509`, for names that no input can be signed for.
static CLIENTS: LazyLock<Clients> = LazyLock::new(|| {
    let roots = vec![include_bytes!("../seeds/client-ca.der").to_vec()];
    let auth = ClientAuth { required: true, roots, crls: vec![], names: vec!["*.clients.test".into()], subjects: vec!["robot".into()] };
    Clients::new(&auth).expect("an authority")
});

fuzz_target!(|data: &[u8]| {
    // The first byte says in how many certificates the rest is cut.
    let Some((count, rest)) = data.split_first() else { return };
    let len = (rest.len() / (usize::from(count % 8) + 1)).max(1);
    let chain: Vec<&[u8]> = rest.chunks(len).collect();
    // The authority's key was thrown away: nobody is let in.
    assert!(CLIENTS.verify(&chain, Duration::from_secs(1_800_000_000)).is_err());
    // And what is an authority to us must never be more than bytes to the reader of it.
    let auth = ClientAuth { required: true, roots: vec![rest.to_vec()], crls: vec![rest.to_vec()], names: vec![], subjects: vec![] };
    let _ = Clients::new(&auth);
});
