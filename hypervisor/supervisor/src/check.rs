//! Certificates and keys, held against each other, against the clock, and against the routes.
//!
//! What comes out are [`Materials`] that a cell may be given: every chain parsed, in order and in date, every key its certificate's, every
//! route's names covered. Errors and warnings go to the report, with the file and the line of the PEM block that they are about.

mod certificate;
mod chain;
mod clients;
mod key;
mod pem;
mod routes;
mod ticket_key;

use core::time::Duration;
use std::path::PathBuf;

use keys::bundle::{Certificate, ClientAuth, TicketKey};
use keys::{Kind, Signer};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::{CertificateFiles, Config};
use crate::report::{Place, Report};
use crate::rule::{Rule, Severity};
use pem::Block;
pub(crate) use routes::certificates_of;

/// A certificate chain and its key, checked.
#[derive(Debug)]
pub struct Material {
    /// What goes into the bundle.
    pub certificate: Certificate,
    /// What sort of key it is.
    pub kind: Kind,
    /// Where it stands in the configuration.
    pub place: Place,
    /// The chain's file.
    pub file: PathBuf,
}

/// All that the configuration names, read and checked.
#[derive(Debug)]
pub struct Materials {
    /// The chains and keys that are usable.
    pub certificates: Vec<Material>,
    /// What each route asks of its clients, in the order of the routes.
    pub clients: Vec<Option<ClientAuth>>,
    /// What several boxes share.
    pub ticket_key: Option<TicketKey>,
}

/// Reads and checks all that the configuration names. What is not usable is in the report and not in the lists.
pub fn materials(config: &Config, unix: Duration, report: &mut Report) -> Materials {
    let before = report.count(Severity::Error);
    let certificates: Vec<Material> = config.certificates.iter().filter_map(|files| material(files, unix, report)).collect();
    // Names that a broken certificate would have covered are no findings of their own.
    if report.count(Severity::Error) == before {
        routes::check(config, &certificates, report);
    }
    let clients = clients::check(config, unix, report);
    let ticket_key = config.ticket_key.as_ref().and_then(|path| ticket_key::read(path, report));
    Materials { certificates, clients, ticket_key }
}

fn material(files: &CertificateFiles, unix: Duration, report: &mut Report) -> Option<Material> {
    let blocks = pem::read_chain(&files.chain, report);
    let key = key::read(&files.key, report);
    let blocks = blocks?;
    let chain = parse(&blocks, report)?;
    let leaf = chain.first()?;
    for (index, link) in chain.iter().enumerate() {
        certificate::check(link, index == 0, unix, report);
    }
    chain::check(&chain, unix, report);
    let names = certificate::names(leaf, report);
    let signer = key.as_ref().and_then(|key| key::check(key, leaf, report))?;
    Some(Material {
        kind: Signer::kind(&signer),
        place: files.chain.place.clone(),
        file: files.chain.value.clone(),
        certificate: Certificate { chain: ders(&blocks), key: key?.der, names },
    })
}

/// A parsed certificate and where it stands.
#[derive(Debug)]
struct Parsed<'a> {
    certificate: X509Certificate<'a>,
    der: &'a [u8],
    place: &'a Place,
}

fn parse<'a>(blocks: &'a [Block], report: &mut Report) -> Option<Vec<Parsed<'a>>> {
    let mut chain = Vec::new();
    for block in blocks {
        match X509Certificate::from_der(&block.der) {
            Ok(([], certificate)) => chain.push(Parsed { certificate, der: &block.der, place: &block.place }),
            Ok(_) => report.add(Rule::CertificateDamaged, &block.place, "bytes follow the end of the certificate"),
            Err(fault) => report.add(Rule::CertificateDamaged, &block.place, format!("is no X.509 certificate: {fault}")),
        }
    }
    (chain.len() == blocks.len()).then_some(chain)
}

fn ders(blocks: &[Block]) -> Vec<Vec<u8>> {
    blocks.iter().map(|block| block.der.clone()).collect()
}
