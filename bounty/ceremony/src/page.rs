//! The page's certificate: minted for it, or what the operator has.

use core::time::Duration;

use arbiter::Digest;
use keys::mint::{self, Algorithm};
use keys::{Secret, Signer};
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, PrivateKeyDer};
use webpki::EndEntityCert;

use crate::limits::AFTER_END_S;
use crate::mint::MintFault;
use crate::order::{Order, OrderFault, Page};

/// In PEM.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) chain: String,
    pub(crate) key: Secret<String>,
    /// Certificate and key of what signed the leaf, if that was made here.
    pub(crate) authority: Option<(String, Secret<String>)>,
}

impl Made {
    pub(crate) fn make(order: &Order<'_>) -> Result<Self, MintFault> {
        match order.page {
            Page::Minted => Self::mint(order),
            Page::Own { chain, key } => {
                pair(chain.as_bytes(), key.expose().as_bytes()).ok_or(OrderFault::Page)?;
                Ok(Self { chain: chain.into(), key: Secret::new(key.expose().clone()), authority: None })
            }
        }
    }

    fn mint(order: &Order<'_>) -> Result<Self, MintFault> {
        let validity = Duration::from_secs(order.end.saturating_sub(order.now).saturating_add(AFTER_END_S));
        let order = mint::Order { names: order.names, algorithm: Algorithm::EcdsaP256, now: Duration::from_secs(order.now), validity };
        let minted = mint::mint(&order).map_err(|_| MintFault::Making)?;
        Ok(Self { chain: minted.chain_pem, key: minted.key_pem, authority: Some((minted.ca_pem, minted.ca_key_pem)) })
    }

    /// Of the leaf in DER.
    pub(crate) fn leaf(&self) -> Option<Digest> {
        first(&self.chain)
    }

    /// Of the certificate of what signed it, in DER, if that was made here.
    pub(crate) fn authority(&self) -> Option<Digest> {
        self.authority.as_ref().and_then(|(pem, _)| first(pem))
    }
}

fn first(pem: &str) -> Option<Digest> {
    let chain = certificates(pem.as_bytes())?;
    Some(Digest::of(&[chain.first()?]))
}

/// The certificates of a PEM file, in DER; one at least, and nothing that is none.
pub(crate) fn certificates(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).map(|found| found.map(|der| der.to_vec())).collect();
    chain.ok().filter(|chain| !chain.is_empty())
}

/// A chain and the key of its leaf, in DER.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: Secret<Vec<u8>>,
}

/// The two, if the key is the leaf's.
pub(crate) fn pair(chain: &[u8], key: &[u8]) -> Option<Pair> {
    let chain = certificates(chain)?;
    let key = PrivateKeyDer::from_pem_slice(key).ok()?;
    let key = Secret::from_slice(key.secret_der());
    is_key_of(&key, chain.first()?).then_some(Pair { chain, key })
}

/// Whether this is the private half of the key in that certificate.
fn is_key_of(key: &Secret<Vec<u8>>, certificate: &[u8]) -> bool {
    let Ok(signer) = Signer::from_der(key) else { return false };
    let certificate = CertificateDer::from(certificate);
    EndEntityCert::try_from(&certificate).is_ok_and(|found| *found.subject_public_key_info() == *signer.public_key_spki())
}
