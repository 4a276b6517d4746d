//! What of a private key is nobody's but its owner's: the numbers without which the rest of its DER is public.
//!
//! For those who watch that none of it goes anywhere. A modulus, a curve and an algorithm's name stand in the certificate too, in the clear.

use alloc::vec;
use alloc::vec::Vec;

use super::{Form, OID_EC, OID_ED25519, OID_RSA, Sec1, SignerFault};
use crate::Secret;
use crate::der::{self, Reader};

/// The secret numbers of a key in PKCS#8, SEC1 or PKCS#1 DER: of an elliptic curve the scalar (RFC 5915), of Ed25519 the seed (RFC 8410), of RSA the private
/// exponent, both primes, both exponents and the coefficient (RFC 8017, A.1.2).
///
/// # Errors
/// A form or a kind that is not known here; whether the numbers make a key is not looked at.
pub fn secret_numbers(der: &Secret<Vec<u8>>) -> Result<Vec<&[u8]>, SignerFault> {
    let bytes = der.expose().as_slice();
    let numbers = match Form::of(bytes).ok_or(SignerFault::ConfigEncoding)? {
        Form::Pkcs8 { oid: OID_RSA, key, .. } | Form::Pkcs1 { key } => rsa(key),
        Form::Pkcs8 { oid: OID_EC, key, .. } | Form::Sec1 { key } => Sec1::read(key).map(|parts| vec![parts.private]),
        Form::Pkcs8 { oid: OID_ED25519, key, .. } => Reader::new(key).element(der::OCTET_STRING).map(|seed| vec![seed]),
        Form::Pkcs8 { .. } => return Err(SignerFault::ConfigAlgorithm),
    };
    numbers.ok_or(SignerFault::ConfigEncoding)
}

/// All behind the version, the modulus and the public exponent.
fn rsa(der: &[u8]) -> Option<Vec<&[u8]>> {
    const PUBLIC: usize = 3;
    const SECRET: usize = 6;
    let mut key = Reader::new(der).nested(der::SEQUENCE)?;
    for _ in 0..PUBLIC {
        key.element(der::INTEGER)?;
    }
    (0..SECRET).map(|_| key.element(der::INTEGER).map(significant)).collect()
}

/// DER puts a zero before a number whose first bit is set.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}
