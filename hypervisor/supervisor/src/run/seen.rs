//! What the board says from the start: where it listens, what the backends are called, when the certificates end.

use std::collections::BTreeMap;

use x509_parser::prelude::{FromDer, X509Certificate};

use crate::admin::board::{Expiry, Facts};
use crate::cli::unix_now;
use crate::plan::Plan;
use crate::run::access_file::AccessFile;
use crate::run::opening::Opened;
use crate::run::ready;

/// The facts of a supervisor that has opened everything and started nothing.
pub(super) fn facts(plan: &Plan, opened: &Opened) -> Facts {
    Facts {
        machine: ready::machine(&opened.order),
        net: ready::net(&opened.order),
        addresses: opened.addresses.clone(),
        backends: backends(plan),
        certificates: certificates(plan),
        access: opened.access.as_ref().map(AccessFile::written),
        ..Facts::new(unix_now())
    }
}

/// What the configuration calls each backend, by the address that the guest knows it under.
pub(super) fn backends(plan: &Plan) -> BTreeMap<core::net::SocketAddr, String> {
    plan.backends.iter().map(|backend| (backend.guest, backend.to_string())).collect()
}

/// When each certificate ends.
pub(super) fn certificates(plan: &Plan) -> Vec<Expiry> {
    let pairs = plan.bundle.certificates.iter().zip(&plan.certificate_files);
    let expiry = |(certificate, file): (&keys::bundle::Certificate, &String)| {
        let (_, leaf) = X509Certificate::from_der(certificate.chain.first()?).ok()?;
        let name = certificate.names.first().cloned().unwrap_or_default();
        Some(Expiry { file: file.clone(), name, not_after: leaf.validity().not_after.timestamp() })
    };
    pairs.filter_map(expiry).collect()
}
