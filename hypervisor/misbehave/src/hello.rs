//! A ClientHello as it came (RFC 8446 section 4.1.2). The parser is total: whatever comes is a hello or a [`Fault`], and a list inside it that does
//! not parse is an empty one, for a judge has no use for half an offer.

use crate::wire::Fault;
use crate::wire::bytes::Reader;
use crate::wire::registry::extension;

/// What a client offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// 32 bytes.
    pub random: Vec<u8>,
    /// What the server is to echo.
    pub session: Vec<u8>,
    /// Cipher suites, in its order.
    pub suites: Vec<u16>,
    /// Extensions, in its order.
    pub extensions: Vec<(u16, Vec<u8>)>,
}

impl ClientHello {
    /// Reads the body of the message.
    ///
    /// # Errors
    /// [`Fault::PeerShort`]: a field ends before its length.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader(body);
        reader.take(2)?;
        let (random, session) = (reader.take(32)?.to_vec(), reader.vec(1)?.to_vec());
        let suites = numbers(reader.vec(2)?);
        reader.vec(1)?;
        let extensions = if reader.0.is_empty() { Vec::new() } else { extensions(reader.vec(2)?)? };
        Ok(Self { random, session, suites, extensions })
    }

    /// The body of an extension, if it is there.
    #[must_use]
    pub fn extension(&self, kind: u16) -> Option<&[u8]> {
        self.extensions.iter().find(|(found, _)| *found == kind).map(|(_, body)| &body[..])
    }

    /// Versions of `supported_versions`.
    #[must_use]
    pub fn versions(&self) -> Vec<u16> {
        self.list(extension::VERSIONS, 1)
    }

    /// Groups, whether there is a share for them or not.
    #[must_use]
    pub fn groups(&self) -> Vec<u16> {
        self.list(extension::GROUPS, 2)
    }

    /// Signature schemes.
    #[must_use]
    pub fn schemes(&self) -> Vec<u16> {
        self.list(extension::SIGNATURES, 2)
    }

    /// The public key for a group.
    #[must_use]
    pub fn share(&self, group: u16) -> Option<Vec<u8>> {
        let body = self.extension(extension::KEY_SHARE)?;
        let mut list = Reader(Reader(body).vec(2).ok()?);
        // Each turn takes four bytes at least.
        while let (Ok(found), Ok(key)) = (list.u16(), list.vec(2)) {
            if found == group {
                return Some(key.to_vec());
            }
        }
        None
    }

    /// Identities of `pre_shared_key`, in its order (section 4.2.11).
    #[must_use]
    pub fn identities(&self) -> Vec<Vec<u8>> {
        let list = self.extension(extension::PRE_SHARED_KEY).and_then(|body| Reader(body).vec(2).ok());
        let (mut list, mut identities) = (Reader(list.unwrap_or_default()), Vec::new());
        // Each turn takes six bytes at least; behind an identity stands its age.
        while let (Ok(identity), Ok(_)) = (list.vec(2), list.take(4)) {
            identities.push(identity.to_vec());
        }
        identities
    }

    fn list(&self, kind: u16, len_len: usize) -> Vec<u16> {
        let list = self.extension(kind).and_then(|body| Reader(body).vec(len_len).ok());
        list.map(numbers).unwrap_or_default()
    }
}

fn numbers(list: &[u8]) -> Vec<u16> {
    list.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
}

fn extensions(list: &[u8]) -> Result<Vec<(u16, Vec<u8>)>, Fault> {
    let (mut list, mut extensions) = (Reader(list), Vec::new());
    while !list.0.is_empty() {
        extensions.push((list.u16()?, list.vec(2)?.to_vec()));
    }
    Ok(extensions)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::bytes::{numbers, vec8, vec16};

    fn sound() -> Vec<u8> {
        let share = [&29u16.to_be_bytes()[..], &vec16(&[7; 32])].concat();
        let extensions = [
            (extension::VERSIONS, vec8(&numbers(&[0x0304, 0x0303]))),
            (extension::GROUPS, vec16(&numbers(&[29, 23]))),
            (extension::KEY_SHARE, vec16(&share)),
        ];
        let extensions: Vec<u8> = extensions.iter().flat_map(|(kind, body)| [&kind.to_be_bytes()[..], &vec16(body)].concat()).collect();
        [&[3, 3][..], &[5; 32], &vec8(&[6; 32]), &vec16(&numbers(&[0x1301])), &vec8(&[0]), &vec16(&extensions)].concat()
    }

    #[test]
    fn what_is_offered_is_read() {
        let hello = ClientHello::parse(&sound()).expect("parses");
        assert_eq!((hello.versions(), hello.groups(), hello.suites.clone()), (vec![0x0304, 0x0303], vec![29, 23], vec![0x1301]));
        assert_eq!((hello.share(29), hello.share(23), hello.schemes()), (Some(vec![7; 32]), None, vec![]));
        assert_eq!((hello.random.len(), hello.session), (32, vec![6; 32]));
    }

    #[test]
    fn a_hello_that_is_cut_is_a_fault_or_has_no_extensions() {
        let sound = sound();
        let parsed = (0..sound.len()).filter_map(|len| ClientHello::parse(&sound[..len]).ok());
        assert!(parsed.clone().count() == 1 && parsed.clone().all(|hello| hello.extensions.is_empty()), "TLS 1.2 knows hellos without");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(hello) = ClientHello::parse(&bytes) {
                let _ = (hello.versions(), hello.groups(), hello.schemes(), hello.share(29), hello.identities());
            }
        }

        #[test]
        fn a_mangled_hello_does_not_make_it_panic(at in 0usize..200, with in any::<u8>(), kind in any::<u16>()) {
            let mut bytes = sound();
            let at = at % bytes.len();
            bytes[at] = with;
            if let Ok(hello) = ClientHello::parse(&bytes) {
                let _ = (hello.versions(), hello.groups(), hello.schemes(), hello.share(kind), hello.extension(kind).is_some());
            }
        }
    }
}
