//! Boundary: the certificates that a client shows, whatever they hold, against a policy with an authority, a name and a subject.

use core::time::Duration;
use std::sync::LazyLock;

use keys::bundle::ClientAuth;
use tls::Clients;

use crate::script::Script;

/// A self-signed authority of `openssl req -x509`. Its key was thrown away, so that no input can be signed by it.
pub(crate) const AUTHORITY: &[u8] = include_bytes!("../../../fuzz/seeds/client-ca.der");

static CLIENTS: LazyLock<Clients> = LazyLock::new(|| {
    let roots = vec![AUTHORITY.to_vec()];
    let auth = ClientAuth { required: true, roots, crls: vec![], names: vec!["*.clients.test".into()], subjects: vec!["robot".into()] };
    Clients::new(&auth).expect("an authority")
});

/// 2027, when the authority is good.
const NOW: Duration = Duration::from_secs(1_800_000_000);

/// The input is certificates, each behind its length in two bytes.
pub fn client(data: &[u8]) {
    let mut script = Script(data);
    let mut chain = Vec::new();
    while !script.is_over() && chain.len() <= tls::limits::CLIENT_CHAIN_MAX {
        let len = script.short();
        chain.push(script.take(len.into()));
    }
    assert!(CLIENTS.verify(&chain, NOW).is_err(), "nobody is let in");
    // What is an authority to us is no more than bytes to the reader of it, and so is a list.
    let Some(first) = chain.first() else { return };
    let auth = |crls| ClientAuth { required: true, roots: vec![first.to_vec()], crls, names: vec![], subjects: vec![] };
    let _ = Clients::new(&auth(chain.iter().skip(1).map(|der| der.to_vec()).collect()));
    if let Ok(clients) = Clients::new(&auth(vec![])) {
        let anybody = clients.verify(&chain[1..], NOW).is_ok();
        let some = ClientAuth { names: vec!["*.clients.test".into()], subjects: vec!["robot".into()], ..auth(vec![]) };
        let named = Clients::new(&some).expect("the same authority").verify(&chain[1..], NOW).is_ok();
        assert!(anybody || !named, "some are let in where all are not");
    }
}
